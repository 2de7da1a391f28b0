"""Starts a server of some source tree with a clock that can be moved, and with little memory for boards:
`server.py OFFSET_FILE TREE RECENT_BYTES --port=…`.

This is no part of the product. It replaces time.time and time.time_ns before anything else is imported. The new ones
add the seconds in OFFSET_FILE, which is read at the start and at each SIGUSR1. The monotonic clock, which timers use,
stays as it is, as it does when an operator or NTP sets the real one.

The newest changes of boards beside the first have RECENT_BYTES instead of 64 MB (0 leaves that), so that they are given
up and read again all the time. How often they were is the last line that the server prints.
"""

import atexit
import pathlib
import runpy
import signal
import sys
import time

OFFSET, TREE, RECENT_BYTES = pathlib.Path(sys.argv.pop(1)), pathlib.Path(sys.argv.pop(1)), int(sys.argv.pop(1))
real_time, real_time_ns = time.time, time.time_ns
offset = 0.0


def look(*_: object) -> None:
    global offset
    offset = float(OFFSET.read_text() or 0)


def shrink() -> None:
    """The modules that use the bound are imported later."""
    from board import recents
    from board.live_board import LiveBoard

    drop, count = recents.Recents.drop, 0

    def counted(self: recents.Recents, board: LiveBoard) -> None:
        nonlocal count
        count += board.recent is not None
        drop(self, board)

    recents.MEMORY = RECENT_BYTES
    recents.Recents.drop = counted  # type: ignore[method-assign]
    atexit.register(lambda: print(f"evictions: {count}", file=sys.stderr))


if __name__ == "__main__":
    look()
    signal.signal(signal.SIGUSR1, look)
    time.time = lambda: real_time() + offset
    time.time_ns = lambda: real_time_ns() + int(offset * 1e9)
    sys.path[0] = str(TREE)
    sys.argv[0] = str(TREE / "server.py")
    if RECENT_BYTES:
        shrink()
    runpy.run_path(sys.argv[0], run_name="__main__")
