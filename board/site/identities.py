"""What a site does with identities: people at a provider of logins, who are linked to accounts here."""

import contextlib
import itertools
import secrets

from board.account_names import UNNAMED, clean_name, clean_username, usernames
from board.caller import Caller
from board.credentials import hash_secret
from board.site.accounts import Accounts
from board.site.sign_in import suspended
from storage.errors import LinkGoneError, NotAllowedError, NotFoundError
from storage.people import Identity, Picture
from storage.records import Account, Password

USERNAMES_MAX = 50
"""Usernames tried for one name, each with a look into the database. A random one is the last resort."""


class Identities(Accounts):
    async def use_once(self, text: str, seconds: int) -> None:
        """Uses up a text that is valid for these seconds. Raises LinkGoneError if it was used before."""
        await self.storage.use_once(hash_secret(text), round((self.credentials.clock() + seconds) * 1000))

    async def identity(self, provider: str, app_id: str, subject: str) -> Identity | None:
        try:
            return await self.storage.identity(provider, app_id, subject)
        except NotFoundError:
            return None

    async def join(
        self, caller: Caller, provider: str, app_id: str, subject: str, name: str, invite: str | None
    ) -> Identity:
        """Makes an account without a password, if the site takes new members. Raises DeniedError, LinkGoneError."""
        self.limits.sign_up_from.check(caller.address)
        is_owner = await self.check_may_sign_up(invite)
        likely = await self.storage.free_usernames(itertools.islice(usernames(name), USERNAMES_MAX))
        names = [*likely, f"member_{secrets.token_hex(8)}"]
        used = hash_secret(invite) if invite and (is_owner or self.rules.signup == "invite") else None
        try:
            made = await self.storage.create_account_with_identity(provider, app_id, subject, name, names, used)
        except NotAllowedError:
            raise suspended() from None
        self.account_log.write("signed_up", made.account.id, caller.address, provider)
        self.note_moderator(caller, made.account)
        return made

    async def recognise(self, caller: Caller, identity: Identity, name: str) -> None:
        """Takes over the person's name at the provider. Raises DeniedError if the account is suspended."""
        if identity.account.suspended_at is not None:
            self.account_log.write_failure(identity.account.id, caller.address, "suspended")
            raise suspended()
        if name != UNNAMED:  # a provider may withhold it once
            await self.storage.rename_identity(identity.id, name)

    async def use_owner_link(self, caller: Caller, account: Account, invite: str | None) -> None:
        """Makes a member the first moderator, if this is the owner's link. Any other is for new people only."""
        with contextlib.suppress(LinkGoneError):
            if invite and await self.storage.invitation(hash_secret(invite)) == "moderator":
                self.note_moderator(caller, await self.storage.use_owner_link(account.id, hash_secret(invite)))

    async def set_picture(self, identity: Identity, picture: Picture | None) -> None:
        await self.storage.set_picture(identity.id, picture)

    async def link(self, caller: Caller, provider: str, app_id: str, subject: str, name: str) -> Identity:
        """Links an identity to the caller's account. Raises IdentityTakenError, NotAllowedError, OutdatedError."""
        credential = caller.member_credential
        account_id = credential.account.id
        made = await self.storage.create_identity(
            account_id, provider, app_id, subject, name, credential.id, self.rules.label_of(provider)
        )
        self.account_log.write(f"{provider}_linked", account_id, caller.address, provider)
        return made

    async def unlink(self, caller: Caller, provider: str, password: str | None) -> None:
        """Raises DeniedError, BadTextError, BusyError, OutdatedError, and LastWayInError if nothing else lets one in."""
        verified = await self.confirm(caller, password, unlinks=provider)
        credential, counts = caller.member_credential, self.rules.passwords
        account_id = credential.account.id
        await self.storage.unlink_identity(
            account_id, provider, credential.id, verified, app_ids=self.rules.app_ids.items(), passwords=counts
        )
        self.account_log.write(f"{provider}_unlinked", account_id, caller.address, provider)

    async def dismiss_notice(self, caller: Caller, provider: str) -> None:
        """Notes that the member has read the notice that an identity was linked."""
        await self.storage.dismiss_notice(caller.member_credential.account.id, provider)

    async def choose_names(self, caller: Caller, provider: str, username: str, name: str) -> None:
        """Changes the names that a new member was given.

        Raises DeniedError, BadTextError, UsernameTakenError, NameReservedError, and OutdatedError for an account that has
        a password.
        """
        credential = caller.member_credential
        account = credential.account
        self.limits.changing.check(caller.key)
        username, name = clean_username(username), clean_name(name, account.name)
        await self.storage.check_names(account.id, username=username, name=name)  # before one of them is changed
        if username != account.username:
            await self.storage.set_username(account.id, username, credential.id, password=Password(None))
            self.account_log.write("username_changed", account.id, caller.address, provider)
        if name != account.name:
            await self.storage.set_name(account.id, name, credential.id)

    # --- on behalf of a provider

    async def deauthorize(self, caller: Caller, provider: str, app_id: str, subject: str, before: int) -> None:
        """Ends what came from sign-ins by this identity before this time. A stranger's is ignored."""
        known = await self.identity(provider, app_id, subject)
        await self.storage.deauthorize_identity(provider, app_id, subject, before)
        self._log_call(caller, "deauthorized", known)

    async def erase(self, caller: Caller, provider: str, app_id: str, subject: str, before: int, code: str) -> None:
        """Deletes what came with this identity, if it was made before this time. `code` tells later when."""
        known = await self.identity(provider, app_id, subject)
        await self.storage.erase_identity(provider, app_id, subject, before, code)
        self._log_call(caller, "erased", known)

    async def erased_at(self, code: str) -> int:
        """Raises NotFoundError."""
        return await self.storage.erased_at(code)

    def _log_call(self, caller: Caller, event: str, known: Identity | None) -> None:
        """Logs a provider's call. One about an unknown person, such as a repeated deletion, is not logged."""
        if known is not None:
            self.account_log.write(f"{known.provider}_{event}", known.account.id, caller.address, known.provider)
