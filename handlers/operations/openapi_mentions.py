"""The described call that is about members who can be mentioned."""

from handlers.http.fields import LIMIT_MAX
from handlers.messages.mentions import MEMBERS_AT_ONCE, PREFIX_MAX
from handlers.operations.openapi_calls import IDS, MEMBERS, call
from handlers.operations.openapi_errors import READS
from handlers.operations.openapi_parts import TEXT, Json, good, listed, query, record, ref


def mention_calls() -> Json:
    begins = {**TEXT, "minLength": 1, "maxLength": PREFIX_MAX}
    prefix = query("prefix", begins, "How their usernames begin, or any words of their names: letters, digits and _.")
    summary = (
        f"Members whose usernames or names begin with some letters, at most {MEMBERS_AT_ONCE}; or those with these ids"
    )
    return {
        "/api/v1/members": {
            "get": call(
                "listMembers", "messages", summary, MEMBERS,
                good(200, "Members by their usernames; first those whose usernames begin so.", ref("Members")), (*READS, "bad_field", "not_utf8"),
                parameters=(prefix, {**IDS, "description": f"Instead of `prefix`: 1 to {LIMIT_MAX} ids with commas between them."}),
            )
        }
    }  # fmt: skip


def mention_schemas() -> Json:
    ada = {"id": 7, "username": "ada", "name": "Ada"}
    return {"Members": record({"members": listed("Member")}, example={"members": [ada]})}
