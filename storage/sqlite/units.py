"""How the nouns that both engines share (storage/tx.py) run on SQLite."""

import sqlite3
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from storage.sqlite.connection import Reader, Writer
from storage.sqlite.tx import SQLiteTx, finish
from storage.tx import Nouns, Tx

T = TypeVar("T")


class Units(Nouns):
    _writer: Writer
    _reader: Reader
    _changes_reader: Reader

    async def _commit(self, unit: Callable[[Tx], Awaitable[T]]) -> tuple[T, bool]:
        def run(db: sqlite3.Connection) -> tuple[T, bool]:
            tx = SQLiteTx(db)
            return finish(unit(tx)), tx.has_news

        return await self._writer.write(run)

    async def _read(self, unit: Callable[..., Awaitable[T]], *arguments: Any) -> T:
        return await self._reader.read(lambda db: finish(unit(SQLiteTx(db), *arguments)))

    async def _read_for_delivery(self, unit: Callable[..., Awaitable[T]], *arguments: Any) -> T:
        return await self._changes_reader.read(lambda db: finish(unit(SQLiteTx(db), *arguments)))

    async def _read_at_one_moment(self, unit: Callable[..., Awaitable[T]], *arguments: Any) -> T:
        return await self._read_for_delivery(unit, *arguments)  # every read sees one moment

    async def _words(self, body: str, board_id: int) -> None:
        """Returns nothing: reindex() cuts the words, on the writer's thread."""
