"""What the board's rules refuse."""

from collections.abc import Sequence
from typing import NamedTuple


class Problem(NamedTuple):
    """What is wrong with one of several names that were sent together."""

    name: str
    code: str
    words: str


class DeniedError(Exception):
    """Something that a rule forbids. `code` is stable, `words` are for people (board/said.py).

    `retry_after` is in how many seconds it is allowed again, if it was only too early. `problems` are those of names, the
    first of which has the code.
    """

    def __init__(
        self, code: str, message: str, retry_after: float | None = None, *, problems: Sequence[Problem] = ()
    ) -> None:
        super().__init__(message)
        self.code = code
        self.words = message
        self.retry_after = retry_after
        self.problems = problems
