"""The log: lines for people, or one JSON object on each line for programs. Never a request's query, nor its body.

Faults are always logged; a line for each request comes where the setting says so.
"""

import datetime
import json
import logging
import sys
from typing import TYPE_CHECKING, Any

import tornado.web

if TYPE_CHECKING:
    from handlers import Application

log = logging.getLogger("longboard.requests")

MOST_PATH = 200
"""Characters of a request's path and id that are logged: whoever asks chooses them."""


def set_up_logging(format: str) -> None:
    """All that the process logs goes to stderr, as `text` or as `json`."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        JsonLines() if format == "json" else logging.Formatter("%(asctime)s %(levelname)s %(message)s")
    )
    logging.basicConfig(handlers=[handler], level=logging.INFO)
    logging.getLogger("tornado.general").setLevel(logging.WARNING)  # malformed requests are everyday


class JsonLines(logging.Formatter):
    """`at`, `level`, `message`; a traceback as `error`; of a request its own fields."""

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.datetime.fromtimestamp(record.created, datetime.UTC)
        fields: dict[str, Any] = {
            "at": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "message": record.getMessage(),
        }
        fields |= getattr(record, "fields", {})
        if record.exc_info:
            fields["error"] = self.formatException(record.exc_info)
        return json.dumps(fields, ensure_ascii=True)


def shown(text: str) -> str:
    """What a client chose, in plain ASCII: it can't begin a line of its own, nor tell a terminal anything."""
    return text[:MOST_PATH].encode("unicode_escape").decode()


def log_request(handler: tornado.web.RequestHandler) -> None:
    """Counts it, and logs it where that was asked for."""
    application: Application = handler.application  # type: ignore[assignment]
    request, status = handler.request, handler.get_status()
    method = request.method if request.method in handler.SUPPORTED_METHODS else "other"
    application.board.waiters.tally.requests[method or "other", status] += 1
    if not application.config.log_requests:
        return
    client = getattr(handler, "client_address", request.remote_ip)
    path, took = shown(request.path), 1000 * request.request_time()
    fields = {"status": status, "method": method, "path": path, "client": client, "ms": round(took, 1)}
    if id := request.headers.get("X-Request-Id"):
        fields["request_id"] = shown(id)
    log.info("%d %s %s %s %.1f ms", status, method, path, client, took, extra={"fields": fields})
