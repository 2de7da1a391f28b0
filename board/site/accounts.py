"""What members do with their own accounts."""

from collections.abc import AsyncIterator, Collection
from typing import NamedTuple

from board.account_names import clean_label, clean_name
from board.caller import Caller
from board.credentials import TOKEN_PREFIX, hash_secret, new_secret, new_session
from board.errors import DeniedError
from board.passwords import check_password
from board.said import either, msgid, said
from board.site.boards import Boards, finding_board
from board.site.sign_in import Session, SigningIn
from storage.about import Notes, Posted
from storage.audit import AuditEntry
from storage.errors import LastWayInError, NotFoundError
from storage.failed_tries import FailedTries
from storage.owners import Fate
from storage.people import Identity, Picture
from storage.reactions import Reaction
from storage.records import FIRST_BOARD, Account, Credential, Password
from storage.webhooks import Webhook

CONFIRMED_SECONDS = 600
"""How long after a sign-in by a provider it replaces a missing password."""
FATES_AT_ONCE = 20
"""Boards of an account that its page names."""
ROWS_AT_ONCE = 100
"""Rows that are read at once for a download."""

TYPE_IT = msgid("Type your password, too.")
NOT_YOURS = msgid("This is not your password.")


class Overview(NamedTuple):
    """What its owner sees of an account."""

    password: Password
    identities: list[Identity]
    failed: FailedTries
    credentials: list[Credential]
    """The sessions and tokens that have not expired."""
    fates: list[Fate]
    """What becomes of its boards if it is deleted: of the first FATES_AT_ONCE."""
    owns: int
    """How many boards it owns."""
    webhooks_off: list[Webhook]
    """Those of its webhooks that were switched off, but not by people."""


class Accounts(SigningIn, Boards):
    async def overview(self, caller: Caller) -> Overview:
        account = caller.member_credential.account
        _, password = await self.storage.password(account.username)
        identities = await self.storage.identities_of(account.id)
        failed = await self.failures.of(account.id)
        has_others = self.waiters.directory.changed  # or had
        fates, owns = await self.storage.fates(account.id, FATES_AT_ONCE) if has_others else ([], 0)
        off = await self.storage.webhooks_off(account.id)
        return Overview(password, identities, failed, await self.living(account), fates, owns, off)

    async def living(self, account: Account) -> list[Credential]:
        """Returns the sessions and tokens that have not expired, the last used first."""
        return [one for one in await self.storage.credentials(account.id) if not self.credentials.is_over(one)]

    async def rename(self, caller: Caller, name: str) -> None:
        """Raises DeniedError, BadTextError, NameReservedError, OutdatedError."""
        credential = caller.member_credential
        name = clean_name(name, credential.account.name)
        self.limits.changing.check(caller.key)
        await self.storage.set_name(credential.account.id, name, credential.id)

    async def change_password(self, caller: Caller, old: str | None, new: str, secret: str, *, unlink: bool) -> Session:
        """Ends everything else. The session with this secret gets a new one, in case somebody has the old one.

        With `unlink`, a linked identity ends, too. Raises DeniedError, BadTextError, BusyError, OutdatedError.
        """
        self.check_passwords()
        verified, credential = await self.confirm(caller, old), caller.member_credential
        account = credential.account
        check_password(new, account.username, account.name, self.rules.title)
        hashed = await self.passwords.hash(new, self._asker(caller))
        session = Session(new_session(self.secret), credential, self.credentials.changes, None)
        self.credentials.replace(secret)
        await self.storage.set_password(
            account.id,
            hashed,
            old=verified,
            keep=credential.id,
            hash=hash_secret(session.secret),
            unlink=unlink,
        )
        self.account_log.write("password_changed", account.id, caller.address, "password")
        return session._replace(browser=await self._known_browser(account, hashed))

    async def make_token(
        self, caller: Caller, name: str, password: str | None, slug: str | None = None
    ) -> tuple[str, Credential]:
        """Makes a bot's token. Returns its secret, which is never shown again, and the token. It reaches the board with
        this slug, also if that is for the invited only.

        Raises DeniedError, BadTextError, BusyError, OutdatedError, TooManyTokensError.
        """
        name, credential = clean_label(name), caller.member_credential
        self.limits.changing.check(caller.key)
        board = None if slug is None else await self.board(caller, slug)
        words = msgid("Send your “password”, too: a bot's token stays valid when you are signed out.")
        verified, secret = await self.confirm(caller, password, words), new_secret(TOKEN_PREFIX)
        reaches = None if board is None or board.id == FIRST_BOARD else board.id
        with finding_board():
            made = await self.storage.create_credential(
                credential.account.id, "bot", hash_secret(secret), name, password=verified, by=credential.id,
                board_id=reaches,
            )  # fmt: skip
        self.account_log.write("token_made", credential.account.id, caller.address, "bot")
        return secret, made

    async def revoke(self, caller: Caller, id: int, kind: str | None = None) -> None:
        """Ends one session or token, if it is of this kind. Raises NotFoundError."""
        account_id = caller.member_credential.account.id
        await self.storage.revoke_credential(account_id, id, kind)
        self.account_log.write("revoked", account_id, caller.address, kind or "session or token")

    async def revoke_others(self, caller: Caller) -> None:
        """Ends all sessions and tokens except the caller's."""
        credential = caller.member_credential
        await self.storage.revoke_all(credential.account.id, keep=credential.id)
        self.account_log.write("revoked_all", credential.account.id, caller.address, "sessions and tokens")

    async def delete_account(self, caller: Caller, password: str | None, *, keep_messages: bool) -> None:
        """Raises DeniedError, BadTextError, BusyError, OutdatedError."""
        verified, credential = await self.confirm(caller, password), caller.member_credential
        await self.storage.delete_account(
            credential.account.id, keep_messages=keep_messages, password=verified, credential=credential.id
        )
        kind = "password" if password is not None else str(credential.provider)
        self.account_log.write("deleted", credential.account.id, caller.address, kind)

    # --- who it is

    async def confirm(
        self,
        caller: Caller,
        password: str | None,
        if_missing: str = TYPE_IT,
        *,
        unlinks: str | None = None,
    ) -> Password:
        """Verifies that the caller owns the account: by its password or, without one, by a recent sign-in by a provider,
        but not by the one that is to be unlinked.

        Returns the password that storage checks again on use. Raises DeniedError, BadTextError, BusyError, and
        LastWayInError if there is nothing but what is to be unlinked.
        """
        account = caller.member_credential.account
        _, known = await self.storage.password(account.username)
        if known.hash is None or not self.rules.passwords:
            identities = await self.storage.identities_of(account.id)
            self._check_confirmed(caller, [one for one in identities if one.provider != unlinks], unlinks)
            return known
        if password is None:
            raise DeniedError("password_needed", if_missing)
        return (await self._verify(caller, account.username, password, NOT_YOURS))[1]

    def _check_confirmed(self, caller: Caller, identities: list[Identity], unlinks: str | None) -> None:
        """Raises DeniedError, LastWayInError."""
        if self.is_confirmed(caller, identities):
            return
        if by := [self.rules.label_of(one.provider) for one in identities if self.lets_in(one)]:
            words = said("To be sure that it is you: confirm with %(these)s, then try again.", these=either(by))
            raise DeniedError("confirm_first", words)
        if unlinks:
            raise LastWayInError(unlinks)
        raise DeniedError(
            "confirm_first",
            "Sign in by a site that is linked to your account first. This board no longer offers any of them.",
        )

    def is_confirmed(self, caller: Caller, identities: list[Identity]) -> bool:
        """Whether the member has recently signed in by one of these identities."""
        credential = caller.member_credential
        age = self.credentials.clock() - credential.created_at / 1000
        is_by_one = any(one.provider == credential.provider and self.lets_in(one) for one in identities)
        return credential.kind == "session" and is_by_one and age < CONFIRMED_SECONDS

    def lets_in(self, identity: Identity) -> bool:
        """Whether its provider is still set up, as it was when this was linked."""
        return self.rules.app_ids.get(identity.provider) == identity.app_id

    # --- one-time links for a new password

    async def password_link(self, link: str) -> Account | None:
        """Returns whose password it sets. Raises DeniedError, LinkGoneError."""
        self.check_passwords()
        return await self.storage.link("password", hash_secret(link))

    async def use_password_link(
        self, caller: Caller, link: str, password: str, *, spare: Collection[str]
    ) -> tuple[Account, Password]:
        """Sets the password. All ways in end, because somebody else may have taken over the account.

        Identities of the providers in `spare` stay. Raises DeniedError, BadTextError, LinkGoneError, BusyError.
        """
        account = await self.password_link(link)
        names = (account.username, account.name) if account else ()
        check_password(password, *names, self.rules.title)
        hashed = await self.passwords.hash(password, self._asker(caller))
        account = await self.storage.use_password_link(hash_secret(link), hashed, spare=spare)
        self.account_log.write("password_link_used", account.id, caller.address, "link")
        return account, hashed

    # --- what is kept

    async def picture(self, caller: Caller, account_id: int) -> Picture | Account:
        """Returns the account if it has no picture.

        Only for its owner and for moderators, so that nobody can look through all pictures. Raises NotFoundError.
        """
        if account_id != caller.member_credential.account.id and not caller.may_moderate:
            raise NotFoundError(f"picture {account_id}")
        try:
            return await self.storage.picture(account_id)
        except NotFoundError:
            return await self.storage.account_of(account_id)

    async def kept_about(self, account: Account) -> tuple[Notes, list[Credential]]:
        """Returns what the overview lacks, except for pictures, rows in the audit log and messages."""
        return await self.storage.notes_about(account.id), await self.storage.credentials(account.id)

    async def picture_of(self, identity: Identity) -> Picture | None:
        try:
            return await self.storage.picture(identity.account.id, identity.provider)
        except NotFoundError:
            return None

    async def audit_about(self, account: Account) -> AsyncIterator[list[AuditEntry]]:
        """Yields what the account did, and what was done to it or to one of its messages, the oldest first."""
        rows = await self.storage.audit_about(account, 0, ROWS_AT_ONCE)
        while rows:
            yield rows
            rows = await self.storage.audit_about(account, rows[-1].id, ROWS_AT_ONCE)

    async def posted_by(self, account: Account) -> AsyncIterator[list[Posted]]:
        """Yields what the account has posted, also what was deleted since, the oldest first."""
        rows = await self.storage.posted_by(account.id, 0, ROWS_AT_ONCE)
        while rows:
            yield rows
            rows = await self.storage.posted_by(account.id, rows[-1].message.id, ROWS_AT_ONCE)

    async def reacted_by(self, account: Account) -> AsyncIterator[list[Reaction]]:
        """Yields the account's reactions, the oldest first."""
        rows = await self.storage.reacted_by(account.id, 0, ROWS_AT_ONCE)
        while rows:
            yield rows
            rows = await self.storage.reacted_by(account.id, rows[-1].id, ROWS_AT_ONCE)
