"""The line at the top of a board with its pinned message, which opens to show it whole."""

import functools

from board.markup import flat, pieces
from handlers.http.language import Language
from handlers.http.templates import LOADER
from handlers.messages.articles import named
from handlers.messages.quotes import first_words
from storage.records import Message


@functools.lru_cache(20)
def pin_line(message: Message, language: Language) -> bytes:
    """Returns its HTML, which belongs to no viewer. Boards show theirs often, so those that were last made are kept."""
    body = message.body or ""
    (name, beside), words, shown = named(message, language), first_words(body), flat(pieces(body))
    names = {"name": name, "beside": beside, "words": words, "shown": shown}
    return LOADER.load("pin.html").generate(id=message.id, **names, _=language.translate)
