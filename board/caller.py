"""The client that a verb of the site acts for."""

from typing import NamedTuple

from storage.records import GUEST, Account, Asker, Author, Credential


class Caller(NamedTuple):
    """The owner of a credential, or a guest. The address is as limits count it."""

    credential: Credential | None
    address: str

    @property
    def account(self) -> Account | None:
        return self.credential.account if self.credential else None

    @property
    def member_credential(self) -> Credential:
        """The credential, where only members can call."""
        assert self.credential is not None
        return self.credential

    @property
    def author(self) -> Author | None:
        """The author of what the caller posts; None for a guest."""
        account = self.account
        return Author(account.id, account.name) if account else None

    @property
    def asker(self) -> Asker:
        """Who asks storage for messages."""
        return Asker(self.credential.account.id, self.credential.id) if self.credential else GUEST

    @property
    def key(self) -> str:
        """The caller in limits by account, in which guests are counted by address."""
        return f"account {self.credential.account.id}" if self.credential else self.address

    @property
    def person(self) -> Account | None:
        """The account, if this is the member in person, and not a bot's token."""
        return self.credential.account if self.credential and self.credential.is_person else None

    @property
    def may_moderate(self) -> bool:
        """Whether this is a moderator in person: a bot's token can read and write, but not moderate."""
        return self.person is not None and self.person.is_moderator
