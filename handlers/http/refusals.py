"""Replies, as bytes, to requests that no handler gets. They have the shape of all errors."""

import json
from collections.abc import Iterable

from handlers.http.errors import TORNADO_ERRORS
from net.streams import Refusals


def make_refusals(headers: Iterable[tuple[str, str]]) -> Refusals:
    head = "".join(f"{name}: {value}\r\n" for name, value in headers)
    return Refusals(
        bad_request=reply("400 Bad Request", head, *TORNADO_ERRORS[400]),
        long_head=reply("431 Request Header Fields Too Large", head, *TORNADO_ERRORS[431]),
    )


def reply(status: str, head: str, code: str, words: str) -> bytes:
    body = json.dumps({"error": {"code": code, "message": words}}, separators=(",", ":"))
    first = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\n{head}Connection: close\r\n"
    return f"{first}Content-Length: {len(body)}\r\n\r\n{body}".encode()
