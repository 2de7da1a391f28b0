"""Real text: every fortune that Debian packages, in many scripts, posted over HTTP and read back in both directions."""

import argparse
import collections
import itertools
import pathlib
import time
import unicodedata
from collections.abc import Iterator, Sequence
from typing import Any

from bench.connection import Connection, Crowd, Reply, get, post_form
from bench.outcome import Missing, Wrong, print_table
from bench.process import Server, new_folder, server
from board.text import BadTextError, clean
from settings import Settings

FOLDERS = [pathlib.Path(start) / "share/games/fortunes" for start in ("/usr", "/usr/local", "/opt/homebrew")]
PACKAGES = "fortunes fortunes-de fortunes-zh fortunes-ru fortunes-pl fortunes-it"
POSTERS = 64
PAGE = 100
START = 2**53
"""An id above all others, so that history begins with the newest."""

Kept = list[tuple[int, str]]
"""Messages as (id, words)."""


def run(options: argparse.Namespace) -> None:
    texts = fortunes()
    with new_folder(options.folder) as folder, server(folder) as longboard:
        cursor = longboard.control.ask(get("/get")).json()["cursor"]
        began = time.perf_counter()
        kept, refused = post_all(longboard, texts)
        took = time.perf_counter() - began
        expect(kept, list(backwards(longboard.control))[::-1], "paging back by before=")
        expect(kept, list(forwards(longboard.control, cursor)), "following after= from the beginning")
    print(f"{len(texts):,} fortunes, {POSTERS} posters, {len(texts) / took:,.0f} posts per second.")
    print(f"{len(kept):,} were kept, and came back in order, each once and as it should be, in both directions.")
    print(f"{sum(refused.values())} were refused, as they should be: {dict(refused) or 'none'}.\n")
    print_table(["script", "messages with it"], [[name, f"{count:,}"] for name, count in scripts(kept)])


# --- what there is to post


def fortunes() -> list[str]:
    """Returns the entries of all fortune files. Raises Missing."""
    files = [path for folder in FOLDERS for path in sorted(folder.rglob("*")) if is_original(path)]
    texts = [text for path in files for text in entries(path.read_text("utf-8"))]
    if not texts:
        raise Missing(f"no fortunes are installed. On Debian or Ubuntu: sudo apt install {PACKAGES}")
    return texts


def is_original(path: pathlib.Path) -> bool:
    """Next to each file of fortunes there is an index, and often there are links to the file by other names."""
    return path.is_file() and not path.is_symlink() and path.suffix not in (".dat", ".u8")


def entries(text: str) -> Iterator[str]:
    """Yields the entries, which are separated by lines of one `%`."""
    for entry in f"\n{text}".split("\n%\n"):
        if entry.strip("\n%"):
            yield entry.removeprefix("\n")


# --- posting


def post_all(longboard: Server, texts: Sequence[str]) -> tuple[Kept, "collections.Counter[str]"]:
    """Posts all texts. Returns what was kept, in order, and how many were refused for which reason. Raises Wrong."""
    kept: dict[int, str] = {}
    refused: collections.Counter[str] = collections.Counter()
    crowd, waiting = Crowd(longboard.port, POSTERS), iter(texts)
    sent = dict(zip(crowd.connections, waiting, strict=False))
    for connection, text in sent.items():
        connection.send(post_form("/add", {"s": text}))
    for connection, reply in crowd.all_replies(len(texts)):
        take(reply, sent[connection], kept, refused)
        for text in itertools.islice(waiting, 1):
            sent[connection] = text
            connection.send(post_form("/add", {"s": text}))
    crowd.close()
    return sorted(kept.items()), refused


def take(reply: Reply, text: str, kept: dict[int, str], refused: "collections.Counter[str]") -> None:
    """Records one answer. Raises Wrong unless it is what board.text makes of the text."""
    said = reply.json()
    got = said["body"] if reply.status == 201 else said["error"]["code"]
    if got not in answers(text):
        raise Wrong(f"a fortune was answered {reply.status} {got[:100]!r}, not {answers(text)}: {text[:100]!r}")
    if reply.status != 201:
        refused[got] += 1
    elif kept.setdefault(said["id"], said["body"]) is not said["body"]:
        raise Wrong(f"two messages have the id {said['id']}")


def answers(text: str) -> list[str]:
    """Returns the text as it is kept, or the code of its refusal: two codes, if it is far too long."""
    try:
        return [clean(text, Settings.message_length)]
    except BadTextError as error:
        return [error.code, "too_large"] if error.code == "body_too_long" else [error.code]


# --- reading back


def backwards(connection: Connection) -> Iterator[tuple[int, str]]:
    """From the newest to the oldest."""
    before, older = START, True
    while older:
        page = ask(connection, f"/api/v1/messages?before={before}&limit={PAGE}")
        for message in reversed(page["messages"]):
            yield message["id"], message["body"]
        older = page["older"]
        before = page["messages"][0]["id"] if older else 0


def forwards(connection: Connection, cursor: str) -> Iterator[tuple[int, str]]:
    """From the oldest to the newest."""
    more = True
    while more:
        page = ask(connection, f"/api/v1/messages?after={cursor}&wait=0")
        for message in page["messages"]:
            yield message["id"], message["body"]
        more, cursor = bool(page["messages"]), page["cursor"]


def ask(connection: Connection, path: str) -> dict[str, Any]:
    reply = connection.ask(get(path))
    if reply.status != 200 or reply.json().get("reset"):
        raise Wrong(f"{path} was answered {reply.status} {reply.body[:200]!r}")
    page: dict[str, Any] = reply.json()
    return page


def expect(wanted: Kept, got: Kept, how: str) -> None:
    if got == wanted:
        return
    for number, (one, other) in enumerate(zip(wanted, got, strict=False)):
        if one != other:
            raise Wrong(f"{how}: message {number} should be {str(one)[:200]}, but is {str(other)[:200]}")
    raise Wrong(f"{how}: there are {len(got)} messages instead of {len(wanted)}")


def scripts(kept: Kept) -> list[tuple[str, int]]:
    """Returns how many messages have each script, if more than one. Names of its letters begin with it (LATIN …)."""
    found: collections.Counter[str] = collections.Counter()
    known: dict[str, str] = {}
    for _, body in kept:
        letters = {c for c in body if unicodedata.category(c) in ("Lu", "Ll", "Lo")}
        for c in letters - known.keys():
            known[c] = unicodedata.name(c, "OTHER").split()[0].split("-")[0].lower()
        found.update({known[c] for c in letters})
    return [(name, count) for name, count in found.most_common() if count > 1]
