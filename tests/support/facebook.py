"""A board with a Facebook beside it: the fake one in another process, or one that answers what a test tells it to."""

import contextlib
import html
import os
import pathlib
import re
import socket
import tempfile
import threading
import urllib.parse

import httpx

from tests.support.forks import Forked
from tests.support.patience import PATIENCE
from tests.support.ports import free_port
from tests.support.server import PLAIN, ROOT, Server

APP_ID, APP_SECRET = "1234567890123456", "fake-0123456789abcdef0123456789ab"


def start_board(start, facebook_url, port, **settings):
    """As Facebook knows it: at localhost, from which alone it takes plain http."""
    app = {"facebook_app_id": APP_ID, "facebook_app_secret": APP_SECRET, "facebook_fake": facebook_url}
    server = start(port=port, **app | settings)
    server.client.close()
    server.url = f"http://localhost:{port}"
    server.client = server.open()
    return server


@contextlib.contextmanager
def fake_facebook(board_port, *options):
    """bin/fake-facebook, for a board on this port."""
    flags = ["--port=0", f"--board=http://localhost:{board_port}", *options]
    with tempfile.NamedTemporaryFile("r", encoding="utf-8") as log:
        process = Forked("fake_facebook.__main__", flags, ROOT, pathlib.Path(log.name), os.environ)
        try:
            url = re.search(r"at (http://127\.0\.0\.1:\d+)", process.stdout.readline())[1]
            with httpx.Client(base_url=url, timeout=PATIENCE, verify=PLAIN) as client:
                yield Fake(client)
        finally:
            process.terminate()
            status = process.wait(PATIENCE)
            process.stdout.close()
        errors = log.read()
    assert status == 0 and "Traceback" not in errors, errors


class Fake:
    """What people do at the fake Facebook."""

    def __init__(self, client):
        self.client = client
        self.url = str(client.base_url).rstrip("/")

    def answer(self, dialog, person=1, answer="continue"):
        """Looks at the dialog and answers; where it leads back to, without the fragment."""
        asked = self.client.get(dialog)
        assert asked.status_code == 200 and "Who are you?" in asked.text, asked.text
        fields = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', asked.text))
        fields = {name: html.unescape(value) for name, value in fields.items()}
        url = dialog.partition("?")[0]
        back = self.client.post(url, data=fields | {"person": str(person), "answer": answer})
        where, _, fragment = back.headers["Location"].partition("#")
        assert back.status_code == 302 and fragment == "_=_"
        return where

    def act(self, person, action, **fields):
        """rename, deauthorize or delete; what the board answered."""
        assert self.client.post(f"/people/{person}/{action}", data=fields).status_code == 303
        page = self.client.get("/").text
        said = re.search(r'id="said".*?<code>(.*?)</code>', page, re.DOTALL)
        return said and said[1].replace("&quot;", '"').replace("&amp;", "&")


def begin(browser, path="/facebook/start"):
    """Where the board sends a browser."""
    response = browser.get(path)
    assert response.status_code == 302, response.text
    return response.headers["Location"]


def log_in(browser, fake, person=1, path="/facebook/start", answer="continue"):
    """There and back; what the board says in the end."""
    return browser.get(fake.answer(begin(browser, path), person, answer))


def query_of(url):
    return {name: value for name, [value] in urllib.parse.parse_qs(urllib.parse.urlsplit(url).query).items()}


def signed_in_as(browser):
    response = browser.get("/api/v1/me")
    return response.json()["account"] if response.status_code == 200 else None


class Canned:
    """A server that sends what it is told, byte by byte, and nothing else: no part of the fake's code.

    `answers` maps a path's end to what is sent, or to a function of the connection.
    """

    def __init__(self, answers):
        self.answers = answers
        self.asked = []
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=100)
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def close(self):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()

    def _accept(self):
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        with connection, contextlib.suppress(OSError):
            request = b""
            while b"\r\n\r\n" not in request:
                if not (more := connection.recv(65536)):
                    return
                request += more
            head, _, body = request.partition(b"\r\n\r\n")
            length = re.search(rb"\r\ncontent-length: *(\d+)", head, re.IGNORECASE)
            left = int(length[1]) - len(body) if length else 0
            while left > 0 and (more := connection.recv(left)):  # or closing would reset the connection
                request, left = request + more, left - len(more)
            target = request.split()[1].decode()
            self.asked.append(request.decode())
            path = target.partition("?")[0]
            answer = next((a for end, a in self.answers.items() if path.endswith(end)), reply(b"", "404 Not Found"))
            if callable(answer):
                answer(connection)
            else:
                connection.sendall(answer)


def reply(body, status="200 OK", kind="application/json; charset=UTF-8", more=""):
    """An HTTP answer as it goes over the wire."""
    body = body.encode() if isinstance(body, str) else body
    head = (
        f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n{more}Connection: close\r\n\r\n"
    )
    return head.encode() + body


__all__ = ["APP_ID", "APP_SECRET", "Canned", "Fake", "Server", "begin", "fake_facebook", "free_port", "log_in"]
