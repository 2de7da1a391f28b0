"""The log: lines for people, or one JSON object on each line for programs. It never has a request's query or body.

Faults are always logged. Requests are logged only if the setting says so (handlers/http/request_log.py).
"""

import codecs
import datetime
import json
import logging
import math
import re
import sys
import time
import urllib.parse
from typing import Any

_warned: set[str] = set()
"""Warnings that were logged and are not logged again by this process."""
MOST_PATH = 200
"""Characters of a request's path and id that are logged, because clients choose them."""
RARELY_SECONDS = 60


def set_up_logging(format: str) -> None:
    """Sends all that the process logs to stderr, as `text` or as `json`."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        JsonLines() if format == "json" else logging.Formatter("%(asctime)s %(levelname)s %(message)s")
    )
    logging.basicConfig(handlers=[handler], level=logging.INFO)
    logging.getLogger("tornado.general").setLevel(logging.WARNING)  # malformed requests are common


class JsonLines(logging.Formatter):
    """`at`, `level` and `message`; a traceback as `error`; and the record's own fields, such as those of a request."""

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


_last_warned: dict[str, tuple[float, int]] = {}
"""By kind of warning: when the last one was logged, and how many were left out since."""


def warn_once(about: str, words: str, *arguments: object) -> None:
    """Logs, once, a fact about requests that stays the same until somebody changes a setting."""
    if about not in _warned:
        _warned.add(about)
        logging.getLogger("longboard").warning(words, *arguments)


def warn_rarely(about: str, words: str, *arguments: object) -> None:
    """Logs a warning that clients can cause often: at most once a minute, with how many were left out since."""
    now = time.monotonic()
    last, left_out = _last_warned.get(about, (-math.inf, 0))
    if now - last < RARELY_SECONDS:
        _last_warned[about] = (last, left_out + 1)
        return
    _last_warned[about] = (now, 0)
    more = f" (and {left_out} more like it since the last)" if left_out else ""
    logging.getLogger("longboard").warning(words + more, *arguments)


codecs.lookup("unicode_escape")
"""Imported early: when it is needed, there may be no free descriptor to read its file."""


SECRET = re.compile(
    r"(^[/\\]+hooks[/\\]+(?:[0-9]{1,18}[/\\x])?|[/\\]hooks[/\\]+[0-9]{1,18}[/\\x]).+|[0-9a-f]{40,}",
    re.IGNORECASE | re.DOTALL,
)
"""The secret of an incoming webhook in a path, also in one that is not quite right."""
DECODED = 9
"""How often a path is decoded. What is still encoded then, nobody has sent by mistake."""


def shown_path(path: str) -> str:
    """Returns a path without the secret that may be in it."""
    plain = path
    for _ in range(DECODED):
        plain, last = urllib.parse.unquote(plain), plain
        if plain == last:
            return shown(SECRET.sub(r"\1*", plain) if SECRET.search(plain) else path)
    return "*"


def shown(text: str) -> str:
    """Returns a client's text in plain ASCII, so that it can't begin a new line of the log or control a terminal."""
    return text[:MOST_PATH].encode("unicode_escape").decode()
