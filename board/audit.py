"""The audit log in words, for the page that moderators read and for the command line."""

import re
from typing import Any

from board.said import msgid
from storage.audit import AuditEntry
from storage.ways_in import LINK_USED, LINKED, OWNER_LINK_USED

SENTENCES = {
    "moderator": msgid("made %(what)s a moderator"),
    "member": msgid("made %(what)s a member without a moderator's rights"),
    "suspend": msgid("suspended %(what)s"),
    "restore": msgid("ended the suspension of %(what)s"),
    "block": msgid("blocked %(what)s"),
    "remove": msgid("removed %(what)s"),
    "delete": msgid("deleted %(what)s"),
    "pin": msgid("pinned %(what)s"),
    "unpin": msgid("unpinned %(what)s"),
    "make": msgid("made %(what)s"),
    "change": msgid("changed %(what)s"),
    "rename": msgid("gave another name or address to %(what)s"),
    "archive": msgid("archived %(what)s"),
    "unarchive": msgid("opened %(what)s again, which was archived"),
    "read by everyone": msgid("opened %(what)s to everyone"),
    "read by members": msgid("made %(what)s one for members"),
    "read by invited": msgid("made %(what)s one for the invited"),
    "give": msgid("gave %(what)s"),
    "pause": msgid("paused %(what)s"),
    "resume": msgid("switched on %(what)s"),
    "new secret": msgid("gave a new secret to %(what)s"),
    "switch off": msgid("switched off %(what)s"),
    "leave": msgid("left %(what)s, as the account was deleted"),
    "invite": msgid("invited %(who)s to %(what)s"),
    "uninvite": msgid("took back the invitation of %(who)s to %(what)s"),
    "revoke": msgid("revoked %(what)s"),
    "new password link": msgid("made a link for a new password for %(what)s"),
    OWNER_LINK_USED: msgid("made %(what)s a moderator with the owner's link"),
    LINK_USED: msgid("used the link for a new password of %(what)s"),
}
"""By action. Each sentence follows the actor's name. `who` stands at the end of the target, after the board."""
OPERATOR = msgid("command line")
"""The actor's name where it was the operator: see note() in storage/rows.py."""
LINKS = msgid("linked %(provider)s to %(what)s")
TARGETS = (
    (r"the address of message (?P<id>\d+) by (?P<author>.*) until (?P<end>[-\d]+ [\d:]+) UTC",
     msgid("the address of message %(id)s by %(author)s until %(end)s UTC")),
    (r"all by the author of message (?P<id>\d+), (?P<author>.*)",
     msgid("all by the author of message %(id)s, %(author)s")),
    (r"message (?P<id>\d+) by a guest", msgid("message %(id)s by a guest")),
    (r"message (?P<id>\d+) by deleted account", msgid("message %(id)s by deleted account")),
    (r"message (?P<id>\d+) by (?P<author>.*)", msgid("message %(id)s by %(author)s")),
    (r"incoming webhook (?P<id>\d+)", msgid("incoming webhook %(id)s")),
    (r"incoming webhook (?P<id>\d+), (?P<name>.*)", msgid("incoming webhook %(id)s, %(name)s")),
    (r"outgoing webhook (?P<id>\d+) to (?P<host>\S+)", msgid("outgoing webhook %(id)s to %(host)s")),
    (r"(?P<board>board \d+), which was (?P<name>.*) at (?P<path>/b/[^/]+/)",
     msgid("%(board)s, which was %(name)s at %(path)s")),
    (r"(?P<board>board \d+), which was at (?P<path>/b/[^/]+/)", msgid("%(board)s, which was at %(path)s")),
    (r"(?P<board>board \d+), which was (?P<name>.*)", msgid("%(board)s, which was %(name)s")),
    (r"(?P<board>board \d+) \((?P<path>/b/[^/]+/)\)", "%(board)s (%(path)s)"),
    (r"(?P<board>board \d+) to the moderators", msgid("%(board)s to the moderators")),
    (r"(?P<board>board \d+) to (?P<who>.*)", msgid("%(board)s to %(who)s")),
    (r"(?P<board>board \d+)(?P<rest>.*)", "%(board)s%(rest)s"),
)  # fmt: skip
"""What stands in the log (storage/audit.py), and how it is said. What has another form is shown as it is."""


def sentence_of(entry: AuditEntry) -> tuple[str, dict[str, str]]:
    """Returns the msgid and values of what was done. An action of a newer version is shown as it is."""
    if match := re.fullmatch(LINKED.replace("%", "(.+)"), entry.action):
        return LINKS, {"provider": match[1], "what": entry.target}
    sentence = SENTENCES.get(entry.action)
    if sentence is None:
        return "%(action)s %(what)s", {"action": entry.action, "what": entry.target}
    if "%(who)s" not in sentence:
        return sentence, {"what": entry.target}
    board, _, who = entry.target.rpartition(", ")
    return sentence, {"what": board, "who": who}


def target_of(what: str) -> tuple[str, dict[str, Any]]:
    """Returns the msgid and values of what something was done to."""
    for pattern, words in TARGETS:
        if match := re.fullmatch(pattern, what, re.DOTALL):
            return words, match.groupdict()
    return "%(what)s", {"what": what}


def in_words(entry: AuditEntry) -> str:
    """Returns what was done, such as “suspended gina”."""
    sentence, values = sentence_of(entry)
    return sentence % values


def around_board(entry: AuditEntry) -> tuple[str, str]:
    """Returns the words before and after the place where the board is named, for those who may be told its name."""
    words, number = in_words(entry), f"board {entry.board_id}"
    if not entry.target.startswith(number):  # a message there
        return f"{words} on ", ""
    before, _, after = words.partition(number)
    return before, after
