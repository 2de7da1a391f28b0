"""A stand-in for Heroku's router, as strict as the real one is said to be; `scale` shortens its times for tests.

It appends the client to X-Forwarded-For, sets X-Forwarded-Proto, adds X-Request-Id, X-Request-Start and Via, keeps
connections to the dyno for 90 s, gives a request 30 s for its first byte and 55 s between bytes, and answers 503 with a
code otherwise. It speaks no TLS itself: `scheme` is how its clients are said to have come.
"""

import asyncio
import collections
import contextlib
import signal
import subprocess
import threading
import time
import uuid

from tests.support.patience import PATIENCE

FIRST_BYTE, ROLLING, KEEP, TERM = 30, 55, 90, 30


class Failed(Exception):
    """With the code that stands in the router's log."""


class Router:
    def __init__(self, dyno_port, scale, scheme="https"):
        self.dyno_port, self.scale, self.scheme = dyno_port, scale, scheme
        self.codes, self.passed = collections.Counter(), 0
        self._idle = collections.deque()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self):
        self._thread.start()
        begin = asyncio.start_server(self._serve, "127.0.0.1", 0)
        self._server = asyncio.run_coroutine_threadsafe(begin, self._loop).result(PATIENCE)
        self.port = self._server.sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        return self

    def __exit__(self, *exc):
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(PATIENCE)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(PATIENCE)
        self._loop.close()

    async def _end(self):
        self._server.close()
        tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for _, writer, _ in self._idle:
            writer.close()

    async def _serve(self, reader, writer):
        try:
            while True:
                lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")[:-4].split("\r\n")
                body = await reader.readexactly(int(value(lines, "content-length") or 0))
                try:
                    reply = await self._pass_on(self._marked(lines), body)
                    self.passed += 1
                except Failed as failed:
                    self.codes[str(failed)] += 1
                    reply = b"HTTP/1.1 503 Service UnavailableError\r\nContent-Length: 0\r\n\r\n"
                writer.write(reply)
                await writer.drain()
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    def _marked(self, lines):
        """The request as the dyno gets it; the client's own word on who it is stays, to the left."""
        claimed = value(lines, "x-forwarded-for")
        ours = ("x-forwarded-for", "x-forwarded-proto", "x-request-id", "x-request-start", "connection")
        kept = [line for line in lines if line.partition(":")[0].lower() not in ours]
        return [
            *kept, "Connection: keep-alive", "X-Forwarded-For: " + (f"{claimed}, " if claimed else "") + "127.0.0.1",
            f"X-Forwarded-Proto: {self.scheme}", f"X-Request-Id: {uuid.uuid4()}", f"X-Request-Start: {time.time_ns() // 1_000_000}", "Via: 1.1 heroku-router",
        ]  # fmt: skip

    async def _pass_on(self, lines, body):
        reader, writer = await self._connection()
        try:
            writer.write("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body)
            reply, closes = await self._read(reader)
        except BaseException:
            writer.close()
            raise
        if closes:
            writer.close()
        else:
            self._idle.append((reader, writer, time.monotonic()))
        return reply

    async def _connection(self):
        while self._idle:
            reader, writer, since = self._idle.popleft()
            if not reader.at_eof() and time.monotonic() - since < KEEP * self.scale:
                return reader, writer
            writer.close()
        try:
            return await asyncio.open_connection("127.0.0.1", self.dyno_port)
        except OSError:
            raise Failed("H21 backend connection refused") from None

    async def _read(self, reader):
        try:
            first = await asyncio.wait_for(reader.read(1), FIRST_BYTE * self.scale)
        except TimeoutError:
            raise Failed("H12 request timeout") from None
        except OSError:
            first = b""
        if not first:
            raise Failed("H13 connection closed without response")
        try:
            async with asyncio.timeout(ROLLING * self.scale):
                head = first + await reader.readuntil(b"\r\n\r\n")
                lines = head.decode("latin-1").split("\r\n")
                body = await reader.readexactly(int(value(lines, "content-length") or 0))
        except TimeoutError:
            raise Failed("H15 idle connection") from None
        except (OSError, asyncio.IncompleteReadError):
            raise Failed("H18 server request interrupted") from None
        return head + body, (value(lines, "connection") or "").lower() == "close"


def value(lines, name):
    return next((line.partition(":")[2].strip() for line in lines if line.lower().startswith(f"{name}:")), None)


def cycle(server):
    """What a dyno meets at least once a day: SIGTERM, 30 s, SIGKILL. Whether it ended by itself, and well."""
    server.process.send_signal(signal.SIGTERM)
    try:
        return server.process.wait(TERM) == 0
    except subprocess.TimeoutExpired:
        server.process.kill()
        server.process.wait()
        return False
    finally:
        server.close_clients()
        with contextlib.suppress(OSError):
            server.process.stdout.close()
