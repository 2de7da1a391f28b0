"""The list of all ways into an account, and the one that a provider gives. A recovery ends everything in it, so that none is forgotten."""

from typing import NamedTuple

from storage.records import Account

WAYS_IN = ("credentials", "links", "identities")
"""Tables whose rows let somebody into the account in their column account_id. The only other way in is the account's
password, which every recovery replaces."""
CREDENTIAL_KINDS = ("session", "token", "bot")
SIGN_INS = ("credentials", "links")
"""What ends when somebody signs out everywhere, or is suspended. A linked identity stays: unlinking it requires
the password, and a suspended person is recognised by it."""

LINKED, LINK_USED, OWNER_LINK_USED = "link % to", "use the password link of", "use the owner's link for"
OWN_ACTIONS = (LINKED, LINK_USED)
"""Members' actions on their own account in the audit log, as patterns of SQL's LIKE. They are deleted with the account.
The provider that was linked is in the place of the %."""


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


def label_of(provider: str) -> str:
    """Returns the name that people see of a provider, if no setting has another."""
    return provider.removeprefix("oidc_").replace("_", " ").capitalize()
