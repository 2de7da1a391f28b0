"""Puts into a page what its replies are to. The kept HTML of a reply has only the place for that, with the id."""

import functools
from collections.abc import Mapping

from board.markup import pieces, plain
from handlers.http.language import Language
from handlers.http.templates import LOADER
from handlers.messages.articles import named, preview
from storage.records import Message

LONGEST = 120
"""Characters of the line: it is cut where it does not fit. static/js/quotes.js has the same number."""
MOST_READ = 1000
"""Characters of a message in which these are looked for."""


def with_quote(html: bytes, reply: Message, found: Mapping[int, Message], language: Language) -> bytes:
    """Returns the HTML of a reply with its quote. `found` has its message, unless that was removed."""
    assert reply.reply_to is not None
    message = found.get(reply.reply_to)
    return html.replace(
        place_for(reply.reply_to, language), line(reply.reply_to, quote_of(message, language), language), 1
    )


def quote_of(message: Message | None, language: Language) -> tuple[str, str | None, str] | None:
    """Returns the author's name, what stands beside it, and the first words; None for a message that was deleted or
    removed.
    """
    if message is None or message.body is None:
        return None
    return (*named(message, language), first_words(message.body))


def first_words(body: str) -> str:
    """Returns the beginning of a message on one line, without its markup."""
    return preview(plain(pieces(body[:MOST_READ])), LONGEST)


@functools.lru_cache(400)
def place_for(to: int, language: Language) -> bytes:
    """The place in the HTML of a reply: nothing that people wrote can look like it."""
    return line(to, (), language)


def line(to: int, quoted: tuple[str | None, ...] | None, language: Language) -> bytes:
    return LOADER.load("quote.html").generate(to=to, quoted=quoted, _=language.translate)
