"""What of a message is more than plain text: the grammar of docs/decisions/0023-text.md, and what it may cost."""

import collections
import json
import pathlib
import re
import urllib.parse

import pytest
from hypothesis import given
from hypothesis import strategies as st

from board import links as of_links
from board import markup
from board.links import links
from board.markup import MOST_MARKUP, flat, pieces
from handlers.http.static import FILES
from handlers.messages.articles import render
from storage.records import Message
from tests.support.bodies import REPEATED, SIGNS, WORDS, bodies
from tests.support.steps import Counted

CASES = json.loads((pathlib.Path(__file__).parents[1] / "support" / "pieces.json").read_text())
BODIES = st.lists(st.sampled_from(SIGNS + WORDS)).map("".join) | st.text()
MARKERS = re.compile(r"[\\`*_~>\[\]()\s-]")
MOST_STEPS = 40
"""For each character. The worst of REPEATED takes 33, at any length: an expression that is tried at each character
tries each of its alternatives once."""


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["body"][:40])
def test_pieces_are_found_as_the_list_says(case):
    """The server finds the pieces that the page's script finds (the browser is held to the same list)."""
    assert json.loads(json.dumps(pieces(case["body"]))) == case["pieces"]


def all_pieces(tree, depth=1):
    """Every piece as (content, kind, address, depth), also those within others."""
    for content, kind, *address in tree:
        yield content, kind, "".join(address), depth
        if isinstance(content, list):
            yield from all_pieces(content, depth + 1)


@pytest.mark.parametrize("repeated", REPEATED)
def test_what_one_message_makes_of_a_page_is_bounded(repeated):
    """It has at most so many elements, at most so deep; the rest stays as it was written."""
    body = (repeated * 4000)[:4000]
    tree = pieces(body)
    found = list(all_pieces(tree))
    assert sum(kind not in ("text", "list", "host") for _, kind, _, _ in found) <= MOST_MARKUP
    assert sum(kind in ("list", "host") for _, kind, _, _ in found) <= MOST_MARKUP
    assert max(depth for *_, depth in found) <= 9 and len(found) <= 4 * MOST_MARKUP + 1
    if len(found) > 2 * MOST_MARKUP:
        assert tree[-1][1] != "text" or body.endswith(tree[-1][0])


@pytest.mark.parametrize("repeated", REPEATED)
def test_the_work_grows_as_the_message(repeated, monkeypatch):
    """Each character costs so many steps at most, in a message of 4000 as in a short one."""
    steps = 0

    def count(by=1):
        nonlocal steps
        steps += by
        assert steps <= MOST_STEPS * 4000

    for module, name in (
        (markup, "BLOCK"),
        (markup, "TOKEN"),
        (of_links, "HAS_HOST"),
        (of_links, "MAIL_DOMAIN"),
        (of_links, "MENTION"),
    ):
        monkeypatch.setattr(module, name, Counted(getattr(module, name), count))
    trim_link = of_links.trim_link
    monkeypatch.setattr(of_links, "trim_link", lambda link: count(len(link)) or trim_link(link))
    tree = pieces((repeated * 4000)[:4000])
    assert tree and steps > 500


def seen(tree):
    """All that a reader sees or is led to: a link's host is part of its address."""
    shown = "".join(text for text, kind in flat(tree) if kind in ("text", "code", "block", "mention"))
    titled = (address for content, _, address, _ in all_pieces(tree) if address and content[-1][1] == "host")
    return shown + "".join(titled)


@given(BODIES)
def test_no_word_is_lost_or_doubled(body):
    """All of a body but its markers is shown, or is where a link leads to. Only a fence's info string goes."""
    shown, written = (collections.Counter(MARKERS.sub("", text)) for text in (seen(pieces(body)), body))
    assert not shown - written
    assert (written - shown).total() <= 20 * (body.count("```") // 2)
    assert "".join(text for text, _ in links(body)) == body


@given(BODIES)
def test_a_link_leads_where_it_says(body):
    """To http, https or a mail address; and what stands behind a title is all of the host, or the mail address."""
    for content, kind, address, _ in all_pieces(pieces(body)):
        if kind != "link":
            continue
        assert re.match("https?://|mailto:[0-9a-z]", address or content, re.IGNORECASE)
        if address and content[-1][1] == "host":
            target = urllib.parse.urlsplit(address)
            assert content[-1][0] == f"({target.netloc or target.path})"
        elif address:
            assert address in (f"https://{content[0][0]}", f"mailto:{content[0][0]}")


def test_the_page_loads_the_grammar_for_every_body_that_needs_it():
    """What its first script takes for plain text is nothing else."""
    source, flags = re.search(r"^const MARKED = /(.+)/(\w+);", FILES["message.js"].decode(), re.MULTILINE).groups()
    assert flags == "im"
    marked = re.compile(source, re.IGNORECASE | re.MULTILINE)
    plain = [body for body in bodies(1, 5000) + [case["body"] for case in CASES] if not marked.search(body)]
    assert len(plain) > 30 and all(pieces(body) in ([], [(body, "text")]) for body in plain)
    assert not marked.search("It's 5 o'clock, isn't it? (Yes!) A-B; c: d/e #1 & 100% – über")


def test_a_message_as_html():
    """Each kind is an element, and what it holds is text."""
    body = '**a _b_** ~~<i>~~ `<b>` [t&](https://h.io/?a&"b) [t](https://h.io/?a&b) x@y.zz\n> <q>\n- 1\n- 2\n```js\n<x>\n```\nwww.a.bc'
    html = render(Message(id=1, seq=1, author=None, body=body, created_at=0, edited_at=None), False).decode()
    web, out = 'rel="nofollow noopener ugc" target="_blank"', 'rel="nofollow noopener ugc"'
    assert html.partition('lang="">')[2].partition('lang="">')[2].partition("</div>")[0] == (
        "<strong>a <em>b</em></strong> <del>&lt;i&gt;</del> <code dir=\"auto\">&lt;b&gt;</code> [t&amp;]("
        f'<a href="https://h.io/?a&amp;" {web}>https://h.io/?a&amp;</a>&quot;b) '
        f'<a href="https://h.io/?a&amp;b" {web}>t <bdi>(h.io)</bdi></a> <a href="mailto:x@y.zz" {out}>x@y.zz</a>'
        '<blockquote dir="auto">&lt;q&gt;</blockquote><ul dir="auto"><li>1</li><li>2</li></ul>'
        f'<pre dir="auto"><code>&lt;x&gt;</code></pre><a href="https://www.a.bc" {web}>www.a.bc</a>'
    )  # fmt: skip
