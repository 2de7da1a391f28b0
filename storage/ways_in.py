"""All ways into an account, in one list: what ends them goes through it, so that no recovery forgets one."""

WAYS_IN = ("credentials", "links", "identities")
"""Tables whose rows let somebody into the account in their column account_id. The only other way in is the account's
own password, which every recovery replaces."""
CREDENTIAL_KINDS = ("session", "token", "bot")
SIGN_INS = ("credentials", "links")
"""What ends when somebody signs out everywhere, or is suspended. A linked identity stays: ending it takes the
password, and a suspension is recognised by it."""

LINKED, LINK_USED = "link Facebook to", "use the password link of"
OWN_ACTIONS = (LINKED, LINK_USED)
"""In the audit log: what somebody did to their own account. It goes with the account."""
