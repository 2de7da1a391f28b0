"""The languages of pages: which there are, and which one a request asks for.

With no catalogue beside English nothing is looked at, and pages have neither a header nor an element for this.
"""

import json
import os
import re

from tornado.httputil import HTTPHeaders

from handlers.http.language import ENGLISH, Language
from handlers.http.static import ROOT

FOLDER = ROOT / "locale"
"""The catalogues that come with Longboard, and bin/words' list of the words that scripts have."""
FILE = "LC_MESSAGES/longboard.mo"
MOST_READ = 2000
"""Characters of Accept-Language that are looked at. Browsers send some dozens."""
MOST_RANGES = 50
RANGE = re.compile(r"\s*([A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*)\s*(?:;\s*[Qq]\s*=\s*([01](?:\.[0-9]{0,3})?)\s*)?")
"""A language and its weight (RFC 9110, 12.5.4). `*` is nobody's language, and gets the default one."""

REGION = re.compile(r"^[a-z]+-([a-z]{2}|[0-9]{3})$", re.IGNORECASE)
"""A language of a region, without a script. It is better than English for who speaks that of another region."""


class Languages:
    """`folder` has the operator's catalogues, which win over those that come with Longboard."""

    def __init__(self, folder: str = "") -> None:
        files = {tag: path for one in filter(None, (str(FOLDER), folder)) for tag, path in files_in(one)}
        self.all = {"en": ENGLISH}
        if files:
            from handlers.http.catalogues import read_all  # few boards have any

            self.all |= read_all(files, json.loads((FOLDER / "scripts.json").read_text()))
        self._by_name = {tag.lower(): language for tag, language in self.all.items()}
        for tag, language in self.all.items():
            if REGION.search(tag):
                self._by_name.setdefault(tag.partition("-")[0].lower(), language)

    @property
    def are_several(self) -> bool:
        return len(self.all) > 1

    @property
    def default(self) -> Language:
        return self.all["en"]

    def asked(self, headers: HTTPHeaders) -> Language:
        """Returns the language that fits the header Accept-Language best: the one with the highest weight that there is,
        also if the header names a region and the catalogue another or none (RFC 4647, 3.4).
        """
        if len(self.all) == 1:
            return self.default
        accepted = headers.get("Accept-Language", "")
        ranges = []
        for text in accepted[:MOST_READ].split(",")[:MOST_RANGES]:
            if (match := RANGE.fullmatch(text)) and (weight := float(match[2] or 1)):
                ranges.append((-min(weight, 1), match[1].lower()))
        for _, name in sorted(ranges, key=lambda one: one[0]):
            while name:
                if name in self._by_name:
                    return self._by_name[name]
                name = name.rpartition("-")[0]
        return self.default


def files_in(folder: str) -> list[tuple[str, str]]:
    """Returns the catalogues in a folder, each with its language's tag."""
    found = []
    for name in sorted(os.listdir(folder)) if os.path.isdir(folder) else ():
        path = os.path.join(folder, name, FILE)
        if os.path.isfile(path):
            found.append((name.replace("_", "-"), path))
    return found
