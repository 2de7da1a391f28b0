"""What storage keeps, as plain records. No SQL, no HTTP.

Times are whole milliseconds since 1970, UTC.
"""

import dataclasses
from typing import NamedTuple

from storage.errors import EditConflictError

DAY_MS = 86_400_000
ADDRESS_DAYS = 30
"""Days for which the address that a message came from is kept."""
ERASURE_DAYS = 730
"""Days for which a person who asked a provider for a deletion can look up that it was done."""
GUEST_MS = 600_000
"""For how long after its post a guest may edit or delete a message."""
MOST_CREDENTIALS = 200
"""Per account. The one that was unused for longest makes room, so that signing in always works."""
MOST_BOT_TOKENS = 50
"""Per account, with the addresses of its feeds."""
DELETED_NAME = "deleted account"
FIRST_BOARD = 1
"""The board with which a site begins. It has no row in the table of boards: the site's settings say what it is."""
MOST_BOARDS = 10_000
"""Beside the first. A directory of them has a kilobyte for each."""
MODERATORS_BOARDS = 100
"""Of them, those that only moderators and the operator can still make, however many members make."""
MOST_SLUGS = 20
"""Per board: those that it has had stay its own for ever."""
REACTIONS = ("thumbs_up", "heart", "laugh", "hooray", "surprise", "tear", "thanks", "eyes")
"""The kinds of reactions, in the order in which they are shown. A row keeps its kind when this changes."""
EVERYBODY = 0
"""What stands for @all among the ids of accounts that a message mentions: no account has it."""
ALL = "all"
"""What moderators write for everybody who may read the board. An account that had this username before can't be mentioned."""
MOST_INVITATIONS = 200
"""Per account: what one may read is compared at each moment when something may be sent."""


class Author(NamedTuple):
    """The account that wrote a message, with its name at that time, and what stands beside that now."""

    id: int
    name: str
    username: str | None = None
    """If the name alone does not say who it is: the account has another one now, or somebody else's looks the same."""
    is_moderator: bool = False
    is_bot: bool = False
    """Whether it is an incoming webhook."""


class Guest(NamedTuple):
    """What a guest says with a post."""

    name: str | None = None
    """The name under which it is shown, as a guest's."""
    secret_hash: bytes | None = None
    """Of the secret by which the guest may edit or delete it for GUEST_MS. It is kept for that long."""
    is_refused: bool = False
    """Whether nobody can take the name. Nothing new is posted then; what is sent again is answered as it was posted."""


NAMELESS = Guest()


@dataclasses.dataclass(frozen=True, slots=True)
class Message:
    """A message in its latest state. A deleted one has no body."""

    id: int
    seq: int
    """The number of its last change. The number of its first change is its id."""
    author: Author | None
    body: str | None
    created_at: int
    edited_at: int | None
    reply_to: int | None = None
    """The message on the same board that this one replies to; it may have been deleted since."""
    board_id: int = FIRST_BOARD
    reactions: tuple[tuple[str, int], ...] = ()
    """Of each kind that somebody has, how many have it: in the order of REACTIONS."""
    guest_name: str | None = None
    """The name that a guest gave."""
    mentions: tuple[int, ...] = ()
    """The ids of the accounts that it mentions, which may have been deleted since; EVERYBODY for @all."""
    is_pinned: bool = False
    """Whether it is the pinned message of its board."""

    @property
    def deleted(self) -> bool:
        return self.body is None

    @property
    def changed_at(self) -> int:
        """When the message was last edited, or posted: names the state from which an edit begins."""
        return self.created_at if self.edited_at is None else self.edited_at

    def has_already(self, body: str, began_from: int) -> bool:
        """Whether the message has this body already. Raises EditConflictError if it has changed since `began_from`."""
        if self.body == body:
            return True
        if self.changed_at != began_from:
            raise EditConflictError(self)
        return False


class Asker(NamedTuple):
    """Who asks for messages: a guest, an account with the credential of the request, or the command line, which may all."""

    account_id: int | None = None
    credential_id: int | None = None
    is_operator: bool = False


GUEST, OPERATOR = Asker(), Asker(is_operator=True)
READERS, WRITERS = ("everyone", "members", "invited"), ("guests", "members", "moderators")
"""Who may read a board, and who may write on it, from many to few."""
ORDERS = ("newest", "oldest")
"""Which message the page of a board has first."""


class Board(NamedTuple):
    """A board beside the first. A tuple, as its row is: a site that starts makes one for each board."""

    id: int
    slug: str
    """Its present name in addresses. Those that it had before lead to it, too."""
    name: str
    about: str
    rules: str
    read_by: str
    """One of READERS. `invited` are its owner, and accounts with an invitation."""
    write_by: str
    """One of WRITERS, but never somebody who may not read."""
    owner_id: int | None
    created_at: int
    archived_at: int | None
    """Since when nobody posts or edits here; messages can still be deleted."""
    floor: int
    changed: int
    """The number of the last change of what is said here."""
    order: str = "newest"
    """One of ORDERS, for all who have not turned it for themselves."""


@dataclasses.dataclass(frozen=True, slots=True)
class Head:
    """The board's position: its last change, and the floor, below which cursors are reset."""

    epoch: str
    seq: int
    floor: int
    access: int
    """It grows whenever something about an account must be read again."""
    boards: int = 0
    """The newest change of a row of boards, or of an invitation."""


class Changes(NamedTuple):
    """The messages changed after a number, each once, ordered by last change. `more` says whether the list was cut."""

    head: Head
    messages: list[Message]
    more: bool


class Page(NamedTuple):
    """Consecutive messages, oldest first.

    `older` says whether there are messages before them, if the read looked for those; `newer`, whether there are some
    after them.
    """

    messages: list[Message]
    older: bool
    newer: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class Found:
    """Messages that a search found, newest first. `older` says whether there may be more before the last of them."""

    messages: list[Message]
    older: bool
    is_complete: bool
    """Whether the search index is complete. Making it takes a while for an old board."""


class Snapshot(NamedTuple):
    """The board at one moment: the messages that changed last, ordered by change, and the newest page."""

    head: Head
    changes: list[Message]
    page: Page
    start: int = 0
    """The number after which these are all changes."""
    pinned: Message | None = None
    """The pinned message of the board."""


class Import(NamedTuple):
    """A message imported from elsewhere, with its original time. The key makes it harmless to import it twice."""

    body: str
    created_at: int
    key: str


@dataclasses.dataclass(frozen=True, slots=True)
class Account:
    """A person or a bot. `username` is folded and unique; `name` is what others see."""

    id: int
    username: str
    name: str
    role: str
    """`member` or `moderator`."""
    created_at: int
    suspended_at: int | None
    is_bot: bool = False
    """Whether it is that of an incoming webhook: nobody can sign in to it."""

    @property
    def is_moderator(self) -> bool:
        return self.role == "moderator"


@dataclasses.dataclass(frozen=True, slots=True)
class Password:
    """The Argon2 hash of an account's password, or None if it has no password.

    `tutorial_name` is the user's name on a tutorial's board, if the account comes from one. A hash that begins with
    `sha1:` is that of sha1("tutorial_name:password"), in hex.
    """

    hash: str | None
    tutorial_name: str | None = None
    set_at: int | None = dataclasses.field(default=None, compare=False)


class Credential(NamedTuple):
    """A way in, stored by its hash: a browser's `session`, a `token` from signing in, that of a `bot`, or of one `feed`."""

    id: int
    account: Account
    kind: str
    name: str
    created_at: int
    last_used_at: int
    provider: str | None = None
    """The provider that made this session, or whose session made this bot's token."""
    board_id: int | None = None
    """The board that this bot's token reaches, as its account does; the board of a feed, None if it is the first."""

    @property
    def is_person(self) -> bool:
        """Whether its owner acts with it in person, and no bot or feed reader."""
        return self.kind in ("session", "token")
