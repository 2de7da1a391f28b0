"""The documentation is true: its commands are run, and what they print is compared."""

import contextlib
import importlib
import inspect
import json
import os
import re
import sqlite3
import subprocess

import pytest

from tests.support.patience import PATIENCE
from tests.support.server import ROOT

VOLATILE = [
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", "TIME"),
    (r'"cursor":"[0-9a-z]{8}-', '"cursor":"EPOCH-'),
    (r"\d{4}-\d\d-\d\d", "DAY"),
    (r'"watching":\d+', '"watching":N'),
    (r'"version":"[\w.]+"', '"version":"VERSION"'),
    (r"lb_[\w…-]+", "TOKEN"),
]
MARK = "@@ end of a command @@"


def steps(path):
    """(command, what it should print) for each line that starts with `$` in the page's blocks that use curl."""
    for block in re.findall(r"```console\n(.*?)```", path.read_text(), re.DOTALL):
        if "curl " not in block:
            continue
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, printed = part.partition("\n")
            yield command, printed.strip()


def steady(text):
    for pattern, name in VOLATILE:
        text = re.sub(pattern, name, text)
    return text


def run(commands, server):
    """What each command printed, all of them typed into one shell."""
    script = "".join(f"{command}\nwait\nprintf '\\n{MARK}\\n'\n" for command in commands)
    script = script.replace("localhost:8080", f"127.0.0.1:{server.port}")
    shell = subprocess.run(
        ["bash"], input=script, capture_output=True, text=True, timeout=PATIENCE, cwd=ROOT,
        env={**os.environ, "http_proxy": "", "all_proxy": ""},
    )  # fmt: skip
    return [part.strip() for part in shell.stdout.split(MARK)][:-1]


def test_the_script_for_the_pictures_finds_all_that_it_uses():
    """It is run by hand, when the page changes."""
    assert inspect.iscoroutinefunction(importlib.import_module("docs.screenshot").main)


@pytest.mark.parametrize("page", ["docs/protocol.md", "README.md"])
def test_every_command_prints_what_the_page_says(start, page):
    """A reader who types along sees what is written there."""
    commands, expected = zip(*steps(ROOT / page), strict=True)
    assert len(commands) > 3
    printed = run(commands, start())
    for command, want, got in zip(commands, expected, printed, strict=True):
        assert steady(got) == steady(want), command


KINDS = {
    "body": "messages",
    "deleted": "messages",
    "username": "accounts",
    "token": "credentials",
    "last_used_at": "credentials",
}
"""A field by which an object is known, and the table that has its number; an author has only a name besides."""


def counted_from(before, value):
    """An answer as it would be without the rows that were there before: `before` has the last number of each table."""
    if isinstance(value, list):
        rows = [counted_from(before, one) for one in value]
        return [row for row in rows if not isinstance(row, dict) or row.get("id", 1) > 0]
    if not isinstance(value, dict):
        return value
    table = next((KINDS[field] for field in value if field in KINDS), "accounts")
    fewer = {name: counted_from(before, one) for name, one in value.items() if name != "older"}
    if "id" in fewer:
        fewer["id"] -= before[table]
    if "reply_to" in fewer:
        fewer["reply_to"] -= before["messages"]
    if "cursor" in fewer:
        epoch, _, number = fewer["cursor"].partition("-")
        fewer["cursor"] = f"{epoch}-{int(number) - before['messages']}"
    return fewer


def alone(text, before):
    """What was printed, JSON counted from there, without what depends on older messages."""
    if not text.startswith("{"):
        return steady(text)
    try:
        value, end = json.JSONDecoder().raw_decode(text)
    except ValueError:  # cut by the command itself
        return steady(text)
    return steady(json.dumps(counted_from(before, value), ensure_ascii=False, separators=(",", ":")) + text[end:])


def test_the_protocol_can_be_typed_along_after_the_readme(start):
    """The README leads there: on the board that it has begun, nothing is taken, and no number means another row."""
    server = start()
    run([command for command, _ in steps(ROOT / "README.md")], server)
    with contextlib.closing(sqlite3.connect(server.database)) as db:
        before = dict(db.execute("SELECT 'messages', seq FROM board UNION SELECT name, seq FROM sqlite_sequence"))
    assert all(before.values())  # or it is no different from an empty board
    commands, expected = zip(*steps(ROOT / "docs/protocol.md"), strict=True)
    empty = dict.fromkeys(before, 0)
    for command, want, got in zip(commands, expected, run(commands, server), strict=True):
        assert alone(got, before) == alone(want, empty), command


@pytest.mark.parametrize("page", ["docs/protocol.md", "README.md"])
def test_no_line_goes_on_as_a_guest_when_signing_in_has_failed(start, page):
    """What was typed wrongly once must not end in a post under nobody's name."""
    server = start()
    commands = [command for command, _ in steps(ROOT / page)]
    signing_in = [n for n, command in enumerate(commands) if "/signin " in command]
    tried = [
        command.replace("a few random words", "another password") if n in signing_in else command
        for n, command in enumerate(commands)
    ]
    printed = run([f"({command})" if "Authorization" in command else command for command in tried], server)
    by_members = [got for command, got in zip(tried, printed, strict=True) if "Authorization" in command]
    assert signing_in and by_members and set(by_members) == {""}


def test_every_error_code_is_in_the_protocol():
    """A code that a program may meet is documented."""
    documented = (ROOT / "docs/protocol.md").read_text()
    sources = [p.read_text() for folder in ("handlers", "board") for p in (ROOT / folder).rglob("*.py")]
    pattern = (
        r'(?:RefusedError\(\s*\d{3},|(?:BadText|Denied)Error\(|\d{3}: \(|: \(\s*\d{3},|code"?[:=](?: str =)?)\s*"(\w+)"'
    )
    codes = {code for text in sources for code in re.findall(pattern, text)} - {"internal"}
    assert len(codes) > 50
    assert not {code for code in codes if f"`{code}`" not in documented}


PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), ROOT / "bench/README.md"]


def headings(page):
    """The names by which a link leads to a heading of the page."""
    found = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in found}


def test_links_between_the_pages_lead_somewhere():
    """No link in the documentation is dead, nor the heading to which it leads."""
    for page in PAGES:
        for name, heading in re.findall(r"\]\((?!https?:)([^)#]*)#?([^)]*)\)", page.read_text()):
            target = page.parent / name if name else page
            assert target.exists(), f"{page.name} links to {name}"
            assert not heading or heading in headings(target), f"{page.name} links to {name}#{heading}"


def test_a_heading_stands_after_an_empty_line():
    """Where two branches have each added a section, none is lost between them."""
    assert len(PAGES) > 30
    for page in PAGES:
        text = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
        assert not re.findall(r"[^\n]\n#+ .*", text), page.name


def test_code_that_says_where_to_read_on_names_a_page():
    """And no two decisions have one number: who writes two at once would not see it."""
    folders = ("admin", "bin", "board", "deploy", "handlers", "net", "static", "storage")
    sources = [path for folder in folders for path in (ROOT / folder).rglob("*") if path.is_file()]
    named = {
        (path.name, page)
        for path in [*ROOT.glob("*.py"), *sources]
        if path.suffix in ("", ".conf", ".css", ".js", ".py", ".service", ".sql")
        for page in re.findall(r"docs/[\w/-]+\.md", path.read_text())
    }
    assert named and not {(name, page) for name, page in named if not (ROOT / page).exists()}
    numbers = [path.name[:4] for path in (ROOT / "docs/decisions").glob("*.md")]
    assert len(set(numbers)) == len(numbers)
