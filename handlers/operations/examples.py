"""The examples of the page /api, each in three languages, as HTML."""

import re
from collections.abc import Callable

from handlers.http.sentences import Html, escaped
from handlers.operations.example_texts import CURL, JAVASCRIPT, PYTHON

LABELS = {"curl": "curl", "python": "Python", "javascript": "JavaScript"}
PROGRAMS = {"curl": CURL, "python": PYTHON, "javascript": JAVASCRIPT}
Shown = dict[str, dict[str, list[Html]]]


def examples(base: str, passwords: bool, tell: Callable[[str], str]) -> Shown:
    """Returns the blocks of code of each example, by its name and its language. `base` is the address of the board; `tell`
    translates what is to be filled in.
    """
    parts = {name: [name] for name in ("read", "poll", "stream", "post", "account", "reply", "hook")}
    parts["account"].insert(0, "signin" if passwords else "token")
    parts["reply"] += ["signout"] if passwords else []
    return {
        name: {way: blocks(way, [code[part].strip() for part in of], base, tell) for way, code in PROGRAMS.items()}
        for name, of in parts.items()
    }


def blocks(way: str, parts: list[str], base: str, tell: Callable[[str], str]) -> list[Html]:
    texts = "\n".join(parts).split("\n") if way == "curl" else ["\n".join(parts)]
    return [marked_up(text.replace("BASE/", f"{base}/").replace('"BASE"', f'"{base}"'), tell) for text in texts]


def marked_up(code: str, tell: Callable[[str], str]) -> Html:
    return Html(re.sub("‹(.*?)›", lambda blank: f"<i>{escaped(tell(blank[1]))}</i>", escaped(code)))
