"""The objects that the described calls take and return. Generators make a class from each name."""

from board.account_names import NAME_LENGTH
from board.passwords import PASSWORD_MAX, PASSWORD_MIN
from commands import ADMIN
from handlers.operations.openapi_parts import (
    BESIDE,
    CURSOR,
    FLAG,
    ID,
    TEXT,
    TIME,
    Json,
    author_fields,
    listed,
    or_null,
    record,
    ref,
    told,
)
from settings import Settings
from version import VERSION

AT = "2026-11-23T18:27:03.123Z"
AUTHOR = {"id": 7, "name": "Ada"}
MESSAGE = {"id": 1041, "body": "Hello, board!", "author": AUTHOR, "created_at": AT, "edited_at": None}
DELETED = {"id": 1040, "deleted": True}
ACCOUNT = {"id": 7, "username": "ada", "name": "Ada", "role": "member", "created_at": AT}
TOKEN = {"id": 12, "name": "weather bot", "created_at": AT, "last_used_at": AT}
SECRET = "lb_2Vb8kQ0sYx3mT7dR"  # noqa: S105 - an example of one
SAMPLE_KEY = "b7Jt0yVxGq2mR5sLw8aZ1c"

NAME = told(TEXT, f"What others see: at most {NAME_LENGTH} characters, counted without control characters.")
COUNT = {"type": "integer", "format": "int32", "minimum": 0}
KEY = {"type": "string", "minLength": 22, "maxLength": 100, "pattern": "^[ -~]*$"}
KEY_WORDS = "Random characters that you make: sending again with the same key posts once."
KEY_HEADER = {
    "name": "Idempotency-Key",
    "in": "header",
    "schema": KEY,
    "description": f"{KEY_WORDS} The field `key` has precedence.",
}
GUEST_WORDS = (
    "Of a guest: other random characters that you make. By them, the message can be edited and deleted for ten minutes."
)
GUEST_SECRET = {"name": "Guest-Secret", "in": "header", "schema": KEY, "description": GUEST_WORDS}


def schemas(settings: Settings) -> Json:
    return message_schemas() | reply_schemas() | people_schemas() | sent_schemas(settings) | other_schemas()


def message_schemas() -> Json:
    deleted = {"id": ID, "deleted": told(FLAG, "Always true: the message and its words are gone.")}
    return {
        "Author": record(author_fields("The name at the time when this was written."), *BESIDE, example=AUTHOR),
        "Message": record(message_fields() | BY_SOME, *BY_SOME, example=MESSAGE),
        "Deleted": record(deleted, example=DELETED, words="A message that was deleted."),
        "Changed": {
            "anyOf": [ref("Message"), ref("Deleted")],
            "description": "A message as it is now (new if its id is greater than any before, else edited), or that "
            "it was deleted.",
        },
    }


def message_fields() -> Json:
    return {
        "id": told(ID, "It never changes, and later messages have greater ones."),
        "body": told(TEXT, "Plain text. Escape it wherever you show it as HTML."),
        "author": {"anyOf": [ref("Author"), {"type": "null"}], "description": "null for a guest."},
        "created_at": TIME,
        "edited_at": {"type": ["string", "null"], "format": "date-time"},
    }


BY_SOME: Json = {
    "reply_to": told(
        ID,
        "The message on the same board that it replies to, which may have been deleted since. Only a reply has it.",
    ),
    "mentions": told(
        {"type": "array", "items": {**ID, "minimum": 0}},
        "The ids of the accounts that it mentions, which may have been deleted since; 0 is everybody, by `@all`. "
        "Missing if it mentions nobody.",
    ),
    "board": told(
        TEXT,
        "The short name of its board, where messages of several may come. Of the first only in a search in all.",
    ),
    "guest_name": told(
        TEXT, "What a guest is called: show it as a guest's. Only the message of a guest who gave a name has it."
    ),
    "editable_until": told(
        TIME, "Until when a guest may change it. Only the answer to a post with `Guest-Secret` has it."
    ),
    "pinned": told(
        FLAG, "Always true: it is the pinned message of its board, of which there is one. Others lack this."
    ),
    "reactions": told(
        {"type": "object"},
        'How many members have reacted, by emoji, such as `{"👍": 3}`. Missing if nobody has.',
    ),
}
"""The fields that only some messages have."""


def reply_schemas() -> Json:
    news = {
        "messages": listed("Changed"),
        "cursor": told(
            {"type": "string", "pattern": CURSOR}, "Send it as `after` next time. Missing with `before` and `ids`."
        ),
        "pinned": {
            **ref("Message"),
            "description": "The pinned message of the board, if there is one: in a reset, and where no parameter was sent.",
        },
        "more": told(FLAG, "True if the reply was cut: ask again at once."),
        "reset": told(FLAG, "True if these messages replace all that you have."),
        "older": told(FLAG, "Whether there are messages older than these. After a cursor, only a reset has it."),
        "watching": told(COUNT, "How many polls are parked. Only after a cursor."),
        "retry_ms": told(COUNT, "Wait so many milliseconds before you ask again."),
    }
    found = {
        "messages": listed("Message"),
        "older": told(FLAG, "Whether there may be older ones."),
        "indexing": told(FLAG, "True while older messages are still being indexed."),
        "more_boards": told(FLAG, "True if there are boards in which it did not look. They are searched one by one."),
    }
    example = {"messages": [MESSAGE, DELETED], "cursor": "k3f9x2mq-1043", "watching": 12}
    optional = ("cursor", "pinned", "more", "reset", "older", "watching", "retry_ms")
    return {
        "Messages": record(news, *optional, example=example),
        "Found": record(found, "indexing", "more_boards", example={"messages": [MESSAGE], "older": False}),
    }


def people_schemas() -> Json:
    role = told(TEXT, "`member` or `moderator`.")
    token = {
        "id": ID,
        "name": TEXT,
        "created_at": TIME,
        "last_used_at": told(TIME, "Until it is used: when it was made."),
        "board": told(TEXT, "The short name of the board that it was made for, if for one."),
    }
    secret = told(TEXT, "Send it as `Authorization: Bearer` with each request. It is shown only once.")
    expires_in = told({"type": "integer", "format": "int32"}, "Seconds without use after which it ends.")
    signed_in = {"token": secret, "expires_in": expires_in, "account": ref("Account")}
    return {
        "Account": record(
            {"id": ID, "username": TEXT, "name": TEXT, "role": role, "created_at": TIME}, example=ACCOUNT
        ),
        "AccountReply": record({"account": ref("Account")}, example={"account": ACCOUNT}),
        "SignedIn": record(signed_in, example={"token": SECRET, "expires_in": 14400, "account": ACCOUNT}),
        "Token": record(
            token,
            "board",
            example=TOKEN,
            words="A bot's token without its secret, which is shown only once, when it is made.",
        ),
        "NewToken": record({"token": secret, **token}, "board", example={"token": SECRET, **TOKEN}),
        "Tokens": record({"tokens": listed("Token")}, example={"tokens": [TOKEN]}),
    }


def sent_schemas(settings: Settings) -> Json:
    most = f"At most {settings.message_length} characters, counted without control characters."
    body = {"type": "string", "minLength": 1, "description": most}
    seen = "The message's `edited_at`, or `created_at`, from which this edit began: 409 if it has been edited since."
    username = {"type": "string", "pattern": "^[A-Za-z0-9_]{3,32}$"}
    password = {"type": "string", "format": "password", "minLength": PASSWORD_MIN, "maxLength": PASSWORD_MAX}
    owner = {"type": "string", "format": "password"}
    signs_in = {"username": "ada", "password": "a few random words"}
    return {
        "NewMessage": record(
            {"body": body, "key": told(or_null(KEY), KEY_WORDS),
             "reply_to": told(or_null(ID), "The id of the message on the same board that it replies to."),
             "guest_name": told(or_null(TEXT), f"What a guest is called, at most {NAME_LENGTH} characters. Ignored if you send a token.")},
            "key", "reply_to", "guest_name", example={"body": "Hello, board!", "key": SAMPLE_KEY},
        ),
        "MessageEdit": record(
            {"body": body, "began_from": told(or_null(TEXT), seen)}, "began_from", example={"body": "Better words", "began_from": AT}
        ),
        "NewAccount": record(
            {"username": username, "password": password, "name": or_null(NAME), "invite": told(or_null(TEXT), f"From `{ADMIN} invite`.")},
            "name", "invite", example=signs_in | {"name": "Ada"},
        ),
        "Credentials": record({"username": username, "password": password}, example=signs_in),
        "TokenRequest": record(
            {"name": NAME, "password": told(or_null(owner), "The account's password, needed if the account has one."),
             "board": told(or_null(TEXT), "The short name of a board of the invited that the bot may reach.")},
            "password", "board", example={"name": "weather bot", "password": "a few random words"},
        ),
    }  # fmt: skip


def other_schemas() -> Json:
    error = {"code": told(TEXT, "Stable, for programs."), "message": told(TEXT, "For people."),
             "problems": told(listed("Problem"), "Only if names of members were sent: what is wrong with each that is refused. The first has the code of the error.")}  # fmt: skip
    problem = {"name": "nobody_here", "code": "no_such_account", "message": "No member has the username “nobody_here”."}
    not_found = {"code": "not_found", "message": "This does not exist, or no longer does."}
    health = {
        "status": told(TEXT, "`ok` or `draining`; of /readyz also `unavailable`."),
        "storage": told(TEXT, "`ok` or `unavailable`."),
        "version": told(TEXT, "Longboard's version; 1.0 did not say it."),
        "parked": told(COUNT, "Parked polls of the first board; for a monitor, of all boards."),
        "cursor": {"type": "string", "pattern": CURSOR},
        "client": told(TEXT, "The address that the limits see; only for a monitor."),
    }
    example = {"status": "ok", "storage": "ok", "version": VERSION, "parked": 12, "cursor": "k3f9x2mq-1043"}
    return {
        "ErrorReply": record({"error": ref("ErrorDetails")}, example={"error": not_found}),
        "ErrorDetails": record(error, "problems", example=not_found),
        "Problem": record({"name": TEXT, "code": error["code"], "message": error["message"]}, example=problem),
        "Health": record(health, "version", "parked", "cursor", "client", example=example),
    }
