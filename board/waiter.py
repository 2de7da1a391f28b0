"""One parked poll: who holds it, and who takes its reply."""

import dataclasses
import enum
from typing import Protocol

from board.cursor import Cursor


class Ended(enum.Enum):
    """Why a poll was ended without a reply."""

    GONE = "its client has gone"
    ASK_AGAIN = "something about its account has changed: look who is asking, and poll on"


class Answer(Protocol):
    """Takes a parked poll's reply: a future that a handler awaits, or a connection that writes it at once."""

    def done(self) -> bool: ...
    def set_result(self, reply: bytes | Ended, /) -> None: ...


@dataclasses.dataclass(eq=False, slots=True)
class Waiter:
    """A parked poll: who holds it, and the future for its reply's body."""

    cursor: Cursor
    account_id: int | None
    address: str
    future: Answer
    tick: int


def resolve(waiter: Waiter, reply: bytes | Ended) -> None:
    if not waiter.future.done():  # its client may have gone in this very moment
        waiter.future.set_result(reply)
