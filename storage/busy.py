"""Storage is well, but can't take more work just now."""

from storage.records import UnavailableError


class SearchBusyError(UnavailableError):
    """Too many calls wait for the same thing already."""
