"""A way to PostgreSQL with faults: it loses news, cuts and freezes connections, acts as a pooler would, and counts."""

import asyncio
import contextlib
import ssl
import struct
import threading
import urllib.parse
from collections.abc import Iterator

from tests.support.patience import PATIENCE

SSL_REQUEST = struct.pack("!ii", 8, 80877103)


class Proxy:
    """Speaks PostgreSQL's protocol (its documentation, chapter 54) just as far as it takes to tell messages apart."""

    def __init__(self, url: str) -> None:
        parts = urllib.parse.urlsplit(url)
        self.direct = url
        self.target = (parts.hostname, parts.port)
        self._parts = parts
        self.loses_news = False
        self.is_frozen = False
        self.hides_pid = False
        """As a pooler, whose connections are not the database's own."""
        self.refuses_parameters = False
        self.ignores_parameters = False
        self.tls: ssl.SSLContext | None = None
        """What the way to here is encrypted with; the rest of it is not."""
        self.encrypted = 0
        self.statements = 0
        self.writers: set[asyncio.StreamWriter] = set()

    @property
    def url(self) -> str:
        return self._parts._replace(netloc=f"{self._parts.username}@127.0.0.1:{self.port}").geturl()

    async def listen(self) -> asyncio.Server:
        self.loop = asyncio.get_running_loop()
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        return server

    def cut(self) -> None:
        """Ends every connection without a word."""
        for writer in list(self.writers):
            self.loop.call_soon_threadsafe(writer.transport.abort)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writers.add(writer)
        try:
            first = await reader.readexactly(8)
            if first == SSL_REQUEST:
                writer.write(b"S" if self.tls else b"N")
                if self.tls:
                    await writer.start_tls(self.tls)
                    self.encrypted += 1
                first = await reader.readexactly(8)
            startup = first + await reader.readexactly(struct.unpack("!i", first[:4])[0] - 8)
            if self.refuses_parameters and b"lock_timeout" in startup:
                writer.write(error("unsupported startup parameter: lock_timeout"))
                return
            if self.ignores_parameters:
                startup = without_settings(startup)
            from_server, to_server = await asyncio.open_connection(*self.target)
            self.writers.add(to_server)
            to_server.write(startup)
            forth = asyncio.create_task(self._pass_on(reader, to_server))
            await self._pass_on(from_server, writer, is_back=True)
            await forth
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def _pass_on(self, reader, writer, *, is_back: bool = False) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            while True:
                head = await reader.readexactly(5)
                kind = head[:1]
                body = await reader.readexactly(struct.unpack("!i", head[1:])[0] - 4)
                while self.is_frozen:
                    await asyncio.sleep(0.01)
                if is_back and kind == b"A" and self.loses_news:
                    continue
                if is_back and kind == b"K" and self.hides_pid:
                    body = struct.pack("!i", 1) + body[4:]
                if not is_back and kind in b"QE":
                    self.statements += 1
                writer.write(head + body)
                await writer.drain()
        writer.close()


def without_settings(startup: bytes) -> bytes:
    """A startup message that says who and where, and nothing else."""
    words = startup[8:].split(b"\0")
    kept = {name: value for name, value in zip(words[::2], words[1::2], strict=False) if name in (b"user", b"database")}
    body = startup[4:8] + b"".join(name + b"\0" + value + b"\0" for name, value in kept.items()) + b"\0"
    return struct.pack("!i", len(body) + 4) + body


def error(text: str) -> bytes:
    fields = b"SFATAL\0VFATAL\0C08P01\0M" + text.encode() + b"\0\0"
    return b"E" + struct.pack("!i", len(fields) + 4) + fields


@contextlib.contextmanager
def proxy(url: str) -> Iterator[Proxy]:
    """A proxy on another thread: it goes on while the test waits."""
    made = Proxy(url)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    server = asyncio.run_coroutine_threadsafe(made.listen(), loop).result(PATIENCE)

    async def end() -> None:
        server.close()
        made.is_frozen = False
        made.cut()
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()
        await asyncio.sleep(0)

    try:
        yield made
    finally:
        asyncio.run_coroutine_threadsafe(end(), loop).result(PATIENCE)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
