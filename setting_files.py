"""A file of settings, read as systemd reads EnvironmentFile= (systemd.exec(5)), so that one file serves both.

One `NAME=value` on each line. A value may contain blanks; in quotes it may also begin and end with blanks and span
several lines. Lines that begin with # or ; are comments. There are no $ and no commands.
"""

import re
from collections.abc import Iterator

QUOTED = r"'[^']*(?:'|\Z)|\"(?:\\.|[^\\\"])*(?:\"|\Z)"
LINE = re.compile(
    r"\s*(?:[#;][^\n]*|(?P<name>[^=\n]*)"
    rf"(?:=(?P<quoted>(?:[ \t\r]|{QUOTED})*)(?P<plain>(?:\\.|[^\\\n])*)\\?)?)(?:\n|\Z)",
    re.DOTALL,
)
PIECE = re.compile(QUOTED, re.DOTALL)
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def parse(text: str) -> dict[str, str]:
    """Returns the values by name. Ignores lines that assign nothing to a name, as systemd does."""
    return {
        found["name"].rstrip(): "".join(map(unquoted, PIECE.findall(found["quoted"]))) + bare(found["plain"])
        for found in statements(text)
        if is_assignment(found)
    }


def ignored_lines(text: str) -> list[int]:
    """Returns the numbers of lines that are neither an assignment nor a comment nor blank."""
    others = [
        found for found in statements(text) if not is_assignment(found) and found[0].strip() and not is_comment(found)
    ]
    return [1 + text.count("\n", 0, found.end() - len(found[0].lstrip())) for found in others]


def statements(text: str) -> Iterator[re.Match[str]]:
    place = 0
    while place < len(text):
        found = LINE.match(text, place)
        assert found is not None and found.end() > place, "every text begins with a line"
        yield found
        place = found.end()


def is_assignment(found: re.Match[str]) -> bool:
    return found["quoted"] is not None and NAME.fullmatch(found["name"].rstrip()) is not None


def is_comment(found: re.Match[str]) -> bool:
    return found[0].lstrip().startswith(("#", ";"))


def unquoted(piece: str) -> str:
    inner = piece[1:].removesuffix(piece[0])
    if piece[0] == "'":
        return inner
    return re.sub(r'\\(["\\`$\n])', lambda found: found[1].strip("\n"), inner)


def bare(text: str) -> str:
    """Reads a value without quotes: a backslash keeps the next character, and continues a line on the next one."""
    text = re.sub(r"((?:\\.|[^\\\s])?)[ \t\r]*\Z", r"\1", text, flags=re.DOTALL)
    return re.sub(r"\\(.)", lambda found: found[1].strip("\n"), text, flags=re.DOTALL)
