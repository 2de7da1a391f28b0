"""Collects the words of pages and scripts for translators, and compiles what they have made of them. bin/words runs it."""

import contextlib
import io
import json
import pathlib
import re
import sys
from collections.abc import Iterator

from babel.core import Locale
from babel.messages.catalog import Catalog
from babel.messages.extract import extract
from babel.messages.frontend import parse_keywords
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from handlers.http.templates import LOADER  # noqa: E402 (found only now)

FOLDER = ROOT / "locale"
POT, SCRIPTS = FOLDER / "longboard.pot", FOLDER / "scripts.json"
FLOORS = ("handlers", "board", "storage")
FOR_PROGRAMS = {f"handlers/boards/{name}.py" for name in ("api", "messages", "polls", "stream")}
"""What is only in replies to programs stays English: their codes are the contract."""
PYTHON = parse_keywords(
    [
        "_:1,1t",
        "_:1,2,3t",
        "translate:1",
        "msgid:1",
        "msgids:1,2",
        "said:1",
        "said_of:1,2",
        "DeniedError:2",
        "BadTextError:2",
        "RefusedError:3",
        "Problem:3",
    ]
)
"""The functions whose arguments are words, and which arguments. Tornado makes Python of templates, so they have the same."""
JAVASCRIPT = parse_keywords(("t:1", "n:1,2"))
PLACE = re.compile(r"  # ([a-z_]+\.html):\d+", re.MULTILINE)
"""What Tornado writes behind each line of a template's code."""
UNSTEADY = re.compile(
    rb'^"(?:POT-Creation-Date|PO-Revision-Date|Last-Translator|Language-Team|Generated-By|Report-Msgid-Bugs-To):.*\n',
    re.M,
)
HEADER = """# The words of Longboard's pages and scripts: bin/words writes this file from the code.
# docs/decisions/0030-words.md says what placeholders and marks are."""

Words = str | tuple[str, ...]


def in_templates() -> Iterator[tuple[Words, str]]:
    """Yields all words of templates, each with the file that it stands in."""
    for path in sorted((ROOT / "templates").iterdir()):
        code = LOADER.load(path.name).code
        lines = code.splitlines()
        for line, words, _, _ in extract("python", io.BytesIO(code.encode()), PYTHON):
            place = PLACE.search("\n".join(lines[line - 1 :]))
            yield words, f"templates/{place[1] if place else path.name}"


def in_python() -> Iterator[tuple[Words, str]]:
    for floor in FLOORS:
        for path in sorted((ROOT / floor).rglob("*.py")):
            place = str(path.relative_to(ROOT))
            with contextlib.redirect_stderr(io.StringIO()):  # it warns of each f-string, also of codes
                found = list(extract("python", io.BytesIO(path.read_bytes()), PYTHON))
            if place not in FOR_PROGRAMS:
                yield from ((words, place) for _, words, _, _ in found)


def in_scripts() -> Iterator[tuple[Words, str]]:
    for path in sorted((ROOT / "static" / "js").glob("*.js")):
        for _, words, _, _ in extract("javascript", io.BytesIO(path.read_bytes()), JAVASCRIPT, options={"jsx": False}):
            yield words, str(path.relative_to(ROOT))


def collect() -> Catalog:
    found: dict[Words, set[str]] = {}
    for words, place in (*in_templates(), *in_python(), *in_scripts()):
        found.setdefault(words, set()).add(place)
    catalog = Catalog(project="Longboard", header_comment=HEADER, charset="utf-8", fuzzy=False)
    for words, places in found.items():
        if re.search("[A-Za-z]", words if isinstance(words, str) else words[0]):
            catalog.add(words, locations=[(place, 0) for place in sorted(places)])
    return catalog


def pot() -> bytes:
    """Returns the text of locale/longboard.pot. It changes only with the words."""
    file = io.BytesIO()
    write_po(file, collect(), sort_output=True, include_lineno=False, width=100)
    return UNSTEADY.sub(b"", file.getvalue())


def scripts() -> str:
    """Returns the text of locale/scripts.json: the msgids of scripts, which pages in other languages hand to them."""
    msgids = {words if isinstance(words, str) else words[0] for words, _ in in_scripts()}
    return json.dumps(sorted(msgids), ensure_ascii=False, indent=0) + "\n"


def bring_up_to_date(path: pathlib.Path, template: Catalog) -> None:
    """Takes new words into a catalogue, begins it if it is not there, and compiles it."""
    language = str(Locale.parse(path.parent.parent.name.replace("-", "_")))
    if path.exists():
        catalog = read_po(io.BytesIO(path.read_bytes()), locale=language)
    else:
        path.parent.mkdir(parents=True, exist_ok=True)
        catalog = Catalog(locale=language, project="Longboard", charset="utf-8", fuzzy=False)
    catalog.update(template, no_fuzzy_matching=True)
    with path.open("wb") as file:
        write_po(file, catalog, sort_output=True, include_lineno=False, width=100)
    for message, errors in catalog.check():
        print(f"{path}: {message.id!r}: {' '.join(map(str, errors))}", file=sys.stderr)
    with path.with_suffix(".mo").open("wb") as file:
        write_mo(file, catalog)


def main(languages: list[str]) -> None:
    """Each language that is named is begun."""
    FOLDER.mkdir(exist_ok=True)
    POT.write_bytes(pot())
    SCRIPTS.write_text(scripts())
    named = [FOLDER / language / "LC_MESSAGES" / "longboard.po" for language in languages]
    for path in sorted({*FOLDER.glob("*/LC_MESSAGES/longboard.po"), *named}):
        bring_up_to_date(path, read_po(io.BytesIO(POT.read_bytes())))


if __name__ == "__main__":
    main(sys.argv[1:])
