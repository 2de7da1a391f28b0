"""Finds what is more than plain text in a message: its links, code, quotes, lists, and words set off. Nothing else does.

docs/decisions/0023-text.md has the rules. static/js/markup.js finds the same in the browser; tests check both against
tests/support/pieces.json. What is found stays plain text: everything that shows it must escape it.
"""

import itertools
import re
from collections.abc import Iterable, Iterator
from typing import TypeAlias

from board.links import ADDRESS, AFTER, BEFORE, FLAGS, IN_LINK, SPACE, find_link, find_mail, find_mention, is_edge

Content: TypeAlias = "str | list[Piece]"
Piece: TypeAlias = tuple[Content, str] | tuple[Content, str, str]
"""(content, kind), or (content, "link", address). The content is a text, or a list of pieces; that of a link without an
address is its address. Kinds: text, code, block, link, host, mention, bold, italic, strike, quote, list, item."""
Parts: TypeAlias = list[str | Piece]
"""Pieces, and texts that are not yet joined."""

MOST_MARKUP = 100
"""The most pieces that are not text in one message; a list counts by its items, and a link with its host as one. Each is
an element or two in every page that shows it. The rest stays text, as it was written."""

KINDS = {"**": "bold", "_": "italic", "~~": "strike"}

BLOCK = re.compile(
    r"```(\n?)(.+?)(\n?)```"  # a fence
    r"|(?:^|\n)(?:(> +[^ \n][^\n]*(?:\n>(?: [^\n]*)?(?![^\n]))*)"  # a quote
    r"|(- +[^ \n][^\n]*(?:\n- +[^ \n][^\n]*)*))"  # a list
    r"|\\`|`[^`\n]+`",  # no block, but no fence begins in it
    re.DOTALL,
)
TOKEN = re.compile(
    r"\n|¯\\_"  # not an escape: an arm
    r"|\\([`*_~[\]]|(?=[>-] ))"
    r"|`([^`\n]+)`"
    rf"|\[(?![^[\]\n]*(?:://|www\.|\w@\w))([^[\]\n]{{1,200}})\]\(({ADDRESS})\)"
    rf"|((?:https?://|www\.){IN_LINK})|@|\*+|_+|~+",
    FLAGS,
)
INFO = re.compile(r"[\w+#.-]{1,20}\n(?=.)", re.DOTALL | re.ASCII)
QUOTE_SIGN = re.compile("(^|\n)> ?")


def pieces(body: str) -> list[Piece]:
    """Cuts the body into pieces, in order. After MOST_MARKUP of them, the rest is text as it was written."""
    return joined(Parser().parse(body))


def flat(tree: Iterable[Piece]) -> Iterator[tuple[str, str]]:
    """Yields the pieces as (text, kind), for a template. One with others in it becomes a beginning, those, and an end:
    ("", "bold"), …, ("", "/bold"). A link begins with its address."""
    for content, kind, *address in tree:
        if isinstance(content, list):
            yield "".join(address), kind
            yield from flat(content)
            yield "", f"/{kind}"
        elif kind == "link":
            yield from ((content, kind), (content, "text"), ("", "/link"))
        else:
            yield content, kind


BLOCKS = frozenset(("block", "quote", "item"))


def plain(tree: Iterable[Piece]) -> str:
    """Returns the words alone, without markers."""
    words = []
    for content, kind, *_ in tree:
        text = content if isinstance(content, str) else plain(content)
        words.append(f" {text} " if kind in BLOCKS else text)
    return "".join(words)


def usernames_in(body: str) -> list[str]:
    """Returns the usernames that the body mentions, folded, each once; whether accounts have them is not known."""
    if "@" not in body:
        return []
    return list({text[1:].lower(): None for text, kind in flat(pieces(body)) if kind == "mention"})


class Parser:
    """Reads one message. Each step goes on from where the last one ended, so the work is linear."""

    def __init__(self) -> None:
        self._left = MOST_MARKUP

    def parse(self, body: str) -> Parts:
        found: Parts = []
        at = 0
        for match in BLOCK.finditer(body):
            if match.lastindex is None:
                continue
            start = len(body[at : match.start()].rstrip("\n")) + at  # a block has a margin instead of empty lines
            if start > at:
                found += self._inline(body[at:start])
                at = start
            if not self._left:
                break
            piece, at = self._block(match)
            found.append(piece)
            while body.startswith("\n", at):
                at += 1
        return found + self._inline(body[at:])

    def _block(self, match: re.Match[str]) -> tuple[Piece, int]:
        """Returns the block, and where the rest of the body begins."""
        code, quote, items = match.group(2, 4, 5)
        if code:
            info = INFO.match(code) if match[3] and not match[1] else None
            self._left -= 1
            return (code[info.end() :] if info else code, "block"), match.end()
        if quote:
            self._left -= 1
            return (joined(self._inline(QUOTE_SIGN.sub(r"\1", quote))), "quote"), match.end()
        found: list[Piece] = []
        at = match.start(5)
        for line in items.split("\n"):
            if not self._left:
                break
            self._left -= 1
            found.append((joined(self._inline(line[1:].lstrip(" "))), "item"))
            at += len(line) + 1
        return (found, "list"), at

    def _inline(self, text: str) -> Parts:
        """Reads what is within lines. A marker that is not closed in its line stays text."""
        frames: list[tuple[str, Parts]] = [("", [])]  # open markers, the innermost last, and what is behind them
        at = pos = 0
        while self._left and (match := TOKEN.search(text, pos)):
            start, pos = match.span()
            kind = KINDS.get(match[0])
            if kind:
                depth = next((depth for depth, (marker, _) in enumerate(frames) if marker == match[0]), 0)
                if depth and closes(text, start, pos):
                    frames[-1][1].append(text[at:start])
                    unwind(frames, depth)
                    inner = frames.pop()[1]
                    frames[-1][1].append((joined(inner), kind))
                    self._left -= 1
                elif opens(text, start, pos):
                    frames[-1][1].append(text[at:start])
                    if depth:  # one of a kind is open at a time, so the frames are few
                        lapse(frames, depth)
                    frames.append((match[0], []))
                else:
                    continue
                at = pos
            elif match[0] == "\n":
                frames[-1][1].append(text[at:start])
                at = start
                unwind(frames, 0)
            elif leaf := self._leaf(text, at, match):
                start, pos, piece = leaf
                frames[-1][1].extend((text[at:start], piece))
                at = pos
        frames[-1][1].append(text[at:])
        unwind(frames, 0)
        return frames[0][1]

    def _leaf(self, text: str, at: int, match: re.Match[str]) -> tuple[int, int, str | Piece] | None:
        """Returns where a link, code or escaped character begins and ends, and what it becomes. `at` is where the text
        begins that is not part of a piece yet."""
        start, end = match.span()
        escaped, code, title, address, host, mail, found = match.groups()
        if escaped is not None:
            return start, end, escaped
        if code:
            self._left -= 1
            return start, end, (code, "code")
        if title:
            self._left -= 1
            return start, end, ([*joined([*self._inline(title), " "]), (f"({host or mail})", "host")], "link", address)
        link = find_mail(text, at, start) if match[0] == "@" else find_link(text, start, found) if found else None
        if link is None:
            if match[0] != "@" or (span := find_mention(text, start)) is None:
                return None
            self._left -= 1
            return *span, (text[slice(*span)], "mention")
        self._left -= 1
        start, end, address = link
        shown = text[start:end]
        piece: Piece = (shown, "link") if shown == address else ([(shown, "text")], "link", address)
        return start, end, piece


def unwind(frames: list[tuple[str, Parts]], depth: int) -> None:
    """Makes text of the markers deeper than this, which were not closed."""
    while len(frames) > depth + 1:
        lapse(frames, -1)


def lapse(frames: list[tuple[str, Parts]], depth: int) -> None:
    """Makes text of a marker that was not closed."""
    before = frames[depth - 1][1]
    marker, inner = frames.pop(depth)
    before += [marker, *inner]


def joined(parts: Parts) -> list[Piece]:
    found: list[Piece] = []
    for is_text, group in itertools.groupby(parts, lambda part: isinstance(part, str)):
        if not is_text:
            found.extend(group)  # type: ignore[arg-type]
        elif text := "".join(group):  # type: ignore[arg-type]
            found.append((text, "text"))
    return found


def opens(text: str, start: int, end: int) -> bool:
    """Whether a marker there is before a word."""
    return end < len(text) and not SPACE.match(text, end) and is_edge(text[start - 1 : start], BEFORE)


def closes(text: str, start: int, end: int) -> bool:
    """Whether a marker there is behind a word."""
    return not SPACE.match(text, start - 1) and is_edge(text[end : end + 1], AFTER)
