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
    """With those that were noted meanwhile; then nothing is left to save."""
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


def test_memory_for_marks_is_bounded():
    """However many members read: from some number on, they must be saved."""
    marks = Marks(Failing())
    assert not any(marks.note(account, 2, 1) for account in range(MOST_UNSAVED))
    assert not marks.note(1, 2, 9) and marks.note(MOST_UNSAVED + 1, 2, 1)
