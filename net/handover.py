"""Starts a process that inherits listening sockets as it would from systemd (sd_listen_fds(3)), by LISTEN_FDS."""

import sys
from collections.abc import Sequence


def inheriting(descriptors: Sequence[int], place: str) -> list[str]:
    """Returns the start of a command: Python, for a program that reads settings.inherited_descriptors() and _place().

    Pass the descriptors in `pass_fds` as well. On Linux the process gets SIGTERM when its parent has died.
    """
    return [sys.executable, "-c", HAND_OVER, ",".join(map(str, descriptors)), place]


HAND_OVER = """
import ctypes, fcntl, os, sys
if sys.platform == "linux":
    ctypes.CDLL(None).prctl(1, 15)  # PR_SET_PDEATHSIG, SIGTERM
high = [fcntl.fcntl(int(number), fcntl.F_DUPFD, 64) for number in sys.argv[1].split(",")]
for number, descriptor in enumerate(high, 3):
    os.dup2(descriptor, number)
    os.close(descriptor)
for name, value in ("LISTEN_PID", os.getpid()), ("LISTEN_FDS", len(high)), ("LONGBOARD_NODE", sys.argv[2]):
    os.putenv(name, str(value))
os.execv(sys.executable, [sys.executable, *sys.argv[3:]])
"""
