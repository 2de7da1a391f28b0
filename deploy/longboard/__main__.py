"""The command `longboard`: serves a board; `longboard admin` looks after one."""

import pathlib
import sys


def main() -> None:
    """Runs the module that python server.py or python -m admin runs, found in the same way: in the first folder."""
    sys.path.insert(0, str(pathlib.Path(__file__).parent))
    command = sys.argv.pop(1) if sys.argv[1:2] in (["serve"], ["admin"]) else "serve"
    if command == "admin":
        from admin.__main__ import main as run
    else:
        from server import main as run
    run()


if __name__ == "__main__":
    main()
