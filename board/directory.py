"""The directory: every board of the site, as this process knows it. deliver()'s task alone changes it."""

import bisect
import collections
import heapq
import itertools
import math
from collections.abc import Iterable, Iterator

from board.credentials import MAX_KNOWN
from board.live_board import ENDED, LiveBoard
from board.news import News
from board.open_boards import OpenBoards, count_names, slug_of
from board.scopes import Scope
from board.slugs import FIRST, folded
from storage.listing import Listed, Listing, Newest
from storage.records import FIRST_BOARD, Board, Head, Message


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
        self._slugs: dict[str, LiveBoard] = {FIRST: self.first}
        self._old_slugs: dict[int, list[str]] = {}  # by the ids of their boards
        self.news = News(self.first)
        self._rights = 0
        self.guests_list = self._members_list = 0
        """The last change of what the list of boards shows to all guests, and to all members."""
        self._began = {False: 0, True: 0}
        """The change with which the list of all guests began, and that of all members, if it began in this process."""
        self._ends: collections.OrderedDict[int, int] = collections.OrderedDict()
        """When boards of the invited ended, by their ids."""
        self._open: dict[bool, OpenBoards] = {}
        """By whether for members."""
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
        boards = self._open_to(scope.is_member).in_order
        further = itertools.islice(boards, bisect.bisect_right(boards, after, key=slug_of), None)
        own = sorted((board for board in self._own(scope) if board.slug > after), key=slug_of)
        return list(itertools.islice(heapq.merge(further, own, key=slug_of), limit))

    def alike(self, boards: Iterable[Board], scope: Scope, first_name: str) -> frozenset[str]:
        """Returns the slugs of those of these boards beside the first whose names look like that of another board which the
        asker may read. The first has this name.
        """
        names, own = self._open_to(scope.is_member).names, count_names(self._own(scope))
        own[folded(first_name)] += 1
        looks = ((one, folded(one.name)) for one in boards if one.id != FIRST_BOARD)
        return frozenset(one.slug for one, look in looks if names[look] + own[look] > 1)

    def _open_to(self, is_member: bool) -> OpenBoards:
        if is_member not in self._open:
            self._open[is_member] = OpenBoards(self.news.others(is_member))
        return self._open[is_member]

    def list_began(self, scope: Scope) -> int:
        """The change with which these askers got other boards than the first, or 0. The first board's changes before it
        are no news: whether they were would tell of boards that the askers may not read.
        """
        return 0 if scope.boards else self._began[scope.is_member]

    # --- what is new

    @property
    def last_word(self) -> int:
        """The number of the newest thing that may be told to anybody."""
        own = self._own_lists[next(reversed(self._own_lists))] if self._own_lists else 0
        return max(self.news.last, self.changed, own)

    def note_changes(self, board: LiveBoard, changes: Iterable[Message]) -> None:
        """Notes what changes of a board say of its newest message."""
        for message in changes:
            if message.deleted:
                self.news.note(board, message.seq)
                if message.id == board.newest and not board.is_first:
                    self.unsure[board] = None
            elif message.id > board.newest:
                board.newest, board.author_id = message.id, message.author.id if message.author else None
                self.news.note(board, message.seq)
                self.unsure.pop(board, None)

    def note_newest(self, board: LiveBoard, newest: Newest | None) -> None:
        """Notes the newest message as it was read. It may be ahead of the log."""
        self.unsure.pop(board, None)
        board.newest, board.author_id = (newest.id, newest.author_id) if newest else (0, None)
        if newest and newest.seq > board.seq:
            self.news.note(board, newest.seq)

    def own_news(self, scope: Scope, after: int, to: int) -> tuple[LiveBoard, ...]:
        """The boards of the invited in a scope with news after the one number, and up to the other."""
        return tuple(board for board in self._own(scope) if after < board.news <= to)

    def _own(self, scope: Scope) -> Iterator[LiveBoard]:
        """The boards of the invited that are in a scope."""
        return (one for id in scope.boards if (one := self._boards.get(id)) is not None and one.read_by == "invited")

    def note_own_lists(self, account_ids: Iterable[int], number: int) -> None:
        note(self._own_lists, account_ids, number)

    def own_list_change(self, account_id: int | None, after: int, to: float = math.inf) -> int:
        """Returns the last change of the account's invitations after the one number, and up to the other, or 0."""
        number = self._own_lists.get(account_id, 0) if account_id is not None else 0
        return number if after < number <= to else 0

    def list_change(self, scope: Scope, after: int, to: float = math.inf) -> int:
        """Returns the last change then of the list that these askers see, or 0."""
        if self.changed <= after:
            return 0
        shown = self._members_list if scope.is_member else self.guests_list
        own = (board.row.changed for board in self._own(scope) if board.row)
        ends = (self._ends.get(id, 0) for id in scope.boards) if self._ends else ()
        return max((number for number in (shown, *own, *ends) if after < number <= to), default=0)

    def newest_for(self, scope: Scope, account_id: int | None = None) -> int:
        """Returns the number of the newest thing that these askers may know of, or 0 if that is no board but the first.
        It does not depend on what they may not read.
        """
        changed = max(self.list_change(scope, 0), self.own_list_change(account_id, 0))
        if not changed:
            return 0
        news = (board.news for board in self.by_news(scope))
        return max(changed, self.first.seq, next(news, 0))

    def by_news(self, scope: Scope) -> Iterator[LiveBoard]:
        """The boards beside the first that the asker may read, the one with the newest post or deletion first."""
        return (board for board in self.news.after(-1, scope.is_member, self._own(scope)) if not board.is_first)

    # --- rows

    def apply(self, listing: Listing) -> tuple[list[LiveBoard], set[int]]:
        """Takes rows that have changed. Returns their boards, and the accounts that own others than before."""
        changed, owners, self._rights = [], set[int | None](), self._rights + 1
        empty = [is_member for is_member in self._began if not any(self.news.others(is_member))]
        for one in listing.boards:
            board = self._boards.get(one.id)
            if board is None and not one.has_ended:
                board = self._boards[one.id] = LiveBoard(one.id)
            if board is None:
                continue
            if one.owner_id != (board.row.owner_id if board.row else None):
                owners |= {one.owner_id, board.row.owner_id if board.row else None}
            read_by = board.read_by if board.row else None
            self._set_row(board, one)
            if board.floor < one.floor:
                board.set_position(one, listing.epoch_of)
                self.unsure.pop(board, None)
                read_by = None
            if board.read_by != read_by:
                self.news.note(board, board.news)
            changed.append(board)
            if one.has_ended:
                self._end(board, one.changed)
        self._set_old_slugs(listing.old_slugs)
        for is_member in empty:
            self._began[is_member] = min((one.row.changed for one in self.news.others(is_member) if one.row), default=0)
        self.changed = listing.head.boards
        return changed, {owner for owner in owners if owner is not None}

    def replace(self, listing: Listing, first: Head) -> None:
        """Takes all from storage, and nothing of what is in memory. The first's position is of that moment, or later."""
        head, self._rights = listing.head, self._rights + 1  # one number for all, as each is an object
        if head.epoch != self.first.epoch or head.seq < self.seq:  # another database, or an older copy of this one
            self.guests_list = self._members_list = 0
            self._own_lists.clear()
            self._ends.clear()
        gone = self._boards.keys() - {one.id for one in listing.boards} - {FIRST_BOARD} if self.has_others else ()
        for board in map(self._boards.__getitem__, gone):
            board.rights = ENDED
            self._end(board, head.boards)
        for one in listing.boards:
            live = self._boards.get(one.id) or self._boards.setdefault(one.id, LiveBoard(one.id))
            self._set_row(live, one)
            live.set_position(one, listing.epoch_of)
        self._set_old_slugs(listing.old_slugs)
        self.first.begin_at(first.epoch, first.floor, first.seq)
        self.news.order(self._boards.values())
        self.seq, self.changed = head.seq, head.boards
        self.unsure.clear()

    def _set_row(self, board: LiveBoard, one: Listed) -> None:
        """Also notes to whose lists of boards this is a change, by who could read it before and who may now."""
        if board.row:
            self._free_slugs(board)
            self._note_list(board.read_by, one.changed)
        self._note_list(one.read_by, one.changed)
        board.row, board.rights = one, ENDED if one.has_ended else self._rights
        if board.rights != ENDED:
            self._slugs[one.slug] = board

    def _set_old_slugs(self, old_slugs: dict[int, list[str]]) -> None:
        """Has the slugs that boards had before lead to them. No slug ever leads to another board."""
        for id, slugs in old_slugs.items():
            if board := self._boards.get(id):
                self._old_slugs[id] = slugs
                self._slugs.update(dict.fromkeys(slugs, board))

    def _note_list(self, read_by: str, number: int) -> None:
        if read_by == "invited":
            return
        self._open.pop(True, None)
        if number > self._members_list:  # a start calls this for each board, and would feel what max() takes
            self._members_list = number
        if read_by == "everyone":
            self._open.pop(False, None)
            if number > self.guests_list:
                self.guests_list = number

    def _free_slugs(self, board: LiveBoard) -> None:
        for slug in (board.slug, *self._old_slugs.pop(board.id, ())):
            if self._slugs.get(slug) is board:
                del self._slugs[slug]

    def _end(self, board: LiveBoard, number: int) -> None:
        self._free_slugs(board)
        if board.read_by == "invited":
            note(self._ends, [board.id], number)
        self._note_list(board.read_by, number)
        self.news.leave(board)
        board.recent = None
        del self._boards[board.id]
        self.unsure.pop(board, None)


def note(numbers: collections.OrderedDict[int, int], ids: Iterable[int], number: int) -> None:
    """Notes this number for each. Of too many, those that were noted first go."""
    for id in ids:
        numbers[id] = number
        numbers.move_to_end(id)
    while len(numbers) > MAX_KNOWN:
        numbers.popitem(last=False)
