"""A connection that is kept between requests, as a browser keeps it: only such polls are known to the fast path."""

import asyncio
import json
import random
import re
from collections.abc import Sequence
from typing import Any

from torture.nodes import Node

ANSWER_SECONDS = 15
CHANGES = 0.02
"""How often it goes on with another connection, which may be to another node."""


class Line:
    def __init__(self, nodes: Sequence[Node], rng: random.Random) -> None:
        self._nodes, self._rng = nodes, rng
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def get(self, path: str, token: str) -> tuple[int, Any]:
        """Returns (status, JSON); the status is 599 if no answer came."""
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                return await self._get(path, token)
        except (OSError, EOFError, TimeoutError):
            self.close()
            return 599, {}

    async def _get(self, path: str, token: str) -> tuple[int, Any]:
        if self._reader is None or self._writer is None:
            node = self._rng.choice(self._nodes)
            self._reader, self._writer = await asyncio.open_connection("127.0.0.1", node.port)
        authorization = f"Authorization: Bearer {token}\r\n" if token else ""
        self._writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\n{authorization}\r\n".encode())
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = re.search(r"content-length: (\d+)", head)
        body = await self._reader.readexactly(int(length[1]) if length else 0)
        if "connection: close" in head or self._rng.random() < CHANGES:
            self.close()
        return int(head.split()[1]), json.loads(body) if "application/json" in head else {}

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()
        self._reader = self._writer = None
