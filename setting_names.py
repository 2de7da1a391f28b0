"""Wrong names: flags that there are not, and what looks like a setting's name and is none."""

import argparse
import dataclasses
import difflib
import sys
from collections.abc import Collection, Iterable, Iterator
from typing import NoReturn

ALIKE = 0.85
"""Above this, names are taken for the same one, mistyped (difflib's ratio): one letter in seven, or one too many."""


class OneLineParser(argparse.ArgumentParser):
    """Says in one line what is wrong with a command line, and ends the program with 2."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message} (--help lists what there is)\n")


def refuse(why: str) -> NoReturn:
    print(f"longboard: {why}", file=sys.stderr)
    raise SystemExit(2)


@dataclasses.dataclass(frozen=True)
class Oddity:
    """What stands among the settings and is none. It may be meant for another program, unless it is a mistake."""

    words: str
    is_mistake: bool


def odd_variables(names: Iterable[str], known: Collection[str]) -> Iterator[Oddity]:
    """Of the environment only what is almost a setting: the rest is for other programs."""
    for name in sorted(names):
        if (meant := meant_by(name, known)) is not None:
            yield Oddity(f"{name} is not a setting and has no effect; did you mean {meant}?", True)


def odd_names(file: str, names: Iterable[str], known: Collection[str]) -> Iterator[Oddity]:
    """In a file of settings everything should be one."""
    for name in names:
        if (meant := meant_by(name, known)) is not None:
            yield Oddity(f"{file}: {name} is not a setting and has no effect; did you mean {meant}?", True)
        elif name not in known:
            yield Oddity(f"{file}: {name} is not a setting of Longboard", False)


def meant_by(name: str, known: Collection[str]) -> str | None:
    """The setting whose name is mistyped here, or None."""
    if name in known:
        return None
    upper = name.upper().replace("-", "_")
    swapped = [one for one in known if sorted(one) == sorted(upper)]
    return next(iter(swapped or difflib.get_close_matches(upper, known, 1, ALIKE)), None)
