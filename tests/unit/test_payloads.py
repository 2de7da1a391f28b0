"""What other programs send becomes the words of one message, at a bounded cost, and nothing is refused for its shape."""

import json

import pytest

import board.slack_marks
from board.markup import pieces, usernames_in
from board.payloads import MOST_PARTS, WIDEST, Reader, cut, words_of
from board.slack_marks import from_slack
from handlers.hooks.intake import digest_of, read
from handlers.http.errors import RefusedError
from tests.support.steps import Counted

MARKS = {
    "*bold*, _italic_, ~struck~ and `*code*`": "**bold**, _italic_, ~~struck~~ and `*code*`",
    "**bold** ~~struck~~ of Mattermost": "**bold** ~~struck~~ of Mattermost",
    "2*3*4 and 2 * 3 * 4, then *x* and ( *two words* )": "2*3*4 and 2 * 3 * 4, then **x** and ( **two words** )",
    "* item\n* item": "* item\n* item",
    "*not\nclosed*": "*not\nclosed*",
    "```\n*a* <b> &lt;\n``` *c*": "```\n*a* <b> <\n``` **c**",
    "<https://example.org/a|the page>": "[the page](https://example.org/a)",
    "*<https://example.org/a|the page>*": "**[the page](https://example.org/a)**",
    "<https://example.org/a?b=1&amp;c=2>": "https://example.org/a?b=1&c=2",
    "<https://example.org/|example.org>": "https://example.org/",
    "<https://example.org/a|[1] page>": "[1] page (https://example.org/a)",
    "<https://example.org/a|https://other.org>": "https://other.org (https://example.org/a)",
    "<mailto:ada@example.org|ada@example.org>": "mailto:ada@example.org",
    "<!channel> <!channel|channel> <!here|@here> <!everyone>": "@channel @channel @here @everyone",
    "<!subteam^S1|@ops> <!date^1^{date}|today>": "@ops today",
    "<@U1|ada> <@U2> <#C1|ops> <#C2>": "@ada @U2 #ops #C2",
    "<javascript:alert(1)|x> a < b <nothing>": "<javascript:alert(1)|x> a < b <nothing>",
    "&lt;b&gt; &amp;lt; &quot; &amp;amp;": "<b> &lt; &quot; &amp;",
    ">quoted\n&gt;too": "> quoted\n> too",
}


def section(text, **more):
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}, **more}


def plain(text):
    return {"type": "plain_text", "text": text}


PAYLOADS = [
    ({"text": "Hello *you*"}, "Hello **you**"),
    ({"text": "Disk full", "blocks": [{"type": "header", "text": plain("Disk  full")}, section("on db1")]}, "**Disk full**\non db1"),
    ({"text": "Disk full\non *db1*", "blocks": [section("Disk *full*"), section("on db1")]}, "Disk **full**\non db1"),
    ({"text": "up", "attachments": [{"fallback": "up", "color": "#0f0"}, {"fallback": "and so on"}]}, "up\nand so on"),
    ({"attachments": [{"fallback": "a", "text": "b", "blocks": [section("*b*"), section("c")]}]}, "**b**\nc"),
    # Words that stand twice may say two things.
    ({"text": "#1", "attachments": [{"title": "db1", "text": "down"}, {"title": "db2", "text": "down"}]}, "#1\n**db1**\ndown\n**db2**\ndown"),
    ({"blocks": [section("x", fields=[plain(one) for one in ("CPU", "5 %", "RAM", "5 %")])]}, "x\nCPU\n5 %\nRAM\n5 %"),
    ({"blocks": [section(one) for one in ("Removed:", "db_1", "Added:", "db1")]}, "Removed:\ndb_1\nAdded:\ndb1"),
    ({"attachments": [{"title": "Old", "title_link": f"https://x.org/{one}"} for one in ("a_b", "ab")]},
     "**[Old](https://x.org/a_b)**\n**[Old](https://x.org/ab)**"),
    ({"text": "OK", "attachments": [{"pretext": "db1", "text": "OK"}, {"pretext": "db2", "text": "ok"}]}, "OK\ndb1\nOK\ndb2\nok"),
    ({"attachments": [{"fallback": "down"}, {"fallback": "down"}, {"fields": [{"title": "a", "value": "1"}] * 2}]}, "down\ndown\n**a**: 1\n**a**: 1"),
    ({"text": "db", "blocks": [section("db1")]}, "db\ndb1"), ({"text": "DB", "blocks": [section("db")]}, "DB\ndb"),
    ({"blocks": [{"type": "header", "text": plain("Title")}, {"type": "divider"}, section("a", fields=[{"type": "mrkdwn", "text": "*k*\nv"}]),
                 {"type": "context", "elements": [plain("x"), {"type": "mrkdwn", "text": "_y_"}]}, {"type": "markdown", "text": "**m**"}]},
     "**Title**\na\n**k**\nv\nx _y_\n**m**"),
    ({"blocks": [{"type": "video", "title": plain("no")}, {"type": "rich_text", "elements": [{}]}, 5, None, section("yes")]}, "yes"),
    ({"blocks": [{"type": "image", "image_url": "https://example.org/a.png", "alt_text": "A graph"}]}, "[A graph](https://example.org/a.png)"),
    ({"blocks": [{"type": "image", "alt_text": "A graph"}]}, "A graph"),
    ({"attachments": [{"image_url": "https://example.org/a.png", "fallback": "not needed"}]}, "https://example.org/a.png"),
    ({"attachments": [{"fallback": "only this"}, {"pretext": "p", "author_name": "Ann", "title": "t", "title_link": "https://example.org/",
                       "text": "w", "fields": [{"title": "k", "value": "v", "short": True}, {"title": "k2", "value": "v\nw"}, {"value": "alone"}],
                       "footer": "dropped", "ts": 5, "color": "#f00", "actions": [{"type": "button"}]}]},
     "only this\np\nAnn\n**[t](https://example.org/)**\nw\n**k**: v\n**k2**:\nv\nw\nalone"),
    ({"attachments": [{"title": "[FIRING:1] x", "title_link": "https://example.org/"}]}, "**[FIRING:1] x**\nhttps://example.org/"),
    ({"text": "Monitor", "attachments": [{"blocks": [{"type": "header", "text": plain("Router")}, section("Down")]}]}, "Monitor\n**Router**\nDown"),
    ({"title": "T", "message": "*as it is* &lt;", "attachments": [], "version": "1.0", "type": "info"}, "**T**\n*as it is* &lt;"),
    ({"content": "c"}, "c"), ({"body": "b"}, "b"), ({"message": "m"}, "m"), ({"content": "", "body": "b"}, "b"),
    ({}, ""), ({"text": ""}, ""), ({"text": " \n\u200b"}, ""), ({"text": 5, "blocks": "x", "attachments": {"a": 1}}, ""),
    ({"blocks": [{"type": ["section"], "text": plain("x")}]}, ""), ({"title": "alone"}, ""),
    ({"text": "a\0b\ud800c\u202e"}, "abc"),
]  # fmt: skip


@pytest.mark.parametrize(("sent", "said"), MARKS.items())
def test_marks_of_others_become_ours(sent, said):
    """Entities are resolved last, once, and only the three that there are."""
    assert from_slack(sent) == said


@pytest.mark.parametrize(("payload", "words"), PAYLOADS)
def test_a_payload_becomes_a_message(payload, words):
    """What is unknown, of another type or said before is left out."""
    assert words_of(payload, 4000) == words


def test_what_is_too_long_is_cut_and_never_inside_of_a_character():
    """A refused alert would be lost."""
    assert cut("x" * 4000, 4000) == "x" * 4000
    long = words_of({"text": "é" * 3990 + "👩‍👩‍👧" * 50}, 4000)
    assert len(long) <= 4000 and long.endswith("👧…")
    assert words_of({"text": "&amp;" * 5000}, 4000) == "&" * 3999 + "…"
    many = words_of({"blocks": [section(str(n)) for n in range(5000)]}, 4000)
    assert many.endswith(f"\n{MOST_PARTS - 1}\n…")


def test_nobody_is_mentioned_by_a_payload_s_own_signs():
    """The words of a mention may stand there; the board looks none of them up (tests/storage/test_hooks.py)."""
    words = words_of({"text": "<!channel|channel> <@U1|ada> <!everyone>"}, 4000)
    assert words == "@channel @ada @everyone" and usernames_in(words) == ["channel", "ada", "everyone"]
    assert "all" not in usernames_in(words_of({"text": "<!all> <@all|x>"}, 4000))


LONG = 20_000
WORST = [
    "*" * LONG, "*a " * LONG, "*a" + " " * LONG, "~*" * LONG, "<" * LONG, "<a" * LONG, "<https://" + "a" * LONG, "`" * LONG,
    "``` " * LONG, "> " * LONG, "\n>" * LONG, "&gt;" * LONG, "<!" + "|" * LONG + ">", "*" + "a" * LONG, "*a\n" * LONG,
    "<https://a.org|" + "b" * LONG + ">", "<https://" + "(" * LONG + "|b>", "<https://a.org|b>" * (LONG // 10),
]  # fmt: skip


@pytest.mark.parametrize("text", [text[:2000] for text in WORST], ids=range(len(WORST)))
def test_the_work_for_the_worst_text_grows_with_its_length(text, monkeypatch):
    """Counted in steps of the expressions, not in time: no text makes them try it again at each character."""
    steps = 0

    def count():
        nonlocal steps
        steps += 1

    for name in ("IN_ANGLES", "QUOTE", "BOLD", "STRIKE", "TOKEN"):
        counted = Counted(getattr(board.slack_marks, name), count)
        monkeypatch.setattr(board.slack_marks, name, Substituting(counted))
    from_slack(text)
    assert steps <= 60 * len(text) + 100


class Substituting:
    """A counted expression, with the methods that are used of it."""

    def __init__(self, counted):
        self.counted = counted

    def sub(self, new, text):
        parts, at = [], 0
        while (found := self.counted.search(text, at)) and found.end() > at:
            parts += [text[at : found.start()], new(found) if callable(new) else found.expand(new)]
            at = found.end()
        return "".join([*parts, text[at:]])

    def fullmatch(self, text):
        found = self.counted.match(text)
        return found if found and found.end() == len(text) else None


@pytest.mark.parametrize(
    "payload",
    [
        {"blocks": [{}] * 80_000},
        {"blocks": [section("x", fields=[plain("y")] * 20_000)] * 5},
        {"attachments": [{"blocks": [{"type": "context", "elements": [plain("z")] * 30_000}]}] * 3},
        {"attachments": [{"fields": [{"title": "a", "value": "b"}] * 40_000}]},
        {"text": "<https://a.org|b>" * 15_000},
    ],
)
def test_of_the_largest_payload_only_so_much_is_looked_at(payload):
    """Parts and characters are counted, at each depth."""
    reader = Looked(4000)
    reader.slack(payload)
    assert reader.looked_at <= MOST_PARTS and reader.taken <= WIDEST * 4000
    assert reader.is_cut


class Looked(Reader):
    looked_at = taken = 0

    def each(self, values):
        for value in super().each(values):
            self.looked_at += 1
            yield value

    def text(self, within, name):
        found = super().text(within, name)
        self.taken += len(found)
        return found


JSON, FORM = "application/json", "application/x-www-form-urlencoded"


@pytest.mark.parametrize(
    ("kind", "body", "found"),
    [
        (JSON, b'{"text": "a\nb\tc"}', {"text": "a\nb\tc"}),
        (JSON, b'\xef\xbb\xbf{"text": "a"}', {"text": "a"}),
        ("application/vnd.x+json", b'{"text": "a"}', {"text": "a"}),
        (FORM, b"payload=%7B%22text%22%3A%20%22a%22%7D", {"text": "a"}),
        ("", b"payload=%7B%22text%22%3A%20%22a%22%7D", {"text": "a"}),
        (FORM, b"text=a+b&title=x", {"text": "a b", "title": "x"}),
        (FORM, b'{"text": "a"}', {"text": "a"}),  # curl -d
        (FORM, b"Backup done: 100% of 3+4", "Backup done: 100% of 3+4"),
        (FORM, b"a&" * 60, "a&" * 60),
        (FORM, b"a && " * 3000, "a && " * 3000),
        (
            FORM,
            b"version=1.0&title=T&message=m+n&type=info",
            {"version": "1.0", "title": "T", "message": "m n", "type": "info"},
        ),
        (FORM, b"payload=%7B%22text%22%3A%22a%22%7D" + b"&x=1" * 60, {"text": "a"}),
        (FORM, b"text=a%0Ab\n", {"text": "a\nb"}),
        (FORM, b"text=Hello world & more=1", {"text": "Hello world & more=1"}),
        (FORM, b"text=R&D", {"text": "R&D"}),
        (FORM, b"text=100% of a+b", {"text": "100% of a+b"}),
        (FORM, b'payload={"text": "a & b=c"}', {"text": "a & b=c"}),
        (
            FORM,
            b"Backup FAILED on db1: http://ci.example/job?id=7&body=log",
            "Backup FAILED on db1: http://ci.example/job?id=7&body=log",
        ),
        (FORM, b"Deploy a.com/?a=1&text=x", "Deploy a.com/?a=1&text=x"),
        (FORM, b"http://a.com/?a=1&text=x", "http://a.com/?a=1&text=x"),
        (
            FORM,
            b"Build failed: http://ci/?id=5&message=oom see log",
            "Build failed: http://ci/?id=5&message=oom see log",
        ),
        (FORM, b"Message=a&b", "Message=a&b"),
        (FORM, b"text=a&text=b", {"text": "a\nb"}),
        (JSON, b'{"text": 5, "value": -0.50}', {"text": "5", "value": "-0.50"}),
        (JSON, b'{"text": "a", "value": ' + b"9" * 4301 + b"}", {"text": "a", "value": "9" * 4301}),
        ("text/plain", b"plain = text", "plain = text"),
        ("text/plain", b"text=a", "text=a"),
        ("text/plain", b'{"text": "a"}', {"text": "a"}),
        ("text/plain", b"{braces}", "{braces}"),
        ("", b"", ""),
        ("text/plain", b"caf\xe9", "caf\ufffd"),
        (JSON, b'{"text": "caf\xe9"}', {"text": "caf\ufffd"}),
    ],
)
def test_a_body_is_read_by_its_type_or_by_its_looks(kind, body, found):
    """As senders and curl send them."""
    assert read(body, kind) == found


def test_what_is_nested_deeper_than_python_reads_is_left_out():
    """The rest is read, also a text that stands behind it, and strings with brackets in them."""
    for deep in ("[" * 30_000 + "]" * 30_000, '{"a]\\"}":' * 20_000 + "1" + "}" * 20_000):
        found = read(f'{{"text": "]}}[", "x": {deep}, "title": "b"}}'.encode(), JSON)
        assert (found["text"], found["title"]) == ("]}[", "b")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b'"x"',
        b"5",
        b"[" * 200_000,
        b'{"a":' * 100_000,
        b'["' * 100_000,
        b"[" * 9999 + b'"\\' * 100_000,
        b'{"text": "a"} x',
    ],
)
@pytest.mark.parametrize("kind", [JSON, FORM])
def test_what_says_it_is_json_and_is_no_object_is_refused(body, kind):
    """Also as the field of a form."""
    sent = body if kind == JSON else b"payload=" + (body or b"%20")
    with pytest.raises(RefusedError) as refused:
        read(sent, kind)
    assert (refused.value.status_code, refused.value.code) == (400, "invalid_payload")


def test_the_hash_of_a_body_says_nothing_without_the_secret():
    """So nobody finds words that were deleted by guessing, also not in a backup; and no program's own secret is too long."""
    assert digest_of(b"x", "5ec2e7") == digest_of(b"x", "5ec2e7") != digest_of(b"y", "5ec2e7")
    assert digest_of(b"x", "5ec2e7") != digest_of(b"x", "07e2c5") and digest_of(b"x", "é" * 99)


def test_what_is_made_of_a_payload_is_read_as_it_is_meant():
    """Bold words, and a link with a title: by the grammar of messages."""
    words = words_of(json.loads(json.dumps({"text": "*b* <https://example.org/|page>"})), 4000)
    assert [kind for _, kind, *_ in pieces(words)] == ["bold", "text", "link"]
