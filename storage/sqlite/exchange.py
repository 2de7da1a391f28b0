"""Moves the rows of a whole board in and out of SQLite (see storage/exchange.py)."""

import sqlite3
from collections.abc import AsyncIterator, Callable, Sequence

from storage.exchange import ROWS_AT_ONCE, TABLES, Row, RowRefusedError, Standing
from storage.rows import note_access_change
from storage.sqlite import SQLite
from storage.sqlite.database_file import is_frozen, must_exist, reach
from storage.sqlite.search import index as into_index
from storage.sqlite.texts import faults_in_words
from storage.sqlite.tx import SQLiteTx, finish


class SQLiteExchange:
    """Has a separate connection: it must neither wait for a server's work nor hold that up for long."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    @classmethod
    async def open(cls, path: str, *, create: bool) -> "SQLiteExchange":
        """Raises CannotOpenError."""
        if not create:
            must_exist(path)
        await (await SQLite.open(path, for_reading=not create)).close()  # makes, migrates or refuses it
        return cls(reach(path, read_only=not create and is_frozen(path)))

    async def close(self) -> None:
        self._db.close()

    # --- reading

    async def begin_reading(self) -> Standing:
        db = self._db
        with faults_in_words(db):
            db.execute("BEGIN")
            seq, floor = db.execute("SELECT seq, floor FROM board").fetchone()
            last = {name: last_given(db, name) for name, table in TABLES.items() if table.counts}
            counts = {name: db.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in TABLES}
        return Standing(seq, floor, last, counts)

    async def rows(self, table: str) -> AsyncIterator[Sequence[Row]]:
        columns, key = TABLES[table].columns, TABLES[table].key
        with faults_in_words(self._db):
            cursor = self._db.execute(f"SELECT {', '.join(columns)} FROM {table} ORDER BY {key}")
            while chunk := cursor.fetchmany(ROWS_AT_ONCE):
                yield [dict(zip(columns, row, strict=True)) for row in chunk]

    # --- writing

    async def make_room(self, seq: int) -> None:
        self._write(
            lambda db: db.execute("UPDATE board SET seq = ?1, floor = max(floor, ?1) WHERE seq < ?1", (seq,)).rowcount
        )

    async def put(self, table: str, rows: Sequence[Row]) -> int:
        return self._write(lambda db: sum(put(db, table, row, index) for index, row in enumerate(rows)))

    async def begin_anew(self, *, keep_sessions: bool) -> None:
        def unit(db: sqlite3.Connection) -> int:
            db.execute("UPDATE board SET epoch = lower(hex(randomblob(4))), access = access + 1")
            if not keep_sessions:
                for (account_id,) in db.execute("SELECT DISTINCT account_id FROM credentials").fetchall():
                    finish(note_access_change(SQLiteTx(db), account_id))  # a running board drops its cache of them
                db.execute("DELETE FROM credentials WHERE kind <> 'bot'")
                db.execute("DELETE FROM links")
                db.execute("UPDATE board SET secret = randomblob(32)")
            return 0

        self._write(unit)

    async def finish(self, standing: Standing) -> None:
        def unit(db: sqlite3.Connection) -> int:
            for name, number in standing.last.items():
                if number > last_given(db, name):
                    db.execute("DELETE FROM sqlite_sequence WHERE name = ?", (name,))
                    db.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", (name, number))
            db.execute(
                "UPDATE board SET epoch = lower(hex(randomblob(4))), access = access + 1, "
                "floor = iif(seq = ?1, ?2, floor)",
                (standing.seq, standing.floor),
            )
            return 0

        self._write(unit)

    def _write(self, unit: Callable[[sqlite3.Connection], int]) -> int:
        db = self._db
        try:
            with faults_in_words(db):
                db.execute("BEGIN IMMEDIATE")
                done = unit(db)
                db.execute("COMMIT")
            return done
        finally:
            if db.in_transaction:
                db.execute("ROLLBACK")


def put(db: sqlite3.Connection, table: str, row: Row, index: int) -> int:
    """Adds the row. Returns 1 if it was new, else 0. Raises RowRefusedError."""
    columns, key = TABLES[table].columns, TABLES[table].key
    values = tuple(row[column] for column in columns)
    known = db.execute(f"SELECT {', '.join(columns)} FROM {table} WHERE {key} = ?", (row[key],)).fetchone()
    if known == values:
        return 0
    if known is not None:
        raise RowRefusedError(index, f"this board has another row {row[key]!r} in {table}")
    try:
        db.execute(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})", values)
    except sqlite3.IntegrityError as error:
        raise RowRefusedError(index, f"this board can't take it: {error}") from error
    if table == "messages" and isinstance(row["body"], str):
        into_index(db, int(str(row["id"])), row["body"])
    return 1


def last_given(db: sqlite3.Connection, table: str) -> int:
    row = db.execute("SELECT seq FROM sqlite_sequence WHERE name = ?", (table,)).fetchone()
    return row[0] if row else 0
