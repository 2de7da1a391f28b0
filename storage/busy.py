"""The error for storage that works, but can't take more work at the moment."""

from storage.records import UnavailableError


class SearchBusyError(UnavailableError):
    """Too many searches are waiting already."""
