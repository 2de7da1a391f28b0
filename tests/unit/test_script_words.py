"""The words that scripts show: each is a text of t() or n(), by which pages in another language have it in theirs."""

import re

import pytest
from pygments.lexers import JavascriptLexer
from pygments.token import Token

from tests.support.script_words import SCRIPTS, texts

QUIET = {"querySelector", "querySelectorAll", "closest", "matches", "matchMedia", "supports", "includes"}
"""Functions that show nothing of what they take: it is a selector, or the like."""
WORDS = re.compile(r"[^\W\d_]{2,}[,.:;!?…)”’]* +[(“‘]?[^\W\d_]+|^\W*[A-Z][a-z]+\W*$")
"""Two words, or one that begins as a sentence does."""
SHOWN = re.compile(r"\.(?:textContent|title|placeholder|ariaLabel) =$|\"aria-label\" ,$")
PAIRS = re.compile(r"^\s*\[(.+?)\] = \[(.+)\];$")
TAG = re.compile(r"<[^>]*(?:>|$)")
NOT_SHOWN = {
    ("main.js", "Notification"): "a name in browsers",
    ("poller.js", "Date"): "a header",
    ("poller.js", "The request was given up"): "no failure: the script that asked has given it up",
    ("poller.js", "Not the board"): "who shows a failure that is not the board's has a text for it",
    ("markup.js", "nofollow noopener ugc"): "values of rel",
}
"""Why."""
STRING = Token.Literal.String


def strings(code):
    """Each string of a script, or each part of one with values: its line, itself, what takes it, the tokens before it."""
    calls, before, line, part = [""], [""], 1, None
    begun = []  # what stands before the strings with values that have begun
    for kind, value in JavascriptLexer().get_tokens(code):
        if kind in STRING.Double or kind in STRING.Single:
            yield line, value[1:-1], calls[-1], before
        elif kind in STRING.Interpol and value == "${":
            yield line, part, calls[-1], begun[-1]
            part = None
            calls.append("")
        elif kind in STRING.Interpol:
            calls.pop()
            part = ""
        elif kind in STRING.Backtick and value != "`":
            part += value
        elif kind in STRING.Backtick and part is None:
            part = ""
            begun.append(before)
        elif kind in STRING.Backtick:
            yield line, part, calls[-1], begun.pop()
            part = None
        elif kind in Token.Punctuation:
            for sign in value:
                if sign in "([{":
                    calls.append(before[-1] if sign == "(" else "")
                elif sign in ")]}":
                    calls.pop()
        line += value.count("\n")
        if value.strip() and kind not in Token.Comment:
            before = [*before[-2:], value]


def untranslated(code):
    """The strings of a script that a page shows as they are."""
    for _, text, call, before in strings(code):
        if call in QUIET | {"t", "n"} or before[-1] in ("===", "!=="):
            continue
        shown = SHOWN.search(" ".join(before).replace(" . ", ".").replace(". ", "."))
        words = TAG.sub(" ", text)
        if WORDS.search(words) or (shown and re.search(r"[^\W\d_]", words)):
            yield text
    for line in code.splitlines():
        pairs = PAIRS.search(line)
        for name, value in zip(*(side.split(", ") for side in pairs.groups()), strict=False) if pairs else ():
            if SHOWN.search(f"{name} =") and re.fullmatch(r"\"[^\"]*[^\W\d_][^\"]*\"", value):
                yield value[1:-1]


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_scripts_show_words_only_by_their_catalogue(path):
    shown = {text for text in untranslated(path.read_text()) if (path.name, text) not in NOT_SHOWN}
    assert not shown, "wrap them in t() or n(), of words.js"


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_a_text_of_the_catalogue_is_one_literal(path):
    """Only so is it found by the program that extracts them."""
    for line, text, call, before in strings(path.read_text()):
        if call in ("t", "n"):
            assert before[-1] in ("(", ","), f"line {line}: {text}"
    assert not re.search(r"\b[tn]\(\s*`|`[^`]*\$\{[^}`]*\b[tn]\(", path.read_text()), "in a template it is not found"


@pytest.mark.parametrize(
    "code",
    [
        'say("Not sent yet.");',
        'const LATE = "Not sent";',
        'element.textContent = "muted";',
        "element.title = `${count} new`;",
        'element.setAttribute("aria-label", "boards");',
        '[a.className, a.textContent] = ["quiet", "close"];',
        "form.innerHTML = '<button class=\"quiet\">Cancel</button>';",
        'button("Discard", drop);',
        "tell(`${count} messages are ${kind} now`);",
    ],
)
def test_words_outside_the_catalogue_are_found(code):
    assert list(untranslated(code))


@pytest.mark.parametrize(
    "code",
    [
        'say(t("Not sent yet."));',
        'element.querySelector("#composer textarea");',
        'if (key === "Enter") return;',
        "element.className = `chip ${kind}`;",
        "list.innerHTML = '<dl class=\"a b\"></dl>';",
        '[a.className, a.textContent] = ["quiet", t("Close")];',
    ],
)
def test_what_is_no_word_of_ours_is_not(code):
    assert not list(untranslated(code))


def test_a_plural_has_the_values_of_its_singular():
    """A translation must have all of them, so a text names none that its other form lacks."""
    _, counted = texts()
    names = re.compile(r"%\((\w+)\)s")
    assert len(counted) > 10
    for one, many in counted:
        assert set(names.findall(one)) == set(names.findall(many)) >= {"n"}, one
