"""A port for a server that has to be told which: most take 0, and say what they got."""

import random
import socket


def free_port() -> int:
    """A free port, below those that systems give to clients: so it stays free until it is used."""
    while True:
        port = random.randrange(10_000, 30_000)  # Linux gives from 32,768 on, macOS from 49,152
        with socket.socket() as one:
            try:
                one.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port
