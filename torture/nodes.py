"""The servers of a run: real processes on one database, which are killed and come back on the same port."""

import asyncio
import pathlib
import re
import signal
import sys
import time

ROOT = pathlib.Path(__file__).parent.parent
START_SECONDS = 60
END_SECONDS = 30


class Node:
    """One server process. It keeps its port. While it is down, the system refuses connections.

    `tree` is the checkout whose server it is, `recent_bytes` the bound of torture/server.py.
    """

    def __init__(
        self,
        name: str,
        url: str,
        folder: pathlib.Path,
        flags: list[str],
        tree: pathlib.Path = ROOT,
        recent_bytes: int = 0,
    ) -> None:
        self.name = name
        self.port = 0
        self.process: asyncio.subprocess.Process | None = None
        self.offset = folder / f"{name}.offset"
        self.offset.write_text("0")
        self.log = folder / f"{name}.log"
        self._start = [str(self.offset), str(tree), str(recent_bytes)]
        self._flags = [f"--database-url={url}", "--limits=off", "--poll-seconds=5", *flags]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        """Tries until it listens, as a supervisor does, because with a full disk it may not start at once."""
        deadline = time.monotonic() + START_SECONDS
        while not await self._try():
            if time.monotonic() > deadline:
                raise RuntimeError(f"{self.name} does not start:\n{self.log.read_text()[-2000:]}")
            await asyncio.sleep(0.2)

    async def _try(self) -> bool:
        program = str(pathlib.Path(__file__).parent / "server.py")
        with self.log.open("a") as log:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable, program, *self._start, f"--port={self.port}", *self._flags,
                stdout=asyncio.subprocess.PIPE, stderr=log, cwd=self.log.parent,
            )  # fmt: skip
        assert self.process.stdout is not None
        line = (await self.process.stdout.readline()).decode()
        match = re.search(r"127\.0\.0\.1:(\d+)", line)
        if match is None:
            await self.process.wait()
            return False
        self.port = int(match[1])
        return True

    async def end(self, number: signal.Signals) -> int:
        """Sends the signal and returns the exit status; kills the process and returns -1 if it does not end in time."""
        if self.process is None or self.process.returncode is not None:
            return 0 if self.process is None else self.process.returncode or 0
        self.process.send_signal(number)
        try:
            return await asyncio.wait_for(self.process.wait(), END_SECONDS)
        except TimeoutError:
            self.process.kill()
            await self.process.wait()
            return -1

    def move_clock(self, seconds: float) -> None:
        self.offset.write_text(str(seconds))
        if self.process is not None and self.process.returncode is None:
            self.process.send_signal(signal.SIGUSR1)
