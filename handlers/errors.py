"""What is said when something is refused or fails: one shape, with a stable code and words for people."""

import tornado.web

from board.passwords import Busy
from board.text import BadText
from storage.records import IdentityTaken, KeyReused, LastWayIn, LinkGone, NotAllowed, NotFound, Taken, Unavailable

RETRY_SECONDS = 5
"""When to try again after a fault that usually passes."""

WORDS = {
    400: ("bad_request", "This request can't be understood."),
    403: ("cross_origin", "This came from another site's page, so it was not done."),
    404: ("not_found", "There is nothing here."),
    405: ("method_not_allowed", "That can't be done here."),
    500: ("internal", "Something went wrong here, and it is not your fault. It has been noted."),
}
"""For errors that Tornado raises itself."""


class Refused(tornado.web.HTTPError):
    """An answer in the one shape: a status, a stable code, words for people, and seconds to wait, if any."""

    def __init__(self, status: int, code: str, message: str, retry_after: float | None = None) -> None:
        super().__init__(status)
        self.code = code
        self.words = message
        self.retry_after = retry_after


def as_refused(status: int, error: BaseException | None) -> Refused:
    """What is said about an error: never more than the one who asked may know."""
    match error:
        case Refused():
            return error
        case BadText():
            return Refused(error.status, error.code, str(error))
        case KeyReused():
            return Refused(422, "key_reused", "This key was used before, for a message with other words.")
        case Taken():
            return Refused(409, "username_taken", "Somebody has this username already. Please take another.")
        case IdentityTaken():
            words = "This Facebook account belongs to another member here, or you have linked another one already."
            return Refused(409, "identity_taken", words)
        case LastWayIn():
            words = "Facebook is the only way into your account. Set a password first, then unlink it."
            return Refused(409, "last_way_in", words)
        case LinkGone():
            return Refused(410, "link_gone", "This link was used already, or has run out. Ask for a new one.")
        case NotAllowed():
            return Refused(403, "not_allowed", "You can't post here at present. A moderator has decided so.")
        case NotFound():
            return Refused(404, "not_found", "There is no such thing here, or no longer.")
        case Unavailable():
            words = "The board can't reach its storage just now. Please try again in a moment."
            return Refused(503, "unavailable", words, RETRY_SECONDS)
        case Busy():
            words = "Many people are signing in just now. Please try again in a moment."
            return Refused(503, "busy", words, RETRY_SECONDS)
    code, words = WORDS.get(status, (f"http_{status}", "This can't be done."))
    return Refused(status, code, words)
