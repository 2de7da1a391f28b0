"""The torture run itself: its judge notices whatever may go wrong, and a short run passes."""

import copy
import re
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.patience import PATIENCE
from tests.support.server import ROOT
from torture.history import Change, History, Post, Reply, check


def good():
    """Two posters, an edit, a deletion, a refusal, a retry and two readers, as it should be."""
    return History(
        posts=[
            Post("guest", "k1", "one", [1]),
            Post("member", "k2", "two", [2, 2]),
            Post("guest", "k3", "three", [3]),
            Post("guest", "k4", "far too long", [], refused=True),
            Post("guest", "k5", "never answered", []),
            Post("member", "k6", "six", [6]),
        ],
        changes=[Change(2, "two, better", True), Change(3, None, True), Change(6, "six, unsure", False)],
        readers={
            "live": [
                Reply("x-0", "x-1", [(1, "one", None)]),
                Reply("x-1", "x-3", [(2, "two", None), (3, "three", None)]),
                Reply("x-3", "x-6", [(2, "two, better", "12:00"), (3, None, None), (6, "six", None)]),
            ],
            "late": [
                Reply("x-0", "x-5", [(1, "one", None), (3, None, None), (2, "two, better", "12:00")]),
                Reply("x-5", "x-6", [(6, "six", None)]),
            ],
            "slept": [
                Reply("x-1", "x-2", [(2, "two", None)]),
                Reply("x-2", "x-6", [(1, "one", None), (2, "two, better", "12:00"), (6, "six", None)], reset=True),
            ],
        },
        may_reset={"slept"},
        board=[(1, "one"), (2, "two, better"), (6, "six")],
    )


def test_a_good_history_has_nothing_to_complain_of():
    """Also one in which the message of an unanswered post, or an unanswered edit, is there after all."""
    assert check(good()) == []
    lucky = good()
    lucky.board = [(1, "one"), (2, "two, better"), (5, "never answered"), (6, "six, unsure")]
    for replies in lucky.readers.values():
        replies[-1].messages += [(5, "never answered", "12:01"), (6, "six, unsure", "12:01")]
        replies[-1].messages = [message for message in replies[-1].messages if message != (6, "six", None)]
    assert check(lucky) == []


def test_a_pin_is_where_the_last_word_of_it_was():
    """Pinned, put on another message, which may come first or later, and deleted; a reset says it beside the messages."""
    history = good()
    history.pins, history.pinned = [1, 2, 3], 1
    pins = {"live": ([1], [3], [2, 1]), "late": ([1], []), "slept": ([2], [])}
    for name, pinned in pins.items():
        for reply, ids in zip(history.readers[name], pinned, strict=True):
            reply.pinned = frozenset(ids)
    live, slept = history.readers["live"], history.readers["slept"]
    slept[1].top = 1
    slept[1].messages.pop(0)
    live[2].messages.append((1, "one", None))
    assert check(history) == []
    live[2].pinned = frozenset({2})
    assert check(history) == ["wrong pin: shows 2 as pinned, and it is 1 (live)"]
    live[2].pinned = frozenset()
    slept[1].top = None
    assert [line.partition(",")[0] for line in check(history)] == ["wrong pin: shows None as pinned"] * 2


def drop_from_board(history):
    del history.board[0]


def lose_everywhere(history):
    del history.board[0]
    for replies in history.readers.values():
        for reply in replies:
            reply.messages = [message for message in reply.messages if message[0] != 1]


BAD = {
    "lost: message 1": lose_everywhere,
    "lost change: message 2": lambda h: h.board.__setitem__(1, (2, "two")),
    "wrong: shows message 1": drop_from_board,
    "refused, but there": lambda h: h.board.append((7, "far too long")),
    "from nowhere": lambda h: h.board.append((7, "who wrote this?")),
    "doubled: 'one'": lambda h: h.board.append((7, "one")),
    "disorder: the board": lambda h: h.board.reverse(),
    "key reused: k2": lambda h: h.posts[1].ids.append(9),
    "shared: message 1": lambda h: h.posts[2].ids.__setitem__(0, 1),
    "disorder: guest got 1 after 3": lambda h: h.posts.reverse(),
    "lost cursor": lambda h: h.readers["live"][1].__setattr__("asked", "x-0"),
    "reset without a reason": lambda h: h.may_reset.clear(),
    "backwards": lambda h: (
        h.readers["live"][1].__setattr__("cursor", "x-0"), h.readers["live"][2].__setattr__("asked", "x-0")
    ),
    "again: message 1": lambda h: h.readers["live"][1].messages.append((1, "one", None)),
    "again: message 3": lambda h: h.readers["late"][1].messages.append((3, None, None)),
    "late: message 2 is new": lambda h: h.readers["live"][1].messages.reverse(),
    "wrong: shows message 2 as 'two'": lambda h: h.readers["live"][2].messages.pop(0),
    "wrong: shows message 3": lambda h: h.readers["live"][2].messages.pop(1),
    "missed: message 6": lambda h: h.readers["live"][2].messages.pop(2),
}  # fmt: skip


@pytest.mark.parametrize("complaint", BAD)
def test_each_broken_promise_is_noticed(complaint):
    """A judge that overlooks something would make every run look good."""
    history = good()
    BAD[complaint](history)
    assert [line for line in check(history) if line.startswith(complaint)], check(history)


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_whatever_is_taken_out_of_what_a_reader_saw_is_missed(data):
    """Any one message that doesn't reach a reader who follows from the start is a broken promise, or was replaced."""
    history = copy.deepcopy(good())
    reply = data.draw(st.sampled_from(history.readers["live"]))
    taken = reply.messages.pop(data.draw(st.integers(0, len(reply.messages) - 1)))
    superseded = taken in [(2, "two", None), (3, "three", None)]  # a later state came, as promised
    assert bool(check(history)) != superseded


def test_a_short_run_loses_and_doubles_nothing():
    """Real servers, killed, stopped, with each fault at least once."""
    run = subprocess.run(
        [sys.executable, "-m", "torture", "0.1"], cwd=ROOT, capture_output=True, text=True, timeout=4 * PATIENCE
    )
    assert run.returncode == 0, run.stdout + run.stderr
    for fault in (
        "kill -9",
        "SIGTERM",
        "clock",
        "wrong clock at a start",
        "busy database",
        "full disk",
        "emptied disk",
        "swapped database",
    ):
        assert f"× {fault}" in run.stdout
    assert re.search(r"pinned: +[1-9]", run.stdout)
    assert "nothing lost, nothing doubled" in run.stdout
