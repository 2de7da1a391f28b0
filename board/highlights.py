"""Finds the words of a query in a message, to highlight them, and cuts an excerpt around the first of them."""

import itertools
import re
import unicodedata
from collections.abc import Iterator

from board.signs import MOST_BACK, next_place_to_cut, place_to_cut
from storage.words import Phrase, cut, fold, kinds_of

EXCERPT = 400
"""Characters of a long message that are shown in a list of messages."""
EXCERPT_BEFORE = 100
"""How many of these are before the first highlight."""
HIGHLIGHTS_MAX = 30
"""In one text. Each highlight is an element of the page, and these are enough to show what was found."""
LOOKED_AT = 4000
"""Folded characters that are searched for the first match, beginning where its first word may begin."""
FOLDED_AT_ONCE = 200
"""Characters that are folded at once if only their number is needed."""

Piece = tuple[str, bool]
"""A part of the text, and whether it is highlighted."""


def highlighted(text: str, wanted: list[Phrase]) -> list[Piece]:
    """Cuts the text into pieces, which together are the text."""
    found, at = [], 0
    for start, end in spans(text, wanted)[:HIGHLIGHTS_MAX]:
        found += [(text[at:start], False), (text[start:end], True)]
        at = end
    return [piece for piece in [*found, (text[at:], False)] if piece[0]]


def excerpt(text: str, wanted: list[Phrase]) -> list[Piece]:
    """The part of a long text around the first highlight, with … where something was left out."""
    if len(text) <= EXCERPT:
        return highlighted(text, wanted)
    first = first_offset(text, wanted)
    start = max(0, min(first - EXCERPT_BEFORE, len(text) - EXCERPT))
    if start and (space := re.compile(r"\s").search(text, start, first)):
        start = space.end()
    start = next_place_to_cut(text, start)
    part = text[start : place_to_cut(text, start + EXCERPT)].rstrip()
    before = [("… ", False)] if start else []
    after = [(" …", False)] if start + len(part) < len(text) else []
    return [*before, *highlighted(part, wanted), *after]


def first_offset(text: str, wanted: list[Phrase]) -> int:
    """Where the first match begins; 0 if there is none nearby.

    Only the part of the text around it is folded letter by letter, which is the slowest step.
    """
    bounds = list(part_bounds(text))
    parts = [fold(text[start:end]) for start, end in itertools.pairwise(bounds)]
    first = first_folded_offset("".join(parts), wanted)
    for start, part in zip(bounds, parts, strict=False):
        if first < len(part):
            _, ends = fold_with_offsets(text[start : start + FOLDED_AT_ONCE + MOST_BACK])
            return start + (ends[first - 1] if first else 0)
        first -= len(part)
    return 0


def part_bounds(text: str) -> Iterator[int]:
    at = 0
    while at < len(text):
        yield at
        at = place_to_cut(text, at + FOLDED_AT_ONCE)
    yield len(text)


def first_folded_offset(folded: str, wanted: list[Phrase]) -> int:
    """Where the first match begins in the folded text; 0 if there is none nearby."""
    candidates = [at for phrase in wanted if (at := folded.find(phrase.words[0])) >= 0]
    start = min(candidates, default=len(folded))
    end = start + LOOKED_AT
    while start and end - start < 2 * LOOKED_AT and kinds_of(folded[start - 1]) in "wm":
        start -= 1  # back to the start of the word
    words = [(word, start + at, start + to) for word, at, to in cut(folded[start:end])]
    return min((at for phrase in wanted for at, _ in itertools.islice(matches(words, phrase), 1)), default=0)


def spans(text: str, wanted: list[Phrase]) -> list[tuple[int, int]]:
    """(start, end) of each highlight, in order. They do not touch."""
    folded, ends = fold_with_offsets(text)
    words = list(cut(folded))
    found = sorted(span for phrase in wanted for span in matches(words, phrase))
    apart: list[tuple[int, int]] = []
    for start, end in ((ends[start - 1] if start else 0, ends[end - 1]) for start, end in found):
        if apart and start <= apart[-1][1]:
            apart[-1] = (apart[-1][0], max(end, apart[-1][1]))
        else:
            apart.append((start, end))
    return apart


def matches(words: list[tuple[str, int, int]], phrase: Phrase) -> Iterator[tuple[int, int]]:
    """Yields (start, end) of each place where the phrase is found, as offsets in the folded text."""
    *exact, last = phrase.words
    for at in range(len(words) - len(exact)):
        word, start, _ = words[at + len(exact)]
        fits = word.startswith(last) if phrase.is_beginning else word == last
        if fits and all(words[at + i][0] == other for i, other in enumerate(exact)):
            yield words[at][1], start + len(last)


def fold_with_offsets(text: str) -> tuple[str, list[int]]:
    """Returns the folded text, and for each of its characters the end of its original in the text."""
    if text.isascii():
        return fold(text), list(range(1, len(text) + 1))
    folded, ends = [], []
    for start, end in itertools.pairwise(letters(text)):
        part = fold(text[start:end])
        folded.append(part)
        ends += [end] * len(part)
        if not part and ends:
            ends[-1] = end  # an invisible character belongs to the one before it
    return "".join(folded), ends


def letters(text: str) -> Iterator[int]:
    """Yields where each character begins that is not a mark on the one before it or part of its Korean syllable."""
    yield 0
    for at in range(1, len(text)):
        c = text[at]
        if not (unicodedata.combining(c) or "\u1160" <= c <= "\u11ff" or c in "\uff9e\uff9f"):
            yield at
    yield len(text)
