"""POST /hooks/<id>/<secret>: where other programs post, in the shapes of Slack's and Mattermost's webhooks.

The answers are those that such programs know: “ok”, or a word for what is wrong, as plain text.
"""

import hashlib
import json
import math
import re
import urllib.parse
from typing import Any

from board.payloads import cut, words_of
from handlers.http.base import Base, allowed_methods
from handlers.http.errors import RefusedError, as_refused
from handlers.http.fields import FORM, JSON, media_type

PAYLOAD_BYTES = 256 * 1024
"""Of a body: many times what the longest message needs."""
FIELDS = ("payload", "text", "content", "body", "message")
"""Of which a form has one; any other body of that type is text, as curl sends it with -d."""
ENCODED = re.compile(r"(?:[A-Za-z_][\w.-]*=(?:[\w.~!'()*+-]|%[0-9A-F]{2})*(?:&|\Z))+", re.ASCII | re.IGNORECASE)
"""A form as programs encode it: fields with names, and no sign that has to be encoded."""
BY_HAND = re.compile(rf"({'|'.join(FIELDS)})=")
"""How a form begins that is not encoded: one field, to the end."""
DEEPEST = 100
NESTING = re.compile(r'"(?:[^"\\]|\\.?)*(?:"|\Z)|[\[\]{}]', re.DOTALL)
"""A string, or what JSON is nested by."""
CODES = {
    "archived": ("channel_is_archived", 410),
    "board_gone": ("channel_not_found", 404),
    "no_such_hook": ("no_service", 404),
    "not_allowed": ("action_prohibited", 403),
    "too_many_posts": ("rate_limited", 429),
    "too_large": ("invalid_payload", 413),
    "bad_request": ("invalid_payload", 400),
    "unsupported_encoding": ("invalid_payload", 415),
}
"""By our codes: the word that senders know, and its status. Others are sent as they are."""


class Intake(Base):
    """A program's way: no cookie, token or origin means anything here, only the secret in the path."""

    for_whom = "anyone"
    identifies = False
    max_body = PAYLOAD_BYTES

    def initialize(self) -> None:
        """Tornado's hook. Without its type, Tornado does not read the body as a form: it refuses more than 50 fields."""
        self.kind = media_type(self.request.headers)
        self.request.headers.pop("Content-Type", None)

    def check_trusted_origin(self, origin: str) -> bool:
        """Tornado's hook. Nothing here rests on a cookie, so no page can do what another program can't."""
        return True

    async def post(self, id: str, secret: str) -> None:
        hook = await self.site.find_hook(self.client_address, int(id), secret)
        if (
            "webhook-id" in self.request.headers
        ):  # an outgoing webhook: what it sends may lead back to it, without an end
            raise RefusedError(400, "webhook_event", "Events of outgoing webhooks are not taken here.")
        if self.request.headers.get("Content-Encoding", "identity").strip().lower() not in ("", "identity"):
            raise RefusedError(415, "unsupported_encoding", "Send it as it is.")
        most = self.config.message_length
        said = read(self.request.body, self.kind)
        words = words_of(said, most) if isinstance(said, dict) else cut(said, most)
        if not words:
            raise RefusedError(400, "no_text", "There is nothing to read in this.")
        digest = digest_of(self.kind.encode() + b"\0" + self.request.body, secret)
        await self.site.post_by_hook(hook, words, digest, self.client_address)
        self.is_done = True
        self.write_text("ok")

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        refused = as_refused(status_code, kwargs.get("exc_info", (None, None, None))[1])
        code, status = CODES.get(refused.code, (refused.code, refused.status_code))
        self.site.counters.refused[refused.code] += 1
        self.set_status(status)
        if status == 405:
            self.set_header("Allow", ", ".join(allowed_methods(type(self))))
        if refused.retry_after is not None:
            self.set_header("Retry-After", str(math.ceil(refused.retry_after)))
        self.write_text(code)

    def write_text(self, text: str) -> None:
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        self.finish(text)


def digest_of(content: bytes, secret: str) -> str:
    """Returns a hash by which repetitions are found. Without the secret, which is kept nowhere, nobody can find the words by
    guessing, also not in a backup.
    """
    return hashlib.blake2b(content, key=secret.encode()[:64], digest_size=8).hexdigest()


def read(body: bytes, kind: str) -> dict[str, Any] | str:
    """Returns a payload, or a plain text. What is not UTF-8 has signs in it for what can't be read: old devices send
    other encodings. Raises RefusedError for JSON that is none, and for several parts.
    """
    if kind.startswith("multipart/"):
        raise RefusedError(400, "bad_request", "This is no text, and no form of a webhook.")
    text = body.decode(errors="replace").removeprefix("\ufeff")
    is_json = kind == JSON or kind.endswith("+json")
    if kind == FORM or (not kind and text.startswith("payload=")):
        fields = fields_of(text)
        if "payload" in fields:
            text, is_json = fields["payload"], True
        elif fields:
            return fields
    if not is_json and not text.lstrip().startswith("{"):
        return text
    payload = loaded(text)
    if isinstance(payload, dict):
        return payload
    if is_json:
        raise RefusedError(400, "invalid_payload", "This is no JSON object.")
    return text


def loaded(text: str) -> Any:
    """Returns what the JSON says, with numbers as they are written; None if it is none."""
    try:  # not strict: many put line ends into strings as they are
        return json.loads(text, strict=False, parse_int=str, parse_float=str)
    except RecursionError:
        return loaded(shallow(text))
    except ValueError:
        return None


def shallow(text: str) -> str:
    """Returns JSON with null in the place of what is nested deeper than Python reads: nothing there is used."""
    kept, depth, end = [], 0, 0
    for found in NESTING.finditer(text):
        if (sign := found[0]) in ("[", "{"):
            depth += 1
            if depth == DEEPEST:
                kept.append(text[end : found.start()] + "null")
        elif sign in ("]", "}"):
            depth -= 1
            if depth == DEEPEST - 1:
                end = found.end()
    return "".join(kept) + (text[end:] if depth < DEEPEST else "")


def fields_of(text: str) -> dict[str, str]:
    """Returns the fields of a form that has one of FIELDS; nothing for any other text. No word gets lost that stands behind
    an `&` in what was typed.
    """
    if ENCODED.fullmatch(text.strip()):
        found = urllib.parse.parse_qs(text.strip())
        return {name: "\n".join(values) for name, values in found.items()} if found.keys() & set(FIELDS) else {}
    by_hand = BY_HAND.match(text)
    return {by_hand[1]: text[by_hand.end() :]} if by_hand else {}
