"""The board that a page is about, as templates need it."""

import hashlib
import hmac
from typing import NamedTuple

from board.said import msgid
from board.slugs import FIRST, fold_slug
from storage.asking import closed_to
from storage.records import Account, Board

CLOSED = {
    "archived": msgid("This board is archived. It can be read, and nothing new is written here."),
    "moderators": msgid("Only moderators and the board's owner write here."),
    "members": msgid("Members write here."),
}
"""What stands in the place of the form, by the reason."""


class Place(NamedTuple):
    """The first board, or another one, which has a row."""

    board: Board | None = None
    key: str = ""
    """The name under which a browser keeps drafts and unsent messages of this board. A slug may change, this does not."""
    manages: bool = False
    """Whether the viewer may change the board."""
    asked: str = ""
    """The slug in the request, where the board is not known, so that no form posts on another one."""

    @property
    def home(self) -> str:
        """The path of the board's page."""
        return home_of(self.slug)

    @property
    def slug(self) -> str:
        return self.board.slug if self.board else self.asked or FIRST

    def closed(self, account: Account | None, posting: str) -> str | None:
        """Returns why the viewer can't write here: a key of CLOSED. `posting` is the setting."""
        reason = closed_to(self.board, account) if self.board else None
        return reason or ("members" if account is None and posting == "members" else None)


def home_of(slug: str) -> str:
    """Returns the path of the page of the board that has this slug."""
    return "/" if slug == FIRST else f"/b/{slug}/"


THE_FIRST = Place()


def place_asked(slug: str) -> Place:
    """Returns the place of a form that names its board by a slug, or the first board by an empty one."""
    return Place(asked=slug) if fold_slug(slug) else THE_FIRST


def place_of(board: Board, secret: bytes, *, manages: bool) -> Place:
    """`secret` is the site's. The key does not say how many boards there are, as an id would."""
    key = hmac.digest(secret, b"board %d" % board.id, hashlib.sha256).hex()[:16]
    return Place(board, key, manages)
