"""What storage keeps, as plain records, and the errors that it raises. No SQL, no HTTP.

Times are whole milliseconds since 1970, UTC.
"""

import dataclasses

DAY_MS = 86_400_000
ADDRESS_DAYS = 30
"""How long it is remembered where a message came from."""
ERASURE_DAYS = 730
"""How long someone who asked Facebook for a deletion can look up that it was done."""
MOST_CREDENTIALS = 200
"""Of one account; the one unused for longest makes room, so that signing in always works."""
MOST_BOT_TOKENS = 50
"""Of one account."""
DELETED_NAME = "deleted account"


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

    @property
    def changed_at(self) -> int:
        """The state from which an edit begins."""
        return self.created_at if self.edited_at is None else self.edited_at

    def has_already(self, body: str, began_from: int) -> bool:
        """Whether the edit changes nothing. Raises EditConflictError."""
        if self.body == body:
            return True
        if self.changed_at != began_from:
            raise EditConflictError(self)
        return False


@dataclasses.dataclass(frozen=True, slots=True)
class Head:
    """Where the board stands: the cursor that has everything, and the one below which cursors are reset.

    `access` grows whenever what is known of some account must be read again.
    """

    epoch: str
    seq: int
    floor: int
    access: int


@dataclasses.dataclass(frozen=True, slots=True)
class Changes:
    """Messages changed after some number, each once, ordered by last change; `more` if the list was cut."""

    head: Head
    messages: list[Message]
    more: bool


@dataclasses.dataclass(frozen=True, slots=True)
class Page:
    """Messages that are next to each other, oldest first.

    `older` if there are some before them, as far as that was asked; `newer` if there are some after them.
    """

    messages: list[Message]
    older: bool
    newer: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class Found:
    """Messages that were found, newest first; `older` if there may be more before the last of them."""

    messages: list[Message]
    older: bool
    is_complete: bool
    """Whether the index is: of an old board it takes a while to make."""


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


@dataclasses.dataclass(frozen=True, slots=True)
class Account:
    """A person or a bot. `username` is folded and theirs alone; `name` is what others see."""

    id: int
    username: str
    name: str
    role: str
    """`member` or `moderator`."""
    created_at: int
    suspended_at: int | None

    @property
    def is_moderator(self) -> bool:
        return self.role == "moderator"


@dataclasses.dataclass(frozen=True, slots=True)
class Password:
    """What proves an account's password: an Argon2 hash, or none.

    `tutorial_name` is the user's name as a tutorial's board had it, if the account comes from one. A hash that
    begins with `sha1:` is that of sha1("tutorial_name:password"), in hex.
    """

    hash: str | None
    tutorial_name: str | None = None
    set_at: int | None = dataclasses.field(default=None, compare=False)


@dataclasses.dataclass(frozen=True, slots=True)
class Credential:
    """A way in, kept by its hash: a browser's `session`, a `token` from signing in, or a `bot`'s named token."""

    id: int
    account: Account
    kind: str
    name: str
    created_at: int
    last_used_at: int
    by_facebook: bool = False
    """Whether logging in with Facebook made this session, or such a session made this bot's token."""


@dataclasses.dataclass(frozen=True, slots=True)
class Identity:
    """A Facebook id linked to an account. `facebook_id` is app-scoped: it means something for this app alone."""

    id: int
    account: Account
    app_id: str
    facebook_id: str
    name: str
    """The name that came from Facebook last."""
    created_at: int
    notice_at: int | None = None
    """When it was linked to an existing account; None once the owner has dismissed the notice."""


@dataclasses.dataclass(frozen=True, slots=True)
class Picture:
    """An image as its `kind` says: `image/jpeg`, `image/png`, `image/gif` or `image/webp`."""

    kind: str
    content: bytes


@dataclasses.dataclass(frozen=True, slots=True)
class AuditEntry:
    """Something that was done to others, and who did it."""

    id: int
    at: int
    actor_id: int | None
    actor_name: str
    action: str
    target: str


class StorageError(Exception):
    """What storage raises; its text is fit for the operator's eyes, not for everyone's."""


class CannotOpenError(StorageError):
    """The database can't be used at all; the text says why and what to do."""


class UnavailableError(StorageError):
    """Storage can't do this now (busy, full, too many waiting). Trying again later with the same key is safe."""


class KeyReusedError(StorageError):
    """The author has used this key for other words."""


class NotFoundError(StorageError):
    """There is no such record, or no longer."""


class UsernameTakenError(StorageError):
    """Another account has this username."""


class IdentityTakenError(StorageError):
    """This Facebook id is linked to another account, or this account to another Facebook id."""


class LastWayInError(StorageError):
    """Without this, nobody could get into the account any more."""


class LinkGoneError(StorageError):
    """This one-time link was used, has run out, or never was."""


class NotAllowedError(StorageError):
    """The account is suspended or gone, or has not the role that this takes; or the address is blocked."""


class EditConflictError(StorageError):
    """The message has changed since the state from which this edit began; the argument is the message as it is now."""


class NotAuthorError(StorageError):
    """Somebody else wrote this message."""


class OutdatedError(StorageError):
    """The password that was verified, or the credential that asks, is no longer valid."""


class TooManyTokensError(StorageError):
    """The account has as many of these as it may."""


class IsModeratorError(StorageError):
    """What only the one at the command line may do to a moderator."""


class OwnAddressError(StorageError):
    """The one who does this comes from the very address that it is about."""
