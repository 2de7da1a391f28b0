"""Finds wrong names: flags that do not exist, and names that look like a setting's name but are not one."""

import argparse
import difflib
import sys
from collections.abc import Collection, Iterable, Iterator
from typing import NamedTuple, NoReturn

ALIKE = 0.85
"""Above this ratio (difflib's), a name counts as another one mistyped: one letter in seven wrong, or one too many."""


class OneLineParser(argparse.ArgumentParser):
    """Says in one line what is wrong with a command line, and ends the program with 2."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message} (--help lists what there is)\n")


def refuse(why: str) -> NoReturn:
    print(f"longboard: {why}", file=sys.stderr)
    raise SystemExit(2)


class Oddity(NamedTuple):
    """Something among the settings that is not one. It may be meant for another program, unless it is a mistake."""

    words: str
    is_mistake: bool


def odd_variables(names: Iterable[str], known: Collection[str]) -> Iterator[Oddity]:
    """Finds variables that are almost a setting. All others are for other programs."""
    for name in sorted(names):
        if (meant := meant_by(name, known)) is not None:
            yield Oddity(f"{name} is not a setting and has no effect; did you mean {meant}?", True)


def odd_names(file: str, names: Iterable[str], known: Collection[str]) -> Iterator[Oddity]:
    """Finds names that are not settings, because everything in a file of settings should be one."""
    for name in names:
        if (meant := meant_by(name, known)) is not None:
            yield Oddity(f"{file}: {name} is not a setting and has no effect; did you mean {meant}?", True)
        elif name not in known:
            yield Oddity(f"{file}: {name} is not a setting of Longboard", False)


def meant_by(name: str, known: Collection[str]) -> str | None:
    """Returns the setting whose name is mistyped here, or None."""
    if name in known:
        return None
    upper = name.upper().replace("-", "_")
    swapped = [one for one in known if sorted(one) == sorted(upper)]
    return next(iter(swapped or difflib.get_close_matches(upper, known, 1, ALIKE)), None)
