"""The account page: everything that members may do with their own account, in plain forms."""

import asyncio

from board.account_names import clean_name
from board.credentials import hash_secret, new_session
from board.passwords import check_password
from board.recent import iso
from handlers.base import signed_in
from handlers.errors import RefusedError
from handlers.guessing import asker_of, forget_browser, remember_browser, write_log
from handlers.names import check_is_free
from handlers.sign_in import FormPage, check_own_password
from handlers.tokens import check_may_change, confirm_first, create_bot_token, is_confirmed
from storage.failed_tries import FailedTries
from storage.records import Credential, Identity, Password

SAME_MOMENT_MS = 1000
"""How far apart the times of an account and of the identity made with it may be: the clock is read twice."""


class AccountPage(FormPage):
    """Requires a browser's session: no token can change a password."""

    for_whom = "members"
    takes_tokens = True  # so that a token gets a clear refusal
    forgives_old_sessions = False
    template = "account.html"
    made: str | None = None
    """A new token, shown once."""
    known: list[Credential] | None = None
    """The account's sessions and tokens; None until they have been read."""
    identity: Identity | None = None
    failed = FailedTries(0, 0)
    password = Password(None)
    """The password in force. confirm() replaces it with the one that it verified."""

    @property
    def has_password(self) -> bool:
        return self.password.hash is not None

    def check_for_whom(self) -> None:
        super().check_for_whom()
        if signed_in(self).kind != "session":
            raise RefusedError(403, "session_needed", "This page is for browsers. Programs use the API.")

    async def prepare(self) -> None:
        await super().prepare()
        await self.look_up()

    async def look_up(self) -> None:
        """Reads what the page shows before the handler runs, so that a refusal can be shown on the page at once."""
        account, storage = signed_in(self).account, self.board.storage
        _, self.password = await storage.password(account.username)
        self.identity = next(iter(await storage.identities_of(account.id)), None)
        self.failed = await self.board.failures.of(account.id)
        self.known = await storage.credentials(account.id)

    async def get(self) -> None:
        self.show()

    def show(self, refused: RefusedError | None = None) -> "asyncio.Future[None]":
        living = [c for c in self.known or () if not self.board.credentials.is_over(c)]
        return self.render(
            self.template,
            refused=refused,
            typed=self.typed,
            made=self.made,
            failed=self.failed,
            identity=self.identity,
            has_password=self.has_password,
            is_confirmed=is_confirmed(self),
            unlinks=self.unlinks,
            mine=signed_in(self).id,
            sessions=[c for c in living if c.kind == "session"],
            tokens=[c for c in living if c.kind == "token"],
            bots=[c for c in living if c.kind == "bot"],
            last_used=lambda c: iso(self.board.credentials.last_used(c)),
            iso=iso,
            when=lambda ms: f"{iso(ms)[:10]} {iso(ms)[11:16]} UTC",
            last=self.board.credentials.last_used,
        )

    def again(self, done: str | None = None) -> None:
        """Redirects to the page, which then shows what was done. account_done.html has the words for it."""
        self.redirect(f"/account?done={done}" if done else "/account", status=303)

    def write_error_page(self, refused: RefusedError) -> None:
        if self.known is None:
            self.render("error.html", refused=refused, near=None)
        else:
            super().write_error_page(refused)

    @property
    def unlinks(self) -> bool:
        """Whether the form for a new password ticks “Unlink Facebook”: it was linked after the current one was set."""
        if self.identity is None:
            return False
        known_since = self.password.set_at or self.identity.account.created_at
        return self.identity.created_at > known_since + SAME_MOMENT_MS

    async def confirm(self) -> Credential:
        """Checks that the member knows the password, or has just come from Facebook. Raises RefusedError."""
        credential = signed_in(self)
        if not self.has_password:
            if not is_confirmed(self):
                raise confirm_first()
            return credential
        self.password = await check_own_password(self, credential.account, self.needed("password"))
        return credential


class AccountName(AccountPage):
    async def post(self) -> None:
        name = clean_name(self.needed("name"))
        check_may_change(self)
        await check_is_free(self, name)
        credential = signed_in(self)
        await self.board.storage.set_name(credential.account.id, name, credential.id)
        self.again("name")


class AccountPassword(AccountPage):
    async def post(self) -> None:
        """Signs out everything else. This session gets a new secret, in case somebody has the old one."""
        credential = await self.confirm()
        new = self.needed("new")
        check_password(new, credential.account.username, credential.account.name, self.config.title)
        hashed = await self.board.passwords.hash(new, asker_of(self))
        secret = new_session(self.board.secret)
        self.board.credentials.replace(self.session_secret or "")
        await self.board.storage.set_password(
            credential.account.id,
            hashed,
            old=self.password,
            keep=credential.id,
            hash=hash_secret(secret),
            unlink=self.form("unlink") == "yes",
        )
        self.set_session_cookie(secret)
        write_log(self, "password_changed", credential.account.id, "password")
        await remember_browser(self, credential.account, hashed)
        self.again("password")


class AccountTokens(AccountPage):
    async def post(self) -> None:
        name = clean_name(self.needed("name"))
        check_may_change(self)
        await self.confirm()
        self.made, _ = await create_bot_token(self, name, self.password)
        await self.look_up()
        self.show()


class AccountRevoke(AccountPage):
    async def get(self, id: str) -> None:  # type: ignore[override]
        self.redirect("/account")

    async def post(self, id: str) -> None:
        credential = signed_in(self)
        await self.board.storage.revoke_credential(credential.account.id, int(id))
        write_log(self, "revoked", credential.account.id, "session or token")
        if int(id) == credential.id:
            self.sign_off()
        self.again("revoke")


class AccountEverywhere(AccountPage):
    async def post(self) -> None:
        """Signs out everywhere else, bots as well."""
        credential = signed_in(self)
        await self.board.storage.revoke_all(credential.account.id, keep=credential.id)
        write_log(self, "revoked_all", credential.account.id, "sessions and tokens")
        self.again("everywhere")


class AccountDelete(AccountPage):
    async def post(self) -> None:
        credential = await self.confirm()
        keep = self.form("messages") != "delete"
        await self.board.storage.delete_account(
            credential.account.id, keep_messages=keep, password=self.password, credential=credential.id
        )
        write_log(self, "deleted", credential.account.id, "password" if self.has_password else "facebook")
        forget_browser(self, credential.account.username)
        self.sign_off()
        self.clear_session_cookie()
        self.redirect(f"/signout?deleted={'account' if keep else 'all'}", status=303)
