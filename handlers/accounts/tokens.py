"""The token API: signing up, in and out for programs, and the named tokens of bots."""

import contextlib
from typing import Any

from board.wire import iso
from handlers.accounts.known_browser import read_browser
from handlers.accounts.sign_in import FORM_BYTES
from handlers.boards.rail import WithBoards
from handlers.http.authentication import ended
from handlers.http.base import Base
from handlers.http.errors import RefusedError
from handlers.messages.api import parse_id
from storage.errors import OutdatedError, StorageError
from storage.records import Account, Credential


def account_json(account: Account) -> dict[str, Any]:
    return {
        "id": account.id,
        "username": account.username,
        "name": account.name,
        "role": account.role,
        "created_at": iso(account.created_at),
    }


def token_json(handler: Base, token: Credential, slug: str | None) -> dict[str, Any]:
    """`slug` is that of the board for which it was made, if the client may read that."""
    last_used_at = iso(handler.site.credentials.last_used(token))
    described = {"id": token.id, "name": token.name, "created_at": iso(token.created_at), "last_used_at": last_used_at}
    return described | ({} if slug is None else {"board": slug})


class ApiSignUp(Base):
    for_whom = "anyone"
    identifies = False
    max_body = FORM_BYTES

    async def post(self) -> None:
        fields = self.fields()
        name, invite = self.optional_text(fields, "name"), self.optional_text(fields, "invite")
        username, password = self.text_field(fields, "username"), self.text_field(fields, "password")
        account, _ = await self.site.sign_up(self.caller, username, password, name, invite)
        self.set_status(201)
        self.write_json({"account": account_json(account)})


class ApiSignIn(Base):
    for_whom = "anyone"
    identifies = False
    max_body = FORM_BYTES

    async def post(self) -> None:
        fields = self.fields()
        username, password = self.text_field(fields, "username"), self.text_field(fields, "password")
        browser = read_browser(self, username)
        secret, account = await self.site.sign_in_program(self.caller, username, password, browser)
        expires_in = 3600 * self.config.token_hours
        self.write_json({"token": secret, "expires_in": expires_in, "account": account_json(account)})


class ApiSignOut(Base):
    for_whom = "members"

    async def post(self) -> None:
        credential = self.caller.member_credential
        await self.site.sign_out(self.caller)
        self.sign_off()
        if credential.kind == "session":
            self.clear_session_cookie()
        self.set_status(204)


class ApiMe(Base):
    for_whom = "members"

    async def get(self) -> None:
        self.write_json({"account": account_json(self.caller.member_credential.account)})


class TokenHandler(Base):
    for_whom = "members"

    def check_is_person(self) -> None:
        if self.caller.member_credential.kind == "bot":
            raise RefusedError(403, "bot_token", "A bot's token can't do this. Sign in with the password.")


class ApiTokens(WithBoards, TokenHandler):
    async def get(self) -> None:
        self.check_is_person()
        living = await self.site.living(self.caller.member_credential.account)
        bots = [token for token in living if token.kind == "bot"]
        self.judge(board.id for board in self.site.boards_by_id((token.board_id for token in bots), self.scope))
        slugs = [await self.site.slug_with(self.caller, token.board_id) for token in bots]
        self.write_json({"tokens": [token_json(self, *one) for one in zip(bots, slugs, strict=True)]})

    async def post(self) -> None:
        self.check_is_person()
        fields = self.fields()
        name, password = self.text_field(fields, "name"), self.optional_text(fields, "password")
        board = self.optional_text(fields, "board")
        try:
            secret, token = await self.site.make_token(self.caller, name, password, board)
        except OutdatedError:  # the request's credential, or the password, has just become invalid
            raise ended(self.caller.member_credential.kind) from None
        slug = None
        with contextlib.suppress(StorageError):  # the secret is never shown again
            slug = await self.site.slug_with(self.caller, token.board_id)
        self.set_status(201)
        self.write_json({"token": secret, **token_json(self, token, slug)})


class ApiToken(TokenHandler):
    async def delete(self, id: str) -> None:
        self.check_is_person()
        await self.site.revoke(self.caller, parse_id(id), "bot")
        self.set_status(204)
