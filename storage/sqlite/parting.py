"""Checks that the names of the database's files still belong to the open files.

SQLite does not notice when the files are removed or replaced (rm, git clean, rsync --delete, a volume that is wiped):
it continues in files that no longer have a name.
"""

import logging
import os
import threading

from commands import ADMIN
from storage.errors import UnavailableError

log = logging.getLogger("longboard")

ENDS = ("", "-wal", "-shm")


class OpenFiles:
    """Made after a read, when all three files exist."""

    def __init__(self, path: str) -> None:
        self._path = os.path.realpath(path)
        self._paths = [self._path + end for end in ENDS]
        self._open = [identity(path) for path in self._paths]
        self._have_parted = False
        self._lock = threading.Lock()
        """The writer and the readers check on different threads."""

    def check(self) -> None:
        """Raises UnavailableError while a name belongs to another file, or to none. Logs when it begins and ends."""
        gone = [path for path, known in zip(self._paths, self._open, strict=True) if identity(path) != known]
        with self._lock:
            had_parted, self._have_parted = self._have_parted, bool(gone)
        if gone and not had_parted:
            log.error(
                "THE DATABASE WAS TAKEN AWAY OR REPLACED: %s is not the file that this server has open. Posts are "
                "refused, as they would be lost. Put the same files back, or stop the server, restore the database "
                "(%s restore) and start it.",
                ", ".join(gone),
                ADMIN,
            )
        elif had_parted and not gone:
            log.warning("The database is back at %s: posts are accepted again.", self._path)
        if gone:
            raise UnavailableError(f"{gone[0]} was taken away or replaced")


def identity(path: str) -> tuple[int, int] | None:
    """Returns what identifies the file, for as long as somebody has it open."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_dev, status.st_ino
