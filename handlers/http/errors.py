"""The replies when something is refused or fails. All have one shape: a stable code, and words for people."""

from collections.abc import Callable, Sequence
from typing import Any

import tornado.web

from board.errors import DeniedError, Problem
from board.said import msgid, said
from board.turns import BusyError
from commands import ADMIN
from storage.errors import (
    ArchivedError,
    BadDateError,
    BoardChangedError,
    BoardGoneError,
    EditConflictError,
    IdentityTakenError,
    IsModeratorError,
    KeyReusedError,
    LastWayInError,
    LinkGoneError,
    MembersOnlyError,
    ModeratorsOnlyError,
    NameReservedError,
    NoSuchHookError,
    NoSuchMessageError,
    NotAllowedError,
    NotAuthorError,
    NotFoundError,
    OutdatedError,
    OwnAddressError,
    SearchBusyError,
    SearchTooLongError,
    SlugTakenError,
    TooLateError,
    TooManyBoardsError,
    TooManyHooksError,
    TooManyOwnedError,
    TooManySlugsError,
    TooManyTokensError,
    TooManyWebhooksError,
    UnavailableError,
    UsernameTakenError,
)
from storage.hooks import HOOKS_EACH, HOOKS_OWNED, MOST_HOOKS
from storage.records import MOST_BOT_TOKENS
from storage.ways_in import label_of
from storage.webhooks import MOST_ON_BOARD, MOST_WEBHOOKS

RETRY_SECONDS = 5
"""After how many seconds to try again after a fault that usually passes."""

TORNADO_ERRORS = {
    400: (
        "bad_request",
        msgid("This request can't be read: it is not HTTP, is cut short, or has more than 50 parameters or fields."),
    ),
    403: ("cross_origin", msgid("This came from another site's page, so it was not done.")),
    404: ("not_found", msgid("There is nothing here.")),
    405: ("method_not_allowed", msgid("This address does not take this method.")),
    431: ("head_too_long", msgid("The address and the headers of this request are longer than 16 KB together.")),
    500: ("internal", msgid("Something went wrong here, and it is not your fault. It has been noted.")),
}
"""Code and words for errors that Tornado raises itself, by status."""

ANSWERS: dict[type, tuple[int, str, str]] = {
    KeyReusedError: (422, "key_reused", msgid("This key was used before, for a message with other words.")),
    BadDateError: (
        422,
        "bad_date",
        said("Behind %(before)s and %(after)s, write a day, such as 2026-11-01.", before="before:", after="after:"),
    ),
    NoSuchMessageError: (
        422,
        "no_such_message",
        msgid("The message that this replies to is gone. It can be posted without it."),
    ),
    UsernameTakenError: (409, "username_taken", msgid("Somebody has this username already. Please take another.")),
    NameReservedError: (
        422,
        "name_reserved",
        msgid("This looks like the name of a moderator, or the board uses it. Please take another."),
    ),
    SlugTakenError: (409, "slug_taken", msgid("Another board has this short name, or had it. Please take another.")),
    TooManyBoardsError: (422, "too_many_boards", msgid("This site has as many boards as it may have.")),
    TooManyOwnedError: (
        422,
        "too_many_boards",
        msgid("You own as many boards as a member may here. Delete one first."),
    ),
    TooManySlugsError: (422, "too_many_boards", msgid("This board has had as many short names as a board may have.")),
    IdentityTakenError: (
        409,
        "identity_taken",
        msgid("This %(provider)s account belongs to another member here, or you have linked another one already."),
    ),
    LastWayInError: (
        409,
        "last_way_in",
        msgid("%(provider)s is the only way into your account. Add another first, then unlink it."),
    ),
    LinkGoneError: (410, "link_gone", msgid("This link was used already, or has run out. Ask for a new one.")),
    EditConflictError: (
        409,
        "edited_meanwhile",
        msgid("This message was changed elsewhere since you began to edit it."),
    ),
    BoardChangedError: (
        409,
        "edited_meanwhile",
        msgid(
            "Somebody else has changed these settings since you opened them. Below is what you typed. Save again to keep it, "
            "or open the settings again to see the others."
        ),
    ),
    NotAllowedError: (403, "not_allowed", msgid("You can't do this at present. A moderator has decided so.")),
    ArchivedError: (403, "archived", msgid("This board is archived: nothing new is written here.")),
    MembersOnlyError: (401, "sign_in_first", msgid("Only members can post on this board. Please sign in.")),
    ModeratorsOnlyError: (403, "read_only", msgid("Only moderators and the board's owner can post here.")),
    NotFoundError: (404, "not_found", msgid("This does not exist, or no longer does.")),
    NotAuthorError: (403, "not_yours", msgid("Somebody else wrote this message.")),
    TooLateError: (403, "too_late", msgid("A guest can change a message for ten minutes only.")),
    OutdatedError: (401, "signed_out", msgid("You have been signed out. Please sign in again.")),
    TooManyTokensError: (
        422,
        "too_many_tokens",
        said("An account has at most %(most)s named tokens.", most=MOST_BOT_TOKENS),
    ),
    NoSuchHookError: (404, "no_such_hook", msgid("There is no such incoming webhook on this board.")),
    BoardGoneError: (404, "board_gone", msgid("The board of this incoming webhook was deleted.")),
    TooManyHooksError: (
        422,
        "too_many_hooks",
        said(
            "A board has at most %(most)s incoming webhooks, all boards of one owner %(owned)s, and a site %(all)s.",
            most=HOOKS_EACH,
            owned=HOOKS_OWNED,
            all=MOST_HOOKS,
        ),
    ),
    TooManyWebhooksError: (
        422,
        "too_many_webhooks",
        said(
            "A board has at most %(most)s outgoing webhooks, and a site %(all)s.", most=MOST_ON_BOARD, all=MOST_WEBHOOKS
        ),
    ),
    IsModeratorError: (
        403,
        "is_moderator",
        said("A moderator can't do this to a moderator; %(admin)s can.", admin=ADMIN),
    ),
    OwnAddressError: (
        422,
        "own_address",
        msgid("This came from the address that you come from yourself, so it may be everyone's. Nothing was done."),
    ),
    SearchBusyError: (503, "busy", msgid("Many people are searching just now. Please try again in a moment.")),
    SearchTooLongError: (
        503,
        "busy",
        msgid("This search took too long. Please try fewer or rarer words, or only one board."),
    ),
    UnavailableError: (
        503,
        "unavailable",
        msgid("The board can't reach its storage just now. Please try again in a moment."),
    ),
    BusyError: (503, "busy", msgid("Many people are signing in just now. Please try again in a moment.")),
}
"""Status, code and words for errors of the lower layers, with the placeholder `provider` for the one that they name. An entry
also covers subclasses without their own entry.
"""


STATUSES = {
    "body_not_text": 400,
    "password_not_text": 400,
    "sign_in_first": 401,
    "wrong_password": 401,
    "not_yours": 403,
    "not_allowed": 403,
    "moderators_only": 403,
    "suspended": 403,
    "signup_closed": 403,
    "invite_needed": 403,
    "password_needed": 403,
    "confirm_first": 403,
    "passwords_off": 403,
    "bot_token": 403,
    "owner_only": 403,
    "first_board": 403,
    "no_such_board": 404,
    "no_such_account": 404,
    "no_such_webhook": 404,
}
"""By the code of a DeniedError. Others are 422, or 429 if it was too early."""


class RefusedError(tornado.web.HTTPError):
    """A refusal in the shape of all errors: a status, a stable code, words for people, and seconds to wait, if any; if it
    is about several names, what is wrong with each.

    A 503 always says when to come again.
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        retry_after: float | None = None,
        problems: Sequence[Problem] = (),
    ) -> None:
        super().__init__(status)
        self.code = code
        self.words = message
        self.problems = problems
        self.retry_after = RETRY_SECONDS if retry_after is None and status == 503 else retry_after

    def told(self, tell: Callable[[str], str]) -> str:
        """Returns the words in the language of a page, which has `tell`."""
        if self.problems:
            return " ".join(dict.fromkeys(tell(problem.words) for problem in self.problems))
        return tell(self.words)


def error_json(refused: RefusedError, tell: Callable[[str], str] = str) -> dict[str, Any]:
    """The one shape of errors. Programs get English; the scripts of a page, what they show there."""
    error: dict[str, Any] = {"code": refused.code, "message": refused.told(tell)}
    if refused.problems:
        error["problems"] = [
            {"name": one.name, "code": one.code, "message": tell(one.words)} for one in refused.problems
        ]
    return {"error": error}


def as_refused(status: int, error: BaseException | None, label_of: Callable[[str], str] = label_of) -> RefusedError:
    """Returns the reply to an error. It never says more than the client may know."""
    if isinstance(error, RefusedError):
        return error
    if isinstance(error, DeniedError):
        status = STATUSES.get(error.code, 422) if error.retry_after is None else 429
        return RefusedError(status, error.code, error.words, error.retry_after, error.problems)
    for kind in type(error).__mro__:  # an engine may have subclasses of these errors
        if answer := ANSWERS.get(kind):
            status, code, words = answer
            if "%(provider)s" in words:
                words = said(words, provider=label_of(str(error)))
            return RefusedError(status, code, words)
    code, words = TORNADO_ERRORS.get(status, (f"http_{status}", msgid("This can't be done.")))
    return RefusedError(status, code, words)
