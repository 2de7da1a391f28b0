"""What a name looks like: names with equal skeletons can be taken for each other.

A skeleton is that of UTS #39 (https://www.unicode.org/reports/tr39/), with Unicode's table, and without the differences that
people don't read as another name: capitals, and forms such as full width. It is for comparison only, never shown.
"""

import functools
import pathlib
import re
import unicodedata

from storage.invisible import IS_INVISIBLE

DRAWN_AROUND = re.compile("[\u0332\u0333\u0488\u0489\u1abe\u20dd-\u20e0\u20e2-\u20e4\ua670-\ua672]")
"""Lines below letters, and what encloses them (Unicode's category Me): no part of a letter in any script."""
LONG_S = "\u017f"
"""People read it as s, where the table takes it for f."""
DOTTED_AGAIN = re.compile("([lj])\u0307+")
TABLE = pathlib.Path(__file__).with_name("confusables.txt")


@functools.lru_cache(1000)
def skeleton(name: str) -> str:
    """Returns the skeleton of a name.

    A capital I looks like a small L, so capitals can't be folded before; and I and i are one letter. So i, I and l count
    as one. A dot above i and j is drawn in the place of their own.
    """
    folded = unicodedata.normalize("NFKC", prototypes(name)).casefold()
    plain = DOTTED_AGAIN.sub(r"\1", prototypes(folded).replace("i", "l"))
    return " ".join(plain.split())


def prototypes(text: str) -> str:
    """Returns what UTS #39 calls the skeleton, but for what is drawn around letters, and for the long s."""
    plain = IS_INVISIBLE.sub("", unicodedata.normalize("NFD", text))
    plain = DRAWN_AROUND.sub("", plain).replace(LONG_S, "s")
    return unicodedata.normalize("NFD", plain.translate(table()))


@functools.cache
def table() -> dict[int, str]:
    """Returns the prototype of each code point that has another. It is read for the first name that is made or changed: it
    takes some milliseconds and a megabyte.
    """
    found: dict[int, str] = {}
    for line in TABLE.read_text(encoding="ascii").splitlines():
        if line[0] != "#":
            prototype, _, those = line.partition(":")
            text = "".join(chr(int(code, 16)) for code in prototype.split())
            found.update((int(code, 16), text) for code in those.split())
    return found
