"""The records of people beside their accounts: how one is shown now, and who they are at providers."""

from typing import NamedTuple

from storage.records import Account, Author


class Present(NamedTuple):
    """An account as it is shown now."""

    id: int
    name: str
    username: str
    is_apart: bool
    """Whether the name alone does not say who it is."""
    is_moderator: bool
    is_bot: bool

    def as_author(self, name: str) -> Author:
        """Returns the author of something that the account wrote under this name. BESIDE in rows.py is the same rule as SQL."""
        needs_username = self.is_apart or name != self.name
        return Author(self.id, name, self.username if needs_username else None, self.is_moderator, self.is_bot)


class Identity(NamedTuple):
    """A person at a provider, linked to an account. `subject` is that person's id, which has a meaning only together
    with `app_id`: the board's own id at the provider.
    """

    id: int
    account: Account
    provider: str
    app_id: str
    subject: str
    name: str
    """The name that the provider sent most recently."""
    created_at: int
    notice_at: int | None = None
    """When it was linked to an existing account; None once the owner has dismissed the notice."""


class Picture(NamedTuple):
    """An image. Its `kind` is `image/jpeg`, `image/png`, `image/gif` or `image/webp`."""

    kind: str
    content: bytes
