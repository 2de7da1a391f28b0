"""What is compressed, and what never is."""

import hashlib
import json
import pathlib
import re
import subprocess

import pytest

from handlers.http.static import FILES, SHEETS, static_url
from handlers.http.static import SHARED as CODE
from tests.support.server import ROOT


def sizes(server, path, **headers):
    response = server.get(path, headers={"Accept-Encoding": "gzip", **headers})
    assert response.status_code == 200, path
    return response, response.num_bytes_downloaded, len(response.content)


@pytest.mark.parametrize("path", ["/", "/search", "board.js", "board.css"])
def test_pages_styles_and_scripts_are_compressed(server, path):
    """To a client that takes it, they are a fraction of their size; and a cache in between is told."""
    for number in range(20):
        server.post(f"number {number}, and some words that come again and again and again")
    path = path if path.startswith("/") else static_url(path)
    response, wire, whole = sizes(server, path)
    assert response.headers["Content-Encoding"] == "gzip" and "Accept-Encoding" in response.headers["Vary"]
    assert wire < whole * 0.6
    plain = server.get(path, headers={"Accept-Encoding": "identity"})
    assert "Content-Encoding" not in plain.headers and len(plain.content) == pytest.approx(whole, rel=0.05)


@pytest.mark.parametrize("path", ["/get", "/api/v1/messages", "/api/v1/openapi.json", "/healthz"])
def test_replies_to_programs_and_polls_are_not(server, path):
    """They are the same bytes for everyone, ready before anyone asks."""
    for number in range(50):
        server.post(f"number {number}, and some words that come again and again and again")
    response, wire, whole = sizes(server, path)
    assert "Content-Encoding" not in response.headers and "Vary" not in response.headers and wire == whole


def test_a_part_of_a_file_is_that_part(server):
    """Who asks for a range gets these bytes as they are."""
    path = static_url("board.js")
    whole = server.get(path, headers={"Accept-Encoding": "identity"}).content
    part = server.get(path, headers={"Accept-Encoding": "gzip", "Range": "bytes=100-1999"})
    assert part.status_code == 206 and "Content-Encoding" not in part.headers
    assert part.content == whole[100:2000]


STATIC = pathlib.Path(__file__).parents[2] / "static"
SCRIPTS = sorted((STATIC / "js").iterdir())
TAILED = re.compile("[;{},] // ")
CAST = re.compile(r"/\*\* @(?:type|param) \{[^\n]*?\} (?:\w+ )?\*/ ")
SHARED = ('from "./words.js";', 'from "./shared.js";', 'from "./order.js";')


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_scripts_are_sent_without_comments_and_indents_and_else_as_they_are(server, path):
    """No code is changed or cut, except that each script has what it imports from words.js, shared.js and order.js."""
    sent = iter(server.get(static_url(path.name)).text.splitlines())
    inside = False
    for ours in path.read_text().splitlines():
        line = ours.strip()
        begins = line.startswith("/*") and (line.endswith("*/") or "*/" not in line)  # not a cast in front of code
        is_comment = inside or begins or line.startswith("//")
        inside = (inside or begins) and not line.endswith("*/")
        if is_comment or not line:
            continue
        theirs = next(sent)
        code, tail, _ = re.split(r"(?<=[;{},])( // )", line, maxsplit=1) if TAILED.search(line) else (line, "", "")
        if ours.endswith(SHARED):
            assert theirs.startswith("const ") and all(
                f"{name} = " in theirs for name in re.findall(r"\w+", ours)[1:-3]
            )
            continue
        assert theirs == CAST.sub("", code if tail else line)
        assert not tail or not any(code.count(mark) % 2 for mark in '"`'), "a comment begins in no string"
        assert "/" in line[:14] or line.count("`") % 2 == 0, "no text of ours goes over lines"
    assert list(sent) == []


PARSE = """for (const [name, code] of Object.entries(JSON.parse(require("fs").readFileSync(0, "utf8"))))
    new (require("vm").SourceTextModule)(code, { identifier: name });"""


def test_what_is_sent_of_scripts_is_javascript():
    """The parser of Node reads all of it: what stood in place of imports, and what was left of each."""
    sent = {name: code.decode() for name, code in FILES.items() if name.endswith(".js")}
    assert {name.rpartition("/")[2] for name in sent} == {path.name for path in SCRIPTS}
    node = [ROOT / ".venv" / "bin" / "node", "--experimental-vm-modules", "--no-warnings", "--eval", PARSE]
    read = subprocess.run(node, input=json.dumps(sent), text=True, capture_output=True, check=False)
    assert read.returncode == 0, read.stderr


def test_all_that_scripts_share_is_put_into_them():
    """A comment within it would hide what follows in the one line, and an empty line would end it."""
    written = "".join((STATIC / "js" / name).read_text() for name in ("words.js", "shared.js", "order.js"))
    assert sorted(name.decode() for name in CODE) == sorted(re.findall(r"^export const (\w+)", written, re.M))
    assert not [name for name, code in CODE.items() if b"//" in code or code.count(b"{") != code.count(b"}")]


@pytest.mark.parametrize("name", SHEETS)
def test_a_style_sheet_is_its_parts_in_order_without_comments_and_white_space(server, name):
    """A rule overrides those before it, so their order is part of what they say."""
    written = "\n".join((STATIC / "css" / f"{part}.css").read_text() for part in SHEETS[name])
    pieces = [piece.partition("*/")[2] if at else piece for at, piece in enumerate(written.split("/*"))]
    sent = server.get(static_url(name)).text
    assert sent.split() == re.sub(r" ?([{};,]) ?", r"\1", " ".join("".join(pieces).split())).split()
    assert len(sent) < len("".join("".join(pieces).split())) * 1.2


def test_every_part_of_a_style_sheet_is_in_one():
    """A file that no page loads would style nothing."""
    parts = {part for sheet in SHEETS.values() for part in sheet}
    assert parts == {path.stem for path in (STATIC / "css").iterdir()}


def test_no_file_hides_another_of_its_name():
    """Icons, scripts and style sheets have their addresses in one place."""
    icons = [path.name for path in STATIC.iterdir() if path.is_file()]
    assert sorted(
        [
            *icons,
            *(path.name for path in SCRIPTS),
            *(f"boards/{path.name}" for path in SCRIPTS),
            *SHEETS,
            "dark.css",
            "light.css",
        ]
    ) == sorted(FILES)


def test_the_first_view_is_light(start):
    """Fifty messages, eight requests, less than 31,500 bytes over the wire with all headers."""
    server = start()
    for number in range(50):
        server.post(f"number {number} {hashlib.sha256(b'%d' % number).hexdigest()}, and what one says in a line or two")
    page = server.get("/", headers={"Accept-Encoding": "gzip"})
    paths = set(re.findall(r'<(?:script|link)[^>]* (?:src|href)="(/static/[^"]+\.(?:js|css))"', page.text))
    replies = [page, *(server.get(path, headers={"Accept-Encoding": "gzip"}) for path in paths)]
    known = {path.rpartition("/")[2] for path in paths}
    for reply in replies[1:]:
        assert set(re.findall(r'^import .*"\./(.+)";$', reply.text, re.MULTILINE)) <= known, (
            "a request that is not preloaded"
        )
    heads = sum(len(b"\r\n".join(b": ".join(pair) for pair in reply.headers.raw)) + 21 for reply in replies)
    assert len(replies) == 8
    assert sum(reply.num_bytes_downloaded for reply in replies) + heads < 31_500
