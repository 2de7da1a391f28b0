"""The described calls that are about the pinned message of a board."""

from handlers.operations.openapi_calls import AS, MEMBERS, call
from handlers.operations.openapi_errors import WRITES
from handlers.operations.openapi_parts import Json, good, in_path, ref

PINS = (
    *WRITES,
    "moderators_only",
    "not_found",
    "not_allowed",
    "archived",
    "someone_else",
    "not_utf8",
    "too_many_tries",
    "too_many_requests",
)


def pin_calls() -> Json:
    as_it_is = good(200, "The message as it is then.", ref("Message"))
    pins = "Pin a message at the top of its board, in the place of another one"
    return {
        "/api/v1/messages/{id}/pin": {
            "parameters": [in_path("id")],
            "put": call("pin", "messages", pins, MEMBERS, as_it_is, PINS, parameters=(AS,)),
            "delete": call(
                "unpin", "messages", "End that a message is pinned", MEMBERS, as_it_is, PINS, parameters=(AS,)
            ),
        },
    }
