"""All ways into an account, in one list: a recovery ends all that is in it, so none is forgotten."""

WAYS_IN = ("credentials", "links", "identities")
"""Tables whose rows let somebody into the account in their column account_id. The only other way in is the account's
password, which every recovery replaces."""
CREDENTIAL_KINDS = ("session", "token", "bot")
SIGN_INS = ("credentials", "links")
"""What ends when somebody signs out everywhere, or is suspended. A linked identity stays: unlinking it takes the
password, and a suspended person is recognised by it."""

LINKED, LINK_USED = "link Facebook to", "use the password link of"
OWN_ACTIONS = (LINKED, LINK_USED)
"""In the audit log: a member's actions on their own account. Deleted with the account."""
