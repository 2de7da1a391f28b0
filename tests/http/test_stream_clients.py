"""Streams, read by clients that others wrote. Those that need Node are tried by bin/test --clients."""

import json
import shutil
import subprocess

import httpx
import httpx_sse
import pytest
import requests
import sseclient

from tests.support.patience import PATIENCE
from tests.support.server import PLAIN, ROOT

NODE = ROOT / "tests" / "node"


class HttpxSse:
    """https://github.com/florimondmanca/httpx-sse"""

    def __init__(self, server, query="", headers=None):
        self.client = httpx.Client(base_url=server.url, timeout=PATIENCE, verify=PLAIN)
        self.connecting = httpx_sse.connect_sse(self.client, "GET", f"/api/v1/stream{query}", headers=headers or {})
        self.source = self.connecting.__enter__()
        self.source.response.raise_for_status()
        self.events = self.source.iter_sse()

    def close(self):
        self.connecting.__exit__(None, None, None)
        self.client.close()


class SseClientPy:
    """https://github.com/mpetazzoni/sseclient, over requests"""

    def __init__(self, server, query="", headers=None):
        url = f"{server.url}/api/v1/stream{query}"
        self.response = requests.get(url, headers=headers or {}, stream=True, timeout=PATIENCE)
        self.response.raise_for_status()
        self.events = sseclient.SSEClient(self.response.iter_content(1)).events()

    def close(self):
        self.response.close()


@pytest.fixture(params=[HttpxSse, SseClientPy])
def connect(request):
    opened = []

    def connect(*arguments, **options):
        opened.append(request.param(*arguments, **options))
        return opened[-1]

    yield connect
    for one in opened:
        one.close()


def read(client, count):
    """Returns the (id, body) of the next messages. Fails for an event that is not a message's."""
    found = []
    while len(found) < count:
        event = next(client.events)
        reply = json.loads(event.data)
        assert event.id == reply["cursor"] and event.event in (None, "", "message")
        found += [(event.id, message["body"]) for message in reply["messages"]]
    return found


WORDS = ["plain", "two\nlines", "a\u2028b\u2029c", "data: x\n\nid: y", ": no comment", "Grüße 👩‍👩‍👧", '"\\'] + [
    "x" * 4000
] * 3


def test_what_is_posted_is_read_as_it_was(server, connect):
    """Letter for letter, from an id to the next."""
    client = connect(server, f"?after={server.cursor}")
    posted = [server.post(words).json()["body"] for words in WORDS]
    assert [body for _, body in read(client, len(posted))] == posted


def test_a_client_that_comes_back_after_a_kill_goes_on(start, connect):
    """With the id that its library has kept: nothing is lost or doubled."""
    server = start()
    client = connect(server, f"?after={server.cursor}")
    server.post("before")
    [(last, _)] = read(client, 1)
    server.kill()
    with pytest.raises((StopIteration, requests.RequestException, httpx.TransportError)):
        while True:
            next(client.events)
    server.start()
    server.post("unseen")
    again = connect(server, headers={"Last-Event-ID": last})
    server.post("after")
    assert [body for _, body in read(again, 2)] == ["unseen", "after"]


def test_lines_of_json_are_read_by_any_client(server):
    """Each line is one reply, also for a client that splits where str.splitlines() does."""
    with server.client.stream(
        "GET", f"/api/v1/stream?after={server.cursor}", headers={"Accept": "application/x-ndjson"}
    ) as response:
        lines = response.iter_lines()
        assert json.loads(next(lines))["messages"] == []
        for words in WORDS:
            posted = server.post(words).json()
            assert json.loads(next(lines))["messages"] == [posted]


def test_curl_prints_each_event_at_once(server):
    """With -N, and without waiting for the end."""
    with subprocess.Popen(
        ["curl", "-sN", f"{server.url}/api/v1/stream?after={server.cursor}"], stdout=subprocess.PIPE, text=True
    ) as curl:
        for words in ("one", "two"):
            server.post(words)
            while words not in (line := curl.stdout.readline()):
                assert line
        curl.terminate()


@pytest.mark.clients
@pytest.mark.parametrize("library", ["eventsource", "event-source-polyfill"])
def test_clients_of_node_follow_over_a_restart(start, library):
    """They come back by themselves, one with the header and one with what it can send."""
    node = shutil.which("node")
    assert node, "bin/test --clients needs Node"
    server = start()
    url = f"{server.url}/api/v1/stream?after={server.cursor}"
    with subprocess.Popen(
        [node, str(NODE / "streams.mjs"), library, url], stdout=subprocess.PIPE, text=True, cwd=NODE
    ) as client:
        said = iter(client.stdout.readline, "")
        assert next(said) == "open\n"
        server.post("one")
        assert json.loads(next(said)) == "one"
        server.kill()
        server.start()
        server.post("two")
        server.post("three")
        assert [json.loads(next(said)) for _ in range(2)] == ["two", "three"]
        client.terminate()
