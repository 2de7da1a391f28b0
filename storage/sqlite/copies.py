"""Copies of a board that its server makes by itself: one each day, in a folder, of which the newest are kept.

The folder is the only record of them. A copy is named by the board's file and the time in UTC, for example
board-20261127-031500.db; no other file in the folder is touched. Each copy is made by a process of its own, so neither
a large board nor a slow disk delays a post.
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
import sys
import time
from collections.abc import Iterator

from storage.errors import StorageError
from storage.new_files import in_words
from storage.sqlite.backup import back_up, remove

log = logging.getLogger("longboard")

DAY_SECONDS = 86_400
AGAIN_SECONDS = 600.0
"""After how long a copy is tried again that failed."""
LOOK_SECONDS = 3600.0
"""The longest time between two looks at the clock, which may be set meanwhile."""
AHEAD_SECONDS = 60
"""A copy whose name is further in the future was made while the clock was wrong, and does not count as the newest."""
RESERVE_BYTES = 64 * 1024 * 1024
"""What a copy leaves free on its disk, which may be the board's own."""
ROOT = pathlib.Path(__file__).parents[2]
NICENESS = 10
FORMAT = "%Y%m%d-%H%M%S"


@dataclasses.dataclass(frozen=True)
class Copies:
    """Where the copies of the board in the file `path` are, and how many are kept."""

    path: str
    folder: str
    keep: int

    @property
    def stem(self) -> str:
        return f"{pathlib.PurePath(self.path).stem}-"

    def names(self) -> dict[float, str]:
        """Returns the paths of the copies by the times in their names, oldest first. Raises OSError."""
        found = {}
        pattern = re.compile(re.escape(self.stem) + r"([0-9]{8}-[0-9]{6})\.db")
        for entry in os.scandir(self.folder):
            if (match := pattern.fullmatch(entry.name)) and entry.is_file(follow_symlinks=False):
                with contextlib.suppress(ValueError):
                    found[time_of(match[1])] = entry.path
        return dict(sorted(found.items()))

    def newest(self, now: float) -> float:
        """Returns the time of the newest copy, in seconds since 1970; 0.0 if there is none. Raises OSError."""
        return max((at for at in self.names() if at <= now + AHEAD_SECONDS), default=0.0)

    def make_if_due(self) -> float:
        """Makes a copy if the newest is a day old, and then removes the oldest. Returns the time of the newest.

        Raises StorageError or OSError.
        """
        if not os.path.isdir(self.folder):
            raise StorageError(f"there is no folder {self.folder}: make it, or mount its disk")
        with self._alone() as is_alone:
            now = time.time()
            newest = self.newest(now)
            if not is_alone or (newest and now - newest < DAY_SECONDS):
                return newest
            for entry in os.scandir(self.folder):
                if entry.name.startswith(self.stem) and ".db.part" in entry.name:  # left by a copy that was killed
                    os.unlink(entry.path)
            self._check_room()
            made = os.path.join(self.folder, time.strftime(f"{self.stem}{FORMAT}.db", time.gmtime(now)))
            back_up(self.path, made)
            others = [path for path in self.names().values() if path != made]
            for path in others[: max(0, len(others) + 1 - self.keep)]:
                remove(path)
            return self.newest(now)

    @contextlib.contextmanager
    def _alone(self) -> Iterator[bool]:
        """Whether no other process makes a copy now: the server that this one replaces may still run.

        The lock names the board. Raises StorageError if the folder has the copies of another one.
        """
        board = os.path.realpath(self.path)
        with open(os.path.join(self.folder, f".{self.stem}lock"), "a+") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
                return
            lock.seek(0)
            other = lock.read()
            if other not in ("", board) and os.path.exists(other):
                raise StorageError(f"{self.folder} has the copies of {other}: each board needs a folder of its own")
            lock.truncate(0)
            lock.write(board)
            lock.flush()
            yield True

    def _check_room(self) -> None:
        """A disk that a copy has filled up would refuse posts, too."""
        needed = RESERVE_BYTES + 2 * sum(
            os.path.getsize(self.path + end) for end in ("", "-wal") if os.path.exists(self.path + end)
        )
        free = shutil.disk_usage(self.folder).free
        if free < needed:
            raise StorageError(
                f"there is not enough room in {self.folder}: {free // 2**20} MB are free, {needed // 2**20 + 1} MB are needed"
            )


def time_of(text: str) -> float:
    """Returns seconds since 1970. Raises ValueError."""
    return float(calendar.timegm(time.strptime(text, FORMAT)))


class CopyMaker:
    """Makes the copies while the server runs."""

    def __init__(self, copies: Copies) -> None:
        self._copies = copies
        self.copied_at = 0.0
        """When the newest copy was made, in seconds since 1970; 0.0 if none is known."""

    async def run(self) -> None:
        """Makes a copy whenever one is due. Runs until cancelled."""
        while True:
            try:
                self.copied_at = await self._make_if_due()
            except (StorageError, OSError) as error:
                log.error("THE BOARD COULD NOT BE COPIED; trying again in %d s: %s", AGAIN_SECONDS, in_words(error))
            due_in = self.copied_at + DAY_SECONDS - time.time()
            await asyncio.sleep(min(max(due_in, AGAIN_SECONDS), LOOK_SECONDS))

    async def _make_if_due(self) -> float:
        """Has another process call Copies.make_if_due(). Raises StorageError."""
        copies = self._copies
        if self.copied_at and time.time() - self.copied_at < DAY_SECONDS:
            return self.copied_at
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "storage.sqlite.copies"),
            *(os.path.abspath(copies.path), os.path.abspath(copies.folder), str(copies.keep)),
            cwd=ROOT,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            said, wrong = await process.communicate()
        finally:
            if process.returncode is None:  # this server ends
                process.kill()
                await process.wait()
        if process.returncode:
            raise StorageError(wrong.decode(errors="replace").strip() or f"status {process.returncode}")
        newest = float(said)
        if newest > self.copied_at:
            log.info("The newest copy of the board in %s is of %s.", copies.folder, in_utc(newest))
        return newest


def in_utc(at: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(at))


def main() -> None:
    path, folder, keep = sys.argv[1:]
    with contextlib.suppress(OSError):  # a sandbox may forbid it
        os.nice(NICENESS)
    try:
        print(Copies(path, folder, int(keep)).make_if_due())
    except (StorageError, OSError) as error:
        sys.exit(in_words(error))


if __name__ == "__main__":
    main()
