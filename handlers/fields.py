"""Reading what was sent: query, form and JSON, as text that is text, or a clear refusal."""

import json
from typing import Any, NoReturn

import tornado.web

from handlers.errors import Refused


class Fields(tornado.web.RequestHandler):
    def query(self, name: str) -> str | None:
        """A value of the query string; unlike get_argument, with its control characters."""
        return self._last(self.request.query_arguments, name)

    def form(self, name: str) -> str | None:
        """A field of the form that was sent."""
        return self._last(self.request.body_arguments, name)

    def _last(self, arguments: dict[str, list[bytes]], name: str) -> str | None:
        values = arguments.get(name)
        if not values:
            return None
        try:
            return values[-1].decode()
        except UnicodeDecodeError:
            raise Refused(400, "not_utf8", f"“{name}” is not UTF-8 text.") from None

    def whole_number(self, name: str) -> int | None:
        """A number of the query that fits into storage, or None if it isn't there."""
        text = self.query(name)
        if text is not None and not (text.isascii() and text.isdigit() and len(text) < 19):
            raise Refused(400, "bad_number", f"“{name}” must be a whole number.")
        return None if text is None else int(text)

    def fields(self) -> dict[str, Any]:
        """What was sent, from JSON or a form. Values are strings, except what JSON has."""
        kind = self.request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        if kind == "application/json":
            return parse_object(self.request.body)
        if kind == "application/x-www-form-urlencoded":
            return {name: self.form(name) for name in self.request.body_arguments}
        raise Refused(415, "unsupported_type", "Send JSON (Content-Type: application/json) or a form.")

    def optional_text(self, fields: dict[str, Any], name: str) -> str | None:
        return self.text_field(fields, name) if name in fields else None

    def text_field(self, fields: dict[str, Any], name: str) -> str:
        value = fields.get(name)
        if not isinstance(value, str):
            raise Refused(400, "bad_field", f"“{name}” is missing or not a string.")
        return value


def parse_object(body: bytes) -> dict[str, Any]:
    """A JSON object (RFC 8259: UTF-8, no NaN). Raises Refused."""
    try:
        value = json.loads(body.decode(), parse_constant=no_constant)
    except (ValueError, RecursionError):
        raise Refused(400, "bad_json", "The body is not JSON in UTF-8.") from None
    if not isinstance(value, dict):
        raise Refused(400, "bad_json", 'The body must be a JSON object, such as {"body": "Hello"}.')
    return value


def no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
