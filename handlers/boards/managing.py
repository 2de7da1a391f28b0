"""What the pages share on which those who look after a board change something by forms."""

import contextlib

from board.errors import DeniedError
from handlers.boards.listing import BoardForm
from handlers.boards.on_board import OnBoard
from handlers.http.errors import RefusedError
from storage.errors import StorageError

ENDS = ("no_such_board", "owner_only")
"""Refusals after which the page has nothing to show."""


class Managing(OnBoard, BoardForm):
    """Each form leads on when it has done something. The page is read only to be shown, or to show a refusal on it."""

    is_read = False

    async def read(self, slug: str) -> None:
        """Reads what the page shows, and sets `is_read`. Raises DeniedError, UnavailableError."""
        raise NotImplementedError

    async def obey(self, slug: str, *id: str) -> None:
        """Does what the form says."""
        raise NotImplementedError

    async def post(self, slug: str, *id: str) -> None:
        try:
            await self.obey(slug, *id)
        except Exception:
            if not self.is_read and not self.is_done:
                with contextlib.suppress(DeniedError, RefusedError, StorageError):  # it is shown without the page, then
                    await self.read(slug)
            raise

    def write_error_page(self, refused: RefusedError) -> None:
        if refused.code in ENDS or not self.is_read:
            self.finish(self.error_page(refused))
        else:
            super().write_error_page(refused)

    def lead(self, path: str) -> None:
        """Leads on after what was asked for is done. By that, the board may have another address, or be gone."""
        self.is_done = True
        self.redirect(path, status=303)
