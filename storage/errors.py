"""The errors that storage raises. handlers/http/errors.py has the answer to each."""

from collections.abc import Sequence


class StorageError(Exception):
    """An error that storage raises. Its text is for the operator, not for everyone."""


class CannotOpenError(StorageError):
    """The database can't be used at all; the text says why and what to do."""


class UnavailableError(StorageError):
    """Storage can't do this now (busy, full, too many waiting). Trying again later with the same key is safe."""


class SearchBusyError(UnavailableError):
    """Too many searches wait already. Storage itself is well."""


class SearchTooLongError(UnavailableError):
    """A search has found nothing in its time, and has not looked everywhere. Storage itself is well."""


class BadDateError(StorageError):
    """A search has `before:` or `after:` with what is no day. The argument is what stands there."""


class KeyReusedError(StorageError):
    """The author has used this key for a message with other words."""


class NoSuchMessageError(StorageError):
    """A reply is to a message that is not, or no longer, on its board."""


class NotFoundError(StorageError):
    """The record does not exist, or no longer exists."""


class SlugTakenError(StorageError):
    """Another board has this slug, or had it."""


class TooManyBoardsError(StorageError):
    """The site has as many boards as it may have."""


class TooManyOwnedError(TooManyBoardsError):
    """The account owns as many boards as it may."""


class TooManySlugsError(TooManyBoardsError):
    """This board has had as many slugs as it may."""


class TooManyInvitationsError(TooManyBoardsError):
    """These accounts have as many invitations as they may have. The argument is their usernames."""

    def __init__(self, usernames: Sequence[str] = ()) -> None:
        super().__init__(f"invited to as many boards as one may be: {', '.join(f'@{one}' for one in usernames)}")
        self.usernames = usernames


class NoSuchHookError(StorageError):
    """There is no such incoming webhook on this board, or another secret belongs to it."""


class TooManyHooksError(StorageError):
    """The board, or the site, has as many incoming webhooks as it may have."""


class BoardGoneError(StorageError):
    """The board of an incoming webhook was deleted."""


class TooManyWebhooksError(StorageError):
    """The board, or the site, has as many outgoing webhooks as it may have."""


class UsernameTakenError(StorageError):
    """Another account has this username."""


class NameReservedError(StorageError):
    """This name looks like one that is reserved, or like a moderator's."""


class IdentityTakenError(StorageError):
    """This identity is linked to another account, or this account to another identity of the same provider. The
    argument is the provider's name.
    """


class LastWayInError(StorageError):
    """Without the identity of this provider, nobody could get into the account any more. The argument is its name."""


class LinkGoneError(StorageError):
    """This one-time link was used, has run out, or never existed."""


class NotAllowedError(StorageError):
    """The account is suspended, is deleted or lacks the required role; or the address is blocked."""


class ArchivedError(NotAllowedError):
    """Nothing new is written on this board."""


class MembersOnlyError(NotAllowedError):
    """Guests don't write here."""


class ModeratorsOnlyError(NotAllowedError):
    """Only moderators and the board's owner write on it."""


CLOSED: dict[str, type[NotAllowedError]] = {
    "archived": ArchivedError,
    "members": MembersOnlyError,
    "moderators": ModeratorsOnlyError,
}
"""By the reasons of closed_to() in storage/asking.py."""


class EditConflictError(StorageError):
    """The message has changed since the state from which this edit began. The argument is the current message."""


class BoardChangedError(StorageError):
    """Somebody else has changed the board since its settings were read."""


class NotAuthorError(StorageError):
    """Somebody else wrote this message."""


class TooLateError(StorageError):
    """The time in which a guest may change this message is over."""


class OutdatedError(StorageError):
    """The password that was verified, or the credential that asks, is no longer valid."""


class TooManyTokensError(StorageError):
    """The account has as many bots' tokens as it may have."""


class IsModeratorError(StorageError):
    """Only the operator, at the command line, may do this to a moderator."""


class OwnAddressError(StorageError):
    """The action is about an address that the person who does it has too."""
