"""For requests that are about one board: the first argument of their path is its slug."""

from board.live_board import LiveBoard
from handlers.http.base import Base, allowed_methods


class OnBoard(Base):
    """Its right to read the board is judged with what the client is: before the handler runs, and again before anything
    is sent or parked, if the board's row or the account has changed since.
    """

    found: LiveBoard | None = None
    rights = 0

    @property
    def board(self) -> LiveBoard:
        assert self.found is not None
        return self.found

    async def prepare(self) -> None:
        await super().prepare()
        if not self._finished and self.request.method in allowed_methods(type(self)):  # any other is 405
            await self.find_board()

    async def find_board(self) -> None:
        """Raises DeniedError, UnavailableError."""
        self.found = await self.site.find_board(self.caller, self.path_args[0])
        self.rights = self.found.rights

    @property
    def is_as_judged(self) -> bool:
        return super().is_as_judged and (self.found is None or self.found.rights == self.rights)

    async def look_again(self) -> None:
        self.found = None  # so that a refusal is not judged by the board again
        await super().look_again()
        try:
            await self.find_board()
        except Exception:
            self.has_ended = True
            raise
