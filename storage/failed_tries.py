"""Counts of failed sign-ins to an account."""

import dataclasses


@dataclasses.dataclass(frozen=True, slots=True)
class FailedTries:
    """How often a wrong password was given for an account."""

    since: int
    """Since the owner last signed in with a browser."""
    earlier: int
    """Between that sign-in and the one before it."""
