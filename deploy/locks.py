"""Looks whether requirements.txt, the lock, fits pyproject.toml and what is installed. bin/check runs it.

It asks nobody, so it can't know of releases and holes that became known after the day of the lock: bin/audit asks PyPI.
"""

import datetime
import importlib.metadata
import pathlib
import re
import sys
import tomllib
from collections.abc import Iterable, Iterator

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = pathlib.Path(__file__).parent.parent
MOST_DAYS = 90
"""SECURITY.md promises that packages are updated within three months."""
PIN = re.compile(r"^(\S+)==(\S+)(?: ; (.+?))? \\\n((?:    --hash=\S+(?: \\)?\n)*)", re.MULTILINE)
HASHES = re.compile(r"(    --hash=sha256:[0-9a-f]{64} \\\n)*    --hash=sha256:[0-9a-f]{64}\n")
DAY = re.compile(r"^#    bin/lock, on (\d{4}-\d\d-\d\d)$", re.MULTILINE)


def misfits(wanted: Iterable[str], lock: str) -> Iterator[str]:
    """Says what is wrong with the text of a lock of these requirements, by what is installed here."""
    pins = {canonicalize_name(name): version for name, version, _, _ in PIN.findall(lock)}
    for line in lock.splitlines():
        if not line.startswith((" ", "#")) and not PIN.match(f"{line}\n"):
            yield f"{line!r} is no package with one version and its hashes"
    for name, _, _, hashes in PIN.findall(lock):
        if not HASHES.fullmatch(hashes):
            yield f"{name} lacks its hashes (SHA-256)"
    needed = set()
    for asker, requirement in closure(wanted):
        name = canonicalize_name(requirement.name)
        needed.add(name)
        if name not in pins:
            yield f"{asker} needs {requirement}, which is not there"
        elif not requirement.specifier.contains(pins[name], prereleases=True):
            yield f"{asker} needs {requirement}, not {pins[name]}"
        elif (here := importlib.metadata.version(name)) != pins[name]:
            yield f"{name} {pins[name]} is not what is installed here, and so tested: {here}"
    elsewhere = {canonicalize_name(name) for name, _, marker, _ in PIN.findall(lock) if marker}
    for name in sorted(pins.keys() - needed - elsewhere):
        yield f"nothing needs {name}"


def closure(wanted: Iterable[str]) -> Iterator[tuple[str, Requirement]]:
    """Yields who needs what here, from what is installed: also what the needed packages need."""
    asked = [("pyproject.toml", Requirement(text)) for text in wanted]
    seen = set()
    while asked:
        asker, requirement = asked.pop()
        if requirement.marker and not requirement.marker.evaluate({"extra": ""}):
            continue
        yield asker, requirement
        if requirement.name not in seen:
            seen.add(requirement.name)
            more = importlib.metadata.requires(requirement.name) or []
            asked += [(requirement.name, Requirement(text)) for text in more]


def day_of(lock: str) -> datetime.date:
    """Returns the day on which bin/lock asked for the newest releases."""
    found = DAY.search(lock)
    return datetime.date.fromisoformat(found[1]) if found else datetime.date.min


def main() -> None:
    lock = (ROOT / "requirements.txt").read_text()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    if found := list(misfits(project["dependencies"], lock)):
        sys.exit("\n".join(f"requirements.txt: {words}" for words in found) + "\nbin/lock writes a new one.")
    days = (datetime.datetime.now(datetime.UTC).date() - day_of(lock)).days
    if days > MOST_DAYS:
        print(f"requirements.txt is of {day_of(lock)}, {days} days ago: run bin/lock, which takes newer releases.")
    print(f"What is newer or has a hole since {day_of(lock)} can't be known from here: bin/audit asks PyPI.")


if __name__ == "__main__":
    main()
