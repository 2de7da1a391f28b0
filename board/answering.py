"""Answers polls: at once from memory, or parked ones in slices of time. Nothing is read here."""

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence

from board.counters import Counters
from board.cursor import Cursor
from board.directory import Directory
from board.live_board import LiveBoard
from board.others import Hears, Others
from board.parked_polls import ParkedPolls
from board.recent import Recent
from board.recents import MEMORY, Recents
from board.waiter import Ended, FutureWaiter, ParkedGroup, W, Waiter
from board.watching import Watching

SLICE_SECONDS = 0.005
"""How long polls are answered before the loop handles other events."""
LOOKS = 16
"""Polls with handlers that are answered together, before the clock is checked again. Their handlers run before anything
else does, and take a third of a millisecond each."""
LOOKS_WITHOUT_HANDLER = 64
"""The same for polls that take a few microseconds each."""
DRAIN_RETRY_MS = 500
"""When to poll again after a drain, or after the rights of a board have changed; clients add their own jitter."""
FULL_RETRY_MS = 5000
"""When to poll again if no more polls can be parked."""
NO_ROOM = b'"retry_ms":%d}' % FULL_RETRY_MS
"""How such a reply ends. Its connection is closed, so that clients that must wait use no descriptors."""


class Answering:
    """A `board` that is not given is the first."""

    def __init__(self, max_parked: int, max_per_address: int, memory: int = MEMORY) -> None:
        self._polls = ParkedPolls(max_parked, max_per_address, self._expire)
        self.directory = Directory()
        self.first = self.directory.first
        self.recents = Recents(memory)
        self.others = Others(self.directory)
        self.draining = False
        self.counters = Counters()
        self.on_news: Callable[[list[LiveBoard]], None] | None = None
        """Called with boards that have changed, before their polls are answered."""

    @property
    def recent(self) -> Recent:
        """The newest changes of the first board."""
        assert self.first.recent is not None
        return self.first.recent

    @property
    def watching(self) -> Watching:
        return self.first.watching

    @property
    def parked(self) -> int:
        """How many polls are parked, on all boards."""
        return self._polls.count

    # --- for polls

    def poll(
        self,
        cursor: Cursor,
        wait: float,
        account_id: int | None = None,
        address: str = "",
        *,
        board: LiveBoard | None = None,
        hears: Hears | None = None,
    ) -> bytes | FutureWaiter:
        """Returns a reply, or a parked waiter if there is nothing after this cursor: leave() it in any case.

        A cursor that this board never gave, or that is too far behind, is answered with a reset.
        """
        board = board or self.first
        reply = self.reply_now(cursor, board, hears, account_id)
        if reply is not None:
            return reply
        if cursor.seq == board.seq:
            cursor = board.cursor  # the same object for all, which is quickly compared
        if wait <= 0:
            return board.empty(cursor)
        waiter = FutureWaiter(account_id, address, hears.scope if hears else None)
        return self.full(cursor, board) if self.park([waiter], cursor, wait, board, hears is not None) else waiter

    def reply_now(
        self, cursor: Cursor, board: LiveBoard, hears: Hears | None = None, account_id: int | None = None
    ) -> bytes | None:
        """Returns what this poll is answered at once, or None if it may be parked."""
        reply = self.reply_for(cursor, board)
        if hears is None:
            return reply
        word = self.others.word(hears.after, board, hears.scope, account_id)
        if reply is None:
            return None if word is None else self.others.join(board.empty(cursor), word)
        if self.draining or not board.has(cursor):
            return reply  # which says when to come back
        word = word or self.others.correction(hears.after, hears.scope, account_id)
        return reply if word is None else self.others.join(reply, word)

    def park(
        self, waiters: Sequence[W], cursor: Cursor, wait: float, board: LiveBoard | None = None, hears: bool = False
    ) -> Sequence[W]:
        """Parks polls of one class that have all changes. Returns those for which there is no room: they get full()."""
        refused = self._polls.park(waiters, board or self.first, cursor, wait, hears=hears)
        self.counters.parked += len(waiters) - len(refused)
        self.counters.turned_away += len(refused)
        return refused

    def full(self, cursor: Cursor, board: LiveBoard | None = None) -> bytes:
        """The reply that tells a client to come back later."""
        return (board or self.first).empty(cursor, FULL_RETRY_MS)

    def reply_for(self, cursor: Cursor, board: LiveBoard | None = None) -> bytes | None:
        """Returns the reply that this cursor gets at once, or None if there is nothing after it.

        If memory lacks what it needs (LiveBoard.has), it is told to come again.
        """
        board = board or self.first
        if cursor.epoch == board.epoch and cursor.seq >= board.seq:
            return board.empty(cursor, DRAIN_RETRY_MS) if self.draining else None
        recent = board.recent
        if recent is None or not board.has(cursor):
            return Recent.come_again(cursor, DRAIN_RETRY_MS)
        self.recents.use(board)
        is_ours = cursor.epoch == board.epoch and cursor.seq >= recent.start
        return recent.after(cursor.seq) if is_ours else self.reset(board)

    def reset(self, board: LiveBoard | None = None) -> bytes:
        """The reply that tells a client to replace all that it shows. Memory must have the board's page."""
        recent = (board or self.first).recent
        assert recent is not None
        self.counters.resets += 1
        return recent.newest(reset=True)

    def newest(self, board: LiveBoard) -> bytes:
        """The reply with the newest page of a board, which memory must have."""
        assert board.recent is not None
        self.recents.use(board)
        return board.recent.newest()

    def leave(self, waiter: Waiter) -> None:
        """Removes a poll from the list and ends it, if it is still parked."""
        if self._polls.remove(waiter) is not None:
            waiter.resolve(Ended.GONE)

    # --- parked polls

    def drain(self) -> None:
        """Answers every parked poll. From then on, no poll is parked."""
        self.draining = True
        for group in self._polls.groups():
            group.board.watching.count()
        for group in self._polls.groups():
            self._polls.answer(group, len(group), group.board.empty(group.cursor, DRAIN_RETRY_MS))

    def _expire(self, group: ParkedGroup) -> None:
        """Answers a group whose time is over. It may have thousands of polls."""
        group.board.watching.count()  # polls that end now count as well
        left = [group]
        self._answer(left, self._nothing_for)
        if left:
            asyncio.get_running_loop().call_soon(self._expire, group)

    @staticmethod
    def _nothing_for(group: ParkedGroup) -> bytes:
        return group.board.empty(group.cursor)

    def _news(self, group: ParkedGroup) -> bytes:
        return self.reply_for(group.cursor, group.board) or self._nothing_for(group)

    def _answer(self, left: list[ParkedGroup], reply_to: Callable[[ParkedGroup], bytes]) -> int:
        """Answers and removes groups from the end of the list, for a slice of time. Returns how many polls it answered.

        A group that is not finished stays in the list.
        """
        answered, handlers, until = 0, 0, time.monotonic() + SLICE_SECONDS
        while left:
            group = left[-1]
            reply = reply_to(group)
            most = LOOKS if group.kind.runs_handler else LOOKS_WITHOUT_HANDLER
            while count := self._polls.answer(group, most, reply):
                answered += count
                handlers += count * group.kind.runs_handler
                if handlers >= LOOKS or time.monotonic() > until:
                    return answered
            left.pop()
        return answered

    async def _wake(self, boards: Iterable[LiveBoard]) -> None:
        """Answers the parked polls of these boards that lack something, in slices of time, so that thousands of them
        don't hold up everything else."""
        boards = list(boards)
        if self.on_news is not None:
            self.on_news(boards)
        left = [group for board in boards for group in self._polls.groups(board) if group.cursor != board.cursor]
        self.counters.delivered += self._answer(left, self._news)
        while left:
            await asyncio.sleep(0)
            self.counters.delivered += self._answer(left, self._news)

    async def _send_back(self, boards: Iterable[LiveBoard]) -> None:
        """Has the clients of these boards come again, because what may be read there has changed."""
        left = [group for board in boards for group in self._polls.groups(board)]
        while left:
            self._answer(left, lambda group: Recent.come_again(group.cursor, DRAIN_RETRY_MS))
            await asyncio.sleep(0)

    def _ask_again(self, account_ids: Iterable[int]) -> None:
        """Has parked polls of these accounts authenticated again."""
        ids = set(account_ids)
        for waiter in self._polls.waiters():
            if waiter.account_id in ids and (group := self._polls.remove(waiter)) is not None:
                waiter.resolve(Ended.ASK_AGAIN, group.deadline)
