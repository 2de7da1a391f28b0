"""The described calls that are about the pinned message of a board."""

from handlers.operations.openapi_calls import AS, MEMBERS, call
from handlers.operations.openapi_errors import MARKS
from handlers.operations.openapi_parts import Json, good, in_path, ref

PINS = (*MARKS, "moderators_only")


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
