"""Random input: a few thousand in each run, what it has found before, and that a failure would be noticed."""

import random
import subprocess
import sys

import pytest

from fuzz import __main__ as fuzz
from fuzz.generate import octets, text
from net.addresses import parse_address
from tests.support.patience import PATIENCE
from tests.support.server import ROOT


def test_some_thousand_random_inputs_break_nothing():
    """Every parser, and the socket of a real server; the long form is bin/fuzz 1000000."""
    run = subprocess.run(
        [sys.executable, "-m", "fuzz", "8000"], cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert "161 requests on a socket" in run.stdout and "0 failures in 8000 inputs" in run.stdout


@pytest.mark.parametrize("failing", ["error", "hang"])
def test_a_failure_is_counted_and_can_be_made_again(monkeypatch, capsys, failing):
    """An error that nobody expects, or no end within the time, and the number to repeat it with."""

    def fail(rng):
        if rng.random() < 0.5:
            while failing == "hang":
                pass
            raise ValueError("not in words")

    monkeypatch.setattr(fuzz, "HANG_SECONDS", 0.05)
    monkeypatch.setattr(fuzz, "TARGETS", {"failing": (1, fail)})
    count = fuzz.feed(1, 10)
    assert 0 < count < 10
    said = capsys.readouterr().out
    case = int(said.partition("case ")[2].partition(":")[0])
    with pytest.raises(ValueError, match="not in words"):
        monkeypatch.undo()
        failing = "error"
        fail(random.Random(case))


def test_what_is_generated_is_varied_and_the_same_for_the_same_seed():
    """Most of it differs, much of it is no ASCII, some of it is no text; a seed makes it all again."""
    made = [text(random.Random(n), ("hello",)) for n in range(500)]
    assert len(set(made)) > 300 and sum(not one.isascii() for one in made) > 50 and "hello" in made
    assert made == [text(random.Random(n), ("hello",)) for n in range(500)]
    broken = 0
    for n in range(500):
        try:
            octets(random.Random(n), ("hello",)).decode()
        except UnicodeDecodeError:
            broken += 1
    assert broken > 50


@pytest.mark.parametrize(
    "named", ["[]", "[]:80", "", ":80", "[", "%eth0", "[::1%]:80", "1.2.3", "٣.1.1.1", "[1.2.3.4]:99999"]
)
def test_what_is_nearly_an_address_is_none_or_one(named):
    """What a header claims is never a fault of ours."""
    found = parse_address(named)
    assert found is None or parse_address(found.partition("/")[0]) == found
