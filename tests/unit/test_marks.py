"""Read marks that are not saved yet."""

import pytest

from board.marks import MOST_UNSAVED, Marks
from storage.errors import UnavailableError


class Failing:
    def __init__(self):
        self.saved, self.fails = {}, True

    async def save_marks(self, marks):
        if self.fails:
            raise UnavailableError("busy")
        self.saved |= marks


async def test_marks_that_could_not_be_saved_are_saved_later():
    """With those that were noted since; then nothing is left to save."""
    storage = Failing()
    marks = Marks(storage)
    marks.note(1, 2, 5)
    marks.note(1, 2, 3)
    with pytest.raises(UnavailableError):
        await marks.save()
    marks.note(1, 3, 4)
    assert marks.of(1) == {2: 5, 3: 4} and marks.of(2) == marks.of(None) == {}
    storage.fails = False
    await marks.save()
    assert storage.saved == {(1, 2): 5, (1, 3): 4} and marks.of(1) == {}


async def test_a_mark_is_seen_while_it_is_being_saved():
    """And one that moves during the save is saved the next time; nobody else begins to save then."""
    storage, marks = Failing(), None

    class Slow(Failing):
        async def save_marks(self, saved):
            assert marks.of(1) == {2: 5, 3: 4}
            marks.note(1, 2, 6)
            assert not any(marks.note(account, 2, 1) for account in range(10, 12 + MOST_UNSAVED))
            await Failing.save_marks(self, saved)

    storage = Slow()
    storage.fails, marks = False, Marks(storage)
    marks.note(1, 2, 5)
    marks.note(1, 3, 4)
    await marks.save()
    assert storage.saved == {(1, 2): 5, (1, 3): 4} and marks.of(1) == {2: 6}


def test_memory_for_marks_is_bounded():
    """However many members read: from some number on, they must be saved; and there is an end while they can't be."""
    marks = Marks(Failing())
    assert not any(marks.note(account, 2, 1) for account in range(MOST_UNSAVED))
    assert not marks.note(1, 2, 9) and marks.note(MOST_UNSAVED + 1, 2, 1)
    assert all(marks.note(account, 3, 1) for account in range(2 * MOST_UNSAVED))
    kept = [account for account in range(2 * MOST_UNSAVED) if 3 in marks.of(account)]
    assert len(kept) == MOST_UNSAVED - 1 and marks.note(1, 2, 10) and marks.of(1)[2] == 10, "a known one still moves"
