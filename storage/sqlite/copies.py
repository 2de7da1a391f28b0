"""Copies of a board that its server makes by itself: one each day, in a folder, of which the newest are kept.

A copy is named by the board's file, its epoch and the time in UTC, for example board-k3f9x2mq-20261127-031500.db: boards
may share a folder. Each is made by another process with low priority, so that the loop goes on.
"""

import asyncio
import calendar
import contextlib
import dataclasses
import fcntl
import logging
import os
import pathlib
import re
import shutil
import signal
import sys
import threading
import time
from collections.abc import Iterator
from typing import TextIO

from storage.errors import StorageError
from storage.new_files import in_words
from storage.sqlite.backup import back_up, remove
from storage.sqlite.database_file import is_frozen, must_exist, reach

log = logging.getLogger("longboard")

DAY_SECONDS = 86_400
LOOK_SECONDS = 3600.0
"""Between two looks at the folder."""
AGAIN_SECONDS = 600.0
"""After how long a copy is tried again that failed."""
LONGEST_SECONDS = 6 * 3600.0
"""After which a copy that is not finished is given up: its disk hangs."""
END_SECONDS = 2.0
"""How long the end of a process is waited for that was killed. On a disk that hangs, it has none."""
AHEAD_SECONDS = 60
"""A copy whose name is further in the future was made while the clock was wrong, and does not count as the newest."""
LATE_SECONDS = 2 * DAY_SECONDS
"""A newest copy that is older is a fault."""
RESERVE_BYTES = 64 * 1024 * 1024
"""What a copy leaves free on its disk, which may be the board's own."""
ROOT = pathlib.Path(__file__).parents[2]
NICENESS = 10
FORMAT = "%Y%m%d-%H%M%S"
TIME = r"([0-9]{8}-[0-9]{6})\.db"


@dataclasses.dataclass(frozen=True)
class Copies:
    """Where the copies of the board in the file `path` are, and how many are kept."""

    path: str
    folder: str
    keep: int

    def stem(self) -> str:
        """Returns what the names of all copies begin with. Raises StorageError or an error of sqlite3."""
        must_exist(self.path)
        with contextlib.closing(reach(self.path, read_only=is_frozen(self.path))) as db:
            epoch = db.execute("SELECT epoch FROM board").fetchone()[0]
        return f"{pathlib.PurePath(self.path).stem}-{epoch}-"

    def times(self, stem: str) -> dict[str, float]:
        """Returns the times in the names of the copies, by path, in seconds since 1970. Raises OSError."""
        found, board = {}, os.stat(self.path)
        for entry in os.scandir(self.folder):
            match = re.fullmatch(re.escape(stem) + TIME, entry.name)
            if match and entry.is_file(follow_symlinks=False) and not os.path.samestat(board, os.stat(entry.path)):
                with contextlib.suppress(ValueError):
                    found[entry.path] = float(calendar.timegm(time.strptime(match[1], FORMAT)))
        return found

    def newest(self, stem: str, now: float) -> float:
        """Returns the time of the newest copy, in seconds since 1970; 0.0 if there is none. Raises OSError."""
        return max((at for at in self.times(stem).values() if at <= now + AHEAD_SECONDS), default=0.0)

    def make_if_due(self) -> float:
        """Makes a copy if the newest is a day old, and then removes the oldest. Returns the time of the newest.

        Raises StorageError, OSError, or an error of sqlite3.
        """
        if not os.path.isdir(self.folder):
            raise StorageError(f"there is no folder {self.folder}: make it, or mount its disk")
        stem = self.stem()
        with self._alone(stem) as notes:
            now = time.time()
            newest = self.newest(stem, now)
            if notes is None and now - newest > LATE_SECONDS:
                raise StorageError("another process has been making one, and has not ended")
            if notes is None or (newest and now - newest < DAY_SECONDS):
                return newest
            for entry in os.scandir(self.folder):  # what a copy has left that was killed
                if re.fullmatch(re.escape(stem) + TIME + r"\.part(-journal|-wal|-shm)?", entry.name):
                    os.unlink(entry.path)
            self._check_room()
            target = os.path.join(self.folder, stem + time.strftime(FORMAT, time.gmtime(now)) + ".db")
            back_up(self.path, target)
            self._remove_oldest(stem, notes, target)
            return self.newest(stem, now)

    def _remove_oldest(self, stem: str, notes: TextIO, target: str) -> None:
        """Keeps those that were made last, whatever the clock said then: the notes have their order."""
        made, times = [*notes.read().splitlines(), os.path.basename(target)], self.times(stem)
        places = {name: place for place, name in enumerate(made)}
        order = sorted(times, key=lambda path: (places.get(os.path.basename(path), -1), times[path]))
        notes.seek(0)
        notes.truncate()
        notes.write("".join(f"{os.path.basename(path)}\n" for path in order[-self.keep :]))
        for path in order[: -self.keep]:
            remove(path)

    @contextlib.contextmanager
    def _alone(self, stem: str) -> Iterator[TextIO | None]:
        """Locks the copies, and gives the file with their names in the order in which they were made.

        Gives None if another process has the lock: the server that this one replaces may still run.
        """
        path = os.path.join(self.folder, f".{stem}copies")
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        with open(file, "r+", encoding="ascii", errors="replace") as notes:
            try:
                fcntl.flock(notes, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield None
            else:
                yield notes

    def _check_room(self) -> None:
        """A disk that a copy has filled up would refuse posts, too."""
        path = os.path.realpath(self.path)
        there = [os.path.getsize(path + end) for end in ("", "-wal") if os.path.exists(path + end)]
        free, needed = shutil.disk_usage(self.folder).free, RESERVE_BYTES + 2 * sum(there)
        if free < needed:
            raise StorageError(
                f"there is not enough room in {self.folder}: {free // 2**20} MB are free, {needed // 2**20 + 1} MB are needed"
            )


class CopyMaker:
    """Has the copies made while the server runs."""

    def __init__(self, copies: Copies) -> None:
        self._copies = copies
        self.copied_at: float | None = None
        """When the newest copy was made, in seconds since 1970; 0.0 if there is none; None if that is not known yet."""

    async def run(self) -> None:
        """Looks each hour whether a copy is due. Runs until cancelled."""
        while True:
            pause = LOOK_SECONDS
            try:
                await self._look()
            except (StorageError, OSError) as error:
                log.error("THE BOARD COULD NOT BE COPIED; trying again in %d s: %s", AGAIN_SECONDS, in_words(error))
                pause, self.copied_at = AGAIN_SECONDS, self.copied_at or 0.0
            await asyncio.sleep(pause)

    async def _look(self) -> None:
        """Has another process call Copies.make_if_due(). Raises StorageError or OSError."""
        copies, before = self._copies, self.copied_at
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "storage.sqlite.copies"),
            *(os.path.abspath(copies.path), os.path.abspath(copies.folder), str(copies.keep)),
            cwd=ROOT,
            start_new_session=True,  # Ctrl+C is for the server
            stdin=asyncio.subprocess.PIPE,  # is closed when this process ends, however that happens
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        assert process.stdout and process.stderr
        try:
            async with asyncio.timeout(LONGEST_SECONDS):
                said, wrong = await asyncio.gather(process.stdout.read(), process.stderr.read())
                await process.wait()
        except TimeoutError:
            raise StorageError(f"it was not finished after {LONGEST_SECONDS / 3600:.0f} hours") from None
        finally:
            await end(process)
        if process.returncode:
            raise StorageError(wrong.decode(errors="replace").strip() or f"status {process.returncode}")
        self.copied_at = float(said)
        if before is None or self.copied_at > before:
            at = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(self.copied_at))
            log.info("The newest copy of the board in %s is of %s.", copies.folder, at)


async def end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.kill()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(END_SECONDS):
                await process.wait()


def main() -> None:
    path, folder, keep = sys.argv[1:]
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # the server ends this process, when it ends itself
    threading.Thread(target=end_with_parent, daemon=True).start()
    with contextlib.suppress(OSError):  # a sandbox may forbid it
        os.nice(NICENESS)
    try:
        print(Copies(path, folder, int(keep)).make_if_due())
    except Exception as error:
        sys.exit(in_words(error))


def end_with_parent() -> None:
    os.read(0, 1)
    os._exit(1)


if __name__ == "__main__":
    main()
