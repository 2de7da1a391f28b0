"""Signing up: who may, by what names, and the owner's link of a new site."""

from board.account_names import clean_name, clean_username
from board.caller import Caller
from board.credentials import hash_secret, new_secret
from board.errors import DeniedError
from board.passwords import check_password
from board.said import msgid
from board.site.parts import Parts
from board.turns import Asker
from storage.errors import LinkGoneError, UsernameTakenError
from storage.records import Account, Password

OWNER_LINK_MS = 3_600_000
"""How long the link works with which a new site's owner makes the account of its first moderator."""


class SigningUp(Parts):
    async def sign_up(
        self, caller: Caller, username: str, password: str, name: str | None, invite: str | None
    ) -> tuple[Account, Password]:
        """Makes an account.

        Raises DeniedError, BadTextError, UsernameTakenError, NameReservedError, LinkGoneError, BusyError.
        """
        self.check_passwords()
        self.limits.sign_up_from.check(caller.address)
        await self.check_may_sign_up(invite)
        folded = clean_username(username)
        name = clean_name(name or username)
        await self.storage.check_names(None, username=folded, name=name)
        check_password(password, folded, name, self.rules.title)
        _, known = await self.storage.password(folded)
        if known.hash is not None:  # most taken names are found here, before the work of hashing
            raise UsernameTakenError(folded)
        hashed = await self.passwords.hash(password, self._asker(caller))
        used = hash_secret(invite) if invite else None
        account = await self.storage.create_account(folded, name, hashed, used)
        self.account_log.write("signed_up", account.id, caller.address, "password")
        self.note_moderator(caller, account)
        return account, hashed

    def check_passwords(self) -> None:
        """Raises DeniedError where accounts have no passwords."""
        if not self.rules.passwords:
            words = msgid("This board takes no passwords. Its page for signing in says by which sites you can come.")
            raise DeniedError("passwords_off", words)

    async def check_may_sign_up(self, invite: str | None) -> bool:
        """Returns whether it is the owner's link that lets this client in. It does on any site.

        Raises DeniedError, or LinkGoneError for an invitation that is not valid.
        """
        is_closed = self.rules.signup == "closed"
        try:
            if invite and await self.storage.invitation(hash_secret(invite)) == "moderator":
                return True
        except LinkGoneError:
            if is_closed:
                words = msgid("This board takes no new members, and this link was used already or has run out.")
                raise DeniedError("signup_closed", words) from None
            raise
        if is_closed:
            raise DeniedError("signup_closed", "This board takes no new members.")
        if self.rules.signup == "invite" and not invite:
            raise DeniedError("invite_needed", "You need an invitation to become a member here.")
        return False

    def note_moderator(self, caller: Caller, account: Account) -> None:
        if account.is_moderator:
            self.account_log.write("owner_link_used", account.id, caller.address, "owner's link")

    async def make_owner_link(self) -> str | None:
        """Returns the secret of a link that makes a moderator's account on a new site. Returns None for any other site:
        where something was posted, or that has a moderator.
        """
        if self.waiters.recent.seq or await self.storage.has_moderator():
            return None
        secret, now_ms = new_secret(), round(self.credentials.clock() * 1000)
        await self.storage.create_link("invite", hash_secret(secret), None, now_ms + OWNER_LINK_MS, "moderator")
        return secret

    def _asker(self, caller: Caller) -> Asker:
        """Returns the asker for the hash of a new password."""
        return self.limits.asker(caller.address, caller.key if caller.account else "")
