"""Cuts text into the words by which it is found, and queries in the same way. No SQL.

This is done here and not in a database, so that every engine finds the same: an engine keeps the words of a message in
their order, and looks for phrases of them. Case, width, accents and the like don't matter. Text that is written without
spaces (Chinese, Japanese, Thai …; Korean too, where endings stick to words) is cut into overlapping pairs, so that
any part of it that has two characters is a phrase of pairs: "ABC" is AB, BC, C. The last character also stands alone,
so that each character begins a word: a search for a single one finds it as the beginning of words.
"""

import itertools
import re
import unicodedata
from collections.abc import Callable, Iterator
from typing import NamedTuple

from storage.records import FIRST_BOARD

VERSION = f"2/{unicodedata.unidata_version}"
"""Text that another version has cut must be cut again before it can be removed from an index."""
WORD_MAX = 64
"""Characters of a word that count; that many are enough to find a key or an address."""
MOST_PHRASES = 32
MOST_WORDS = 16
"""Words in one phrase; further ones are ignored. Each word costs a check of every place that matches the others."""
MOST_KNOWN = 4096
"""Characters whose normalisation is cached: about what a language uses every day."""

UNACCENTED = {"ı": "i", "ł": "l", "ø": "o", "đ": "d", "ħ": "h", "æ": "ae", "œ": "oe"}
"""Letters that people without such a key type in another way, and that Unicode does not decompose."""
ACCENTS = (
    (0x0300, 0x036F), (0x0483, 0x0487), (0x0591, 0x05C7), (0x0610, 0x061A), (0x064B, 0x065F), (0x0670, 0x0670),
    (0x06D6, 0x06ED), (0x08D3, 0x08FF), (0x1AB0, 0x1AFF), (0x1DC0, 0x1DFF), (0x20D0, 0x20FF), (0xFE00, 0xFE2F),
)  # fmt: skip
"""Marks that many people leave out: accents, Hebrew points, Arabic vowels; not those that are part of Indic letters."""
SKIN = (0x1F3FB, 0x1F3FF)
SPACELESS = (
    (0x0E00, 0x0EFF), (0x1000, 0x109F), (0x1100, 0x11FF), (0x1780, 0x17FF), (0x1950, 0x19DF), (0x1A20, 0x1AAF),
    (0x1B00, 0x1B7F), (0x2E80, 0x2FFF), (0x3005, 0x3007), (0x3021, 0x4DBF), (0x4E00, 0xA4CF), (0xA960, 0xA9FF),
    (0xAA60, 0xAADF), (0xAC00, 0xD7FF), (0xF900, 0xFAFF), (0x16FE0, 0x18D8F), (0x1AFF0, 0x1B2FF), (0x20000, 0x3FFFF),
)  # fmt: skip
"""Thai and Lao, Burmese, Khmer, Tai scripts, Balinese, Javanese, Han, Kana, Bopomofo, Yi, Hangul, Tangut, Nüshu."""

INVISIBLE = ((0x2065, 0x2065), (0xFDD0, 0xFDEF), (0xFFF0, 0xFFF8), (0xE0000, 0xE0FFF))
"""Invisible characters that Unicode has not assigned. The last two code points of each plane are such, too."""

BOARD_MARK = "\ufdd0"
"""A code point that is never a character, so no word of a text or of a query has it."""

ASCII_WORD = re.compile("[a-z0-9]+")
SENTENCES = re.compile("([\ufdfa\ufdfb]+)")
"""Characters for a sentence of 18 or 8 letters. They are not expanded: no other makes a text so much longer."""
RUN = re.compile("w[wm]*|p+|s")
PARTS = re.compile('["“”„«»]([^"“”„«»]*)["“”„«»]?|([^\\s"“”„«»]+)')
"""The parts of a query: text in quotes, even if they are not closed, or text without spaces."""


class Phrase(NamedTuple):
    """Consecutive words. With `is_beginning`, the last may be only the beginning of a word."""

    words: tuple[str, ...]
    is_beginning: bool


def words(text: str) -> list[str]:
    """Returns the words of a text in order: ASCII letters and digits, and anything beyond ASCII. None is empty."""
    if text.isascii():
        return [word[:WORD_MAX] for word in ASCII_WORD.findall(text.lower())]
    return [word for word, _, _ in cut(fold(text))]


def mark_of(board_id: int) -> str:
    """Returns what each word of a board's messages begins with in an index that boards share; nothing for the first.

    So a search on one board meets no word of another: it can neither show them nor tell them by the time it takes.
    """
    return "" if board_id == FIRST_BOARD else f"{BOARD_MARK}{board_id}{BOARD_MARK}"


def phrases(query: str) -> list[Phrase]:
    """Returns the phrases that a message must all have. Accepts any query; one without words has no phrases."""
    found: dict[Phrase, None] = {}
    parts = list(PARTS.finditer(query))
    for part in parts:
        is_last = part is parts[-1] and part[1] is None
        phrase = to_phrase(part[2] if part[1] is None else part[1], is_last)
        if phrase.words:
            found[phrase] = None
    return list(found)[:MOST_PHRASES]


def to_phrase(text: str, is_beginning: bool) -> Phrase:
    folded = fold(text)
    pieces = list(itertools.islice(cut(folded), MOST_WORDS))
    if pieces and pieces[-1][2] < len(folded):  # such as C++: the character after the word ends it
        is_beginning = False
    is_pair = len(pieces) > 1 and pieces[-1][1] < pieces[-2][2]
    is_single = bool(pieces) and not is_pair and kinds_of(pieces[-1][0]) == "p"
    if is_pair:  # in a text, the last character may form a pair with the next
        pieces.pop()
    return Phrase(tuple(word for word, _, _ in pieces), is_single or (is_beginning and not is_pair))


def cut(folded: str) -> Iterator[tuple[str, int, int]]:
    """Yields (word, start, end) for each word of a folded text. Pairs overlap."""
    kinds = kinds_of(folded)
    for run in RUN.finditer(kinds):
        start, end = run.span()
        if kinds[start] == "p":
            for at in range(start, end):
                yield folded[at : min(at + 2, end)], at, min(at + 2, end)
        else:
            yield folded[start : min(end, start + WORD_MAX)], start, end


def fold(text: str) -> str:
    """Returns the text without what does not matter: case, width, accents, invisible characters."""
    if text.isascii():
        return text.lower()
    parts = SENTENCES.split(text)
    parts[::2] = map(fold_letters, parts[::2])
    return "".join(parts)


def fold_letters(text: str) -> str:
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold()).translate(FOLDED)
    return unicodedata.normalize("NFC", plain)


def kinds_of(folded: str) -> str:
    """Returns for each character: w in a word, m a mark in one, p cut into pairs, s a word by itself, else a space."""
    return folded.translate(KINDS)


def is_within(c: int, ranges: tuple[tuple[int, int], ...]) -> bool:
    return any(first <= c <= last for first, last in ranges)


class Known(dict[int, str]):
    """A bounded cache of what is known about characters, computed when needed."""

    def __init__(self, find_out: Callable[[str], str]) -> None:
        super().__init__()
        self._find_out = find_out

    def __missing__(self, c: int) -> str:
        if len(self) >= MOST_KNOWN:
            self.clear()
        self[c] = found = self._find_out(chr(c))
        return found


def becomes(character: str) -> str:
    """Returns the normalised character."""
    category = unicodedata.category(character)
    if category == "Cf" or character == "ـ" or is_within(ord(character), (*ACCENTS, SKIN)):
        return ""
    if category == "Nd":
        return str(unicodedata.digit(character))
    return UNACCENTED.get(character, character)


def kind_of(character: str) -> str:
    """Returns the kind as kinds_of() does. Characters that this Python's Unicode does not know count as emoji."""
    c, category = ord(character), unicodedata.category(character)
    if category[0] in "LNM" and c > 0x7F and is_within(c, SPACELESS):
        return "p"
    if category[0] in "LN":
        return "w"
    if category[0] == "M":
        return "m"
    is_unknown = category in ("Cn", "Co") and not is_within(c, INVISIBLE) and c & 0xFFFE != 0xFFFE
    return "s" if (category[0] == "S" and c > 0x7F) or is_unknown else " "


FOLDED, KINDS = Known(becomes), Known(kind_of)
