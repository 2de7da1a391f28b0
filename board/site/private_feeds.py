"""Feeds of boards that guests may not read, by addresses with a secret: for programs that can't sign in."""

from board.caller import Caller
from board.credentials import hash_secret, new_secret
from board.errors import DeniedError
from board.said import msgid
from board.site.accounts import Accounts
from board.site.boards import finding_board
from storage.records import FIRST_BOARD, Board, Credential

MARK = "feed "
"""Stands before the secret in what is hashed. No token or session begins so: an address lets nobody in elsewhere."""
IS_OPEN = msgid("Everyone may read this board: its feed needs no secret address.")


class PrivateFeeds(Accounts):
    def is_closed(self, board: Board) -> bool:
        """Whether guests may not read it."""
        return self.rules.reading == "members" or board.read_by != "everyone"

    async def make_feed(self, caller: Caller, slug: str, password: str | None) -> tuple[str, Credential]:
        """Returns the secret, which is never shown again, and the credential, which reads the feed of this board only.

        Raises DeniedError, BadTextError, BusyError, OutdatedError, TooManyTokensError.
        """
        account = caller.member_credential.account
        self.limits.changing.check(caller.key)
        board = await self.board(caller, slug)
        if not self.is_closed(board):
            raise DeniedError("feed_is_open", IS_OPEN)
        verified, secret = await self.confirm(caller, password), new_secret()
        with finding_board():
            made = await self.storage.create_credential(
                account.id, "feed", hash_secret(MARK + secret), board.name, password=verified,
                by=caller.member_credential.id, board_id=None if board.id == FIRST_BOARD else board.id,
            )  # fmt: skip
        self.account_log.write("feed_made", account.id, caller.address, "feed")
        return secret, made

    async def feed_by(self, secret: str, *, use: bool) -> Credential | None:
        """Returns the credential with this secret, if it is one of a feed. Raises UnavailableError."""
        found = await self.credentials.find(MARK + secret, use=use)
        return found if found is not None and found.kind == "feed" else None
