"""The faults that happen to the servers of a run. Each ends by itself. `count` says how often each came."""

import asyncio
import collections
import contextlib
import os
import pathlib
import random
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Awaitable, Callable

from tornado.httpclient import AsyncHTTPClient, HTTPRequest

from torture.nodes import ROOT, Node

DISK_MB = 64
"""The size of the small disk that is filled, if it may be mounted (as root)."""


class Faults:
    """`file` is that of a SQLite database. On another engine it is None, and the faults of files are left out."""

    def __init__(self, nodes: list[Node], rng: random.Random, file: pathlib.Path | None, *, own_disk: bool) -> None:
        self.count: collections.Counter[str] = collections.Counter()
        self.strange: list[str] = []
        self._nodes, self._rng, self._file, self._own_disk = nodes, rng, file, own_disk
        self._kinds: dict[str, tuple[int, Callable[[Node], Awaitable[None]]]] = {
            "kill -9": (6, self.kill),
            "SIGTERM": (3, self.terminate),
            "clock": (2, self.jump),
            "wrong clock at a start": (1, self.start_wrongly),
        }
        if file is not None:
            self._kinds |= {"busy database": (2, self.hold), "full disk": (2, self.fill)}
            self._kinds |= {"emptied disk": (1, self.empty), "swapped database": (1, self.swap)}
        if own_disk and len(nodes) == 1:  # a disk with open files can't be made read-only
            self._kinds |= {"read-only disk": (1, self.make_read_only)}

    async def go_on(self, until: Callable[[], bool], pause: float, kills: int = 0) -> None:
        """Makes one fault after the other, until it is time to end and there were `kills` kills."""
        names = list(self._kinds)
        weights = [self._kinds[name][0] for name in names]
        for name in names:  # each at least once, then by chance
            await self._make(name)
        while not until() or self.count["kill -9"] < kills:
            await asyncio.sleep(self._rng.uniform(0, 2 * pause))
            await self._make("kill -9" if until() else self._rng.choices(names, weights)[0])
        for node in self._nodes:
            node.move_clock(0)

    async def _make(self, name: str) -> None:
        self.count[name] += 1
        await self._kinds[name][1](self._rng.choice(self._nodes))

    async def kill(self, node: Node) -> None:
        await node.end(signal.SIGKILL)
        await node.start()

    async def terminate(self, node: Node) -> None:
        await self.terminate_for_good(node)
        await node.start()

    async def terminate_for_good(self, node: Node) -> None:
        status = await node.end(signal.SIGTERM)
        if status != 0:
            self.strange.append(f"{node.name} ended with {status} after SIGTERM")
        if "Traceback" in (said := node.log.read_text()):
            self.strange.append(f"{node.name} had a fault of its own:\n{said[said.index('Traceback') - 200 :][:3000]}")
            node.log.write_text("")

    async def jump(self, node: Node) -> None:
        """Moves the clock by a minute, an hour, a day or a year, forward or back."""
        size = self._rng.choice((60, 3600, 86_400, 365 * 86_400))
        node.move_clock(self._rng.choice((-1, 1)) * size)

    async def start_wrongly(self, node: Node) -> None:
        """Starts with a clock ten years off, as after a flat battery before NTP has run; then with the right time."""
        await self.terminate_for_good(node)
        node.move_clock(self._rng.choice((-1, 1)) * 10 * 365 * 86_400)
        await node.start()
        await asyncio.sleep(self._rng.uniform(0, 1))
        node.move_clock(0)
        await self.terminate(node)

    async def empty(self, node: Node) -> None:
        """Moves all files of the database away, and then the same files back."""
        files, aside = self._files(), self._aside()
        for file in files:
            file.rename(aside / file.name)
        await self._must_refuse("an emptied disk")
        for file in files:
            (aside / file.name).rename(file)

    async def swap(self, node: Node) -> None:
        """Replaces the file with a copy of it: a backup that was restored under a running server."""
        files, aside = self._files(), self._aside()
        for file in files:
            file.rename(aside / file.name)
        assert self._file is not None
        shutil.copy(aside / self._file.name, self._file)
        await self._must_refuse("another database under its name")
        for file in self._files():
            file.unlink()
        for file in files:
            (aside / file.name).rename(file)

    async def make_read_only(self, node: Node) -> None:
        """Makes the disk read-only while the server is down, and checks that the board can be backed up."""
        assert self._file is not None
        await self.terminate_for_good(node)
        folder = self._file.parent
        subprocess.run(["mount", "-o", "remount,ro", str(folder)], check=True)
        copy = pathlib.Path(tempfile.mkdtemp(prefix="longboard-torture-")) / "copy.db"
        command = [sys.executable, "-m", "admin", f"--database-url=sqlite:///{self._file}", "backup", str(copy)]
        saved = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdout=asyncio.subprocess.DEVNULL)
        if await saved.wait() or not copy.exists():
            self.strange.append("there was no backup from a read-only disk")
        shutil.rmtree(copy.parent)
        subprocess.run(["mount", "-o", "remount,rw", str(folder)], check=True)
        await node.start()

    def _files(self) -> list[pathlib.Path]:
        assert self._file is not None
        return list(self._file.parent.glob(f"{self._file.name}*"))

    def _aside(self) -> pathlib.Path:
        """On the same disk, so that a moved file keeps its identity."""
        assert self._file is not None
        aside = self._file.parent / "aside"
        aside.mkdir(exist_ok=True)
        return aside

    async def _must_refuse(self, what: str) -> None:
        """Checks that every node now answers 503 to posts and to /readyz."""
        for node in self._nodes:
            for method, path, body in (
                ("POST", "/add", b"s=on+" + what.encode().replace(b" ", b"+")),
                ("GET", "/readyz", None),
            ):
                request = HTTPRequest(node.url + path, method, body=body, request_timeout=30, follow_redirects=False)
                response = await AsyncHTTPClient().fetch(request, raise_error=False)
                if response.code != 503:
                    self.strange.append(f"{node.name} answered {response.code} to {path} on {what}")

    async def hold(self, node: Node) -> None:
        """Holds the write lock from this process, sometimes for longer than the server waits for it."""
        db = sqlite3.connect(str(self._file), isolation_level=None, timeout=10)
        try:
            db.execute("BEGIN IMMEDIATE")
            await asyncio.sleep(self._rng.uniform(0.1, 3))
            db.execute("ROLLBACK")
        except sqlite3.OperationalError:
            pass  # the server holds the lock
        finally:
            db.close()

    async def fill(self, node: Node) -> None:
        """Leaves no room for another byte: fills the small disk, or else sets the limit on the size of files."""
        assert self._file is not None and node.process is not None
        if self._own_disk:
            ballast = self._file.parent / "ballast"
            with ballast.open("wb", buffering=0) as taken, contextlib.suppress(OSError):
                while taken.write(bytes(65536)):
                    pass
            await asyncio.sleep(self._rng.uniform(0.2, 2))
            ballast.unlink()
            return
        largest = max(file.stat().st_size for file in self._file.parent.glob("*.db*"))
        resource.prlimit(node.process.pid, resource.RLIMIT_FSIZE, (largest, resource.RLIM_INFINITY))
        await asyncio.sleep(self._rng.uniform(0.2, 2))
        unlimited = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
        resource.prlimit(node.process.pid, resource.RLIMIT_FSIZE, unlimited)


def mount_disk(folder: pathlib.Path) -> bool:
    """Mounts a small disk as the folder. Returns whether that was possible."""
    command = ["mount", "-t", "tmpfs", "-o", f"size={DISK_MB}m", "longboard-torture", str(folder)]
    return os.geteuid() == 0 and subprocess.run(command, capture_output=True).returncode == 0


def unmount_disk(folder: pathlib.Path) -> None:
    subprocess.run(["umount", str(folder)], check=True)
