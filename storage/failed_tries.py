"""How often somebody failed to sign in to an account: a record of two numbers."""

import dataclasses


@dataclasses.dataclass(frozen=True, slots=True)
class FailedTries:
    """How often somebody gave a wrong password for an account."""

    since: int
    """Since its owner last signed in with a browser."""
    earlier: int
    """Between that time and the one before it."""
