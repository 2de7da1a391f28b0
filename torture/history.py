"""What posters and readers saw, and the check of it: a pure function from a history to the promises it breaks.

Nothing here talks to a server; tests feed it made-up histories, each with one thing wrong.
"""

import collections
import dataclasses
from collections.abc import Iterator
from typing import Any


@dataclasses.dataclass
class Post:
    """One message that a client wanted to post, however often it asked. `ids` are those of all 2xx answers."""

    client: str
    key: str
    body: str
    ids: list[int] = dataclasses.field(default_factory=list)
    refused: bool = False
    """Refused by a 4xx, so it must never appear."""


@dataclasses.dataclass
class Change:
    """An edit, or a deletion (no body), by the message's author; in the order in which they were asked for."""

    id: int
    body: str | None
    acknowledged: bool = False


Seen = tuple[int, str | None, str | None]
"""A message in one state: id, body, edited_at. A deleted one has neither body nor edited_at."""


@dataclasses.dataclass
class Reply:
    """What a reader got for a cursor."""

    asked: str
    """Empty if it asked without a cursor, for the newest page."""
    cursor: str
    messages: list[Seen]
    reset: bool = False
    pinned: frozenset[int] = frozenset()
    """Those of the messages that say that they are pinned."""
    top: int | None = None
    """The message that a reset has beside the others, because it is pinned."""

    @classmethod
    def of(cls, asked: str, value: dict[str, Any], *, reset: bool) -> "Reply":
        """Returns what this JSON says."""
        messages = [(one["id"], one.get("body"), one.get("edited_at")) for one in value["messages"]]
        pinned = frozenset(one["id"] for one in value["messages"] if one.get("pinned"))
        return cls(asked, value["cursor"], messages, reset, pinned, value.get("pinned", {}).get("id"))


@dataclasses.dataclass
class History:
    posts: list[Post] = dataclasses.field(default_factory=list)
    changes: list[Change] = dataclasses.field(default_factory=list)
    readers: dict[str, list[Reply]] = dataclasses.field(default_factory=dict)
    may_reset: set[str] = dataclasses.field(default_factory=set)
    """Readers of /get, which may reset a reader that is far behind."""
    board: list[tuple[int, str]] = dataclasses.field(default_factory=list)
    """All messages at the end, oldest first, when every reader has caught up."""
    found: set[int] = dataclasses.field(default_factory=set)
    """Messages that were given by other requests about this board, such as a search."""
    reacted: set[int] = dataclasses.field(default_factory=set)
    """Messages to which somebody tried to react: these are given again as they were, except for the counts."""
    pins: list[int] = dataclasses.field(default_factory=list)
    """Messages that somebody tried to pin. They are given again, too."""
    pinned: int | None = None
    """The pinned message at the end."""
    is_gone: bool = False
    """Whether the board was deleted: nobody knows what was on it at the end."""


def check(history: History) -> list[str]:
    """Returns a line for each broken promise, beginning with its name; none if all were kept."""
    broken = [*check_keys(history), *check_order(history)]
    if not history.is_gone:
        broken += check_board(history)
    for name, replies in history.readers.items():
        broken += [f"{line} ({name})" for line in check_reader(history, name, replies)]
    return broken


def states(history: History) -> dict[int, list[str | None]]:
    """Returns, for each acknowledged message, the states that it may be in at the end, the oldest first."""
    possible: dict[int, list[str | None]] = {id: [post.body] for post in history.posts for id in post.ids}
    for change in history.changes:
        if change.acknowledged:
            possible[change.id] = [change.body]
        else:
            possible.setdefault(change.id, []).append(change.body)
    return possible


def check_board(history: History) -> Iterator[str]:
    """Every 2xx is there, as it was last changed. Nothing is there twice, and nothing unposted or refused."""
    board = dict(history.board)
    for id, possible in states(history).items():
        if id in board and board[id] not in possible:
            yield f"lost change: message {id} is {board[id]!r}, not {possible[-1]!r}"
        if id not in board and None not in possible:
            yield f"lost: message {id}, {possible[-1]!r}, was acknowledged and is gone"
    known = {post.body for post in history.posts if not post.refused}
    known |= {change.body for change in history.changes if change.body is not None}
    refused = {post.body for post in history.posts if post.refused}
    for id, body in history.board:
        if body in refused:
            yield f"refused, but there: message {id}, {body!r}"
        elif body not in known:
            yield f"from nowhere: message {id}, {body!r}"
    for body, count in collections.Counter(body for _, body in history.board).items():
        if count > 1:
            yield f"doubled: {body!r} is there {count} times"
    ids = [id for id, _ in history.board]
    if ids != sorted(set(ids)):
        yield "disorder: the board's ids do not grow"


def check_keys(history: History) -> Iterator[str]:
    """A key that is sent again returns the same message. Two keys never return the same one."""
    owners: dict[int, str] = {}
    for post in history.posts:
        if len(set(post.ids)) > 1:
            yield f"key reused: {post.key} gave the messages {sorted(set(post.ids))}"
        for id in set(post.ids):
            if owners.setdefault(id, post.key) != post.key:
                yield f"shared: message {id} was given to two keys"


def check_order(history: History) -> Iterator[str]:
    """Messages that a client posts one after the other are in that order."""
    last: dict[str, int] = {}
    for post in history.posts:
        if post.ids:
            if post.ids[0] <= last.get(post.client, 0):
                yield f"disorder: {post.client} got {post.ids[0]} after {last[post.client]}"
            last[post.client] = post.ids[0]


def check_reader(history: History, name: str, replies: list[Reply]) -> Iterator[str]:
    """A reader gets each change once and in order, and at the end has exactly what is on the board."""
    shown: dict[int, str | None] = {}
    seen: set[Seen] = set()
    cursor, newest, since = "", 0, sequence(replies[0].asked) + 1 if replies and replies[0].asked else 0
    for reply in replies:
        if reply.asked != cursor and cursor:
            yield f"lost cursor: asked {reply.asked}, had {cursor}"
        if reply.reset:
            shown, seen, newest = {}, set(), 0
            since = min((id for id, _, _ in reply.messages), default=0)
            if name not in history.may_reset and reply.asked:
                yield f"reset without a reason: at {reply.asked}"
        elif cursor and sequence(reply.cursor) < sequence(cursor):
            yield f"backwards: {cursor} was followed by {reply.cursor}"
        for message in reply.messages:
            id, body, edited_at = message
            may_come_again = id in history.reacted or id in history.pins
            if message in seen and not may_come_again:
                yield f"again: message {id} as {body!r}"
            if id < newest and id not in shown and body is not None and edited_at is None and not may_come_again:
                yield f"late: message {id} is new after {newest}"
            newest = max(newest, id)
            seen.add(message)
            shown[id] = body
        cursor = reply.cursor
    if replies and not history.is_gone:
        yield from check_shown(history, {id: body for id, body in shown.items() if body is not None}, since)
        if (pinned := pinned_by(replies)) != history.pinned:
            yield f"wrong pin: shows {pinned} as pinned, and it is {history.pinned}"


def check_shown(history: History, shown: dict[int, str], since: int) -> Iterator[str]:
    """A reader that has caught up shows the board: all from where it began, or from the first message of a reset."""
    board = dict(history.board)
    for id, body in shown.items():
        if board.get(id) != body:
            yield f"wrong: shows message {id} as {body!r}, and it is {board.get(id)!r}"
    for id, body in board.items():
        if id >= since and id not in shown:
            yield f"missed: message {id}, {body!r}"


def pinned_by(replies: list[Reply]) -> int | None:
    """Returns the message that a reader of these replies takes for the pinned one, as docs/protocol.md says."""
    pinned = None
    for reply in replies:
        pinned = reply.top if reply.reset else pinned
        for id, _, _ in reply.messages:
            if id in reply.pinned:
                pinned = id
            elif id == pinned:
                pinned = None
    return pinned


def sequence(cursor: str) -> int:
    return int(cursor.rpartition("-")[2])
