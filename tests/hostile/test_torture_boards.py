"""The torture run on several boards: its judge notices whatever may go wrong there, and a short run passes."""

import re
import subprocess
import sys

import pytest

from tests.support.patience import PATIENCE
from tests.support.server import ROOT
from torture.history import Change, History, Post, Reply
from torture.keepers import FLIPS
from torture.rights import NOTHING, OLDER, Kept, Place, Rights, Sight, Try, Word, check_site


def good():
    """A board that is opened, closed and opened again, one for members that is archived, and one that is deleted.

    Bob has the invitation to the first of them, Eve had it. Messages 10 and 11 were posted while it was open to all, 20
    and 21 while it was closed, and 30 afterwards. Each right's number is that of the keeper's message after it.
    """
    first = History(posts=[Post("guest", "k1", "hello", [1])], board=[(1, "hello")], found={1})
    opened = Place(
        "place0000", "keeper", "random",
        rights=[
            NOTHING,
            Rights(1, slugs=frozenset({"place-0"}), acknowledged=3, number=10),
            Rights(4, invited=frozenset({"eve"}), slugs=frozenset({"place-0"}), acknowledged=5, number=11),
            Rights(20, "invited", invited=frozenset({"eve"}), slugs=frozenset({"random"}), acknowledged=22, number=20),
            Rights(24, "invited", invited=frozenset({"bob"}), slugs=frozenset({"random"}), acknowledged=26, number=21),
            Rights(40, "everyone", invited=frozenset({"bob"}), slugs=frozenset({"random"}), acknowledged=42, number=30),
        ],
        history=History(
            posts=[Post("keeper", f"p{id}", f"at {id}", [id]) for id in (10, 11, 20, 21, 30)],
            changes=[Change(11, "at 11, better", True)],
            readers={
                "a guest": [
                    Reply("", "y-11", [(10, "at 10", None), (11, "at 11", None)], reset=True),
                    Reply("y-11", "y-30", [(11, "at 11, better", "12:00"), (20, "at 20", None), (21, "at 21", None),
                                           (30, "at 30", None)]),
                ],
                "bob": [
                    Reply("", "y-21", [(10, "at 10", None), (11, "at 11", None), (20, "at 20", None), (21, "at 21", None)],
                          reset=True),
                    Reply("y-21", "y-30", [(11, "at 11, better", "12:00"), (30, "at 30", None)]),
                ],
            },
            found={10, 20},
        ),
        sights=[Sight(None, 11, 6, "by a poll"), Sight("bob", 21, 30, "by a poll"), Sight("eve", 20, 23, "by a poll"),
                Sight("keeper", 21, 30, "by its id"), Sight(None, 30, 44, "by a poll")],
        tries=[Try(None, "place-0", 5, 6, True, 11), Try(None, "place-0", 27, 28), Try("eve", "random", 27, 28),
               Try(None, "place-0", 19, 21), Try("eve", "random", 25, 27), Try("bob", "place-0", 23, 25, True),
               Try("bob", "random", 28, 29, True, 21)],
        kept=Kept([(10, "at 10"), (11, "at 11, better"), (20, "at 20"), (21, "at 21"), (30, "at 30")],
                  "everyone", "guests", frozenset({"bob"}), "random", False),
    )  # fmt: skip
    quiet = Place(
        "place0001", "keeper", "place-1",
        rights=[
            Rights(7, "members", "members", slugs=frozenset({"place-1"}), acknowledged=8, number=12),
            Rights(10, "members", "members", slugs=frozenset({"place-1"}), is_archived=True, acknowledged=11, number=13),
        ],
        history=History(posts=[Post("keeper", "q12", "quiet", [12])], readers={"bob": [
            Reply("", "z-12", [(12, "quiet", None)], reset=True)]}),
        sights=[Sight("bob", 12, 9, "by a poll")],
        tries=[Try("bob", "place-1", 12, 13, True), Try(None, "place-1", 12, 13), Try("bob", "place-1", 8, 11, True)],
        kept=Kept([(12, "quiet")], "members", "members", frozenset(), "place-1", True),
    )  # fmt: skip
    deleted = Place(
        "place0002", "keeper", "place-2",
        rights=[
            Rights(13, slugs=frozenset({"place-2"}), acknowledged=14, number=14),
            Rights(15, is_there=False, acknowledged=16, number=16),
        ],
        history=History(posts=[Post("keeper", "r14", "brief", [14])], is_gone=True,
                        readers={"bob": [Reply("", "w-14", [(14, "brief", None)], reset=True)]}),
        sights=[Sight("bob", 14, 15, "by a poll")],
        tries=[Try("bob", "place-2", 17, 18)],
    )  # fmt: skip
    words = [Word("bob", "random", 21, 30), Word(None, "place-0", 11, 6), Word("bob", "place-1", 12, 30)]
    for place in (opened, quiet):
        place.history.board = place.kept.messages
    return first, [opened, quiet, deleted], words


def test_a_good_history_has_nothing_to_complain_of():
    """Refusals are good where the right may have been there or not: while a change was under way."""
    assert check_site(*good()) == []


def forge(change):
    first, (opened, quiet, deleted), words = site = good()
    change(first, opened, quiet, deleted, words)
    return check_site(*site)


def sees(place, *sight):
    place.sights.append(Sight(*sight))


def tries(place, *one):
    place.tries.append(Try(*one))


BAD = {
    # nobody is given a message at a number at which they may not read its board
    "not theirs: None was given message 20": lambda first, o, q, d, w: sees(o, None, 20, 30, "by a poll"),
    "not theirs: None was given message 21": lambda first, o, q, d, w: sees(o, None, 21, 39, "by a poll"),
    "not theirs: eve was given message 21": lambda first, o, q, d, w: sees(o, "eve", 21, 30, "by a search"),
    "not theirs: None was given message 12": lambda first, o, q, d, w: sees(q, None, 12, 9, "by its id"),
    "not theirs: bob was given message 17": lambda first, o, q, d, w: sees(d, "bob", 17, 30, "by a poll"),
    "told: eve was told of place0000": lambda first, o, q, d, w: w.append(Word("eve", "random", 21, 30)),
    "told: None was told of place0001": lambda first, o, q, d, w: w.append(Word(None, "place-1", 0, 30)),
    "unknown: bob was told of nowhere": lambda first, o, q, d, w: w.append(Word("bob", "nowhere", 1, 30)),
    # who may is not refused, and nobody else writes
    "refused: bob could not read": lambda first, o, q, d, w: tries(o, "bob", "random", 27, 28),
    "refused: None could not read": lambda first, o, q, d, w: tries(o, None, "place-0", 5, 6),
    "refused: None could not write": lambda first, o, q, d, w: tries(o, None, "random", 43, 44, True),
    "not allowed: None wrote message 21": lambda first, o, q, d, w: tries(o, None, "random", 28, 29, True, 21),
    "not allowed: bob wrote message 15": lambda first, o, q, d, w: tries(q, "bob", "place-1", 12, 13, True, 15),
    # a message is on its board, and nowhere else
    "on two boards: message 12": lambda first, o, q, d, w: o.history.posts[0].ids.append(12),
    "from elsewhere: message 10 of place0000 was given on the first": lambda first, o, q, d, w: first.readers.update(
        {"guest": [Reply("x-0", "x-10", [(1, "hello", None), (10, "at 10", None)])]}
    ),
    "from elsewhere: message 20 of place0000 was given on the first": lambda first, o, q, d, w: first.found.add(20),
    "from elsewhere: message 1 of the first board was given on": lambda first, o, q, d, w: q.history.found.add(1),
    "from elsewhere: message 14 of place0002 was given on": lambda first, o, q, d, w: q.history.found.add(14),
    f"shown {OLDER}: message 11": lambda first, o, q, d, w: sees(o, None, 11, 6, OLDER),
    # nothing lost, doubled or out of order on each of them
    "lost: message 20": lambda first, o, q, d, w: o.history.board.pop(2),
    "missed: message 20": lambda first, o, q, d, w: o.history.readers["a guest"][1].messages.pop(1),
    "again: message 10": lambda first, o, q, d, w: o.history.readers["a guest"][1].messages.append((10, "at 10", None)),
    "late: message 20": lambda first, o, q, d, w: o.history.readers["a guest"][1].messages.reverse(),
    "reset without a reason": lambda first, o, q, d, w: o.history.readers["bob"][1].__setattr__("reset", True),
    "again: message 14": lambda first, o, q, d, w: d.history.readers["bob"].append(
        Reply("w-14", "w-15", [(14, "brief", None)])
    ),
    "key reused: r14": lambda first, o, q, d, w: d.history.posts[0].ids.append(15),
    # rights that were acknowledged are on disk
    "lost: the board is gone": lambda first, o, q, d, w: setattr(q, "kept", None),
    "deleted, but there": lambda first, o, q, d, w: setattr(d, "kept", q.kept),
    "lost rights: read_by": lambda first, o, q, d, w: setattr(o.kept, "read_by", "invited"),
    "lost rights: write_by": lambda first, o, q, d, w: setattr(q.kept, "write_by", "guests"),
    "lost rights: is_archived": lambda first, o, q, d, w: setattr(q.kept, "is_archived", False),
    "lost rights: invited": lambda first, o, q, d, w: setattr(o.kept, "invited", frozenset({"eve"})),
    "lost rights: the slug": lambda first, o, q, d, w: setattr(o.kept, "slug", "place-0"),
}


@pytest.mark.parametrize("complaint", BAD)
def test_each_broken_promise_is_noticed(complaint):
    found = forge(BAD[complaint])
    assert [line for line in found if line.startswith(complaint)], found


@pytest.mark.parametrize(
    "change",
    [
        lambda first, o, q, d, w: sees(o, None, 20, 41, "by a poll"),
        lambda first, o, q, d, w: sees(o, None, 11, 25, "by a poll"),
        lambda first, o, q, d, w: tries(o, "bob", "random", 23, 25),
        lambda first, o, q, d, w: tries(o, "bob", "place-0", 27, 28),
        lambda first, o, q, d, w: tries(o, "bob", "place-0", 2, 4, True),
    ],
    ids=[
        "while it is opened",
        "from before it was closed",
        "while he is invited",
        "by a slug that has ended",
        "before it is made",
    ],
)
def test_what_may_have_been_right_is_no_broken_promise(change):
    """A number tells only the order of what is numbered, and a moment that of what was asked and answered."""
    assert forge(change) == []


FAULTS = ("kill -9", "SIGTERM", "clock", "wrong clock at a start")


def torture(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "torture", *arguments], cwd=ROOT, capture_output=True, text=True, timeout=4 * PATIENCE
    )


def check_run(run, boards):
    """It broke no promise, and each kind of change was made on each board."""
    assert run.returncode == 0 and "nothing lost, nothing doubled" in run.stdout, run.stdout + run.stderr
    for fault in FAULTS:
        assert f"× {fault}" in run.stdout
    changes = re.search(r"(\d+) changes of their rights", run.stdout)
    assert int(changes[1]) >= boards * (len(FLIPS) - 1), run.stdout


def test_a_short_run_on_several_boards_shows_nobody_what_they_may_not_read():
    """Boards are made, closed, opened, archived, renamed and deleted while the server is killed."""
    check_run(torture("0.1", "--boards=4", "--pause=0.05"), 4)


def test_two_nodes_show_nobody_what_they_may_not_read(new_database):
    """The rights that change on one node are those of the other, before any message that comes after them."""
    check_run(torture("0.1", "--boards=3", "--pause=0.05", "--nodes=2", f"--url={new_database()}"), 3)
