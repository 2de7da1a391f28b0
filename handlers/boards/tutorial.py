"""`/get?t=<milliseconds>`: the poll of the tutorial that this board comes from, for pages made by following it.

A time is not a cursor: messages posted within the same millisecond, or while the client's clock is wrong, may be
missed. The tutorial's script writes the content into the page as HTML, and polls again at once after any reply. So the
content is escaped here, and a poll that can't be parked is held for a moment.
"""

import asyncio
import json
import time

import tornado.escape

from board.errors import DeniedError
from board.waiter import Ended, FutureWaiter
from board.wire import moment
from handlers.boards.polls import Poll
from handlers.http.errors import RefusedError
from storage.records import Message

HELD_SECONDS = 1.0
TUTORIAL_PAGE_MAX = 100
"""Messages in one reply; the tutorial had no paging."""


async def tutorial_poll(handler: Poll) -> None:
    waiters = handler.site.waiters
    seq = waiters.recent.seq
    posts = posted_after(waiters.recent.messages, parse_time(handler.query("t") or ""))
    if posts:  # a reply without posts costs nothing and is not counted
        try:
            handler.site.limits.reading.check(handler.caller.key)
        except DeniedError:
            await asyncio.sleep(HELD_SECONDS)
            raise
    deadline = time.monotonic() + handler.wait()
    while not posts and not handler.is_gone and (left := deadline - time.monotonic()) > 0:
        if not handler.is_as_judged:
            await handler.look_again()
            posts = posted_since(waiters.recent.messages, seq)
            continue
        waiter = handler.look(waiters.recent.cursor, left)
        if not isinstance(waiter, FutureWaiter):  # full, or draining
            await asyncio.sleep(0 if waiters.draining else HELD_SECONDS)
            break
        ended = await handler.parked(waiter)
        if ended is Ended.GONE:
            return
        if ended is Ended.ASK_AGAIN:
            await handler.look_again()
        posts = posted_since(waiters.recent.messages, seq)
        if waiters.draining:
            break
    msgs = await handler.context.making.turns.each(encode_tutorial, posts[-TUTORIAL_PAGE_MAX:][::-1])
    handler.write_bytes(b'{"msgs":[' + b",".join(msgs) + b"]}")


def parse_time(text: str) -> int:
    """Returns milliseconds since 1970; a future time counts as now. Raises RefusedError."""
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise RefusedError(400, "bad_time", "“t” must be a time in milliseconds since 1970.")
    return min(int(text), time.time_ns() // 1_000_000)


def posted_after(messages: list[Message], t: int) -> list[Message]:
    """Returns the messages posted after this time, in the order in which they were posted."""
    return sorted((m for m in messages if m.created_at > t and not m.deleted), key=lambda message: message.id)


def posted_since(messages: list[Message], seq: int) -> list[Message]:
    return [message for message in messages if message.id > seq and not message.deleted]


def encode_tutorial(message: Message) -> bytes:
    at = moment(message.created_at)
    content = {
        "content": tornado.escape.xhtml_escape(message.body or ""),
        "time": f"{at:%Y-%m-%d %H:%M:%S %p}",
    }
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
