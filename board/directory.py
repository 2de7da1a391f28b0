"""The directory: every board of the site, as this process knows it. deliver()'s task alone changes it."""

import bisect
import collections
import itertools
from collections.abc import Iterable, Iterator

from board.credentials import MAX_KNOWN
from board.live_board import ENDED, FIRST_SLUG, LiveBoard
from board.scopes import GUESTS, Scope
from storage.listing import Listed, Listing
from storage.records import FIRST_BOARD
from storage.rows import epoch_of


def slug_of(board: LiveBoard) -> str:
    return board.slug


class Directory:
    def __init__(self) -> None:
        self.first = LiveBoard(FIRST_BOARD)
        self.seq = 0
        """The last change of the site that is in memory. Without other boards, it is that of the first."""
        self.changed = 0
        """The last change of a row of boards, or of an invitation, that is in memory."""
        self.unsure: dict[LiveBoard, None] = {}
        """Boards whose newest message was deleted, and whose present one has to be read."""
        self._boards: dict[int, LiveBoard] = {FIRST_BOARD: self.first}
        self._slugs: dict[str, LiveBoard] = {FIRST_SLUG: self.first}
        self._by_news: dict[LiveBoard, None] = {self.first: None}
        """In the order of their news."""
        self._rights = 0
        self._guests_list = self._members_list = 0
        """The last change of what the list of boards shows to all guests, and to all members."""
        self._in_order: tuple[list[LiveBoard], list[LiveBoard]] | None = None
        """Those beside the first, by their slugs, and those of them for guests; None if that has to be found out again."""
        self._own_lists: collections.OrderedDict[int, int] = collections.OrderedDict()
        """By account: the last change after which its own boards, or its invitations, may be others."""

    def __len__(self) -> int:
        return len(self._boards)

    @property
    def has_others(self) -> bool:
        return len(self) > 1

    def of(self, id: int) -> LiveBoard | None:
        return self._boards.get(id)

    def find(self, name: str | int, scope: Scope) -> LiveBoard | None:
        """Returns the board that has this slug, or had it, or this id, if the asker may read it."""
        board = self._slugs.get(name) if isinstance(name, str) else self._boards.get(name)
        return board if board is not None and board.may_be_read(scope) else None

    def listed(self, scope: Scope, limit: int, after: str = "") -> list[LiveBoard]:
        """Returns the boards beside the first that the asker may read, by their slugs, those after this one, as storage
        lists them.
        """
        if self._in_order is None:
            all_boards = sorted((one for one in self._boards.values() if not one.is_first), key=slug_of)
            self._in_order = all_boards, [board for board in all_boards if board.may_be_read(GUESTS)]
        boards = self._in_order[not scope.is_member]
        further = itertools.islice(boards, bisect.bisect_right(boards, after, key=slug_of), None)
        return list(itertools.islice((board for board in further if board.may_be_read(scope)), limit))

    @property
    def guests_list(self) -> int:
        """The last change of what the list of boards shows to guests."""
        return self._guests_list

    # --- what is new

    @property
    def last_word(self) -> int:
        """The number of the newest thing that may be told of other boards."""
        own = self._own_lists[next(reversed(self._own_lists))] if self._own_lists else 0
        return max(next(reversed(self._by_news)).news, self.changed, own)

    def note_news(self, board: LiveBoard, number: int) -> None:
        """Notes a post or a deletion. What was loaded may be ahead of the others: the order of numbers stays."""
        board.news = max(number, next(reversed(self._by_news)).news)
        del self._by_news[board]
        self._by_news[board] = None

    def news_after(self, number: int) -> Iterator[LiveBoard]:
        """The boards with news after this change, the newest first."""
        for board in reversed(self._by_news):
            if board.news <= number:
                return
            yield board

    def note_own_lists(self, account_ids: Iterable[int], number: int) -> None:
        for account_id in account_ids:
            self._own_lists[account_id] = number
            self._own_lists.move_to_end(account_id)
        while len(self._own_lists) > MAX_KNOWN:
            self._own_lists.popitem(last=False)

    def has_own_list(self, account_id: int | None, after: int, to: int) -> bool:
        """Whether the account's invitations may have changed after the one number, and up to the other."""
        return account_id is not None and after < self._own_lists.get(account_id, 0) <= to

    def has_list(self, scope: Scope, after: int, to: int) -> bool:
        """Whether the list that these askers see has changed then."""
        if self.changed <= after:
            return False
        own = (board.row.changed for id in scope.boards if (board := self._boards.get(id)) and board.row)
        number = self._members_list if scope.is_member else self._guests_list
        return any(after < changed <= to for changed in (number, *own))

    # --- rows

    def apply(self, listing: Listing) -> tuple[list[LiveBoard], set[int]]:
        """Takes rows that have changed. Returns their boards, and the accounts that own others than before."""
        changed, owners = [], set[int | None]()
        for one in listing.boards:
            board = self._boards.get(one.board.id)
            if board is None and not one.has_ended:
                board = self._boards[one.board.id] = LiveBoard(one.board.id)
                self._by_news[board] = None
            if board is None:
                continue
            self._note_list(board, one)
            if one.board.owner_id != (board.row.owner_id if board.row else None):
                owners |= {one.board.owner_id, board.row.owner_id if board.row else None}
            self._set_row(board, one)
            if board.floor < one.board.floor:
                floor = max(listing.head.floor, one.board.floor)
                board.set_position(one, epoch_of(listing.head.epoch, board.id), floor)
                self.note_news(board, board.news)
                self.unsure.pop(board, None)
            changed.append(board)
            if one.has_ended:
                self._end(board)
        self.changed = listing.head.boards
        return changed, {owner for owner in owners if owner is not None}

    def replace(self, listing: Listing) -> None:
        """Takes all rows and positions anew. What was known before is good for nothing any more."""
        there = {one.board.id for one in listing.boards}
        for board in list(self._boards.values()):
            if not board.is_first and board.id not in there:
                board.rights = ENDED
                self._end(board)
        for one in listing.boards:
            board = self._boards.setdefault(one.board.id, LiveBoard(one.board.id))
            self._set_row(board, one)
            floor = max(listing.head.floor, one.board.floor)
            board.set_position(one, epoch_of(listing.head.epoch, board.id), floor)
        self._by_news = dict.fromkeys(sorted(self._boards.values(), key=lambda board: board.news))
        self.seq, self.changed = listing.head.seq, listing.head.boards
        self._guests_list = self._members_list = self.changed
        self.unsure.clear()

    def _set_row(self, board: LiveBoard, one: Listed) -> None:
        self._rights += 1
        self._in_order = None
        self._free_slugs(board)
        board.set_row(one, self._rights)
        self._slugs.update(dict.fromkeys(one.slugs, board))

    def _free_slugs(self, board: LiveBoard) -> None:
        for slug in board.slugs:
            if self._slugs.get(slug) is board:
                del self._slugs[slug]

    def _end(self, board: LiveBoard) -> None:
        self._free_slugs(board)
        self._in_order = None
        board.slugs, board.recent = [], None
        del self._boards[board.id], self._by_news[board]
        self.unsure.pop(board, None)

    def _note_list(self, board: LiveBoard, one: Listed) -> None:
        readers = {one.board.read_by, board.row.read_by if board.row else one.board.read_by}
        if "everyone" in readers:
            self._guests_list = one.board.changed
        if readers != {"invited"} or one.has_ended:
            self._members_list = one.board.changed
