"""Limits how often a client may read, and caches the pages of refusals."""

from typing import TYPE_CHECKING

from handlers.errors import RefusedError

if TYPE_CHECKING:
    from handlers.base import Base

MOST_ERRORS = 100
"""Error pages that are cached."""


def check_may_read(handler: "Base") -> None:
    """Counts a read. Raises RefusedError."""
    limits, account = handler.board.limits, handler.account
    if limits and (seconds := limits.reading.take(f"account {account.id}" if account else handler.client_address)):
        raise RefusedError(
            429, "too_many_requests", "That was a lot at once. Please wait a moment, then try again.", seconds
        )


def error_page(handler: "Base", refused: RefusedError, near: int | None = None) -> bytes:
    """Renders a refusal's page. It is cached for guests, so that a refusal costs no more than an ordinary reply."""
    if handler.account is not None or refused.status_code == 401:  # the page contains a name, or what the client sent
        return handler.render_string("error.html", refused=refused, near=near)
    kept, key = handler.application.making.errors, (refused.status_code, refused.words, near)
    page = kept.get(key)
    if page is None:
        page = kept[key] = handler.render_string("error.html", refused=refused, near=near)
        if len(kept) > MOST_ERRORS:
            del kept[next(iter(kept))]
    return page
