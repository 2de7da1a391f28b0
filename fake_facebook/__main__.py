"""bin/fake-facebook, and with --serve, bin/serve --with-fake-facebook: the fake and a board that uses it."""

import argparse
import asyncio
import pathlib
import signal
import sys

from fake_facebook.memory import CODE_SECONDS, Memory
from fake_facebook.server import APP_ID, APP_SECRET, app_for, listen
from setting_names import OneLineParser
from settings import read_settings
from storage.new_files import in_words

SERVER = pathlib.Path(__file__).parent.parent / "server.py"


def main() -> int:
    try:
        return run(sys.argv[1:])
    except OSError as error:
        sys.exit(f"bin/fake-facebook: {in_words(error)}")


def run(arguments: list[str]) -> int:
    if arguments[:1] == ["--serve"]:
        return asyncio.run(with_board(arguments[1:]))
    parser = OneLineParser(
        prog="bin/fake-facebook", description="A Facebook on this machine, for tests and for trying out."
    )
    parser.add_argument("--port", type=int, default=8090, help="port on 127.0.0.1 (8090); 0 takes a free one")
    parser.add_argument("--board", default="http://localhost:8080", help="the board's origin (http://localhost:8080)")
    parser.add_argument("--app-id", default=APP_ID, help=f"the app's id ({APP_ID})")
    parser.add_argument("--app-secret", default=APP_SECRET, help=f"its secret ({APP_SECRET})")
    parser.add_argument("--code-seconds", type=float, default=CODE_SECONDS, help="how long a code is good (600)")
    return asyncio.run(alone(parser.parse_args(arguments)))


async def alone(options: argparse.Namespace) -> int:
    ended = ends()
    app = app_for(options.board, options.app_id, options.app_secret)
    _, where = listen(Memory(app, options.code_seconds), options.port)
    print(
        f"The fake Facebook is at {where}\nStart the board with FACEBOOK_FAKE={where} FACEBOOK_APP_ID={app.id} "
        f"FACEBOOK_APP_SECRET={app.secret} PUBLIC_URL={options.board}",
        flush=True,
    )
    await ended.wait()
    return 0


async def with_board(arguments: list[str]) -> int:
    """Runs both until one ends or is told to end. Returns the board's exit status."""
    ended = ends()
    settings = read_settings(arguments)
    if settings.port == 0:
        sys.exit("longboard: with a fake Facebook PORT can't be 0, as Facebook has to know where the board is.")
    origin = settings.public_url or f"http://localhost:{settings.port}"
    app = app_for(origin)
    _, where = listen(Memory(app), 0)
    print(f"The fake Facebook is at {where}", flush=True)
    flags = {"facebook-fake": where, "facebook-app-id": app.id, "facebook-app-secret": app.secret, "public-url": origin}
    board = await asyncio.create_subprocess_exec(
        sys.executable, str(SERVER), *arguments, *(f"--{name}={value}" for name, value in flags.items()),
        start_new_session=True,
    )  # fmt: skip
    waits = {asyncio.create_task(ended.wait()), asyncio.create_task(board.wait())}
    await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    if board.returncode is None:
        board.terminate()
    return await board.wait()


def ends() -> asyncio.Event:
    event = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, event.set)
    return event


if __name__ == "__main__":
    sys.exit(main())
