"""The audit log in words, for moderators on its page and for the one at the command line."""

from storage.records import AuditEntry
from storage.ways_in import LINK_USED, LINKED

SENTENCES = {
    "moderator": "made {} a moderator",
    "member": "made {} a member without a moderator's rights",
    "suspend": "suspended {}",
    "restore": "ended the suspension of {}",
    "block": "blocked {}",
    "remove": "removed {}",
    "delete": "deleted {}",
    "new password link": "made a link for a new password for {}",
    LINKED: "linked Facebook to {}",
    LINK_USED: "used the link for a new password of {}",
}
"""By action; each follows the actor's name."""


def in_words(entry: AuditEntry) -> str:
    """What was done, such as “suspended gina”; an action of a newer version as it is."""
    return SENTENCES.get(entry.action, f"{entry.action} {{}}").replace("{}", entry.target)
