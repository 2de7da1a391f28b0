"""Counts the steps of a regular expression: each time it looks at a character, and each alternative that it tries. It
backtracks as the engines of Python and of browsers do, but without their shortcuts, so theirs are at most as many."""

import re
import re._parser as parser
from collections.abc import Callable, Iterator
from typing import Any

CATEGORIES = {"CATEGORY_WORD": re.compile(r"\w", re.ASCII), "CATEGORY_DIGIT": re.compile(r"\d", re.ASCII)}
CATEGORIES["CATEGORY_SPACE"] = re.compile(r"\s", re.ASCII)


class Counted:
    """Stands in for a compiled pattern, and finds the same."""

    def __init__(self, pattern: re.Pattern[str], count: Callable[[], None]) -> None:
        self._pattern, self._count = pattern, count
        self._tree = list(parser.parse(pattern.pattern, pattern.flags))
        self._known: dict[tuple[int, str], bool] = {}
        """Whether a character is one of a class, by the class's id in the tree."""

    def search(self, text: str, at: int = 0) -> re.Match[str] | None:
        ends = (next(self._all(self._tree, text, start), None) for start in range(at, len(text) + 1))
        start, end = next(((start, end) for start, end in enumerate(ends, at) if end is not None), (-1, -1))
        found = self._pattern.search(text, at)
        assert (found.span() if found else (-1, -1)) == (start, end), "the count is of another expression"
        return found

    def match(self, text: str, at: int = 0) -> re.Match[str] | None:
        end = next(self._all(self._tree, text, at), None)
        found = self._pattern.match(text, at)
        assert (found and found.end()) == end, "the count is of another expression"
        return found

    def finditer(self, text: str) -> Iterator[re.Match[str]]:
        at = 0
        while found := self.search(text, at):
            yield found
            at = found.end()

    def _all(self, items: list[Any], text: str, at: int) -> Iterator[int]:
        """Yields where these items may end, in the order in which they are tried."""
        if not items:
            yield at
            return
        for end in self._each(*items[0], text, at):
            yield from self._all(items[1:], text, end)

    def _each(self, op: Any, arg: Any, text: str, at: int) -> Iterator[int]:
        self._count()
        match str(op):
            case "BRANCH":
                for branch in arg[1]:
                    yield from self._all(list(branch), text, at)
            case "SUBPATTERN":
                yield from self._all(list(arg[3]), text, at)
            case "MAX_REPEAT" | "MIN_REPEAT":
                yield from self._repeat(str(op) == "MAX_REPEAT", *arg, text, at)
            case "ASSERT" | "ASSERT_NOT":
                begin = at if arg[0] > 0 else at - 1  # what is looked for behind is one character
                found = begin >= 0 and any(True for _ in self._all(list(arg[1]), text, begin))
                if found == (str(op) == "ASSERT"):
                    yield at
            case "AT":
                assert str(arg) == "AT_BEGINNING"
                if at == 0 or (self._pattern.flags & re.MULTILINE and text[at - 1] == "\n"):
                    yield at
            case _:
                if at < len(text) and self._is_one(op, arg, text[at]):
                    yield at + 1

    def _repeat(self, is_greedy: bool, least: int, most: Any, inner: Any, text: str, at: int) -> Iterator[int]:
        """Repeats on a stack instead of by recursion: a text may have thousands of repetitions."""
        item = list(inner)
        stack = [(at, self._all(item, text, at))]
        if not is_greedy and least == 0:
            yield at
        while stack:
            end = next(stack[-1][1], None) if len(stack) <= int(most) else None
            if end is None:
                done, _ = stack.pop()
                if is_greedy and len(stack) >= least:
                    yield done
                continue
            stack.append((end, self._all(item, text, end)))
            if not is_greedy and len(stack) - 1 >= least:
                yield end

    def _is_one(self, op: Any, arg: Any, c: str) -> bool:
        if str(op) != "IN":
            return self._is_any(op, arg, c)
        key = id(arg), c
        if key not in self._known:
            self._known[key] = self._is_any(op, arg, c)
        return self._known[key]

    def _is_any(self, op: Any, arg: Any, c: str) -> bool:
        cases = {c, c.lower(), c.upper()} if self._pattern.flags & re.IGNORECASE and c.isascii() else {c}
        match str(op):
            case "LITERAL":
                return chr(arg) in cases
            case "NOT_LITERAL":
                return chr(arg) not in cases
            case "ANY":
                return c != "\n" or bool(self._pattern.flags & re.DOTALL)
        assert str(op) == "IN", op
        is_negative = str(arg[0][0]) == "NEGATE"
        return any(is_in(*item, c) for item in arg[is_negative:] for c in cases) != is_negative


def is_in(op: Any, arg: Any, c: str) -> bool:
    match str(op):
        case "LITERAL":
            return ord(c) == arg
        case "RANGE":
            return bool(arg[0] <= ord(c) <= arg[1])
    return bool(CATEGORIES[str(arg)].match(c))
