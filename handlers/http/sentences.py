"""Sentences with markup in them, such as "New here? <a>Create account</a>", which translators get whole.

A sentence has marks, and the template says what each stands for. All else in a catalogue or a value stays
text.
"""

import functools
import html
import re
from collections.abc import Iterable
from typing import Any

from tornado.escape import to_unicode

PLAIN = frozenset(("b", "bdi", "code", "i", "time"))
"""Marks that are the elements of these names, without attributes."""
PART = re.compile(r"<(/?)([a-z]+)>|%\(([a-z]+)\)s")


class Html(str):
    """Markup that is finished."""


def escaped(text: str | bytes) -> str:
    """Escapes text for elements and for attributes, which have double quotes in all our templates. An apostrophe, which
    half of our sentences have, stays one.
    """
    return html.escape(to_unicode(text), quote=False).replace('"', "&quot;")


def link(href: str, **attributes: str) -> Html:
    """Returns the start of a link, for the mark <a>."""
    given = [f'{name}="{escaped(value)}"' for name, value in {"href": href, **attributes}.items()]
    return Html(f"<a {' '.join(given)}>")


def in_link(href: str, words: Html) -> Html:
    return Html(f"{link(href)}{words}</a>")


def bdi(text: str, short: str = "") -> Html:
    """Returns the name that people gave to somebody or something, which may be of any language; with the short name, if
    another one has the same.
    """
    return Html(f'<bdi lang="">{escaped(text)}</bdi>' + (f" ({escaped(short)})" if short else ""))


def joined(text: str, parts: Iterable[str]) -> Html:
    """Joins parts by a text for two of them, such as "%(these)s or %(other)s". Parts are escaped unless they are Html."""
    made = [one if isinstance(one, Html) else Html(escaped(one)) for one in parts]
    return functools.reduce(lambda these, other: rich(text, these=these, other=other), made) if made else Html()


def rich(text: str, **values: Any) -> Html:
    """Returns a sentence as HTML. `values` are those of its placeholders, which are escaped unless they are Html, and the
    starts of the elements for which its marks stand.
    """
    parts, last = [], 0
    for match in PART.finditer(text):
        parts += [escaped(text[last : match.start()]), part(match, values)]
        last = match.end()
    return Html("".join([*parts, escaped(text[last:])]))


def part(match: re.Match[str], values: dict[str, Any]) -> str:
    is_end, mark, place = match.groups()
    if place:
        value = values[place]
        return value if isinstance(value, Html) else escaped(str(value))
    start = values.get(mark, Html(f"<{mark}>") if mark in PLAIN else "")
    if not isinstance(start, Html):
        return escaped(match[0])
    return f"</{start[1:].partition(' ')[0].rstrip('>')}>" if is_end else start
