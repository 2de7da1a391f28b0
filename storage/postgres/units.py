"""How the nouns that both engines share (storage/tx.py) run on PostgreSQL."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, TypeVar

from storage.postgres.pools import Reader
from storage.postgres.search import vector
from storage.postgres.tx import PostgreSQLTx
from storage.postgres.writer import Writer
from storage.tx import Nouns, Tx

if TYPE_CHECKING:
    from storage.postgres.connection import Database

T = TypeVar("T")


class Units(Nouns):
    _writer: Writer
    _reader: Reader
    _changes_reader: Reader

    async def _commit(self, unit: Callable[[Tx], Awaitable[T]]) -> tuple[T, bool]:
        async def run(db: "Database") -> tuple[T, bool]:
            tx = PostgreSQLTx(db)
            return await unit(tx), tx.has_news

        return await self._writer.write(run)

    async def _read(self, unit: Callable[..., Awaitable[T]], *arguments: Any) -> T:
        return await self._reader.read(lambda db: unit(PostgreSQLTx(db), *arguments))

    async def _read_for_delivery(self, unit: Callable[..., Awaitable[T]], *arguments: Any) -> T:
        return await self._changes_reader.read(lambda db: unit(PostgreSQLTx(db), *arguments))

    async def _read_at_one_moment(self, unit: Callable[..., Awaitable[T]], *arguments: Any) -> T:
        return await self._changes_reader.read_at_one_moment(lambda db: unit(PostgreSQLTx(db), *arguments))

    async def _words(self, body: str, board_id: int) -> str:
        return await vector(body, board_id)
