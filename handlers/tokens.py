"""The token API: signing up, in and out for programs, and the named tokens of bots."""

from typing import Any

from board.account_names import clean_name
from board.credentials import TOKEN_PREFIX, hash_secret, new_secret
from board.recent import iso
from handlers.authentication import ended
from handlers.base import Base, signed_in
from handlers.errors import RefusedError
from handlers.guessing import write_log
from handlers.messages import parse_id
from handlers.sign_in import FORM_BYTES, check_own_password, check_sign_in, sign_up, still_right
from storage.errors import OutdatedError
from storage.records import Account, Credential, Password

CONFIRMED_SECONDS = 600


def account_json(account: Account) -> dict[str, Any]:
    return {
        "id": account.id,
        "username": account.username,
        "name": account.name,
        "role": account.role,
        "created_at": iso(account.created_at),
    }


def token_json(handler: Base, token: Credential) -> dict[str, Any]:
    last_used_at = iso(handler.board.credentials.last_used(token))
    return {"id": token.id, "name": token.name, "created_at": iso(token.created_at), "last_used_at": last_used_at}


class ApiSignUp(Base):
    for_whom = "anyone"
    identifies = False
    max_body = FORM_BYTES

    async def post(self) -> None:
        fields = self.fields()
        name, invite = self.optional_text(fields, "name"), self.optional_text(fields, "invite")
        account, _ = await sign_up(
            self, self.text_field(fields, "username"), self.text_field(fields, "password"), name, invite
        )
        self.set_status(201)
        self.write_json({"account": account_json(account)})


class ApiSignIn(Base):
    for_whom = "anyone"
    identifies = False
    max_body = FORM_BYTES

    async def post(self) -> None:
        fields = self.fields()
        username, password = self.text_field(fields, "username"), self.text_field(fields, "password")
        account, verified = await check_sign_in(self, username, password)
        secret = new_secret(TOKEN_PREFIX)
        with still_right():
            await self.board.storage.create_credential(
                account.id, "token", hash_secret(secret), "Signed in", password=verified
            )
        write_log(self, "signed_in", account.id, "password, for a token")
        expires_in = 3600 * self.config.token_hours
        self.write_json({"token": secret, "expires_in": expires_in, "account": account_json(account)})


class ApiSignOut(Base):
    for_whom = "members"

    async def post(self) -> None:
        credential = signed_in(self)
        await self.board.storage.revoke_credential(credential.account.id, credential.id)
        write_log(self, "signed_out", credential.account.id, credential.kind)
        self.sign_off()
        if credential.kind == "session":
            self.clear_session_cookie()
        self.set_status(204)


class ApiMe(Base):
    for_whom = "members"

    async def get(self) -> None:
        self.write_json({"account": account_json(signed_in(self).account)})


class ApiTokens(Base):
    for_whom = "members"

    async def get(self) -> None:
        account = by_a_person(self).account
        tokens = await self.board.storage.credentials(account.id)
        living = [token for token in tokens if token.kind == "bot" and not self.board.credentials.is_over(token)]
        self.write_json({"tokens": [token_json(self, token) for token in living]})

    async def post(self) -> None:
        account, fields = by_a_person(self).account, self.fields()
        name, password = clean_name(self.text_field(fields, "name")), self.optional_text(fields, "password")
        check_may_change(self)
        verified = await check_is_owner(self, account, password)
        secret, token = await create_bot_token(self, name, verified)
        self.set_status(201)
        self.write_json({"token": secret, **token_json(self, token)})


class ApiToken(Base):
    for_whom = "members"

    async def delete(self, id: str) -> None:
        account_id = by_a_person(self).account.id
        await self.board.storage.revoke_credential(account_id, parse_id(id), "bot")
        write_log(self, "revoked", account_id, "bot")
        self.set_status(204)


async def check_is_owner(handler: Base, account: Account, password: str | None) -> Password:
    """Verifies the password, because a bot's token outlives what makes it. Raises RefusedError, BusyError."""
    _, known = await handler.board.storage.password(account.username)
    if known.hash is None:
        if not is_confirmed(handler):
            raise confirm_first()
        return known
    if password is None:
        raise RefusedError(
            403, "password_needed", "Send your “password”, too: a bot's token stays valid when you are signed out."
        )
    return await check_own_password(handler, account, password)


def is_confirmed(handler: Base) -> bool:
    """Whether the member has recently signed in by Facebook, which replaces a missing password."""
    credential = signed_in(handler)
    age = handler.board.credentials.clock() - credential.created_at / 1000
    return credential.kind == "session" and credential.provider is not None and age < CONFIRMED_SECONDS


def confirm_first() -> RefusedError:
    return RefusedError(403, "confirm_first", "To be sure that it is you: confirm with Facebook, then try again.")


async def create_bot_token(handler: Base, name: str, verified: Password) -> tuple[str, Credential]:
    """Returns the secret, which is shown only once, and the token. Raises RefusedError, TooManyTokensError."""
    credential = signed_in(handler)
    secret = new_secret(TOKEN_PREFIX)
    try:
        made = await handler.board.storage.create_credential(
            credential.account.id, "bot", hash_secret(secret), name, password=verified, by=credential.id
        )
    except OutdatedError:  # the request's credential, or the password, has just become invalid
        raise ended(credential.kind) from None
    write_log(handler, "token_made", credential.account.id, "bot")
    return secret, made


def check_may_change(handler: Base) -> None:
    """Counts a change of name, or a new token. Raises RefusedError."""
    limits, account = handler.board.limits, signed_in(handler).account
    if limits and (seconds := limits.changing.take(f"account {account.id}")):
        raise RefusedError(
            429, "too_many_tries", "That was a lot at once. Please wait a moment, then try again.", seconds
        )


def by_a_person(handler: Base) -> Credential:
    """A bot's token can read and write messages, but not make or end other tokens. Raises RefusedError."""
    credential = signed_in(handler)
    if credential.kind == "bot":
        raise RefusedError(403, "bot_token", "A bot's token can't do this. Sign in with the password.")
    return credential
