"""A second process on a test's database: it does to accounts what it is told on its stdin, as bin/admin or a node would."""

import asyncio
import contextlib
import subprocess
import sys
from collections.abc import Iterator

from storage import open_storage
from tests.support.server import ROOT


class Second:
    """It starts with the first thing to do: not all tests have one."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._process: subprocess.Popen[str] | None = None

    def do(self, *words: object) -> None:
        """Returns when it is committed."""
        self._process = self._process or subprocess.Popen(
            [sys.executable, "-m", "tests.support.second_process", self._url],
            cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        print(*words, file=self._process.stdin, flush=True)
        assert self._process.stdout.readline() == "done\n"

    def close(self) -> None:
        if self._process is None:
            return
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()


@contextlib.contextmanager
def second_process(url: str) -> Iterator[Second]:
    second = Second(url)
    try:
        yield second
    finally:
        second.close()


async def main(url: str) -> None:
    storage = await open_storage(url, create=False)
    for line in sys.stdin:
        match line.split():
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
        print("done", flush=True)
    await storage.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
