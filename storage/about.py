"""What is kept about one account besides the records that everything else uses: for its owner's download."""

import dataclasses

from storage.records import Message


@dataclasses.dataclass(frozen=True, slots=True)
class Posted:
    """What is kept of a post of the account's, also of a deleted one."""

    message: Message
    key: str | None
    address: str | None


@dataclasses.dataclass(frozen=True, slots=True)
class Notes:
    """Times of the small things that storage notes about an account."""

    links_until: list[int]
    """When its links for a new password run out."""
    access_changes: list[int]
    """When something about its rights or ways in changed: kept for a day, so that every process looks again."""
