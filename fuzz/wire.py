"""Random bytes on the sockets of a real server: requests that are nearly right, and bytes that are none at all."""

import asyncio
import pathlib
import random
import re
import signal

from fuzz.generate import octets, text
from handlers import ROUTES
from torture.nodes import Node

AT_ONCE = 8
PATIENCE_SECONDS = 20
"""For an answer, on a busy machine. The server holds polls for at most one second."""
BODIES = (
    '{"body": "Hello", "key": "b7Jt0yVxGq2mR5sLw8aZ1c"}', "s=Hello&as=", "username=ada&password=a+few+random+words", "name=x", "act=remove",
    '{"username": "ada", "password": "a few random words"}', "body=Better", "signed_request=a.b", "password=x&new=y", "link=x&password=y",
    '{"body": "Hello", "reply_to": 1}', "s=Hello&as=&reply_to=1",
)  # fmt: skip
HEADERS = (
    "Authorization: Bearer lb_x", "Cookie: longboard=x", "Origin: http://evil.example", "Sec-Fetch-Site: same-origin", "Accept: application/json",
    "Accept: text/html", "Idempotency-Key: b7Jt0yVxGq2mR5sLw8aZ1c", "X-Forwarded-For: 192.0.2.1", "If-None-Match: x", "Range: bytes=0-1",
    "Transfer-Encoding: chunked", "Expect: 100-continue", "Connection: close", "Content-Encoding: gzip", "User-Agent: Mozilla/5.0 Firefox",
    "Upgrade: websocket", "X-Request-Id: 1",
    "Authorization: Basic dXNlcjpwYXNz", "Forwarded: for=192.0.2.1;proto=http", "X-Forwarded-Proto: http", "Accept-Encoding: gzip;q=0, *",
    "If-Modified-Since: Sun Nov  6 08:49:37 1994", "X-Api-Key: lb_x",
    "Guest-Secret: b7Jt0yVxGq2mR5sLw8aZ1c", "Guest-Secret: x",
)  # fmt: skip
KINDS = ("application/json", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/plain")
QUERIES = (
    "",
    "?after=x-1&wait=1",
    "?before=5&limit=10",
    "?t=0&wait=1",
    "?ids=1,2",
    "?link=x",
    "?q=hello",
    "?next=//e",
    "?state=x&code=y",
    "?invite=x",
)


class Wire:
    """A server, the bytes that it is sent, and what was wrong with its answers."""

    def __init__(self, node: Node, rng: random.Random) -> None:
        self.node, self.rng = node, rng
        self.sent = self.answered = 0
        self.strange: list[str] = []

    async def run(self, count: int) -> None:
        """Sends `count` requests, some at once."""
        left = iter(range(count))

        async def client() -> None:
            for _ in left:
                await self.send(request(self.rng))

        await asyncio.gather(*(client() for _ in range(AT_ONCE)))

    async def send(self, data: bytes) -> None:
        """Sends the bytes on one connection, then mostly their end. The server must answer or close, and never hang."""
        self.sent += 1
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", self.node.port)
            writer.write(data)
            if self.rng.random() < 0.9:
                writer.write_eof()
                answer = await asyncio.wait_for(reader.read(), PATIENCE_SECONDS)
                self.judge(data, answer)
            writer.close()
        except TimeoutError:
            self.strange.append(f"hang: {data[:500]!r}")
        except OSError:
            pass  # reset by the server, because our bytes made no sense to it

    def judge(self, data: bytes, answer: bytes) -> None:
        if not answer:
            return
        self.answered += 1
        status = re.match(rb"HTTP/1\.[01] (\d{3}) ", answer)
        if status is None or status[1].startswith(b"5"):
            self.strange.append(f"answered {answer[:80]!r} to {data[:500]!r}")


def request(rng: random.Random) -> bytes:
    """Returns mostly a request for one of our routes, with a header, a query or a body that may be spoilt."""
    if rng.random() < 0.1:
        return octets(
            rng,
            (
                "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
                "POST /add HTTP/1.1\r\nContent-Length: 5\r\n\r\ns=abc",
                "PRI * HTTP/2.0\r\n\r\n",
            ),
        )
    path = re.sub(r"\(.*?\)", lambda found: rng.choice(("1", "99", "x")), rng.choice(ROUTES)[0]).replace("\\", "")
    query = rng.choice(QUERIES)
    target = (path + query).encode() if rng.random() < 0.5 else octets(rng, (path + query,))
    target = (
        re.sub(rb"[\0- \x7f-\xff]", lambda found: b"%%%02x" % found[0][0], target) if rng.random() < 0.8 else target
    )
    method = rng.choice(
        (b"GET", b"GET", b"POST", b"POST", b"POST", b"PATCH", b"DELETE", b"HEAD", b"OPTIONS", b"PUT", b"get", b"")
    )
    headers = rng.sample(HEADERS, rng.choice((0, 1, 2, 5)))
    if headers and rng.random() < 0.4:
        headers[0] = text(rng, headers)
    lines = [b"%s %s HTTP/1.1" % (method, target), b"Host: x", *(one.encode("utf-8", "replace") for one in headers)]
    body = b""
    if method not in (b"GET", b"HEAD", b""):
        body = octets(rng, BODIES) if rng.random() < 0.7 else rng.choice(BODIES).encode()
        length = len(body) if rng.random() < 0.95 else rng.choice((0, -1, 10**10, len(body) + 5))
        lines += [b"Content-Type: " + rng.choice(KINDS).encode(), b"Content-Length: %d" % length]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


async def run(folder: pathlib.Path, rng: random.Random, count: int) -> tuple[Wire, list[int]]:
    """Returns what happened, and the server's memory in KB after a tenth, half and all of the requests."""
    node = Node("fuzzed", f"sqlite:///{folder}/board.db", folder, ["--poll-seconds=1"])
    await node.start()
    wire, memory = Wire(node, rng), []
    try:
        for share in (count // 10, count // 2 - count // 10, count - count // 2):
            await wire.run(share)
            memory.append(resident(node))
        await wire.send(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    finally:
        status = await node.end(signal.SIGTERM)
    log = node.log.read_text()
    if status != 0 or "Traceback" in log or " ERROR " in log:
        wire.strange.append(f"ended with {status}, and said:\n{log[-5000:]}")
    return wire, memory


def resident(node: Node) -> int:
    assert node.process is not None
    return int(pathlib.Path(f"/proc/{node.process.pid}/status").read_text().partition("VmRSS:")[2].split()[0])
