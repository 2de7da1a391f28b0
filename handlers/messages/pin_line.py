"""The line at the top of a board with its pinned message, which opens to show it whole."""

import functools

from board.markup import flat, pieces, plain
from handlers.http.templates import LOADER
from handlers.messages.articles import named, preview
from handlers.messages.quotes import LONGEST, MOST_READ
from storage.records import Message


@functools.lru_cache(20)
def pin_line(message: Message) -> bytes:
    """Returns its HTML, which belongs to no viewer. Boards show theirs often, so those that were last made are kept."""
    body = message.body or ""
    words = preview(plain(pieces(body[:MOST_READ])), LONGEST)
    name, beside = named(message)
    names = {"id": message.id, "name": name, "beside": beside}
    return LOADER.load("pin.html").generate(**names, words=words, shown=flat(pieces(body)))
