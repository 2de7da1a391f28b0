"""The described calls that are about reactions to messages."""

from board.reactions import EMOJI
from handlers.http.fields import LIMIT_MAX
from handlers.messages.reactions import MEMBERS_AT_ONCE
from handlers.operations.openapi_calls import AS, IDS, LIMIT, MEMBERS, NUMBER, call, readers
from handlers.operations.openapi_errors import MARKS, READS
from handlers.operations.openapi_parts import (
    BESIDE,
    FLAG,
    ID,
    TEXT,
    Json,
    author_fields,
    good,
    in_path,
    listed,
    query,
    record,
    ref,
    told,
)
from settings import Settings

KIND = {
    **in_path("kind"),
    "schema": {**TEXT, "enum": list(EMOJI)},
    "description": "What it is called; the emoji itself will do, too: "
    + ", ".join(f"`{kind}` {emoji}" for kind, emoji in EMOJI.items()),
}
REACTS = (*MARKS, "bad_reaction")
EMOJIS = {"type": "array", "items": TEXT}


def reaction_calls(settings: Settings) -> Json:
    after = query("after", NUMBER, "Go on: the members whose ids come after this one.")
    how_many = query("limit", LIMIT["schema"], f"How many members: {MEMBERS_AT_ONCE} if it isn't sent, and at most.")
    as_it_is = good(200, "The message as it is then.", ref("Message"))
    return {
        "/api/v1/messages/{id}/reactions": {
            "parameters": [in_path("id")],
            "get": call(
                "listReactions", "messages", "Who reacted to a message, and how", readers(settings),
                good(200, "Members, by their ids.", ref("Reactions")), (*READS, "not_found", "bad_number", "not_utf8"),
                parameters=(after, how_many),
            ),
        },
        "/api/v1/messages/{id}/reactions/{kind}": {
            "parameters": [in_path("id"), KIND],
            "put": call("react", "messages", "React to a message; twice is once", MEMBERS, as_it_is, REACTS, parameters=(AS,)),
            "delete": call("withdrawReaction", "messages", "Take your reaction back", MEMBERS, as_it_is, REACTS, parameters=(AS,)),
        },
        "/api/v1/reactions": {
            "get": call(
                "listOwnReactions", "messages", "Your own reactions to some messages", MEMBERS,
                good(200, "The messages to which you have reacted, and which you may read.", ref("OwnReactions")),
                (*READS, "bad_field", "not_utf8"), parameters=({**IDS, "required": True, "description": f"1 to {LIMIT_MAX} ids of messages, with commas between them."},),
            )
        },
    }  # fmt: skip


def reaction_schemas() -> Json:
    member = {**author_fields("The member's present name."), "reactions": told(EMOJIS, "Emoji.")}
    ada = {"id": 7, "name": "Ada", "reactions": ["👍"]}
    own = {"id": ID, "reactions": told(EMOJIS, "Emoji.")}
    return {
        "Reacting": record(member, *BESIDE, example=ada),
        "Reactions": record(
            {"members": listed("Reacting"), "more": told(FLAG, "Whether there are more.")},
            example={"members": [ada], "more": False},
        ),
        "OwnReactions": record(
            {"messages": listed("ReactedTo")}, example={"messages": [{"id": 1041, "reactions": ["👍"]}]}
        ),
        "ReactedTo": record(own, example={"id": 1041, "reactions": ["👍"]}),
    }
