"""When storage is well, and yet can't do more just now."""

from storage.records import Unavailable


class Crowded(Unavailable):
    """Too many wait for the same thing already."""
