"""Messages as HTML, for every page that shows some; all of it works without JavaScript."""

import datetime
import itertools
from typing import Any

from board.recent import iso, moment
from board.signs import beginning
from board.text import pieces
from handlers.base import Page
from storage.records import Message

BLANK = Message(id=0, seq=0, author=None, body="", created_at=0, edited_at=0)
"""What the page's script makes its messages of, so that their markup stands in one template only. It has all parts."""


class Rendering(Page):
    """Shows messages."""

    def get_template_namespace(self) -> dict[str, Any]:
        return {**super().get_template_namespace(), "iso": iso, "human": human}

    def messages_html(self, messages: list[Message], this: int | None = None, below: bytes = b"") -> bytes:
        """Newest first; `this` is the one that the page is about, with something below it."""
        names = {"pieces": pieces, "iso": iso, "human": human, "this": this}
        return b"".join(
            self.render_string("message.html", message=m, **names) + (below if m.id == this else b"")
            for m in reversed(messages)
        )

    def days_html(self, messages: list[Message], this: int | None = None, below: bytes = b"") -> bytes:
        """The same with a line above each day, in UTC: static/message.js draws them where the reader's days begin."""
        html = b""
        for day, those in itertools.groupby(reversed(messages), lambda message: day_of(message.created_at)):
            html += self.render_string("day.html", day=day, words=f"{day.day} {day:%B %Y}")
            html += self.messages_html(list(those)[::-1], this, below)
        return html


def preview(text: str, length: int = 200) -> str:
    """The beginning of a text on one line, for those who only see a link to it."""
    line = " ".join(text.split())
    return line if len(line) <= length else beginning(line, length - 1).rstrip() + "…"


def first_id(messages: list[Message], older: bool) -> int | None:
    """What the link to older messages goes on from, if there are any."""
    return messages[0].id if messages and older else None


def day_of(ms: int) -> datetime.date:
    """In UTC."""
    return moment(ms).date()


def human(ms: int) -> str:
    """For those without JavaScript, which shows local time instead."""
    at = moment(ms)
    return f"{at.day} {at:%b %Y, %H:%M} UTC"
