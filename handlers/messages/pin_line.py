"""The line at the top of a board with its pinned message, which opens to show it whole."""

import functools

from board.markup import flat, pieces
from handlers.http.templates import LOADER
from handlers.messages.articles import named
from handlers.messages.quotes import first_words
from storage.records import Message


@functools.lru_cache(20)
def pin_line(message: Message) -> bytes:
    """Returns its HTML, which belongs to no viewer. Boards show theirs often, so those that were last made are kept."""
    body = message.body or ""
    (name, beside), words, shown = named(message), first_words(body), flat(pieces(body))
    return LOADER.load("pin.html").generate(id=message.id, name=name, beside=beside, words=words, shown=shown)
