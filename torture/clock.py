"""Starts the server with a clock that can be moved: `clock.py OFFSET_FILE --port=…`.

This is no part of the product. It replaces time.time and time.time_ns before anything else is imported. The new ones
add the seconds in OFFSET_FILE, which is read at the start and at each SIGUSR1. The monotonic clock, which timers use,
stays as it is, as it does when an operator or NTP sets the real one.
"""

import pathlib
import runpy
import signal
import sys
import time

OFFSET = pathlib.Path(sys.argv.pop(1))
ROOT = pathlib.Path(__file__).parent.parent
real_time, real_time_ns = time.time, time.time_ns
offset = 0.0


def look(*_: object) -> None:
    global offset
    offset = float(OFFSET.read_text() or 0)


if __name__ == "__main__":
    look()
    signal.signal(signal.SIGUSR1, look)
    time.time = lambda: real_time() + offset
    time.time_ns = lambda: real_time_ns() + int(offset * 1e9)
    sys.path[0] = str(ROOT)
    sys.argv[0] = str(ROOT / "server.py")
    runpy.run_path(sys.argv[0], run_name="__main__")
