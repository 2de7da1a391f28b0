"""What the audit log says about messages and boards, the same in each engine. Never an address: those are kept for 30 days."""

import datetime
from typing import NamedTuple

from storage.records import Board


class AuditEntry(NamedTuple):
    """An entry of the audit log: what was done, and who did it. Of a board beside the first, also its name then."""

    id: int
    at: int
    actor_id: int | None
    actor_name: str
    action: str
    target: str
    board_id: int | None = None
    board_name: str | None = None


def of_message(id: int, author: str) -> str:
    return f"message {id} by {author}"


def of_board(id: int) -> str:
    """By its number: names and slugs change, and those of the invited are for nobody else."""
    return f"board {id}"


def of_rename(before: Board, name: str | None, slug: str | None) -> str:
    """With the name that the board had, if it has another now, and with its old address. Without both if it is for the
    invited: nodes of the last release show these words to all moderators.
    """
    if before.read_by == "invited":
        return of_board(before.id)
    was = f" {before.name}" if name not in (None, before.name) else ""
    if slug not in (None, before.slug):
        was += f" at /b/{before.slug}/"
    return of_board(before.id) + (f", which was{was}" if was else "")


def of_deletion(id: int, slug: str, read_by: str) -> str:
    """With the address that the board had, unless that was random: nothing else says afterwards which one it was."""
    return of_board(id) if read_by == "invited" else f"{of_board(id)} (/b/{slug}/)"


def of_invitation(board_id: int, username: str) -> str:
    return f"{of_board(board_id)}, {username}"


def of_hook(id: int, username: str, board: Board | None) -> str:
    """With the username of its account; without it on a board of the invited, as of_rename() does."""
    return (
        f"incoming webhook {id}"
        if board is not None and board.read_by == "invited"
        else f"incoming webhook {id}, {username}"
    )


def of_block(id: int, author: str, until: int) -> str:
    end = datetime.datetime.fromtimestamp(until / 1000, datetime.UTC)
    return f"the address of {of_message(id, author)} until {end:%Y-%m-%d %H:%M} UTC"


def of_removal(id: int, author: str) -> str:
    return f"all by the author of message {id}, {author}"
