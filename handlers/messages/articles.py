"""Messages as finished HTML, rendered once for all pages that show them, in a bounded cache.

Nothing in it belongs to one viewer: the template gets only the message, and the language.
"""

import collections
import datetime
import functools
from collections.abc import Sequence

from board.markup import flat, pieces
from board.reactions import EMOJI, in_words
from board.said import msgid
from board.signs import beginning, initials
from board.wire import iso, moment
from handlers.http.language import ENGLISH, Language
from handlers.http.sentences import escaped
from handlers.http.templates import LOADER
from net.loop_turns import LoopTurns
from storage.records import DELETED_NAME, Author, Message

MOST_BYTES = 4 * 1024 * 1024
"""Size limit of the cache. A page of the longest messages has a megabyte or two."""
MOST_KEPT = 2000
DELETED = msgid("deleted account")
"""As DELETED_NAME, for the catalogue."""
RUN_MS = 5 * 60_000
"""The longest time between two messages of one run."""


Key = tuple[int, bool, str]
"""The id of a message, whether the page is about it, and the page's language."""


class Articles:
    def __init__(self, turns: LoopTurns) -> None:
        self._turns = turns
        self._kept: collections.OrderedDict[Key, tuple[Message, bytes]] = collections.OrderedDict()
        self.size = 0
        """Bytes of the cache."""

    def __len__(self) -> int:
        return len(self._kept)

    async def html(
        self, messages: Sequence[Message], this: int | None = None, language: Language = ENGLISH
    ) -> list[bytes]:
        """Returns the HTML of each message. Missing ones are rendered in turns.

        The page is about the message with the id `this`.
        """
        found = {message.id: self._find(message, message.id == this, language) for message in messages}
        missing = [message for message in messages if found[message.id] is None]
        made = await self._turns.each(lambda message: self.now(message, message.id == this, language), missing)
        found.update(zip((message.id for message in missing), made, strict=True))
        return [html for html in found.values() if html is not None]

    def now(self, message: Message, is_this: bool = False, language: Language = ENGLISH) -> bytes:
        """Returns the HTML of one message without waiting for a turn."""
        html = self._find(message, is_this, language)
        if html is None:
            html = render(message, is_this, language)
            self._keep((message.id, is_this, language.tag), message, html)
        return html

    def _find(self, message: Message, is_this: bool, language: Language = ENGLISH) -> bytes | None:
        """Returns the cached HTML if the message is the same: after a restore, its number may belong to another one."""
        key = (message.id, is_this, language.tag)
        kept = self._kept.get(key)
        if kept is None or kept[0] != message:
            return None
        self._kept.move_to_end(key)
        return kept[1]

    def _keep(self, key: Key, message: Message, html: bytes) -> None:
        if before := self._kept.pop(key, None):
            self.size -= cost(*before)
        self._kept[key] = (message, html)
        self.size += cost(message, html)
        while self.size > MOST_BYTES or len(self._kept) > MOST_KEPT:
            _, oldest = self._kept.popitem(last=False)
            self.size -= cost(*oldest)


def cost(message: Message, html: bytes) -> int:
    """Approximate bytes of an entry. A string with an emoji takes four bytes for each character."""
    return len(html) + 4 * len(message.body or "") + 500


def render(message: Message, is_this: bool, language: Language = ENGLISH) -> bytes:
    this = message.id if is_this else None
    shown = flat(pieces(message.body or ""))
    return LOADER.load("message.html").generate(
        message=message,
        this=this,
        shown=shown,
        is_found=False,
        _=language.translate,
        tell=language.tell,
        author_name=lambda author: author_name(author, language),
        iso=iso,
        clock=clock,
        initials=initials,
        EMOJI=EMOJI,
        in_words=in_words,
    )


def preview(text: str, length: int = 200) -> str:
    """Returns the beginning of a text on one line, for places that only show a link to it."""
    line = " ".join(text.split())
    return line if len(line) <= length else beginning(line, length - 1).rstrip() + "…"


def named(message: Message, language: Language) -> tuple[str, str | None]:
    """Returns who wrote a message, and what stands beside the name: the username if the name needs that, or that it is a
    guest's. It has an element of its own, so that a long name can't push it out of sight.
    """
    if message.author is not None:
        return author_name(message.author, language), message.author.username and f"@{message.author.username}"
    return message.guest_name or language.translate("Guest"), message.guest_name and language.translate("(guest)")


def author_name(author: Author, language: Language) -> str:
    """Returns the name, or that the account is deleted, which is no name: nobody can take it."""
    return language.translate(DELETED) if author.name == DELETED_NAME else author.name


def byline(message: Message, language: Language) -> str:
    """Returns the same where there is only text."""
    is_bot = message.author is not None and message.author.is_bot
    words = (*named(message, language), language.translate("(bot)") if is_bot else None)
    return " ".join(filter(None, words))


@functools.lru_cache(400)
def day_line(day: datetime.date, language: Language) -> bytes:
    return LOADER.load("day.html").generate(words=language.day(day))


def follows(message: Message, above: Message | None) -> bool:
    """Whether the message belongs to the run of the one that is shown above it: the page then leaves out its header.

    Two guests may be two people. static/js/board.js has the same rule, for messages that arrive.
    """
    if above is None or message.author is None or above.author is None or message.author.id != above.author.id:
        return False
    return abs(message.created_at - above.created_at) <= RUN_MS


def as_next(html: bytes) -> bytes:
    """Marks the kept HTML of a message as the next one of a run."""
    return html.replace(b'"message', b'"message next', 1)


def with_sign(html: bytes, language: Language) -> bytes:
    """Marks the kept HTML of a message as one that mentions the reader, as static/js/mentions.js does."""
    marked = html.replace(b'"message mentions', b'"message mentions mentioned', 1)
    words = escaped(language.translate("mentions you")).encode()
    return marked.replace(b"</header>", b'<span class="to-you"> %s</span></header>' % words, 1)


def day_of(ms: int) -> datetime.date:
    """Returns the day in UTC."""
    return moment(ms).date()


def clock(ms: int) -> str:
    """The time below the line of its day, as pages show it without JavaScript: in UTC, as that line says."""
    return f"{moment(ms):%H:%M}"
