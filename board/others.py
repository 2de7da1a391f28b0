"""Word of the other boards, for polls that ask for it: which of them have something new.

It is state and not a count, so hearing it twice changes nothing. Parked polls are told in ticks, so what it costs does
not depend on how much is written.
"""

import json
from collections.abc import Hashable, Sequence
from typing import NamedTuple

from board.directory import Directory
from board.live_board import LiveBoard
from board.scopes import GUESTS, MEMBERS, Scope

NAMED_MAX = 100
"""Boards that are named in a reply. If there are more, the client reads the list again."""
LOOKED_AT_MAX = 1000
"""Boards with something new that are looked at for one reply."""
KEPT_BYTES = 4 * 1024 * 1024
"""Of kept words or replies, as of those of a board."""
KEY_BYTES = 400
"""About what a word takes besides its own bytes, and each board by which it is found."""


class Hears(NamedTuple):
    """A poll that asks for word of the other boards: the change up to which it has heard, and what it may read."""

    after: int
    scope: Scope


class Kept(dict[Hashable, bytes | None]):
    """What was made, by what it was made of. If it is too much, all of it goes."""

    size = 0

    def keep(self, key: Hashable, made: bytes | None, size: int) -> None:
        if self.size + size > KEPT_BYTES:
            self.clear()
        self[key] = made
        self.size += size

    def clear(self) -> None:
        super().clear()
        self.size = 0


class Others:
    """What is told is made only of boards that the poll's client may read, its numbers, too: whatever happens on others
    changes no byte, and wakes nobody.
    """

    def __init__(self, directory: Directory) -> None:
        self._directory = directory
        self.latest = 0
        """The change up to which the last tick told, or tells. No client is given it: see above."""
        self.told = 0
        """The change up to which all parked polls were told: follows when a tick is through."""
        self._words = {GUESTS: Kept(), MEMBERS: Kept()}
        """Those of guests and those of members. They are not found by scope, as nearly all members have no news on boards
        of the invited, but by what is new there. They go when something has changed that all guests, or all members, may
        read: if they went for anything else, it could be told by the time that the next answers take.
        """
        self._joined = Kept()

    def begin(self) -> None:
        """Begins a tick."""
        directory, before = self._directory, self.latest
        end_of_the_last = 0 if directory.has_others else directory.changed  # which is no change of the first board
        self.latest = max(self.latest, directory.seq, end_of_the_last)
        for scope, words in self._words.items():
            if any(board.news <= self.latest for board in directory.news.after(before, scope.is_member, ())):
                words.clear()

    def restart(self) -> None:
        """The directory was read again. In an older copy of the database, everything is told once more."""
        if self.latest > max(self._directory.seq, self._directory.changed):
            self.latest = self.told = 0
        for words in self._words.values():
            words.clear()

    def note_news(self, board: LiveBoard) -> None:
        """Called when something on a board has changed, or is known now."""
        for scope, words in self._words.items():
            if board.may_be_read(scope):
                words.clear()

    def note_rows(self, before: int) -> None:
        """Called when the directory has taken the rows that have changed since this number."""
        for scope, words in self._words.items():
            if self._directory.list_change(scope, before):
                words.clear()

    def word(self, after: int, board: LiveBoard, scope: Scope, account_id: int | None) -> bytes | None:
        """Returns what a poll on this board is told of the others that has heard up to a change; None if nothing."""
        if after >= self.latest:
            return None
        directory, latest = self._directory, self.latest
        own_list = directory.own_list_change(account_id, after, latest) if scope.is_person else 0
        listed = max(own_list, directory.list_change(scope, after, latest))
        own, began = directory.own_news(scope, after, latest), directory.list_began(scope)
        key = after, board, listed, began, tuple(map(self._state, own))
        words = self._words[MEMBERS if scope.is_member else GUESTS]
        if key not in words:
            word = self._make_word(after, board, scope.is_member, own, listed, began)
            words.keep(key, word, KEY_BYTES * (1 + len(own)) + len(word or b""))
        return words[key]

    def _state(self, board: LiveBoard) -> tuple[Hashable, ...]:
        """What is told of a board, and whether it is."""
        return board, board.slug, board.news, board.newest, board.author_id, board in self._directory.unsure

    def _make_word(
        self, after: int, board: LiveBoard, is_member: bool, own: Sequence[LiveBoard], listed: int, began: int
    ) -> bytes | None:
        """`own` has the boards of the invited with news, `listed` is the last change of the list, or 0; it began with
        `began`.
        """
        has_list, number, named, looked_at = listed > 0, listed, dict[str, list[int | None]](), 0
        for looked_at, other in enumerate(self._directory.news.after(after, is_member, own), 1):
            if looked_at > LOOKED_AT_MAX or len(named) > NAMED_MAX:
                break
            if other is not board and other.news <= self.latest and not (other.is_first and other.news < began):
                number = max(number, other.news)
                if other in self._directory.unsure:  # the list is read from storage, which knows
                    has_list = True
                else:
                    named[other.slug] = [other.newest, other.author_id]
        if named and (looked_at > LOOKED_AT_MAX or len(named) > NAMED_MAX):
            has_list, named = True, {}
        if not number:
            return None
        word = b',"boards":' + json.dumps(named, separators=(",", ":")).encode() if named else b""
        return b',"others":%d' % number + word + (b',"list":true' if has_list else b"")

    def correction(self, after: int, scope: Scope, account_id: int | None) -> bytes | None:
        """Returns the number for a client that says it has heard of more than there is: it would be deaf until then."""
        newest = self._directory.newest_for(scope, account_id if scope.is_person else None)
        return b',"others":%d' % newest if after > newest else None

    def join(self, reply: bytes, word: bytes) -> bytes:
        """Returns a reply with this word: the same object for all."""
        joined = self._joined.get((reply, word))
        if joined is None:
            joined = reply[:-1] + word + b"}"
            self._joined.keep((reply, word), joined, len(reply) + len(joined))
        return joined
