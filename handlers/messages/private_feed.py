"""/feed?key=…: the feed of a board that guests may not read, for programs that can't sign in.

The secret is in the query, as no log has queries: neither ours nor those of the proxies in deploy/.
"""

import re

from board.said import msgid
from handlers.boards.on_board import Judged
from handlers.http.errors import RefusedError
from handlers.messages.feed import Feed
from storage.errors import NotFoundError
from storage.records import Credential

SECRET = re.compile(r"[A-Za-z0-9_-]{43}")


class PrivateFeed(Judged, Feed):
    """Acts for the account that made the address, as far as it may read the one board. The right is judged at each read."""

    for_whom = "anyone"  # who has the address acts for a member
    allows_cors = False
    kept_by = "private, no-store"

    board = Judged.board  # and not that of Feed, which is the first

    async def find_credential(self, use: bool) -> tuple[Credential | None, str | None]:
        """Nothing else that is sent counts. Guesses are counted by address."""
        if self.request.method not in ("GET", "HEAD"):  # which is 405
            return None, None
        secret = self.query("key") or ""
        found = await self.site.feed_by(secret, use=use) if SECRET.fullmatch(secret) else None
        if found is None:
            self.credential = None
            self.site.limits.reading.check(self.caller.key)
            raise nothing()
        return found, None

    async def prepare(self) -> None:
        await super().prepare()
        if self.credential is not None:
            await self.find_board()

    async def find_board(self) -> None:
        assert self.credential is not None
        board_id = self.credential.board_id
        if board_id is None:
            self.judge_by(self.site.waiters.first)
        else:
            try:
                self.judge_by(await self.site.board_with(self.caller, board_id))
            except NotFoundError:
                raise nothing() from None

    def set_default_headers(self) -> None:
        super().set_default_headers()
        self.set_header("Referrer-Policy", "no-referrer")


def nothing() -> RefusedError:
    """Returns the refusal of an address without a feed: also of one whose owner may not read the board any more."""
    return RefusedError(404, "not_found", msgid("There is nothing here."))
