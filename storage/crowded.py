"""Storage is well, but can't take more work just now."""

from storage.records import Unavailable


class Crowded(Unavailable):
    """Too many calls wait for the same thing already."""
