"""The described call that is about members who can be mentioned."""

from handlers.messages.mentions import MEMBERS_AT_ONCE
from handlers.operations.openapi_calls import MEMBERS, call
from handlers.operations.openapi_errors import READS
from handlers.operations.openapi_parts import TEXT, Json, good, listed, query, record, ref


def mention_calls() -> Json:
    prefix = query("prefix", {**TEXT, "minLength": 1, "maxLength": 32}, "How their usernames begin.")
    return {
        "/api/v1/members": {
            "get": call(
                "listMembers", "messages", f"Members whose usernames begin with some letters, at most {MEMBERS_AT_ONCE}", MEMBERS,
                good(200, "Members, by their usernames.", ref("Members")), (*READS, "bad_field", "bad_username", "not_utf8"),
                parameters=({**prefix, "required": True},),
            )
        }
    }  # fmt: skip


def mention_schemas() -> Json:
    ada = {"id": 7, "username": "ada", "name": "Ada"}
    return {"Members": record({"members": listed("Member")}, example={"members": [ada]})}
