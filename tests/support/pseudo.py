"""A language for tests: ar-XB, as CLDR calls a made-up one that is written from right to left.

Each word of ours is in Arabic letters and a third longer. What still has Latin letters on a page is not in the catalogue.
"""

import html.parser
import io
import re

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from tests.support.server import ROOT

TAG = "ar-XB"
PLURALS = "nplurals=6; plural=(n==0 ? 0 : n==1 ? 1 : n==2 ? 2 : n%100>=3 && n%100<=10 ? 3 : n%100>=11 ? 4 : 5);"
KEPT = re.compile(r"(%\(\w+\)s|</?[a-z]+>)")
LETTERS = str.maketrans(
    {letter: chr(0x628 + number) for number, letter in enumerate("abcdefghijklmnopqr")}
    | {letter: chr(0x641 + number) for number, letter in enumerate("stuvwxyz")}
)


def in_pseudo(text):
    """A translation, with placeholders and marks as they are."""
    parts = KEPT.split(text)
    return "".join(part if number % 2 else re.sub("[A-Za-z]+", longer, part) for number, part in enumerate(parts))


def longer(match):
    letters = match[0].lower().translate(LETTERS)
    return letters + "\u0640" * (len(letters) // 3)


def write_catalogue(folder, change=lambda text: text, tag=TAG, plurals=PLURALS):
    """Writes a catalogue of all words into the folder; `change` makes the translations worse."""
    template = read_po(io.BytesIO((ROOT / "locale" / "longboard.pot").read_bytes()))
    catalog = Catalog(locale="ar", charset="utf-8")
    catalog._plural_expr, catalog._num_plurals = plurals.partition("plural=")[2].rstrip(";"), int(plurals[9])
    for message in template:
        if isinstance(message.id, tuple):
            catalog.add(message.id, [change(in_pseudo(message.id[n != 1])) for n in range(catalog.num_plurals)])
        elif message.id:
            catalog.add(message.id, change(in_pseudo(message.id)))
    path = folder / tag / "LC_MESSAGES" / "longboard.mo"
    path.parent.mkdir(parents=True)
    with path.open("wb") as file:
        write_mo(file, catalog)
    return folder


class Words(html.parser.HTMLParser):
    """The text and the spoken attributes of a page, without what people wrote, and without what says that it is English."""

    VOID = frozenset(("meta", "link", "input", "br", "img", "wbr", "path", "circle", "hr"))
    SPOKEN = frozenset(("title", "aria-label", "placeholder", "alt"))

    def __init__(self, page):
        super().__init__()
        self.open, self.found = [], []
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        if not self.is_left_out:
            self.found += [value for name, value in attributes if name in self.SPOKEN and value]
            if tag == "meta" and given.get("name") == "description":
                self.found.append(given["content"])
        if tag not in self.VOID:
            is_of_others = tag != "html" and given.get("lang") in ("", "en")
            self.open.append((tag, is_of_others or tag in ("script", "style", "code", "pre", "textarea")))

    def handle_endtag(self, tag):
        if tag not in self.VOID:
            while self.open and self.open.pop()[0] != tag:
                pass

    @property
    def is_left_out(self):
        return any(left_out for _, left_out in self.open)

    def handle_data(self, text):
        if not self.is_left_out:
            self.found.append(text)


NAMES = {"Facebook", "UTC", "before", "after", "from", "username", "bin", "admin", "curl", "Python", "JavaScript"}
"""What stays as it is in each language: names of fields, conditions, commands and languages."""


def ours(page):
    """The English words on a page that are neither names nor what people wrote, who use no vowels in these tests."""
    words = {word for text in Words(page).found for word in re.findall(r"[A-Za-z_]{2,}", text)}
    return {word for word in words - NAMES if re.search("[aeiouyAEIOUY]", word.removeprefix("bot_"))}  # of webhooks
