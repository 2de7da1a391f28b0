"""The waiter list: polls parked as futures in memory, and deliver(), which resolves them.

What always holds here:
1. Between checking a poll's rights and cursor and parking it there is no await, so no change can slip in between.
2. Changes reach a poll only through deliver(), in the order of their numbers. While one read runs, further
   calls only ask for another, so reads never overtake each other. The next read makes up for one that failed.
3. The cost of a change is one encoding, however many polls are parked; a woken poll costs no storage call. It wakes the
   polls of its board, and no others.
4. Rights come before messages: whatever was read, the rights of that moment are in memory before it is.
5. A poll leaves the list whatever ends it: news, time, disconnect, a revoked credential, drain.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterable, Sequence

from board.cursor import Cursor
from board.deliveries import Deliveries
from board.live_board import ENDED, LiveBoard
from board.recent import PAGE, RECENT, Recent, as_read
from board.recents import MEMORY, SHARES, show_again
from board.ticks import Ticks
from storage import Storage
from storage.errors import NotFoundError, UnavailableError
from storage.records import OPERATOR, Changes, Head, Message, Snapshot


class WaiterList(Ticks, Deliveries):
    """`forget` is called with accounts about which something has changed. A `max_per_address` of 0 means no limit.

    `memory` is the bound for what is kept of the boards beside the first, in bytes.
    """

    def __init__(
        self,
        storage: Storage,
        snapshot: Snapshot,
        max_parked: int,
        max_per_address: int = 0,
        forget: Callable[[Iterable[int]], None] = lambda account_ids: None,
        memory: int = MEMORY,
    ) -> None:
        super().__init__(max_parked, max_per_address, memory)
        self._storage = storage
        self._forget = forget
        self.access = snapshot.head.access
        self._hold(self.first, snapshot)
        self.is_stale = snapshot.head.boards > 0
        """Whether the next read begins with all boards: at the start, or because the database is another one now."""
        self._wanted: dict[LiveBoard, asyncio.Future[bool]] = {}  # boards whose newest changes are to be read

    async def is_beyond(self, cursor: Cursor, board: LiveBoard | None = None) -> bool:
        """Whether the cursor is ahead of the database itself, for example because that is an older copy.

        If the cursor is ahead of this process, storage is read first. While it can't be read, the answer is False.
        """
        board = board or self.first
        if cursor.epoch != board.epoch or cursor.seq <= board.seq:
            return False
        return await self.deliver() and cursor.seq > board.seq

    async def load(self, board: LiveBoard) -> None:
        """Has the newest changes of a board read, once for all who ask. Afterwards they are there, or the board is not.

        Raises UnavailableError.
        """
        loaded = self._wanted.get(board)
        if loaded is None:
            loaded = self._wanted[board] = asyncio.get_running_loop().create_future()
            self._begin()
        if not await asyncio.shield(loaded):
            raise UnavailableError("the newest changes of a board")

    def is_loading(self, board: LiveBoard) -> bool:
        return board in self._wanted

    # --- changes

    def _give_up(self) -> None:
        for loaded in self._wanted.values():
            loaded.set_result(False)
        self._wanted.clear()

    async def _catch_up(self, began: float) -> None:
        directory, more = self.directory, True
        # Those who wait for another read don't wait for more loads than those of one pass: the next read goes on.
        while more or self.is_stale or ((self._wanted or directory.unsure) and self._again is None):
            if self.is_stale:
                await self._read_all()
            has_others = directory.has_others
            read = self._storage.log_after if has_others else self._storage.changes_after
            changes = await read(directory.seq, RECENT)
            head, more = changes.head, changes.more
            is_other = head.epoch != self.first.epoch or head.seq < directory.seq
            if not is_other:
                await self._bring_rights(head)
            self.is_stale = is_other or directory.has_others != has_others
            if self.is_stale:
                continue
            if head.floor != self.first.floor:  # before anything is added to what was removed
                more = True
                await self._load(self.first)
                continue
            if head.seq > directory.seq:
                await self._wake(self._put(changes))
                self.counters.wakes.add(time.monotonic() - began)
            if self.recent.page_is_short:
                await self._load(self.first)
            await self._load_some()
            self.request_tick()
            began = time.monotonic()

    # --- what was read

    async def _read_all(self) -> None:
        """Reads all boards again, and the first one's newest changes. Those of others are read when they are needed.

        If these are of two databases, the next pass tries again.
        """
        listing = await self._storage.listing(0)
        invited = [] if self.directory.changed else await self._storage.invited_lately()
        snapshot = await load(self._storage)
        await self._notice_access(snapshot.head)
        if snapshot.head.epoch != listing.head.epoch:
            return
        self.is_stale = False
        self.recents.clear()
        self.directory.replace(listing, snapshot.head)
        self.directory.note_own_lists(invited, listing.head.boards)
        self._hold(self.first, snapshot)
        self.others.restart()
        await self._wake([self.first])
        await self._send_back({group.board for group in self._polls.groups()} - {self.first})

    def _put(self, changes: Changes) -> list[LiveBoard]:
        """Puts what follows into memory, in one step. Returns the boards that have changed."""
        directory, changed = self.directory, []
        by_board: dict[int, list[Message]] = {}
        for message in changes.messages:
            by_board.setdefault(message.board_id, []).append(message)
        for board_id, messages in by_board.items():
            board = directory.of(board_id)
            new = [message for message in messages if board and message.seq > board.seq]  # it may have been read since
            if board and new:
                self._advance(board, new)
                changed.append(board)
        directory.seq = changes.messages[-1].seq if changes.more else changes.head.seq
        return changed

    def _advance(self, board: LiveBoard, changes: Sequence[Message]) -> None:
        recent = board.recent
        if recent is None and self._polls.groups(board):
            recent = Recent.begun_at(board.cursor, board.floor, board.watching.count)
        if self.directory.has_others:
            self.directory.note_changes(board, changes)
            self.others.note_news(board)
        if recent is None:
            board.move_to(changes[-1].seq)
            return
        recent.add(changes)
        if not board.is_first:
            self.recents.keep(board, recent)
        if board.follow():
            self.directory.unsure.pop(board, None)
        if recent.page_is_short and not board.is_first:
            recent.is_whole = False

    async def _load_some(self) -> None:
        """Reads the newest messages that have to be known, and the newest changes that are wanted, of some boards."""
        for board in list(self.directory.unsure)[:SHARES]:
            await self._find_newest(board)
        for board in list(self._wanted)[:SHARES]:
            if board.rights != ENDED:
                with contextlib.suppress(NotFoundError):  # its end is in the log
                    await self._load(board)
            if self.is_stale:
                return
            if (loaded := self._wanted.pop(board, None)) is not None and not loaded.done():
                loaded.set_result(True)

    async def _find_newest(self, board: LiveBoard) -> None:
        head, newest = await self._storage.newest_on(board.id)
        await self._bring_rights(head)
        if board in self.directory.unsure:  # else it has ended, or its row said it
            self.directory.note_newest(board, newest)
            self.others.note_news(board)

    async def _load(self, board: LiveBoard) -> None:
        """Reads the newest changes of a board, and answers its polls. If they don't follow what is in memory, all boards
        are read again. Raises NotFoundError.
        """
        if board.is_first:
            snapshot = await load(self._storage)
        else:
            snapshot = await self._storage.snapshot_on(board.id, OPERATOR, changes=RECENT, page=PAGE)
        head = snapshot.head
        await self._bring_rights(head)
        if board.rights == ENDED:
            return
        if head.epoch != board.epoch or head.seq < board.seq:
            self.is_stale = True
            return
        self._hold(board, snapshot)
        await self._wake([board])

    def _hold(self, board: LiveBoard, snapshot: Snapshot) -> None:
        recent, directory = as_read(snapshot, board.recent, board.watching.count), self.directory
        if directory.has_others and recent.seq > board.seq:
            directory.news.note(board, recent.seq)
        directory.unsure.pop(board, None)
        self.others.note_news(board)
        if board.is_first:
            board.recent = recent
        else:
            self.recents.keep(board, recent)
        board.follow()
        if not directory.has_others:
            directory.seq = self.first.seq

    # --- rights

    async def _bring_rights(self, head: Head) -> None:
        """Brings the rights in memory forward to this moment, or beyond it."""
        await self._notice_access(head)
        if head.boards > self.directory.changed:
            await self._notice_boards()

    async def _notice_access(self, head: Head) -> None:
        """Has parked polls of the changed accounts authenticated again: credentials were revoked or rights changed."""
        if head.access == self.access:
            return
        account_ids = set(await self._storage.access_changes_after(self.access))
        self._forget(account_ids)
        if head.boards > self.directory.changed:  # else there is no invitation among them
            self.directory.note_own_lists(account_ids, head.boards)
        self._ask_again(account_ids)
        await show_again(self._storage, account_ids, lambda: [self.recent, *self.recents.all()])
        self.access = head.access  # not before: if anything fails, all of it is done again

    async def _notice_boards(self) -> None:
        """Takes the rows that have changed, and has the clients of these boards come again."""
        listing = await self._storage.listing(self.directory.changed)
        await self._notice_access(listing.head)  # before the numbers of invitations are known
        before = self.directory.changed
        changed, owners = self.directory.apply(listing)
        self.others.note_rows(before)
        for board in changed:
            if board.recent is None:
                self.recents.drop(board)
        if owners:
            self._forget(owners)
            self.directory.note_own_lists(owners, listing.head.boards)
            self._ask_again(owners)
        await self._send_back(changed)


async def load(storage: Storage) -> Snapshot:
    """Reads the newest changes and the newest page of the first board from storage. Raises UnavailableError."""
    return await storage.snapshot(changes=RECENT, page=PAGE)
