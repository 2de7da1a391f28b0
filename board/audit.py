"""The audit log in words, for the page that moderators read and for the command line."""

import re

from storage.audit import AuditEntry
from storage.ways_in import LINK_USED, LINKED, OWNER_LINK_USED

SENTENCES = {
    "moderator": "made {} a moderator",
    "member": "made {} a member without a moderator's rights",
    "suspend": "suspended {}",
    "restore": "ended the suspension of {}",
    "block": "blocked {}",
    "remove": "removed {}",
    "delete": "deleted {}",
    "pin": "pinned {}",
    "unpin": "unpinned {}",
    "make": "made {}",
    "change": "changed {}",
    "rename": "gave another name or address to {}",
    "archive": "archived {}",
    "unarchive": "opened {} again, which was archived",
    "read by everyone": "opened {} to everyone",
    "read by members": "made {} one for members",
    "read by invited": "made {} one for the invited",
    "give": "gave {}",
    "leave": "left {}, as the account was deleted",
    "invite": "invited {who} to {}",
    "uninvite": "took back the invitation of {who} to {}",
    "new password link": "made a link for a new password for {}",
    OWNER_LINK_USED: "made {} a moderator with the owner's link",
    LINK_USED: "used the link for a new password of {}",
}
"""By action. Each sentence follows the actor's name. {who} stands at the end of the target, after the board."""


def in_words(entry: AuditEntry) -> str:
    """Returns what was done, such as “suspended gina”. An action of a newer version is shown as it is."""
    action = re.sub(f"^{LINKED.replace('%', '(.+)')}$", r"linked \1 to", entry.action)  # with the provider's name
    sentence = SENTENCES.get(action, f"{action} {{}}")
    if "{who}" not in sentence:
        return sentence.replace("{}", entry.target)
    board, _, who = entry.target.rpartition(", ")
    return sentence.replace("{who}", who).replace("{}", board)


def around_board(entry: AuditEntry) -> tuple[str, str]:
    """Returns the words before and after the place where the board is named, for those who may be told its name."""
    words, number = in_words(entry), f"board {entry.board_id}"
    if not entry.target.startswith(number):  # a message there
        return f"{words} on ", ""
    before, _, after = words.partition(number)
    return before, after
