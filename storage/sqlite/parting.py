"""Whether the names of the database's files still lead to those that are open.

SQLite does not notice when they are taken away or replaced (rm, git clean, rsync --delete, a volume that is wiped): it
goes on in files that nobody will find again.
"""

import logging
import os
import threading

from storage.records import Unavailable

log = logging.getLogger("longboard")

ENDS = ("", "-wal", "-shm")


class OpenFiles:
    """To be made when all three are there: once something was read."""

    def __init__(self, path: str) -> None:
        self._path = os.path.realpath(path)
        self._paths = [self._path + end for end in ENDS]
        self._open = [identity(path) for path in self._paths]
        self._have_parted = False
        self._lock = threading.Lock()
        """Writers and readers look on threads of their own."""

    def check(self) -> None:
        """Raises Unavailable while a name leads elsewhere, or nowhere. Says so in the log, and when it is over."""
        gone = [path for path, known in zip(self._paths, self._open, strict=True) if identity(path) != known]
        with self._lock:
            had_parted, self._have_parted = self._have_parted, bool(gone)
        if gone and not had_parted:
            log.error(
                "THE DATABASE WAS TAKEN AWAY OR REPLACED: %s is not the file that this server has open. Nothing is "
                "posted any more, as it would be lost. Put back the very files, or stop the server, bring the database "
                "back (bin/admin restore) and start it.",
                ", ".join(gone),
            )
        elif had_parted and not gone:
            log.warning("The database is back at %s: posts are taken again.", self._path)
        if gone:
            raise Unavailable(f"{gone[0]} was taken away or replaced")


def identity(path: str) -> tuple[int, int] | None:
    """Which file it is, as long as somebody has it open."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_dev, status.st_ino
