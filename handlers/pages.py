"""The board's page: the newest messages, live, and older ones by link. It works without JavaScript."""

import datetime
from typing import Any

from board.recent import PAGE, iso
from board.text import pieces
from handlers.base import Page
from handlers.messages import new_form_key
from storage.records import Message

BLANK = Message(id=0, seq=0, author=None, body="", created_at=0, edited_at=0)
"""What the page's script makes its messages of, so that their markup stands in one template only. It has all parts."""


class Rendering(Page):
    """Shows messages."""

    def get_template_namespace(self) -> dict[str, Any]:
        return {**super().get_template_namespace(), "iso": iso, "human": human}

    def messages_html(self, messages: list[Message]) -> bytes:
        """Newest first."""
        names = {"pieces": pieces, "iso": iso, "human": human}
        return b"".join(self.render_string("message.html", message=m, **names) for m in reversed(messages))


class Front(Rendering):
    forgives_old_sessions = True

    async def get(self) -> None:
        before = self.whole_number("before")
        if before is None:
            self.live_page()
        else:
            await self.history_page(before)

    def live_page(self) -> None:
        recent = self.board.waiters.recent
        if "html" not in recent.derived:
            recent.derived["html"] = self.messages_html(recent.page.messages)
        self.render_board(recent.derived["html"], older=first_id(recent.page.messages, recent.page.older), live=True)

    async def history_page(self, before: int) -> None:
        page = await self.board.storage.before(before, PAGE)
        self.render_board(self.messages_html(page.messages), older=first_id(page.messages, page.older), live=False)

    def render_board(self, messages: bytes, *, older: int | None, live: bool) -> None:
        self.render(
            "board.html",
            messages=messages,
            blank=self.messages_html([BLANK]),
            cursor=str(self.board.waiters.recent.cursor),
            older=older,
            watching=self.board.waiters.watching.count(),
            live=live,
            key=new_form_key(),
        )


def first_id(messages: list[Message], older: bool) -> int | None:
    """What the link to older messages goes on from, if there are any."""
    return messages[0].id if messages and older else None


def human(ms: int) -> str:
    """For those without JavaScript, which shows local time instead."""
    moment = datetime.datetime.fromtimestamp(ms // 1000, datetime.UTC)
    return f"{moment.day} {moment:%b %Y, %H:%M} UTC"
