"""What clients can make the server keep of what they send is bounded: looked at from outside, in memory that it has."""

import pathlib
import re

import pytest

from tests.support.server import Server

EVERY = [c for c in range(0x20, 0x110000) if not 0xD800 <= c < 0xE000]
MESSAGE, QUERY = 4000, 200
MOST_MORE = 15_000
"""KB."""


class Plain(Server):
    """With Python's everyday allocator: the one for finding bugs keeps more around each thing."""

    under = ("env", "PYTHONMALLOC=pymalloc")


def memory(server):
    """Resident memory, in KB."""
    status = pathlib.Path(f"/proc/{server.process.pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+) kB", status)[1])


def post_all(server, text):
    """As long messages; then the pages that show them are looked at."""
    for at in range(0, len(text), MESSAGE - 2):
        reply = server.client.post("/api/v1/messages", json={"body": f"x{text[at : at + MESSAGE - 2]}x"})
        assert reply.status_code == 201, reply.text
    for path in ("/", "/?before=100", "/feed.atom", "/get", "/m/10"):
        assert server.get(path).status_code == 200


def search_all(server, text):
    for at in range(0, len(text), QUERY):
        assert server.get("/search", params={"q": text[at : at + QUERY]}).status_code == 200


@pytest.mark.skipif(not pathlib.Path("/proc/self/status").exists(), reason="memory is looked at in /proc")
def test_no_character_is_remembered_for_good(tmp_path, request):
    """Each that Unicode can have, posted and searched for, leaves no more than what a board in use has anyway.

    `--characters=1200000` sends them all; else every so-manieth is sent, as each was kept for itself.
    """
    server = Plain(tmp_path)
    everyday = "".join(map(chr, range(0x1F300, 0x1F600))) * 1000
    post_all(server, everyday)
    search_all(server, everyday[:5000])
    text = "".join(map(chr, EVERY[:: max(1, len(EVERY) // request.config.getoption("--characters"))]))
    before = memory(server)
    post_all(server, text)
    search_all(server, text)
    grown = memory(server) - before
    server.stop()
    assert grown < MOST_MORE, grown
