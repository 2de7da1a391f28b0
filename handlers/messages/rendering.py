"""Pages that show messages. All of this works without JavaScript."""

import abc
import itertools
from collections.abc import Mapping, Sequence
from typing import Any

from board.live_board import LiveBoard
from board.reactions import EMOJI, NAMES, in_words
from board.signs import initials
from board.wire import iso
from handlers.http.aside import gzipped
from handlers.http.base import Page
from handlers.http.negotiation import takes_gzip
from handlers.messages.articles import as_next, author_name, day_line, day_of, follows, with_sign
from handlers.messages.pin_line import pin_line
from handlers.messages.quotes import with_quote
from storage.errors import UnavailableError
from storage.records import EVERYBODY, Message

BLANK = Message(id=0, seq=0, author=None, body="", created_at=0, edited_at=0)
"""The page's script makes its messages from this one, so that only one template has their markup. It has all parts."""
BIG = 64 * 1024
"""From this many bytes, a page is compressed on a thread, and made only after the big page before it is ready."""


class Rendering(Page):
    """Shows messages."""

    lacks_quotes = False
    """Whether storage could not say what replies are to, or their authors may be shown in another way by now. Such a page
    is not for others."""
    is_for_others = False
    """Whether the page is to be kept: it goes when the author of something that it quotes is shown in another way."""

    @property
    def is_oldest_first(self) -> bool:
        """Whether the board of the page has its oldest message first."""
        board = self.place.board
        return (board.order if board else self.site.rules.order) == "oldest"

    def get_template_namespace(self) -> dict[str, Any]:
        return {
            **super().get_template_namespace(),
            "iso": iso,
            "human": self.language.human,
            "initials": initials,
            "EMOJI": EMOJI,
            "author_name": lambda author: author_name(author, self.language),
            "in_words": in_words,
            "NAMES": NAMES,
            "is_oldest_first": self.is_oldest_first,
            "pin_line": lambda message: pin_line(message, self.language),
        }

    async def days_html(self, messages: list[Message], this: int | None = None, below: bytes = b"") -> list[bytes]:
        """In the order of the board and in runs, with a line above each day in UTC. static/js/message.js draws lines for the reader's
        days.

        `this` is the id of the message that the page is about; `below` is put after it.
        """
        whole = await self.context.making.articles.html(messages, this, self.language)
        html = dict(zip((message.id for message in messages), whole, strict=True))
        html |= await self.quotes_in(messages, html)
        html |= self.with_signs(messages, html)
        parts: list[bytes] = []
        shown = messages if self.is_oldest_first else reversed(messages)
        for day, those in itertools.groupby(shown, lambda message: day_of(message.created_at)):
            parts.append(day_line(day, self.language))
            above = None
            for message in those:
                is_next = message.id != this and follows(message, above)
                parts.append(as_next(html[message.id]) if is_next else html[message.id])
                above = message
                if message.id == this:
                    parts.append(below)
        return parts

    async def quotes_in(self, messages: list[Message], html: Mapping[int, bytes]) -> dict[int, bytes]:
        """Returns the HTML of replies with what they are to. While storage can't be read, they have only a link to it."""
        replies = [message for message in messages if message.reply_to is not None]
        if not replies:
            return {}
        changes = self.site.credentials.changes
        try:
            found = await self.site.quoted(self.caller, self.board, messages)
        except UnavailableError:
            self.lacks_quotes = True
            return {}
        if self.is_for_others and self.board.recent is not None:
            self.lacks_quotes = self.site.credentials.changes != changes
            self.board.recent.quoted_ids |= {one.author.id for one in found.values() if one.author}
        made = await self.context.making.turns.each(
            lambda one: with_quote(html[one.id], one, found, self.language), replies
        )
        return {reply.id: one for reply, one in zip(replies, made, strict=True)}

    def with_signs(self, messages: list[Message], html: Mapping[int, bytes]) -> dict[int, bytes]:
        """Returns the HTML of messages that mention the reader, with a sign that says so. Such HTML is not for others."""
        if self.account is None:
            return {}
        whom = {EVERYBODY, self.account.id}
        return {
            message.id: with_sign(html[message.id], self.language)
            for message in messages
            if not whom.isdisjoint(message.mentions)
        }

    @property
    @abc.abstractmethod
    def board(self) -> LiveBoard:
        """The board of the messages."""

    async def send_page(self, template: str, html: list[bytes], **names: Any) -> None:
        """Renders and sends a page around these parts, which are `messages` in the template."""
        if sum(map(len, html)) < BIG:
            async with self.context.making.turns.turn():
                page = self.render_string(template, messages=b"".join(html), **names)
        else:
            page = await self.big_page(template, html, names)
        self.finish(page)

    async def big_page(self, template: str, html: list[bytes], names: dict[str, Any]) -> bytes:
        """Renders a big page. However many requests there are, only one is in memory besides the cached messages."""
        making = self.context.making
        async with making.big_pages:
            async with making.turns.turn():
                page = self.render_string(template, messages=b"".join(html), **names)
            if takes_gzip(self.request.headers.get("Accept-Encoding", "")):
                self.set_header("Content-Encoding", "gzip")
                page = await making.packing.run(gzipped, page)
        return page


def needs(messages: Sequence[Message]) -> dict[str, bool]:
    """What a page with these messages needs besides: for templates/needed.html."""
    return {
        "reacted": any(message.reactions for message in messages),
        "mentions": any(message.mentions for message in messages),
    }


def first_id(messages: list[Message], older: bool) -> int | None:
    """Returns the id from which the link to older messages continues, or None if there are no older ones."""
    return messages[0].id if messages and older else None
