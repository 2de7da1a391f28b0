"""One parked poll: where it has come to, for whom it is, and who takes its reply."""

import abc
import asyncio
import enum

from board.cursor import Cursor


class Ended(enum.Enum):
    """Why a poll was ended without a reply."""

    GONE = "its client has gone"
    ASK_AGAIN = "something about its account has changed: look who is asking, and poll on"


class Waiter(abc.ABC):
    """A poll that is parked, or will be. `tick` says until when it is on the waiter list; 0 if it is not."""

    __slots__ = ("account_id", "address", "cursor", "tick")

    def __init__(self, cursor: Cursor, account_id: int | None, address: str) -> None:
        self.cursor = cursor
        self.account_id = account_id
        self.address = address
        self.tick = 0

    @abc.abstractmethod
    def resolve(self, reply: bytes | Ended, seconds: float = 0) -> None:
        """Takes the reply's body, once for each time that it was parked.

        `seconds` is how long it may be parked again, if it has to ask again.
        """


class Parked(Waiter):
    """A handler's poll: it awaits the future."""

    __slots__ = ("future",)

    def __init__(self, cursor: Cursor, account_id: int | None, address: str) -> None:
        super().__init__(cursor, account_id, address)
        self.future: asyncio.Future[bytes | Ended] = asyncio.get_running_loop().create_future()

    def resolve(self, reply: bytes | Ended, seconds: float = 0) -> None:
        if not self.future.done():  # its client may have gone in this very moment
            self.future.set_result(reply)
