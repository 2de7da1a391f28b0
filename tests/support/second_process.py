"""A second process on a test's database: it does to accounts what it is told on its stdin, as bin/admin or a node would."""

import asyncio
import contextlib
import subprocess
import sys
from collections.abc import Iterator

from storage import Storage, open_storage
from tests.support.server import ROOT


class Second:
    """One for many tests, which gives each its database. It starts with the first thing to do: not all tests have one."""

    def __init__(self) -> None:
        self._url = self._opened = ""
        self._process: subprocess.Popen[str] | None = None

    @contextlib.contextmanager
    def on(self, url: str) -> Iterator["Second"]:
        """Acts on this database until the end of the block."""
        self._url = url
        try:
            yield self
        finally:
            self._url = ""
            if self._opened:
                self._opened = ""
                self._say("close")

    def do(self, *words: object) -> None:
        """Returns when it is committed."""
        if self._opened != self._url:
            self._opened = self._url
            self._say("open", self._url)
        self._say(*words)

    def _say(self, *words: object) -> None:
        self._process = self._process or subprocess.Popen(
            [sys.executable, "-m", "tests.support.second_process"],
            cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        print(*words, file=self._process.stdin, flush=True)
        assert self._process.stdout.readline() == "done\n"

    def end(self) -> None:
        if self._process is None:
            return
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()


@contextlib.contextmanager
def second_process() -> Iterator[Second]:
    second = Second()
    try:
        yield second
    finally:
        second.end()


async def act(storage: Storage, *words: str) -> None:
    match words:
        case ["suspend", username]:
            await storage.suspend(None, username)
        case ["restore", username]:
            await storage.restore(None, username)
        case ["revoke", account_id]:
            await storage.revoke_all(int(account_id))
        case ["demote", username]:
            await storage.set_role(None, username, "member")
        case ["post", body]:
            await storage.append(None, body, None)
        case _:
            raise ValueError(words)


async def main() -> None:
    storage = None
    for line in sys.stdin:
        match line.split():
            case ["open", url]:
                storage = await open_storage(url, create=False)
            case ["close"]:
                await storage.close()
            case words:
                await act(storage, *words)
        print("done", flush=True)


if __name__ == "__main__":
    asyncio.run(main())
