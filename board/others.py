"""Word of the other boards, for polls that ask for it: which of them have something new.

It is state and not a count, so hearing it twice changes nothing. Parked polls are told in ticks, so what it costs does
not depend on how much is written.
"""

import json
from collections.abc import Sequence
from typing import NamedTuple

from board.directory import Directory
from board.live_board import LiveBoard
from board.scopes import Scope

NAMED_MAX = 100
"""Boards that are named in a reply. If there are more, the client reads the list again."""
LOOKED_AT_MAX = 1000
"""Boards with something new that are looked at for one reply."""
WORDS_MAX = 10_000
"""Words that are kept until the next news."""
JOINED_BYTES = 4 * 1024 * 1024
"""Bytes of kept replies, as for those of a board."""


class Hears(NamedTuple):
    """A poll that asks for word of the other boards: the change up to which it has heard, and what it may read."""

    after: int
    scope: Scope


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
        self._words: dict[tuple[int, LiveBoard, bool, tuple[LiveBoard, ...], int, int], bytes | None] = {}
        """By what they are made of, and not by scope: nearly all members have no news on boards of the invited."""
        self._joined: dict[tuple[bytes, bytes], bytes] = {}
        self._joined_bytes = 0

    def begin(self) -> None:
        """Begins a tick."""
        directory = self._directory
        end_of_the_last = 0 if directory.has_others else directory.changed  # which is no change of the first board
        self.latest = max(self.latest, directory.seq, end_of_the_last)
        self.forget()

    def restart(self) -> None:
        """The directory was read again. In an older copy of the database, everything is told once more."""
        if self.latest > max(self._directory.seq, self._directory.changed):
            self.latest = self.told = 0
        self.forget()

    def forget(self) -> None:
        """Called when there is news, or rights have changed."""
        self._words.clear()
        self._joined.clear()
        self._joined_bytes = 0

    def word(self, after: int, board: LiveBoard, scope: Scope, account_id: int | None) -> bytes | None:
        """Returns what a poll on this board is told of the others that has heard up to a change; None if nothing."""
        if after >= self.latest:
            return None
        directory, latest = self._directory, self.latest
        listed = max(directory.own_list_change(account_id, after, latest), directory.list_change(scope, after, latest))
        key = (
            after,
            board,
            scope.is_member,
            directory.own_news(scope, after, latest),
            listed,
            directory.list_began(scope),
        )
        if key not in self._words:
            if len(self._words) >= WORDS_MAX:
                self._words.clear()
            self._words[key] = self._make_word(*key)
        return self._words[key]

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
                named[other.slug] = [other.newest, other.author_id]
        if named and (looked_at > LOOKED_AT_MAX or len(named) > NAMED_MAX):
            has_list, named = True, {}
        if not number:
            return None
        word = b',"boards":' + json.dumps(named, separators=(",", ":")).encode() if named else b""
        return b',"others":%d' % number + word + (b',"list":true' if has_list else b"")

    def correction(self, after: int, scope: Scope, account_id: int | None) -> bytes | None:
        """Returns the number for a client that says it has heard of more than there is: it would be deaf until then."""
        newest = self._directory.newest_for(scope, account_id)
        return b',"others":%d' % newest if after > newest else None

    def join(self, reply: bytes, word: bytes) -> bytes:
        """Returns a reply with this word: the same object for all."""
        joined = self._joined.get((reply, word))
        if joined is None:
            joined = reply[:-1] + word + b"}"
            self._joined_bytes += len(reply) + len(joined)
            if self._joined_bytes > JOINED_BYTES:
                self._joined.clear()
                self._joined_bytes = len(reply) + len(joined)
            self._joined[reply, word] = joined
        return joined
