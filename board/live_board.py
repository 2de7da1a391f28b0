"""What this process knows of one board: its row, its position, its newest changes and its parked polls.

deliver() alone changes it, except for the polls, and that its newest changes may be dropped whenever those of another
board are used (board/recents.py). There is one of each board, also of the first.
"""

from collections.abc import Callable

from board.cursor import Cursor
from board.recent import Recent
from board.scopes import Scope
from board.slugs import FIRST
from board.watching import Watching
from board.wire import encode_reply
from storage.listing import Listed
from storage.records import FIRST_BOARD

ENDED = -1


class LiveBoard:
    """Its slots are all: a site may have ten thousand."""

    __slots__ = (
        "_cursor",
        "_cursor_bytes",
        "_epoch",
        "_watching",
        "author_id",
        "feed_made_at",
        "floor",
        "id",
        "newest",
        "news",
        "parked",
        "recent",
        "rights",
        "row",
        "seq",
    )  # fmt: skip

    def __init__(self, id: int) -> None:
        self.id = id
        self.row: Listed | None = None
        """Without rules; None for the first board, of which the site's settings say what it is."""
        self.rights = 0
        """Another number for each state of the row in this process: who was judged by it compares this. ENDED if
        there is no such board any more."""
        self.seq = 0
        """Its last change."""
        self.floor = 0
        self.recent: Recent | None = None
        """The first board always has it."""
        self.newest = 0
        """The id of the newest living message, or 0."""
        self.author_id: int | None = None
        """The account that wrote it."""
        self.news = 0
        """The number of the last post or deletion; that of the last change at the start."""
        self.parked = 0
        """How many polls are parked on it."""
        self.feed_made_at = 0
        """When the newest state with a Last-Modified was first requested, in seconds since 1970."""
        self._watching: Watching | None = None
        self._epoch: str | Callable[[int], str] = ""
        """Of its cursors, or what makes it of the board's id: nobody has asked for most of them after a start."""
        self._cursor: Cursor | None = None
        self._cursor_bytes: bytes | None = None

    @property
    def is_first(self) -> bool:
        return self.id == FIRST_BOARD

    @property
    def slug(self) -> str:
        return self.row.slug if self.row else FIRST

    @property
    def epoch(self) -> str:
        if not isinstance(self._epoch, str):
            self._epoch = self._epoch(self.id)
        return self._epoch

    @property
    def cursor(self) -> Cursor:
        """Its position: the same object until that changes."""
        if self._cursor is None:
            self._cursor = Cursor(self.epoch, self.seq)
        return self._cursor

    @property
    def cursor_bytes(self) -> bytes:
        if self._cursor_bytes is None:
            self._cursor_bytes = str(self.cursor).encode()
        return self._cursor_bytes

    @property
    def watching(self) -> Watching:
        if self._watching is None:
            self._watching = Watching(lambda: self.parked)
        return self._watching

    @property
    def read_by(self) -> str:
        return self.row.read_by if self.row else "everyone"

    def may_be_read(self, scope: Scope) -> bool:
        """Whether the asker may read it, as far as this process knows. READING may exclude guests before."""
        if self.read_by == "everyone":
            return True
        return scope.is_member and (self.read_by == "members" or self.id in scope.boards)

    def has(self, cursor: Cursor) -> bool:
        """Whether memory has what this cursor is answered with. If not, the newest changes have to be read first."""
        is_ours, recent = cursor.epoch == self.epoch, self.recent
        if is_ours and cursor.seq >= self.seq:
            return True
        return recent is not None and (recent.is_whole or (is_ours and recent.start <= cursor.seq))

    def empty(self, cursor: Cursor, retry_ms: int | None = None) -> bytes:
        """The reply that says that there is nothing new."""
        return encode_reply([], cursor, watching=self.watching.count(), retry_ms=retry_ms)

    # --- for deliver()

    def move_to(self, seq: int) -> None:
        self.seq, self._cursor, self._cursor_bytes = seq, None, None

    def follow(self) -> bool:
        """Goes on to the position of its newest changes. Returns whether their page says which message is the newest."""
        recent = self.recent
        assert recent is not None
        self.move_to(recent.seq)
        self._epoch, self.floor, self._cursor = recent.epoch, recent.floor, recent.cursor
        if not recent.is_whole or (recent.page.older and not recent.page.messages):
            return False
        newest = recent.page.messages[-1] if recent.page.messages else None
        self.newest = newest.id if newest else 0
        self.author_id = newest.author.id if newest and newest.author else None
        return True

    def set_position(self, one: Listed, epoch_of: Callable[[int], str]) -> None:
        """Takes its position from storage: what is in memory is older, or of another database."""
        self.recent = self._cursor = self._cursor_bytes = None
        self.seq, self.newest, self.author_id = one.position
        self._epoch, self.floor = epoch_of, one.floor
        if self.seq < self.floor:
            self.seq = self.floor
        self.news = self.seq

    def begin_at(self, epoch: str, floor: int, seq: int) -> None:
        self._epoch, self.floor, self.seq, self.news = epoch, floor, seq, seq
        self._cursor = self._cursor_bytes = None
