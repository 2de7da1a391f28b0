"""Signing up, in and out: how somebody gets into an account."""

import contextlib
import secrets
from typing import NamedTuple

from board.account_names import USERNAME, fold_username
from board.caller import Caller
from board.credentials import TOKEN_PREFIX, hash_secret, new_secret, new_session
from board.errors import DeniedError
from board.limits import TOO_MANY_TRIES
from board.passwords import check_is_text
from board.said import msgid
from board.site.sign_up import SigningUp
from board.turns import Asker
from storage.errors import OutdatedError, UnavailableError
from storage.people import Identity
from storage.records import Account, Credential, Password

WRONG_PASSWORD = msgid("Wrong username or password.")


class KnownBrowser(NamedTuple):
    """What the cookie of a known browser says. docs/decisions/0013-security.md says why there is one."""

    account_id: str
    password_set_at: str
    number: str
    """Random, so that tries by this browser can be counted."""


class Session(NamedTuple):
    """A browser's session that has just begun, or been given a new secret."""

    secret: str
    credential: Credential
    judged_at: int
    """The value of Credentials.changes from before."""
    browser: KnownBrowser | None
    """What makes the browser known, after a sign-in by password."""


class SigningIn(SigningUp):
    async def sign_in(
        self,
        caller: Caller,
        username: str,
        password: str,
        *,
        name: str,
        replaces: str | None = None,
        browser: KnownBrowser | None = None,
    ) -> Session:
        """Makes a session. An unknown username, a wrong password and an account without one get the same reply.

        `name` is that of the session, `replaces` the secret of one that it replaces. Raises DeniedError, BadTextError,
        BusyError.
        """
        self.check_passwords()
        account, verified = await self._verify(caller, username, password, WRONG_PASSWORD, browser)
        try:
            return await self.start_session(caller, account, verified, name=name, replaces=replaces)
        except OutdatedError:  # the password was changed at that moment
            raise DeniedError("wrong_password", WRONG_PASSWORD) from None

    async def sign_in_program(
        self, caller: Caller, username: str, password: str, browser: KnownBrowser | None = None
    ) -> tuple[str, Account]:
        """Returns the secret of a new token, and its owner. Raises DeniedError, BadTextError, BusyError."""
        self.check_passwords()
        account, verified = await self._verify(caller, username, password, WRONG_PASSWORD, browser)
        secret = new_secret(TOKEN_PREFIX)
        try:
            await self.storage.create_credential(
                account.id, "token", hash_secret(secret), msgid("Signed in"), password=verified
            )
        except OutdatedError:
            raise DeniedError("wrong_password", WRONG_PASSWORD) from None
        self.account_log.write("signed_in", account.id, caller.address, "password, for a token")
        return secret, account

    async def start_session(
        self,
        caller: Caller,
        account: Account,
        verified: Password | None = None,
        *,
        name: str,
        replaces: str | None = None,
        identity: Identity | None = None,
    ) -> Session:
        """Makes a session for who has proved to own the account, by its password or by an identity.

        Raises OutdatedError, NotAllowedError.
        """
        secret, judged_at = new_session(self.secret), self.credentials.changes
        credential = await self.storage.create_credential(
            account.id,
            "session",
            hash_secret(secret),
            name,
            hash_secret(replaces) if replaces else None,
            identity_id=identity.id if identity else None,
            password=verified,
        )
        self.account_log.write("signed_in", account.id, caller.address, identity.provider if identity else "password")
        with contextlib.suppress(UnavailableError):  # the session is saved; the counts remain in memory
            await self.failures.note_sign_in(account.id)
        browser = await self._known_browser(account, verified) if verified is not None else None
        return Session(secret, credential, judged_at, browser)

    async def sign_out(self, caller: Caller) -> None:
        credential = caller.member_credential
        await self.storage.revoke_credential(credential.account.id, credential.id)
        self.account_log.write("signed_out", credential.account.id, caller.address, credential.kind)

    # --- passwords

    async def _verify(
        self, caller: Caller, username: str, password: str, if_wrong: str, browser: KnownBrowser | None = None
    ) -> tuple[Account, Password]:
        folded = fold_username(username)
        folded = folded if USERNAME.fullmatch(folded) else ""  # no account can have it
        asker = await self._admit(caller, folded, browser)
        check_is_text(password)
        for _ in range(2):
            account, known = await self.storage.password(folded)
            form = await self.passwords.verify(known, password, asker)
            if form is None or account is None:
                self._note_wrong(caller, account)
                break
            if account.suspended_at is not None:
                self.account_log.write_failure(account.id, caller.address, "suspended")
                raise suspended()
            self.limits.guessing.note_right(folded, caller.address)
            if not self.passwords.is_outdated(known, form):
                return account, known
            new = await self.passwords.hash(password, asker._replace(known=f"account {account.id}"))
            if await self.storage.upgrade_password(account.id, known, new):
                return account, new
            # The password has changed, or another sign-in has only hashed it again: try once more.
        raise DeniedError("wrong_password", if_wrong)

    async def _admit(self, caller: Caller, username: str, browser: KnownBrowser | None) -> Asker:
        """Counts a try at a password and returns the asker. Known browsers are counted separately and hashed first.

        Raises DeniedError.
        """
        is_own = caller.account is not None and caller.account.username == username
        known = (
            f"credential {caller.member_credential.id}" if is_own else f"browser {browser.number}" if browser else None
        )
        if known and not self.limits.guessing.take_known(known):
            account, password = await self.storage.password(username)
            if account is not None and is_known(account, password, caller, browser):
                return self.limits.asker(caller.address, f"account {account.id}")
        if seconds := self.limits.guessing.take(username, caller.address):
            self.account_log.write_failure(None, caller.address, "too_many_tries")
            raise DeniedError("too_many_tries", TOO_MANY_TRIES, seconds)
        return self.limits.asker(caller.address)

    def _note_wrong(self, caller: Caller, account: Account | None) -> None:
        """Counts and logs a wrong password."""
        if account is not None:
            self.failures.note(account.id)
        reason = "wrong_password" if account is not None else "no_such_account"
        self.account_log.write_failure(account.id if account else None, caller.address, reason)

    async def _known_browser(self, account: Account, verified: Password) -> KnownBrowser | None:
        """Makes a browser known, if the password that was just verified or set is still the account's.

        The session is saved by now, and its browser must have it: None if storage can't be read.
        """
        with contextlib.suppress(UnavailableError):
            _, password = await self.storage.password(account.username)
            if password.hash == verified.hash:
                return KnownBrowser(str(account.id), str(password.set_at), secrets.token_hex(8))
        return None


def is_known(account: Account, password: Password, caller: Caller, browser: KnownBrowser | None) -> bool:
    if caller.account is not None and caller.account.id == account.id:
        return True
    return browser is not None and browser[:2] == (str(account.id), str(password.set_at))


def suspended() -> DeniedError:
    return DeniedError("suspended", "This account has been suspended by a moderator.")
