"""Slugs of boards: every one that a board has or had. None is ever given to another board."""

import contextlib
import re
import secrets
from collections.abc import Sequence

from storage.errors import SlugTakenError, TooManySlugsError
from storage.records import MOST_SLUGS
from storage.tx import Tx

RANDOM_BYTES = 10
"""Of a slug that nobody can guess."""
RANDOM = re.compile(r"[0-9a-f]{20}")
"""The form of such slugs. No other slug has it, so those that have ended need not be kept."""


async def take_slug(tx: Tx, slug: str, board_id: int) -> None:
    """Makes the slug lead to the board. Raises SlugTakenError, also if another board had it once; TooManySlugsError."""
    row = await tx.one("SELECT board_id FROM slugs WHERE slug = $1", slug)
    if RANDOM.fullmatch(slug) or (row is not None and row[0] != board_id):
        raise SlugTakenError(slug)
    if row is not None:
        await tx.run("UPDATE slugs SET ended = false WHERE slug = $1", slug)
        return
    those = await tx.all("SELECT slug FROM slugs WHERE board_id = $1", board_id)
    if sum(not RANDOM.fullmatch(one) for (one,) in those) >= MOST_SLUGS:
        raise TooManySlugsError(f"board {board_id} has had {MOST_SLUGS} slugs")
    await add_slug(tx, slug, board_id)


async def take_free_slug(tx: Tx, slugs: Sequence[str], board_id: int) -> str:
    """Makes the first of these slugs lead to the board that no other has or had. Raises SlugTakenError, TooManyBoardsError."""
    for slug in slugs:
        with contextlib.suppress(SlugTakenError):
            await take_slug(tx, slug, board_id)
            return slug
    raise SlugTakenError(slugs[0])


async def take_random_slug(tx: Tx, board_id: int) -> str:
    """Ends all slugs of the board, and gives it one that nobody can guess, however many it has had."""
    those = await tx.all("SELECT slug FROM slugs WHERE board_id = $1", board_id)
    await tx.run_many("DELETE FROM slugs WHERE slug = $1", [(one,) for (one,) in those if RANDOM.fullmatch(one)])
    await tx.run("UPDATE slugs SET ended = true WHERE board_id = $1", board_id)
    slug = secrets.token_hex(RANDOM_BYTES)
    await add_slug(tx, slug, board_id)
    return slug


async def add_slug(tx: Tx, slug: str, board_id: int) -> None:
    await tx.run("INSERT INTO slugs (slug, board_id, ended) VALUES ($1, $2, false)", slug, board_id)
