"""Several nodes on this machine: one parent that listens, and server processes that accept from its sockets in turn.

The parent serves nothing itself. It replaces a process that has died, after a pause, and tells all to drain when it is
told to end. They find the sockets as they would find systemd's (settings.inherited_descriptors).
"""

import asyncio
import logging
import pathlib
import signal
import socket
import tempfile
import time
from collections.abc import Sequence

from net.handover import inheriting

log = logging.getLogger("longboard")

SERVER = pathlib.Path(__file__).parent.parent / "server.py"
SHORTEST_PAUSE, LONGEST_PAUSE = 1.0, 30.0
"""Seconds before a process that died is replaced. The pause doubles each time that it dies young."""
YOUNG_SECONDS = 60
END_SECONDS = 15
"""For the drain, which takes less. A process that still runs then is killed."""


def ending_signals() -> list[signal.Signals]:
    """Returns the signals that end a server. SIGHUP means a closed terminal. If nohup ignores it, it stays ignored."""
    is_ignored = signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
    return [signal.SIGTERM, signal.SIGINT, *([] if is_ignored else [signal.SIGHUP])]


def stop_by_signal() -> asyncio.Event:
    """Returns an event that is set when a signal tells this process to end."""
    stop = asyncio.Event()
    for number in ending_signals():
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop


class Nodes:
    def __init__(self, sockets: Sequence[socket.socket], arguments: Sequence[str]) -> None:
        self._sockets = sockets  # kept open while any node may need them
        self._fds = [one.fileno() for one in sockets]
        self._command = [str(SERVER), *arguments, "--nodes=1"]

    async def run(self, count: int) -> int:
        """Runs until a signal ends it. Returns the exit status. If the first node can't start, no other is started."""
        self._stop = stop_by_signal()
        with tempfile.TemporaryDirectory(prefix="longboard-nodes-") as self._folder:
            return await self._run(count)

    async def _run(self, count: int) -> int:
        first = await self._begin(1)
        said = await first.stdout.readline() if first.stdout else b""
        if not said:
            return await first.wait()
        print(f"{said.decode().rstrip()} (with {count} nodes)", flush=True)
        statuses = await asyncio.gather(
            *(self._keep(number, None if number > 1 else first) for number in range(1, count + 1))
        )
        log.info("All nodes have ended.")
        return max(abs(status) for status in statuses)

    async def _begin(self, number: int) -> asyncio.subprocess.Process:
        """Starts a node. Nodes find each other in the folder, for their metrics (handlers/operations/siblings.py)."""
        command = [*inheriting(self._fds, f"{self._folder}/{number}"), *self._command]
        return await asyncio.create_subprocess_exec(
            *command, pass_fds=self._fds, stdout=asyncio.subprocess.PIPE, stdin=asyncio.subprocess.DEVNULL
        )

    async def _keep(self, number: int, process: asyncio.subprocess.Process | None) -> int:
        """Runs one node and its successors. Returns the exit status of the last."""
        pause = SHORTEST_PAUSE
        while True:
            began = time.monotonic()
            process = process or await self._begin(number)
            status = await self._until_end(process)
            if self._stop.is_set():
                return 0 if status == -signal.SIGTERM else status  # told to end before it handled the signal
            lived = time.monotonic() - began
            pause = SHORTEST_PAUSE if lived > YOUNG_SECONDS else pause
            log.error("Node %d has died (%d); another one starts in %.0f s.", process.pid, status, pause)
            if await self._stopped_within(pause):
                return 0
            process, pause = None, min(2 * pause, LONGEST_PAUSE)

    async def _until_end(self, process: asyncio.subprocess.Process) -> int:
        """Waits for the process to end, tells it to drain when all must end, and returns its exit status."""
        ended = asyncio.create_task(process.wait())
        stopped = asyncio.create_task(self._stop.wait())
        await asyncio.wait([ended, stopped], return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        if not ended.done():
            process.terminate()
            await asyncio.wait([ended], timeout=END_SECONDS)
        if not ended.done():
            process.kill()
        return await ended

    async def _stopped_within(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                return await self._stop.wait()
        except TimeoutError:
            return False
