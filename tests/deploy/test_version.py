"""The version is written in one place, and everything that shows it shows the same."""

import datetime
import re
import subprocess
import sys

import pytest
from packaging.version import Version

from tests.support.server import ROOT, environment
from version import VERSION

RELEASE = re.compile(r"## \[(\d+\.\d+\.\d+)\] - (\d{4}-\d\d-\d\d)")
KINDS = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}


@pytest.mark.parametrize("command", [["server.py"], ["-m", "admin"]])
def test_programs_print_their_version(command):
    """One line, for a person or a script, with any settings."""
    run = subprocess.run(
        [sys.executable, *command, "--version"], cwd=ROOT, env=environment(PORT="none"), capture_output=True, text=True
    )
    assert (run.returncode, run.stdout, run.stderr) == (0, f"Longboard {VERSION}\n", "")


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_the_health_of_a_server_has_its_version(server, path):
    """So that somebody who updates several nodes sees which of them are new."""
    assert server.get(path).json()["version"] == VERSION


def test_openapi_has_the_version(server):
    """A client that was generated says what it was generated from."""
    assert server.get("/api/v1/openapi.json").json()["info"]["version"] == VERSION


def test_the_changelog_s_newest_release_fits_the_version():
    """A release has the version that its heading has; in between, the version is that of a later one."""
    version, headings = Version(VERSION), re.findall(r"^## .*$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    unreleased, *released = headings
    assert unreleased == "## [Unreleased]" and all(RELEASE.fullmatch(heading) for heading in released)
    versions = [Version(RELEASE.fullmatch(heading)[1]) for heading in released]
    days = [datetime.date.fromisoformat(RELEASE.fullmatch(heading)[2]) for heading in released]
    assert versions == sorted(set(versions), reverse=True) and days == sorted(days, reverse=True)
    assert str(version) == VERSION and (version > versions[0] if version.is_devrelease else version == versions[0])


def test_the_changelog_has_the_kinds_of_keep_a_changelog():
    """Each line is under a heading of its release that says what kind of change it is."""
    kind = None
    for line in (ROOT / "CHANGELOG.md").read_text().splitlines()[4:]:
        if line.startswith("#"):
            level, _, name = line.partition(" ")
            kind = name if level == "###" else None
            assert kind in KINDS or RELEASE.fullmatch(line) or line == "## [Unreleased]", line
        else:
            assert not line or kind, line
