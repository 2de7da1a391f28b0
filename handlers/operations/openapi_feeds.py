"""The described call of private feeds."""

from handlers.operations.openapi_calls import ANYONE, call, feed
from handlers.operations.openapi_errors import ALWAYS
from handlers.operations.openapi_parts import Json, query
from settings import Settings

ERRORS = (*ALWAYS, "not_found", "not_utf8", "too_many_requests")


def private_feed_calls(settings: Settings) -> Json:
    secret = {"type": "string", "minLength": 43, "maxLength": 43}
    key = {**query("key", secret, "The secret of the address."), "required": True}
    as_open = feed(settings, "getFeed", "messages")["responses"]
    answers = {status: as_open[status] for status in ("200", "304")}
    summary = "The same of a board that guests may not read, by an address that a member makes on the account page"
    return {"/feed": {"get": call("getPrivateFeed", "messages", summary, ANYONE, answers, ERRORS, parameters=(key,))}}
