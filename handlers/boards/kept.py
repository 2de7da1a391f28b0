"""The front page as cached for guests: compressed, in parts that are made separately.

A deflate stream may be joined from parts that do not refer back to earlier ones, and it may end in a stored block
(RFC 1951, 3.2.4). So the part before the messages can differ by origin, the messages are compressed once for each
change, and the end with the visitor's key is not compressed.
"""

import asyncio
import secrets
import struct
import time
import zlib
from typing import NamedTuple

KEY_HOLE = secrets.token_urlsafe(16)
"""Marks the place of the key in the cached page. It is random, so no message can contain it."""
MESSAGES_HOLE = secrets.token_urlsafe(16).encode()
"""Marks the place of the messages."""
COUNT_SECONDS = 1
"""How old the number of watchers in a cached page may be."""
GZIP_HEAD = b"\x1f\x8b\x08\0\0\0\0\0\0\xff"  # RFC 1952: deflate, no time, unknown system


class Body(NamedTuple):
    """The part that is the same for all guests until the next change: the messages, and what follows them."""

    page: bytes
    packed: bytes
    rest: bytes
    """What follows the messages, as the template rendered it."""

    @classmethod
    def make(cls, messages: list[bytes], rest: bytes) -> "Body":
        page = b"".join([*messages, rest])
        return cls(page, deflated(page), rest)


class Address(NamedTuple):
    """What a guest's page depends on besides its messages and the number of watchers. All of it is before the messages, except
    the language, which is everywhere.
    """

    origin: str
    board_id: int
    rights: int
    """The number of the state of the board's row: see board/live_board.py."""
    list_changed: int
    """The last change of the list of boards that guests see."""
    language: str
    """Its tag."""
    theme: str
    """The colour scheme of a page in a frame: auto, light or dark. Empty for the board's own page."""


class Kept(NamedTuple):
    """A guest's page without its end."""

    address: Address
    read_at: float
    """What it shows was read after this moment."""
    watching: int
    head: bytes
    packed_head: bytes
    body: Body
    crc: int
    end: tuple[bytes, bytes]
    """What is before and after the key."""

    @classmethod
    def make(
        cls, address: Address, read_at: float, watching: int, head: bytes, body: Body, end: tuple[bytes, bytes]
    ) -> "Kept":
        crc = zlib.crc32(body.page, zlib.crc32(head))
        return cls(address, read_at, watching, head, deflated(head), body, crc, end)

    def serves(self, address: Address, watching: int) -> bool:
        """Whether the page may be sent now, if its messages are right. Its number of watchers may be slightly out of date."""
        if self.address != address:
            return False
        return self.watching == watching or time.monotonic() - self.read_at < COUNT_SECONDS

    @property
    def size(self) -> int:
        """Bytes."""
        return (
            len(self.head) + len(self.packed_head) + len(self.body.page) + len(self.body.packed) + len(self.body.rest)
        )

    def whole(self, key: str) -> bytes:
        return b"".join((self.head, self.body.page, key.encode().join(self.end)))

    def gzipped(self, key: str) -> bytes:
        end = key.encode().join(self.end)
        stored = b"\x01" + struct.pack("<HH", len(end), len(end) ^ 0xFFFF) + end
        size = len(self.head) + len(self.body.page) + len(end)
        crc = zlib.crc32(end, self.crc)
        sizes = struct.pack("<II", crc, size & 0xFFFFFFFF)
        return b"".join((GZIP_HEAD, self.packed_head, self.body.packed, stored, sizes))


class Shared:
    """The page of one board for all guests who wait for it. It is gone when they have it."""

    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        """Held while a page is made."""
        self.last: Kept | None = None


def deflated(data: bytes) -> bytes:
    """Returns a part of a deflate stream. Another part may follow it, and it does not refer back to earlier ones."""
    deflate = zlib.compressobj(9, wbits=-15)
    return deflate.compress(data) + deflate.flush(zlib.Z_SYNC_FLUSH)


def cut_page(page: bytes) -> tuple[bytes, bytes, tuple[bytes, bytes]]:
    """Returns what is before the messages, what follows them, and what is before and after the key at the end."""
    before, _, after = page.rpartition(KEY_HOLE.encode())
    start, tag, middle = before.rpartition(b"<input")
    head, _, rest = start.partition(MESSAGES_HOLE)
    return head, rest, (tag + middle, after)
