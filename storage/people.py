"""What is kept of people: the other half of the Storage protocol."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from storage.about import Notes, Posted
from storage.failed_tries import FailedTries
from storage.records import Account, AuditEntry, Credential, Identity, Password, Picture


class People(Protocol):
    # --- accounts
    async def create_account(
        self, username: str, name: str, password: Password, invite: bytes | None = None
    ) -> Account:
        """Raises UsernameTakenError, or LinkGoneError if the invitation was used meanwhile."""

    async def account(self, username: str) -> Account:
        """Raises NotFoundError."""

    async def account_of(self, id: int) -> Account:
        """Raises NotFoundError."""

    async def has_tutorial_account(self, tutorial_name: str) -> bool:
        """Whether this user of a tutorial's board was brought in."""

    async def password(self, username: str) -> tuple[Account | None, Password]: ...
    async def set_password(
        self,
        account_id: int,
        password: Password,
        *,
        old: Password,
        keep: int | None = None,
        hash: bytes | None = None,
        unlink: bool = False,
    ) -> None:
        """Ends all ways in but the credential to keep, whose secret is from now on the one with this hash.

        With `unlink`, also a linked identity: its owner decides that, because they may sign in with it.
        `old` is the password that was verified. Raises OutdatedError if it, or the credential to keep, is no longer valid.
        """

    async def upgrade_password(self, account_id: int, old: Password, new: Password) -> bool:
        """The same password, hashed anew; ends nothing. Says whether it did: not if it was changed meanwhile."""

    # `credential` is that of the request; the methods that take it raise OutdatedError if it has ended.
    async def set_name(self, account_id: int, name: str, credential: int | None = None) -> None: ...
    async def set_username(self, account_id: int, username: str, credential: int | None = None) -> None:
        """Raises UsernameTakenError."""

    async def delete_account(
        self, account_id: int, *, keep_messages: bool, password: Password | None = None, credential: int | None = None
    ) -> None:
        """Deletes the account and its ways in; its messages go, too, or stay as those of a deleted account.

        Raises the floor if it has any. `password` is the one that was verified, or says that there is none. Raises
        OutdatedError if that has changed.
        """

    async def moderators(self) -> list[Account]: ...

    # --- tries to sign in with a wrong password, which are counted in memory and written down now and then
    async def failed_tries(self, account_id: int) -> FailedTries:
        """As far as they have been written down."""

    async def add_failed_tries(self, counts: Mapping[int, int]) -> None:
        """Account id → how many more. Accounts that are gone are left out."""

    async def note_sign_in(self, account_id: int, failed_before: int) -> None:
        """Its owner has come in by a browser, before which there were so many more."""

    # --- one-time links, kept by their hash: `invite`, or `password` for an account
    async def create_link(self, kind: str, hash: bytes, account_id: int | None, expires_at: int) -> None: ...
    async def link(self, kind: str, hash: bytes) -> Account | None:
        """Whose it is. Raises LinkGoneError."""

    async def use_password_link(self, hash: bytes, password: Password, *, keep_identity: bool = False) -> Account:
        """Ends all ways in, a linked identity too unless it is to be kept; logged. Raises LinkGoneError."""

    # --- credentials: sessions and tokens, kept by their hash
    async def create_credential(
        self,
        account_id: int,
        kind: str,
        hash: bytes,
        name: str,
        replaces: bytes | None = None,
        *,
        by_facebook: bool = False,
        identity_id: int | None = None,
        password: Password | None = None,
        by: int | None = None,
    ) -> Credential:
        """`password` is the one that was verified for it, `by` the credential that asks for it.

        `identity_id` is the identity that came back, of those that the account may have; without one, any will do.

        Raises OutdatedError if one of them is no longer valid (any identity, by_facebook), TooManyTokensError for a bot's token beyond
        MOST_BOT_TOKENS, and NotAllowedError for a suspended account. What is made by a session of Facebook's is so, too.
        """

    async def credential(self, hash: bytes) -> Credential:
        """However old. Raises NotFoundError, also while its account is suspended."""

    async def credentials(self, account_id: int) -> list[Credential]:
        """The last used first."""

    async def revoke_credential(self, account_id: int, id: int, kind: str | None = None) -> None:
        """One of this kind, if one is named. Raises NotFoundError."""

    async def revoke_all(self, account_id: int, keep: int | None = None) -> object:
        """Ends all SIGN_INS but the one to keep."""

    async def save_uses(self, uses: Mapping[int, int]) -> None:
        """Credential id → when it was last used."""

    async def access_changes_after(self, number: int) -> Sequence[int]:
        """Accounts about which something changed since Head.access was this number."""

    # --- what is kept about an account, for its owner; each list goes on after a number
    async def posted_by(self, account_id: int, after: int, limit: int) -> list[Posted]:
        """What it posted, also what is deleted by now, by id."""

    async def notes_about(self, account_id: int) -> Notes: ...
    async def audit_about(self, account: Account, after: int, limit: int) -> list[AuditEntry]:
        """What it did, and what was done to it or to a message of its, the oldest first."""

    # --- identities: the key is (app id, the id that Facebook gave the person for this app)
    async def identity(self, app_id: str, facebook_id: str) -> Identity:
        """Raises NotFoundError."""

    async def identity_of(self, account_id: int) -> Identity:
        """Raises NotFoundError."""

    async def create_identity(
        self, account_id: int, app_id: str, facebook_id: str, name: str, credential: int | None = None
    ) -> Identity:
        """Links, with a notice for the account's owner; logged. Once more changes nothing. Raises IdentityTakenError.

        Raises NotAllowedError for the identity of an account that was suspended when it went.
        """

    async def dismiss_notice(self, account_id: int) -> None:
        """The account's owner has seen that an identity was linked."""

    async def create_account_with_identity(
        self, app_id: str, facebook_id: str, name: str, usernames: Sequence[str], invite: bytes | None = None
    ) -> Identity:
        """An account without a password, under the first of the usernames that is free; or the one there is already.

        Raises UsernameTakenError if none of them is free, LinkGoneError if the invitation was used meanwhile, and NotAllowedError for the
        identity of an account that was suspended when it went.
        """

    async def rename_identity(self, id: int, name: str) -> None:
        """The person has another name at Facebook; the account follows if its name was that of Facebook."""

    async def unlink_identity(self, account_id: int, keep: int | None = None, password: Password | None = None) -> None:
        """Ends what Facebook's sessions are and have made, but the credential to keep, which is the one that asks.

        `password` is the one that was verified. Raises LastWayInError for an account with no password, and OutdatedError.
        """

    async def set_picture(self, identity_id: int, picture: Picture | None) -> None: ...
    async def picture(self, account_id: int) -> Picture:
        """Raises NotFoundError."""

    async def deauthorize_identity(self, app_id: str, facebook_id: str, before: int) -> None:
        """Ends what Facebook's sessions are and have made before this time; does nothing for an unknown one."""

    async def erase_identity(self, app_id: str, facebook_id: str, before: int, code: str) -> None:
        """Removes what Facebook gave: identity, picture and name; the account too, if it has no password.

        Its messages stay, as a deleted account's or under the username. An identity made after `before` stays: the
        request was not about that one. The code is noted in any case.
        """

    async def erased_at(self, code: str) -> int:
        """When the request with this code was carried out. Raises NotFoundError."""
