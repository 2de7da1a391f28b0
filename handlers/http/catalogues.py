"""Reads catalogues. What does not fit is left out, with a warning, and then stays English: no page may fail for it."""

import gettext
import json
import logging
import re
from collections.abc import Iterable, Mapping
from typing import Any

from handlers.http.language import Language

log = logging.getLogger("longboard")

SURROGATE = re.compile("[\ud800-\udfff]")
PLACE = re.compile(r"%\((\w+)\)s")
MARK = re.compile(r"<(/?[a-z]+)>")
PERIOD = 200
"""From 100 on, the plural forms of nearly all languages repeat after each hundred. So these numbers have all of them; some
languages have another form for a million, which no count of a page reaches.
"""
MOST_FORMS = 10
"""No language has more than six plural forms."""
TAG = re.compile(r"[a-z]{2,3}(-[a-z]{4})?(-([a-z]{2}|[0-9]{3}))?", re.IGNORECASE)
"""A language, perhaps with a script and a region. Browsers refuse to write dates in what is no tag."""


class Catalogue(gettext.GNUTranslations):
    """What of a file fits. Raises what gettext raises for a file that is no catalogue: many kinds of errors."""

    def __init__(self, file: Any) -> None:
        super().__init__(file)
        rule = self.plural  # type: ignore[has-type]
        self.plurals = [int(rule(n)) for n in range(PERIOD)]
        if not 0 <= min(self.plurals) <= max(self.plurals) < MOST_FORMS:
            raise ValueError("its plural rule has results that are no forms")
        self.plural = lambda n: self.plurals[n if n < PERIOD else 100 + n % 100]
        self.misfits: list[str] = []
        """The msgids of what does not fit."""
        self._leave_out_misfits()

    def _leave_out_misfits(self) -> None:
        catalog: dict[Any, str] = self._catalog  # type: ignore[has-type]
        texts: dict[str, list[str]] = {}
        for key, text in catalog.items():
            texts.setdefault(key[0] if isinstance(key, tuple) else key, []).append(text)
        misfits = {msgid for msgid, those in texts.items() if msgid and not all(fits(msgid, one) for one in those)}
        self.misfits = sorted(misfits)
        self._catalog = {
            key: text for key, text in catalog.items() if (key[0] if isinstance(key, tuple) else key) not in misfits
        }

    def for_scripts(self, msgids: Iterable[str]) -> str:
        """Returns the words of scripts as JSON in which nothing ends an element of HTML."""
        words: dict[str, Any] = {"": {"plurals": self.plurals}}
        for msgid in msgids:
            forms = [self._catalog.get((msgid, n)) for n in range(max(self.plurals) + 1)]
            if msgid in self._catalog:
                words[msgid] = self._catalog[msgid]
            elif all(forms):
                words[msgid] = forms
        return json.dumps(words, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")


def fits(msgid: str, text: str) -> bool:
    """Whether a translation can be sent, and has the placeholders and marks of its msgid. The number `n` may be missing: "one
    message".
    """
    if SURROGATE.search(text):
        return False
    wanted, has = set(PLACE.findall(msgid)), set(PLACE.findall(text))
    if not wanted - {"n"} <= has <= wanted or (wanted and "%" in PLACE.sub("", text)):
        return False
    return sorted(MARK.findall(msgid)) == sorted(MARK.findall(text)) and is_nested(MARK.findall(text))


def is_nested(marks: Iterable[str]) -> bool:
    open_now: list[str] = []
    for mark in marks:
        if not mark.startswith("/"):
            open_now.append(mark)
        elif not open_now or open_now.pop() != mark[1:]:
            return False
    return not open_now


def read_all(files: Mapping[str, str], msgids: Iterable[str]) -> dict[str, Language]:
    """Reads the catalogues in these files, by the tags of their languages. The msgids are those of scripts."""
    found = {}
    for tag, path in files.items():
        try:
            if not TAG.fullmatch(tag):
                raise ValueError(f"“{tag}” is no tag of a language")
            with open(path, "rb") as file:
                catalogue = Catalogue(file)
            found[tag] = Language(tag, catalogue, catalogue.for_scripts(msgids))
        except Exception as error:  # gettext raises many kinds for a file that is no catalogue
            log.warning("%s can't be used, so there are no pages in this language: %s", path, error)
            continue
        if catalogue.misfits:
            first, count = catalogue.misfits[0], len(catalogue.misfits)
            log.warning(
                "%s: %d translations lack a placeholder or a mark, and stay English, such as %r", path, count, first
            )
    return found
