"""Finds the engine for a DATABASE_URL. Each is imported only when it is used, so that no board loads the other one."""

from typing import TYPE_CHECKING

from storage.errors import CannotOpenError

if TYPE_CHECKING:
    from storage import Storage


async def open_storage(url: str, *, create: bool = True, for_reading: bool = False) -> "Storage":
    """Opens the database at this DATABASE_URL, and migrates it if needed. Raises CannotOpenError.

    If there is no board, it makes one; but without `create`, it makes no new file. `for_reading` is for commands that
    only read: the file may be on a read-only disk.
    """
    scheme, _, rest = url.partition("://")
    if scheme == "sqlite" and len(rest) > 1:
        from storage.sqlite import SQLite
        from storage.sqlite.database_file import must_exist

        if not create:
            must_exist(rest[1:])
        return await SQLite.open(rest[1:], for_reading=for_reading)
    if scheme in ("postgres", "postgresql"):
        from storage.postgres import PostgreSQL

        return await PostgreSQL.open(url)
    raise CannotOpenError(f"no storage for {scheme}: DATABASE_URL should be sqlite:///file.db or postgres://…")
