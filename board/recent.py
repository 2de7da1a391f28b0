"""The newest changes, kept in memory, and the replies made of them. No waiting here, no HTTP, no SQL.

Each message is encoded once. A reply is made of those bytes, once for each cursor that asks. Nothing in it belongs to
one viewer.
"""

import collections
import dataclasses
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from board.cursor import Cursor
from board.wire import encode, encode_reply
from storage.people import Present
from storage.records import Head, Message, Page, Snapshot

RECENT = 1000
"""Changes kept. A browser that is further behind gets the newest page instead (a reset)."""
BATCH = 200
"""The most messages in one reply. `more` says that there are others."""
REPLIES = 16
"""Replies kept for further polls with the same cursor. Parked polls have very few different cursors."""
REPLY_BYTES = 4 * 1024 * 1024
"""Bytes of all kept replies. One reply with the longest messages has about three million."""
PAGE = 50
"""Messages on a page."""
NO_PAGE = Page([], older=True)


class Recent:
    """`watching` returns how many watch the board, for the reply that is being encoded."""

    def __init__(self, snapshot: Snapshot, watching: Callable[[], int], *, is_whole: bool = True) -> None:
        self.watching = watching
        head = snapshot.head
        self.epoch, self.floor = head.epoch, head.floor
        self.start = snapshot.start
        """The lowest cursor that can be answered from here."""
        self.is_whole = is_whole
        """Whether this has the newest page, and all changes that are not too old for it. That of the first board always
        has them, or is about to be read again."""
        self._move_to(head.seq)
        self.page = snapshot.page
        """If this is whole."""
        self.quoted_ids: set[int] = set()
        """The accounts whose messages are quoted on a page that was made of the present state and is kept."""
        self.pinned = snapshot.pinned
        """The pinned message of the board, if this is whole."""
        self.derived: dict[str, Any] = {}
        """What handlers made of the present state. It is dropped when the state changes."""
        self._changes: collections.OrderedDict[int, Message] = collections.OrderedDict()
        self._encoded: dict[int, bytes] = {}
        self._replies: dict[int, bytes] = {}
        self._size = 0
        for message in snapshot.changes:
            self._put(message)

    @classmethod
    def begun_at(cls, cursor: Cursor, floor: int, watching: Callable[[], int]) -> "Recent":
        """Returns one that has only what comes after this cursor."""
        snapshot = Snapshot(Head(cursor.epoch, cursor.seq, floor, 0), [], NO_PAGE, cursor.seq)
        return cls(snapshot, watching, is_whole=False)

    @property
    def messages(self) -> list[Message]:
        """The recently changed messages, ordered by last change."""
        return list(self._changes.values())

    def latest(self, ids: Iterable[int]) -> dict[int, Message]:
        """Returns those of these messages that have changed recently, by id."""
        return {id: self._changes[id] for id in ids if id in self._changes}

    @property
    def author_ids(self) -> set[int]:
        """The accounts that wrote what is here, or is quoted."""
        found: set[int] | None = self.derived.get("author_ids")
        if found is None:
            all_here = (*self._changes.values(), *self.page.messages, *([self.pinned] if self.pinned else []))
            found = self.derived["author_ids"] = {one.author.id for one in all_here if one.author}
        return found | self.quoted_ids

    def show_as(self, presents: Mapping[int, Present]) -> None:
        """Shows these authors as they are shown now. What was made of the messages is made again, if they differ."""
        changes = {id: shown_as(message, presents) for id, message in self._changes.items()}
        messages = [shown_as(message, presents) for message in self.page.messages]
        pinned = self.pinned and shown_as(self.pinned, presents)
        is_same = list(changes.values()) == self.messages and (messages, pinned) == (self.page.messages, self.pinned)
        if is_same and self.quoted_ids.isdisjoint(presents):
            return
        self._changes = collections.OrderedDict(changes)
        self.page, self.pinned = self.page._replace(messages=messages), pinned
        self._encoded.clear()
        self._forget_made()

    def _forget_made(self) -> None:
        self._replies.clear()
        self.derived.clear()
        self.quoted_ids.clear()

    @property
    def page_is_short(self) -> bool:
        """Whether a deletion left the newest page with room for older messages."""
        return self.page.older and len(self.page.messages) < PAGE

    def add(self, changes: Sequence[Message]) -> None:
        """Adds the changes that follow `seq`, in order: at least one."""
        for message in changes:
            self._put(message)
        self._move_to(changes[-1].seq)
        while len(self._changes) > RECENT:
            self._give_up_oldest()
        if self.is_whole:
            self.page = page_with(self.page, changes)
            self.pinned = pinned_after(self.pinned, changes)
        self._forget_made()

    @property
    def size(self) -> int:
        """About how many bytes of memory this takes, with what was made of it."""
        page = sum(cost(one) for one in self.page.messages if one.id not in self._changes) if self.is_whole else 0
        pinned = cost(self.pinned) if self.pinned else 0  # which may be older than the page
        made = sum(map(len, self._replies.values())) + sum(map(bytes_in, self.derived.values()))
        return self._size + page + pinned + made

    def shrink_to(self, size: int) -> None:
        """Gives up the oldest changes until the others have at most this size."""
        while self._changes and self._size > size:
            self._give_up_oldest()

    def _give_up_oldest(self) -> None:
        id, message = self._changes.popitem(last=False)
        self.start = message.seq
        self._size -= cost(message)
        self._encoded.pop(id, None)

    def _move_to(self, seq: int) -> None:
        self.seq = seq
        self.cursor = Cursor(self.epoch, seq)

    def after(self, seq: int) -> bytes:
        """Returns the reply with the changes after `seq`, which must be at least `start`. There may be no messages."""
        reply = self._replies.get(seq)
        if reply is None:
            reply = self._make_reply(seq)
            kept = sum(map(len, self._replies.values()))
            if len(self._replies) >= REPLIES or kept + len(reply) > REPLY_BYTES:
                self._replies.clear()
            self._replies[seq] = reply
        return reply

    @staticmethod
    def come_again(cursor: Cursor, retry_ms: int) -> bytes:
        """The reply that says when to ask again, and nothing about the board."""
        return encode_reply([], cursor, retry_ms=retry_ms)

    def newest(self, reset: bool = False) -> bytes:
        """The reply with the newest page. As a reset, it replaces all that a client shows."""
        name = "reset" if reset else "newest"
        if name not in self.derived:
            messages = [self._json(message) for message in self.page.messages]
            watching = self.watching() if reset else None
            older = self.page.older
            pinned = self._json(self.pinned) if self.pinned else None
            self.derived[name] = encode_reply(
                messages, self.cursor, reset=reset, older=older, watching=watching, pinned=pinned
            )
        reply: bytes = self.derived[name]
        return reply

    def _put(self, message: Message) -> None:
        before = self._changes.pop(message.id, None)
        self._size += cost(message) - (cost(before) if before else 0)
        self._changes[message.id] = message
        self._encoded.pop(message.id, None)

    def _json(self, message: Message) -> bytes:
        """The encoded message. It is encoded only once while it is recent."""
        if message.id not in self._changes:
            return encode(message)
        encoded = self._encoded.get(message.id)
        if encoded is None:
            encoded = self._encoded[message.id] = encode(message)
        return encoded

    def _make_reply(self, seq: int) -> bytes:
        missing: list[Message] = []
        for message in reversed(self._changes.values()):
            if message.seq <= seq:
                break
            missing.append(message)
        batch = missing[::-1][:BATCH]
        more = len(missing) > BATCH
        cursor = Cursor(self.epoch, batch[-1].seq) if more else self.cursor
        return encode_reply([self._json(message) for message in batch], cursor, more=more, watching=self.watching())


def shown_as(message: Message, presents: Mapping[int, Present]) -> Message:
    author = message.author
    if author is None or author.id not in presents or message.deleted:  # which shows no author
        return message
    return dataclasses.replace(message, author=presents[author.id].as_author(author.name))


def as_read(snapshot: Snapshot, kept: Recent | None, watching: Callable[[], int]) -> Recent:
    """Returns what was read. If that is what is kept, it is this, with all that was made of it: nothing has happened."""
    head = snapshot.head
    if kept is None or (head.epoch, head.seq, head.floor) != (kept.epoch, kept.seq, kept.floor):
        return Recent(snapshot, watching)
    read = snapshot.page, snapshot.changes, snapshot.pinned
    is_same = kept.is_whole and read == (kept.page, kept.messages, kept.pinned)
    return kept if is_same else Recent(snapshot, watching)


def cost(message: Message) -> int:
    """About how many bytes a message takes in memory, together with its encoding."""
    return 700 + 3 * sys.getsizeof(message.body)


def bytes_in(made: Any) -> int:
    """Returns the bytes of what handlers have made: bytes, or something with a `size`, or many of these."""
    if isinstance(made, dict):
        return sum(map(bytes_in, made.values()))
    size: int = len(made) if isinstance(made, bytes) else getattr(made, "size", 0)
    return size


def page_with(page: Page, changes: Sequence[Message]) -> Page:
    """Returns the newest page after these changes. It is shorter than it could be if something on it was deleted."""
    by_id = {message.id: message for message in page.messages}
    oldest = page.messages[0].id if page.messages and page.older else 0
    for message in changes:
        if message.deleted:
            by_id.pop(message.id, None)
        elif message.id >= oldest:
            by_id[message.id] = message
    messages = [by_id[id] for id in sorted(by_id)]
    return Page(messages[-PAGE:], older=page.older or len(messages) > PAGE)


def pinned_after(pinned: Message | None, changes: Sequence[Message]) -> Message | None:
    """Returns the pinned message after these changes: each of them says whether it is the one."""
    for message in changes:
        if message.is_pinned:
            pinned = message
        elif pinned is not None and message.id == pinned.id:
            pinned = None
    return pinned
