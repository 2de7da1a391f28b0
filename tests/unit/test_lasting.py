"""What runs beside the requests, for as long as the server does."""

import asyncio
import logging

from net import background
from tests.support.patience import PATIENCE


async def test_what_should_never_end_is_begun_again(monkeypatch, caplog):
    """A fault, or an end, of looking for changes is noted and healed; nothing stops in silence."""
    monkeypatch.setattr(background, "AGAIN_SECONDS", 0)
    begun = 0
    running = asyncio.Event()

    async def watch():
        nonlocal begun
        begun += 1
        if begun == 1:
            raise RuntimeError("broken")
        if begun > 2:
            running.set()
            await asyncio.Event().wait()

    with caplog.at_level(logging.ERROR):
        task = asyncio.create_task(background.keep_going("Watching", watch))
        await asyncio.wait_for(running.wait(), PATIENCE)
    task.cancel()
    assert [record.getMessage() for record in caplog.records] == [
        "Watching failed; beginning it again.", "Watching ended; beginning it again.",
    ]  # fmt: skip
    assert caplog.records[0].exc_info[1].args == ("broken",)
