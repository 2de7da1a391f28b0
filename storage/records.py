"""What storage keeps, as plain records, and the errors that it raises. No SQL, no HTTP.

Times are whole milliseconds since 1970, UTC.
"""

import dataclasses


@dataclasses.dataclass(frozen=True, slots=True)
class Author:
    """Who wrote a message: an account, with its name as it was then."""

    id: int
    name: str


@dataclasses.dataclass(frozen=True, slots=True)
class Message:
    """A message in its latest state. A deleted one has no body any more."""

    id: int
    seq: int
    """The number of its last change; its first is its id."""
    author: Author | None
    body: str | None
    created_at: int
    edited_at: int | None

    @property
    def deleted(self) -> bool:
        return self.body is None


@dataclasses.dataclass(frozen=True, slots=True)
class Head:
    """Where the board stands: the cursor that has everything, and the one below which cursors are reset."""

    epoch: str
    seq: int
    floor: int


@dataclasses.dataclass(frozen=True, slots=True)
class Changes:
    """Messages changed after some number, each once, ordered by last change; `more` if the list was cut."""

    head: Head
    messages: list[Message]
    more: bool


@dataclasses.dataclass(frozen=True, slots=True)
class Page:
    """Messages that are next to each other, oldest first; `older` if there are some before them."""

    messages: list[Message]
    older: bool


@dataclasses.dataclass(frozen=True, slots=True)
class Snapshot:
    """One moment of the board: what changed last, ordered by change, and the newest page."""

    head: Head
    changes: list[Message]
    page: Page


@dataclasses.dataclass(frozen=True, slots=True)
class Import:
    """A message brought in from elsewhere, with its own time; the key makes bringing it twice harmless."""

    body: str
    created_at: int
    key: str


class StorageError(Exception):
    """What storage raises; its text is fit for the operator's eyes, not for everyone's."""


class CannotOpen(StorageError):
    """The database can't be used at all; the text says why and what to do."""


class Unavailable(StorageError):
    """Storage can't do this now (busy, full, too many waiting). Trying again later with the same key is safe."""


class KeyReused(StorageError):
    """The author has used this key for other words."""


class NotFound(StorageError):
    """There is no such record, or no longer."""
