"""Clients that follow docs/protocol.md, and a listening socket that outlives the servers behind it."""

import asyncio
import json
import random
import secrets
import signal
import socket
import subprocess
import sys
import time

from tests.support.patience import PATIENCE
from tests.support.server import ROOT, environment

HAND_OVER = (
    "import os, sys; os.dup2(int(sys.argv[1]), 3); os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS='1');"
    "os.execv(sys.executable, [sys.executable, *sys.argv[2:]])"
)

BROWSER = "Host: board.example.org\r\nUser-Agent: Mozilla/5.0\r\nAccept: application/json\r\n"


class Activated:
    """Starts one server after the other on a socket that stays open, as systemd does (sd_listen_fds(3))."""

    def __init__(self, folder):
        self.listening = socket.create_server(("127.0.0.1", 0), backlog=4096)
        self.port = self.listening.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.database, self.log = folder / "board.db", folder / "server.log"
        self.process = None

    def start(self):
        flags = [f"--port={self.port}", f"--database-url=sqlite:///{self.database}", "--limits=off"]
        number = self.listening.fileno()
        command = [sys.executable, "-c", HAND_OVER, str(number), str(ROOT / "server.py"), *flags]
        with self.log.open("a") as log:
            self.process = subprocess.Popen(
                command, pass_fds=[number], stdout=subprocess.PIPE, stderr=log, env=environment()
            )

    def stop(self):
        """Its exit status."""
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(PATIENCE)
        finally:
            self.process.stdout.close()

    def restart(self):
        assert self.stop() == 0, self.log.read_text()
        self.start()

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        if not self.process.stdout.closed:
            self.process.stdout.close()
        self.listening.close()


class Client:
    """One connection, kept as long as the server keeps it.

    A kept connection that ends before anything of the reply has come is no failure: the request is sent once more on
    a new one, as every browser does (RFC 9112, 9.3.1); a poll may be repeated, and so may a post that has a key.
    """

    def __init__(self, port):
        self.port = port
        self.errors, self.again, self.slowest, self.replies = [], 0, 0.0, 0
        self.reader = self.writer = None

    async def ask(self, request, body=b""):
        """Status and content of the reply; None after a failure, which is noted."""
        began = time.monotonic()
        while True:
            is_kept = self.writer is not None
            try:
                if not is_kept:
                    self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port)
                head = f"{request}\r\n{BROWSER}" + (f"Content-Length: {len(body)}\r\n" if body else "")
                self.writer.write(head.encode() + b"\r\n" + body)
                async with asyncio.timeout(PATIENCE):
                    reply = await self.read()
            except (OSError, asyncio.IncompleteReadError, TimeoutError) as error:
                self.close()
                if is_kept and (isinstance(error, ConnectionError) or getattr(error, "partial", b"x") == b""):
                    self.again += 1
                    continue
                self.errors.append(repr(error))
                return None
            self.replies += 1
            self.slowest = max(self.slowest, time.monotonic() - began)
            return reply

    async def read(self):
        head = await self.reader.readuntil(b"\r\n\r\n")
        lines = head.decode().lower().split("\r\n")
        length = next(int(line.partition(":")[2]) for line in lines if line.startswith("content-length:"))
        content = json.loads(await self.reader.readexactly(length)) if length else None
        if "connection: close" in lines:
            self.close()
        return int(lines[0].split()[1]), content

    def close(self):
        if self.writer is not None:
            self.writer.close()
        self.reader = self.writer = None


class Backoff:
    """A random part of 1 s, then of 2 s, 4 s … up to 60 s."""

    def __init__(self):
        self.most = 1

    async def wait(self):
        await asyncio.sleep(random.uniform(0, self.most))
        self.most = min(60, 2 * self.most)

    def over(self):
        self.most = 1


class Reader(Client):
    """A page: polls, moves its cursor with what it has taken in, waits when it is told to."""

    def __init__(self, port, cursor):
        super().__init__(port)
        self.cursor, self.got, self.backoff = cursor, [], Backoff()

    async def run(self):
        while True:
            reply = await self.ask(f"GET /get?after={self.cursor}&wait=25 HTTP/1.1")
            if reply is None:
                await self.backoff.wait()
                continue
            self.backoff.over()
            status, content = reply
            if status != 200 or "reset" in content:
                self.errors.append(f"{status} {content}")
                await self.backoff.wait()
                continue
            self.got += [message["body"] for message in content["messages"]]
            self.cursor = content["cursor"]
            if "retry_ms" in content:
                await asyncio.sleep(content["retry_ms"] / 1000 * random.uniform(1, 2))


class Poster(Client):
    """Posts steadily, each with a key, and again until there is an answer."""

    def __init__(self, port, name, every):
        super().__init__(port)
        self.name, self.every, self.acknowledged, self.backoff = name, every, [], Backoff()
        self.is_over = False

    async def run(self):
        while not self.is_over:
            body = f"{self.name} {len(self.acknowledged)}"
            await self.post(body, secrets.token_urlsafe(16))
            self.acknowledged.append(body)
            await asyncio.sleep(self.every)

    async def post(self, body, key):
        data = json.dumps({"body": body, "key": key}).encode()
        while True:
            reply = await self.ask("POST /api/v1/messages HTTP/1.1\r\nContent-Type: application/json", data)
            if reply is not None and reply[0] in (200, 201):
                self.backoff.over()
                return
            if reply is not None:
                self.errors.append(f"{reply[0]} {reply[1]}")
            await self.backoff.wait()
