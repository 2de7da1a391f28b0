"""How the nouns that both engines share (storage/tx.py) run on PostgreSQL."""

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from storage.postgres.pools import Reader
from storage.postgres.search import vector
from storage.postgres.tx import PostgreSQLTx
from storage.postgres.writer import Writer
from storage.tx import Nouns, Tx

T = TypeVar("T")


class Units(Nouns):
    _writer: Writer
    _reader: Reader
    _changes_reader: Reader

    async def _write(self, unit: Callable[[Tx], Awaitable[T]]) -> T:
        return await self._writer.write(lambda db: unit(PostgreSQLTx(db)))

    async def _read(self, unit: Callable[..., Awaitable[T]], *arguments: Any) -> T:
        return await self._reader.read(lambda db: unit(PostgreSQLTx(db), *arguments))

    async def _read_for_delivery(self, unit: Callable[..., Awaitable[T]], *arguments: Any) -> T:
        return await self._changes_reader.read(lambda db: unit(PostgreSQLTx(db), *arguments))

    async def _words(self, body: str) -> str:
        return await vector(body)
