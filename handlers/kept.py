"""The front page as it is kept for guests: compressed, in parts that need not be made anew together.

A deflate stream may be put together from parts that look back at nothing before them, and may end in a stored block
(RFC 1951, 3.2.4). So what stands in front of the messages may differ by the board's name, the messages are compressed
once for each change, and the very end, one visitor's key, is not compressed at all.
"""

import dataclasses
import secrets
import struct
import time
import zlib

KEY_HOLE = secrets.token_urlsafe(16)
"""Where the key goes in what is kept; nobody could have written it."""
MESSAGES_HOLE = secrets.token_urlsafe(16).encode()
"""Where the messages go."""
COUNT_SECONDS = 1
"""How old the count of those who watch may be in what is kept."""
GZIP_HEAD = b"\x1f\x8b\x08\0\0\0\0\0\0\xff"  # RFC 1952: deflate, no time, from no system in particular


@dataclasses.dataclass(frozen=True, slots=True)
class Body:
    """What is the same for all guests until the next change: the messages, and what follows them."""

    page: bytes
    packed: bytes
    rest: bytes
    """The part of it that follows the messages, as the template made it."""

    @classmethod
    def make(cls, messages: list[bytes], rest: bytes) -> "Body":
        page = b"".join([*messages, rest])
        return cls(page, deflated(page), rest)


@dataclasses.dataclass(frozen=True, slots=True)
class Kept:
    """A guest's page without its end. What stands in front of the messages depends on who comes by which name."""

    origin: str
    watching: int
    made_at: float
    head: bytes
    packed_head: bytes
    body: Body
    crc: int
    end: tuple[bytes, bytes]
    """What stands around the key."""

    @classmethod
    def make(cls, origin: str, watching: int, head: bytes, body: Body, end: tuple[bytes, bytes]) -> "Kept":
        crc = zlib.crc32(body.page, zlib.crc32(head))
        return cls(origin, watching, time.monotonic(), head, deflated(head), body, crc, end)

    def serves(self, watching: int) -> bool:
        """Whether it is right now. Its count may be a moment old."""
        return self.watching == watching or time.monotonic() - self.made_at < COUNT_SECONDS

    def whole(self, key: str) -> bytes:
        return b"".join((self.head, self.body.page, key.encode().join(self.end)))

    def gzipped(self, key: str) -> bytes:
        end = key.encode().join(self.end)
        stored = b"\x01" + struct.pack("<HH", len(end), len(end) ^ 0xFFFF) + end
        size = len(self.head) + len(self.body.page) + len(end)
        crc = zlib.crc32(end, self.crc)
        sizes = struct.pack("<II", crc, size & 0xFFFFFFFF)
        return b"".join((GZIP_HEAD, self.packed_head, self.body.packed, stored, sizes))


def deflated(data: bytes) -> bytes:
    """As a part of a deflate stream, behind which another may follow: it looks back at nothing before it."""
    deflate = zlib.compressobj(9, wbits=-15)
    return deflate.compress(data) + deflate.flush(zlib.Z_SYNC_FLUSH)


def cut_page(page: bytes) -> tuple[bytes, bytes, tuple[bytes, bytes]]:
    """What is before the messages, what is behind them, and what stands around the key at the end."""
    before, _, after = page.rpartition(KEY_HOLE.encode())
    start, tag, middle = before.rpartition(b"<input")
    head, _, rest = start.partition(MESSAGES_HOLE)
    return head, rest, (tag + middle, after)
