"""Reads the query, the form or the JSON of a request. It returns valid text, or refuses with a clear reason."""

import codecs
import functools
import json
from typing import Any, NoReturn

import tornado.web
from tornado.httputil import HTTPHeaders

from board.credentials import hash_secret
from board.said import msgid, said
from handlers.http.errors import RefusedError
from storage.records import Guest

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
LIMIT_MAX = 100
"""Largest number of messages in a reply, whatever limit is requested."""


class Fields(tornado.web.RequestHandler):
    takes: tuple[str, ...] = (JSON, FORM)
    """Content types that are accepted here."""

    def query(self, name: str) -> str | None:
        """Returns a value of the query string. Unlike get_argument, it keeps control characters."""
        return self._last(self.request.query_arguments, name)

    def form(self, name: str) -> str | None:
        """Returns a field of the form, or None if it is missing. Raises RefusedError."""
        if self.request.body and (refused := self.refusal_of_body):
            raise refused
        return self._last(self.request.body_arguments, name)

    def _last(self, arguments: dict[str, list[bytes]], name: str) -> str | None:
        values = arguments.get(name)
        if not values:
            return None
        try:
            return values[-1].decode()
        except UnicodeDecodeError:
            raise RefusedError(400, "not_utf8", said("“%(name)s” is not UTF-8 text.", name=name)) from None

    def whole_number(self, name: str, least: int = 0) -> int | None:
        """Returns a number of the query that fits into storage, or None if it is missing. Raises RefusedError."""
        text = self.query(name)
        if text is None:
            return None
        digits = text.removeprefix("-")
        if not (digits.isascii() and digits.isdigit() and len(digits) < 19):
            raise RefusedError(
                400, "bad_number", said("“%(name)s” must be a whole number of at most 18 digits.", name=name)
            )
        if int(text) < least:
            raise RefusedError(400, "bad_number", said("“%(name)s” must be %(least)s or more.", name=name, least=least))
        return int(text)

    def ids(self) -> list[int] | None:
        """Returns the ids that the query names, at most LIMIT_MAX; None if it names none. Raises RefusedError."""
        text = self.query("ids")
        if text is None:
            return None
        words = text.split(",")
        if len(words) > LIMIT_MAX or not all(is_id(word) for word in words):
            raise RefusedError(
                400, "bad_field", said("“ids” must be 1 to %(most)s ids with commas between them.", most=LIMIT_MAX)
            )
        return [int(word) for word in words]

    def reply_to(self, value: object) -> int | None:
        """Returns the id in the field of this name: a number in JSON, digits in a form; None if there is none. Raises
        RefusedError.
        """
        is_form = media_type(self.request.headers) != JSON
        if value is None:
            return None
        if isinstance(value, float) and value.is_integer():
            value = int(value)  # 5.0 is an integer to JSON Schema, and to programs that have no others
        if isinstance(value, bool) or not isinstance(value, str if is_form else int) or not is_id(str(value)):
            raise RefusedError(400, "bad_field", "“reply_to” must be the id of a message.")
        return int(str(value))

    def guest(self, name: str | None) -> Guest:
        """Returns what a guest says with a post: the name in this field, and the secret's hash. Raises RefusedError."""
        return Guest(name, self.guest_secret_hash())

    def guest_secret_hash(self) -> bytes | None:
        """Returns the hash of the secret by which a guest owns a message. That is in a header: in no address, body or log.
        Raises RefusedError.
        """
        secret = self.random_header("Guest-Secret")
        if secret is not None and not is_random(secret):
            raise RefusedError(400, "bad_secret", "A guest's secret has 22 to 100 random characters of ASCII.")
        return None if secret is None else hash_secret(secret)

    def random_header(self, name: str) -> str | None:
        """Returns the header of this name, None if there is none. Several are one that is refused: empty."""
        values = self.request.headers.get_list(name)
        return None if not values else values[0] if len(values) == 1 else ""

    def limit(self) -> int | None:
        """Returns the requested number of messages, at most LIMIT_MAX; None if there is none. Raises RefusedError."""
        limit = self.whole_number("limit", least=1)
        return None if limit is None else min(limit, LIMIT_MAX)

    def fields(self) -> dict[str, Any]:
        """Returns the fields of a JSON body or a form. A form's values are strings; JSON may have other types."""
        if refused := self.refusal_of_body:
            raise refused
        if media_type(self.request.headers) == JSON:
            return parse_object(self.request.body)
        return {name: self.form(name) for name in self.request.body_arguments}

    @functools.cached_property
    def refusal_of_body(self) -> RefusedError | None:
        """The refusal if the headers say that the body can't be read, else None. The type is never guessed."""
        headers = self.request.headers
        if headers.get("Content-Encoding", "identity").strip().lower() not in ("", "identity"):
            return RefusedError(415, "unsupported_encoding", "Send it as it is, without Content-Encoding.")
        if media_type(headers) in self.takes:
            return None
        words = msgid("Send a form (application/x-www-form-urlencoded).")
        if JSON in self.takes:
            words = msgid("Send JSON (Content-Type: application/json) or a form (application/x-www-form-urlencoded).")
        return RefusedError(415, "unsupported_type", words)

    def sent(self, name: str, *, in_query: bool = False) -> str:
        """Returns what somebody typed into a field, valid or not, to show it again. Never used for a password."""
        arguments = self.request.query_arguments if in_query else self.request.body_arguments
        return arguments.get(name, [b""])[-1].decode(errors="replace").replace("\0", "\ufffd")

    def optional_text(self, fields: dict[str, Any], name: str) -> str | None:
        """Returns None if the field is missing or null: many programs send null for a missing field."""
        return self.text_field(fields, name) if fields.get(name) is not None else None

    def text_field(self, fields: dict[str, Any], name: str) -> str:
        value = fields.get(name)
        if not isinstance(value, str):
            raise RefusedError(400, "bad_field", said("“%(name)s” is missing or not a string.", name=name))
        return value


def is_id(text: str) -> bool:
    """Whether it is a number that an id may have."""
    return text.isascii() and text.isdigit() and 0 < len(text) < 19


def is_random(text: str) -> bool:
    """Whether it is as long as random characters must be that nobody guesses or makes twice, and short enough to keep."""
    return 22 <= len(text) <= 100 and text.isascii() and text.isprintable()


def media_type(headers: HTTPHeaders) -> str:
    return headers.get("Content-Type", "").partition(";")[0].strip().lower()


def has_body(headers: HTTPHeaders) -> bool:
    """Whether a body follows the headers."""
    return headers.get("Content-Length", "0") != "0" or "Transfer-Encoding" in headers


def lower_media_type(headers: HTTPHeaders) -> None:
    """Makes the type lower case, because Tornado would not recognise a form's type in capitals."""
    kind, semicolon, parameters = headers.get("Content-Type", "").partition(";")
    if kind != kind.strip().lower():
        headers["Content-Type"] = kind.strip().lower() + semicolon + parameters


def parse_object(body: bytes) -> dict[str, Any]:
    """Parses a JSON object (RFC 8259: UTF-8, no NaN). Raises RefusedError."""
    try:
        text = body.removeprefix(codecs.BOM_UTF8).decode()  # Windows writes a BOM first
        value = json.loads(text, parse_constant=no_constant)
    except (ValueError, RecursionError):
        raise RefusedError(400, "bad_json", "The body is not JSON in UTF-8.") from None
    if not isinstance(value, dict):
        raise RefusedError(400, "bad_json", 'The body must be a JSON object, such as {"body": "Hello"}.')
    return value


def no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
