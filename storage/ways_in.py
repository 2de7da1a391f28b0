"""The list of all ways into an account. A recovery ends everything in it, so that none is forgotten."""

WAYS_IN = ("credentials", "links", "identities")
"""Tables whose rows let somebody into the account in their column account_id. The only other way in is the account's
password, which every recovery replaces."""
FEED = "feed"
READS = (FEED,)
"""Kinds that are rows of bots, because the last release ends those: their column `reads` says what they are."""
CREDENTIAL_KINDS = ("session", "token", "bot", *READS)
SIGN_INS = ("credentials", "links")
"""What ends when somebody signs out everywhere, or is suspended. A linked identity stays: unlinking it requires
the password, and a suspended person is recognised by it."""

LINKED, LINK_USED, OWNER_LINK_USED = "link % to", "use the password link of", "use the owner's link for"
OWN_ACTIONS = (LINKED, LINK_USED)
"""Members' actions on their own account in the audit log, as patterns of SQL's LIKE. They are deleted with the account.
The provider that was linked is in the place of the %."""


def label_of(provider: str) -> str:
    """Returns the name that people see of a provider, if no setting has another."""
    return provider.removeprefix("oidc_").replace("_", " ").capitalize()
