"""What a receiver gets: an event of Standard Webhooks, or the message as Slack and Mattermost take it."""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from board.signs import beginning
from board.wire import as_json, iso
from storage.records import Message
from storage.webhook_log import Next
from storage.webhooks import Webhook

SETTLED_MS = 10_000
"""How long before a moment an edit may have begun that is committed after it."""
SLACK_MAX = 3000
"""Characters of a message that go into a channel, which takes 4000 with all signs escaped."""
NOT_IN_SLACK = ("message.changed", "message.deleted", "reset")
"""A channel can't change what was posted there. It gets what people write. What bots write is left out, too: an incoming
webhook is one, so a board whose changes lead back to it, also over other boards, gets none of them twice.
"""


class Event(NamedTuple):
    id: str
    """The same in each try: the board's cursor after the change."""
    type: str
    body: bytes | None
    """None for what this receiver doesn't get."""


def secrets_of(webhook: Webhook, now: int) -> list[bytes]:
    """Returns the secrets that sign at this time, in milliseconds: the one before, too, for a day."""
    if webhook.old_secret is None or (webhook.old_until or 0) <= now:
        return [webhook.secret]
    return [webhook.secret, webhook.old_secret]


def next_event(found: Next, had: Mapping[int, int | None], link: str = "") -> Event | None:
    """Returns the event to send next, or None if the receiver has everything. `had` is that of type_of(); `link` is the
    address before a message's id.
    """
    webhook, message = found.webhook, found.message
    if found.head.floor > webhook.told:
        id, type, data = f"{found.head.epoch}-{found.head.floor}", "reset", dict[str, Any]()
        return Event(id, type, None if webhook.shape == "slack" else encode(type, found.now, data))
    if message is None:
        return None
    type, id = type_of(found, message, had), f"{found.head.epoch}-{message.seq}"
    if webhook.shape == "slack":
        is_left_out = type in NOT_IN_SLACK or (message.author is not None and message.author.is_bot)
        return Event(id, type, None if is_left_out else for_slack(message, link))
    return Event(id, type, encode(type, time_of(type, message) or found.now, as_json(message)))


def type_of(found: Next, message: Message, had: Mapping[int, int | None]) -> str:
    """The log has each message once, at its last change. So this says what is new to a receiver that had everything when the
    webhook was last settled: a message that was written and edited since is a new one. `had` has the messages that it got
    since, with the time of their last edit.
    """
    webhook = found.webhook
    if message.deleted:
        return "message.deleted"
    if message.id in had:
        return "message.changed" if had[message.id] == message.edited_at else "message.edited"
    if message.id > webhook.base:
        return "message.created"
    edits_after = min(webhook.settled_at, found.now - SETTLED_MS)  # a clock that was set back must hide no edit
    return "message.edited" if (message.edited_at or 0) > edits_after else "message.changed"


def time_of(type: str, message: Message) -> int | None:
    """When it happened; None where only the number of the change is kept."""
    return {"message.created": message.created_at, "message.edited": message.edited_at}.get(type)


def encode(type: str, at: int, data: dict[str, Any]) -> bytes:
    event = {"type": type, "timestamp": iso(at), "data": data}
    return json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode()


def for_slack(message: Message, link: str) -> bytes:
    """The words can't call anybody there, nor look like a link that they are not."""
    author = message.author.name if message.author else message.guest_name or "guest"
    words = message.body or ""
    words = words if len(words) <= SLACK_MAX else beginning(words, SLACK_MAX - 1) + "…"
    edited = " (edited)" if message.edited_at is not None else ""
    text = f"{harmless(author)}{edited}: {harmless(words)}"
    if link:
        text += f" <{link}{message.id}|#{message.id}>"
    return json.dumps({"text": text}, ensure_ascii=False).encode()


def harmless(text: str) -> str:
    """Escapes Slack's three signs, and parts an @ from the name behind it: Mattermost would call everybody by @all."""
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return escaped.replace("@", "@\N{ZERO WIDTH SPACE}")
