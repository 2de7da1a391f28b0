"""Messages, times and replies as they go over the wire (docs/protocol.md)."""

import datetime
import json
from typing import Any

from board.cursor import Cursor
from board.reactions import EMOJI
from storage.records import Author, Message

LAST_MS = 253_402_300_799_999
"""The last millisecond of a calendar with four-digit years: 9999-12-31T23:59:59.999Z."""
CURSOR_FIELD = b'"cursor":"'


def moment(ms: int) -> datetime.datetime:
    """Converts a time. One outside the calendar, which an old board may have, becomes the nearest one in it."""
    return datetime.datetime.fromtimestamp(min(max(ms, 0), LAST_MS) // 1000, datetime.UTC)


def iso(ms: int) -> str:
    """2026-11-23T18:27:03.123Z"""
    return f"{moment(ms):%Y-%m-%dT%H:%M:%S}.{ms % 1000:03d}Z"


def as_json(message: Message) -> dict[str, Any]:
    """A message as it goes over the wire (docs/protocol.md)."""
    if message.deleted:
        return {"id": message.id, "deleted": True}
    author = message.author
    more: dict[str, Any] = {}
    if message.reactions:
        more["reactions"] = {EMOJI[kind]: count for kind, count in message.reactions}
    if message.guest_name is not None:
        more["guest_name"] = message.guest_name
    if message.reply_to is not None:
        more["reply_to"] = message.reply_to
    if message.mentions:
        more["mentions"] = message.mentions
    if message.is_pinned:
        more["pinned"] = True
    return {
        "id": message.id,
        "body": message.body,
        "author": author_as_json(author) if author else None,
        "created_at": iso(message.created_at),
        "edited_at": None if message.edited_at is None else iso(message.edited_at),
        **more,
    }


def author_as_json(author: Author) -> dict[str, Any]:
    more: dict[str, Any] = {}
    if author.username is not None:
        more["username"] = author.username
    if author.is_moderator:
        more["role"] = "moderator"
    elif author.is_bot:
        more["role"] = "bot"
    return {"id": author.id, "name": author.name, **more}


def encode(message: Message) -> bytes:
    return json.dumps(as_json(message), ensure_ascii=False, separators=(",", ":")).encode()


def cursor_in(reply: bytes) -> Cursor:
    """Returns the cursor of an encoded reply. Nothing that people wrote comes after it."""
    epoch, _, seq = reply[reply.rindex(CURSOR_FIELD) + len(CURSOR_FIELD) :].partition(b'"')[0].decode().partition("-")
    return Cursor(epoch, int(seq))


def encode_reply(
    messages: list[bytes],
    cursor: Cursor,
    *,
    more: bool = False,
    reset: bool = False,
    older: bool = False,
    watching: int | None = None,
    retry_ms: int | None = None,
    pinned: bytes | None = None,
) -> bytes:
    reply = b'{"messages":[' + b",".join(messages) + b"],"
    if pinned is not None:
        reply += b'"pinned":' + pinned + b","
    reply += CURSOR_FIELD + str(cursor).encode() + b'"'
    if more:
        reply += b',"more":true'
    if reset:
        reply += b',"reset":true'
    if older:
        reply += b',"older":true'
    if watching is not None:
        reply += b',"watching":%d' % watching
    if retry_ms is not None:
        reply += b',"retry_ms":%d' % retry_ms
    return reply + b"}"
