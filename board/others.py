"""Word of the other boards, for polls that ask for it: which of them have something new.

It is state and not a count, so hearing it twice changes nothing. Parked polls are told in ticks, so what it costs does
not depend on how much is written.
"""

import json
from typing import NamedTuple

from board.directory import Directory
from board.live_board import LiveBoard
from board.scopes import Scope

NAMED_MAX = 100
"""Boards that are named in a reply. If there are more, the client reads the list again."""
LOOKED_AT_MAX = 1000
"""Boards with something new that are looked at for one reply, also if its client may read none of them."""
WORDS_MAX = 10_000
"""Words that are kept until the next news."""
JOINED_BYTES = 4 * 1024 * 1024
"""Bytes of kept replies, as for those of a board."""


class Hears(NamedTuple):
    """A poll that asks for word of the other boards: the change up to which it has heard, and what it may read."""

    after: int
    scope: Scope


class Others:
    def __init__(self, directory: Directory) -> None:
        self._directory = directory
        self.latest = 0
        """The change up to which the last tick told, or tells."""
        self.told = 0
        """The change up to which all parked polls were told: follows when a tick is through."""
        self._words: dict[tuple[int, LiveBoard, Scope, bool], bytes | None] = {}
        self._joined: dict[tuple[bytes, bytes], bytes] = {}
        self._joined_bytes = 0

    def begin(self) -> None:
        """Begins a tick."""
        self.latest = max(self.latest, self._directory.seq)
        self.forget()

    def restart(self) -> None:
        """The directory was read again. In an older copy of the database, everything is told once more."""
        if self.latest > self._directory.seq:
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
        key = after, board, scope, self._directory.has_own_list(account_id, after, self.latest)
        if key not in self._words:
            if len(self._words) >= WORDS_MAX:
                self._words.clear()
            self._words[key] = self._make_word(*key)
        return self._words[key]

    def _make_word(self, after: int, board: LiveBoard, scope: Scope, has_list: bool) -> bytes | None:
        named: dict[str, list[int | None]] = {}
        looked_at = 0
        for looked_at, other in enumerate(self._directory.news_after(after), 1):
            if looked_at > LOOKED_AT_MAX or len(named) > NAMED_MAX:
                break
            if other is not board and other.news <= self.latest and other.may_be_read(scope):
                named[other.slug] = [other.newest, other.author_id]
        is_too_much = looked_at > LOOKED_AT_MAX or len(named) > NAMED_MAX
        word = b""
        if named and not is_too_much:
            word += b',"boards":' + json.dumps(named, separators=(",", ":")).encode()
        if is_too_much or has_list or self._directory.has_list(scope, after, self.latest):
            word += b',"list":true'
        return self._up_to(self.latest) + word if word else None

    @staticmethod
    def _up_to(number: int) -> bytes:
        return b',"others":%d' % number

    def join(self, reply: bytes, word: bytes | None, to: int) -> bytes:
        """Returns a reply with this word, or with how far its client has heard: the same object for all."""
        end = word or self._up_to(to)
        joined = self._joined.get((reply, end))
        if joined is None:
            joined = reply[:-1] + end + b"}"
            self._joined_bytes += len(reply) + len(joined)
            if self._joined_bytes > JOINED_BYTES:
                self._joined.clear()
                self._joined_bytes = len(reply) + len(joined)
            self._joined[reply, end] = joined
        return joined
