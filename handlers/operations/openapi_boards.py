"""The described calls that are about boards: the list, one board, who is invited, its messages, and read marks."""

from board.site.boards import BOARDS_AT_ONCE
from board.site.members_named import INVITED_AT_ONCE
from board.slugs import ABOUT_MAX, NAME_MAX, RULES_MAX
from handlers.operations.openapi_calls import (
    AFTER,
    BEFORE,
    IDS,
    LIMIT,
    MEMBERS,
    NUMBER,
    call,
    feed,
    posted,
    posters,
    readers,
    wait,
)
from handlers.operations.openapi_errors import NAMES, READS, SENT, TEXT, WRITES
from handlers.operations.openapi_parts import (
    FLAG,
    ID,
    QUERY,
    TIME,
    Json,
    good,
    in_path,
    listed,
    or_null,
    query,
    record,
    ref,
    told,
)
from handlers.operations.openapi_parts import TEXT as STRING
from handlers.operations.openapi_schemas import AT, COUNT, GUEST_SECRET, KEY_HEADER
from settings import Settings
from storage.marks import MOST_UNREAD
from storage.records import ORDERS, READERS, WRITERS

SLUG = {"type": "string", "pattern": "^[A-Za-z0-9]([A-Za-z0-9-]{0,38}[A-Za-z0-9])?$"}
USERNAME = {"type": "string", "pattern": "^[A-Za-z0-9_]{3,32}$"}
IN_BOARD = {**in_path("slug"), "schema": SLUG, "description": "The board's short name, or one that it had. `first` is the first board."}  # fmt: skip
NO_BOARD = "no_such_board"
MANAGES = (*WRITES, NO_BOARD, "bot_token", "owner_only", "first_board", "not_allowed", "too_many_tries")
NAMED = ("no_such_account", "owns_board", "too_many_names")
SAID = (*NAMED, "bad_slug", "bad_name", "name_reserved", "about_too_long", "rules_too_long", "random_slug", "body_not_text", "slug_taken",
        "too_many_boards")  # fmt: skip
HOW_MANY = query("limit", LIMIT["schema"], f"How many: {BOARDS_AT_ONCE} if it isn't sent, and at most.")
FIRST_WORDS = "To somebody who may not read a board, there is none: `no_such_board`, as for one that never was."


def board_calls(settings: Settings) -> Json:
    who = readers(settings)
    after = query("after", SLUG, "Go on: the boards whose short names come after this one.")
    return {
        "/api/v1/boards": {
            "get": call(
                "listBoards", "boards", f"The boards that you may read, {BOARDS_AT_ONCE} at a time, the first board before the others",
                who, good(200, "Boards, by their short names.", ref("Boards")), (*READS, "bad_field", "bad_number", "not_utf8"),
                parameters=(after, HOW_MANY), words=FIRST_WORDS,
            ),
            "post": call(
                "makeBoard", "boards", "Make a board, which is then yours", MEMBERS,
                good(201, "Made.", ref("Board"), "Location"),
                (*WRITES, *SENT, *SAID, "bot_token", "moderators_only", "not_allowed", "too_many_tries"),
                takes="NewBoard",
            ),
        },
        "/api/v1/boards/{slug}": one_board(settings),
        "/api/v1/boards/{slug}/members": members(),
        "/api/v1/boards/{slug}/members/{username}": one_member(),
        "/api/v1/boards/{slug}/messages": messages(settings),
        "/api/v1/boards/{slug}/search": {
            "parameters": [IN_BOARD],
            "get": call(
                "searchBoard", "boards", "Search: the newest messages of a board with these words and conditions", who,
                good(200, "The messages that were found, the newest first.", ref("Found")),
                (*READS, NO_BOARD, "bad_field", "bad_number", "not_utf8", "bad_date", "query_too_long", "too_many_searches"),
                parameters=(QUERY, BEFORE, LIMIT),
            ),
        },
        "/b/{slug}/feed.atom": {"parameters": [IN_BOARD], "get": feed(settings, "getBoardFeed", "boards", NO_BOARD)},
        "/api/v1/boards/{slug}/read": {
            "parameters": [IN_BOARD],
            "put": call(
                "markRead", "boards", "Say which is the newest message that you have seen", MEMBERS,
                good(202, "Noted; it never goes back, and not beyond the newest message.", ref("Marked")),
                (*WRITES, *SENT, NO_BOARD, "bot_token", "someone_else", "too_many_tries", "too_many_requests"), takes="ReadMark",
            ),
        },
    }  # fmt: skip


def one_board(settings: Settings) -> Json:
    name = {**query("name", STRING, "The board's name, to be sure that it is this one."), "required": True}
    return {
        "parameters": [IN_BOARD],
        "get": call(
            "getBoard", "boards", "Read about one board", readers(settings), good(200, "The board.", ref("Board")),
            (*READS, NO_BOARD),
        ),
        "patch": call(
            "changeBoard", "boards", "Change a board, or archive it", MEMBERS,
            good(200, "The board as it is now.", ref("Board")) | good(204, "The board is changed, and can't be shown, as when you may not read it any more."), (*MANAGES, *SENT, *SAID), takes="BoardEdit",
            words="For its owner and moderators who may read it. For the invited only, it gets a random short name.",
        ),
        "delete": call(
            "deleteBoard", "boards", "Delete a board with all that is on it", MEMBERS, good(204, "Gone."),
            (*MANAGES, "bad_field", "not_utf8", "name_differs"), parameters=(name,),
        ),
    }  # fmt: skip


def members() -> Json:
    after = query("after", NUMBER, "Go on: the members whose ids come after this one.")
    return {
        "parameters": [IN_BOARD],
        "get": call(
            "listInvited", "boards", f"Who is invited to a board, {BOARDS_AT_ONCE} at a time", MEMBERS,
            good(200, "Members with an invitation.", ref("Invited")),
            (*READS, NO_BOARD, "bot_token", "owner_only", "first_board", "not_allowed", "bad_number", "not_utf8"),
            parameters=(after, HOW_MANY),
        ),
    }  # fmt: skip


def one_member() -> Json:
    username = {**in_path("username"), "schema": USERNAME}
    return {
        "parameters": [IN_BOARD, username],
        "put": call(
            "invite", "boards", "Invite a member to a board", MEMBERS, good(200, "Invited.", ref("Member")),
            (*MANAGES, "no_such_account", "too_many_boards"),
        ),
        "delete": call(
            "uninvite", "boards", "Take an invitation back; everybody may give back their own", MEMBERS,
            good(204, "No longer invited."), (*MANAGES, "no_such_account"),
        ),
    }  # fmt: skip


def messages(settings: Settings) -> Json:
    words = "As `listMessages`, of this board: its cursors are its own."
    return {
        "parameters": [IN_BOARD],
        "get": call(
            "listBoardMessages", "boards", "Read a board: the newest, what comes after a cursor, or before a message",
            readers(settings), good(200, "Messages.", ref("Messages")),
            (*READS, NO_BOARD, "bad_field", "bad_cursor", "bad_wait", "bad_number", "not_utf8"),
            parameters=(AFTER, wait(settings), BEFORE, LIMIT, IDS), words=words,
        ),
        "post": call(
            "postOnBoard", "boards", "Post on a board; with a key, sending again posts once", posters(settings), posted(),
            (*WRITES, *SENT, *TEXT, *NAMES, NO_BOARD, "archived", "read_only", "name_reserved", "bad_secret", "bad_key", "not_allowed",
             "key_reused", "no_such_message", "too_many_posts", "too_many_requests"),
            takes="NewMessage", parameters=(KEY_HEADER, GUEST_SECRET),
        ),
    }  # fmt: skip


# --- what they take and return

BOARD = {"slug": "rowing", "name": "Rowing", "about": "Boats, and who is in them.", "read_by": "everyone",
         "write_by": "members", "order": "newest", "archived_at": None, "newest": 1041, "read": 1038, "unread": 2, "mentions": 1}  # fmt: skip
MEMBER = {"id": 7, "username": "ada", "name": "Ada"}


def board_schemas() -> Json:
    said = said_of_a_board()
    slug = told(
        STRING, "Its short name, in addresses. `first` is the first board's. It may change; an old one leads to it."
    )
    message = {"type": ["integer", "null"], "format": "int64"}
    board = {
        "slug": slug,
        **{name: said[name] for name in ("name", "about", "read_by", "write_by", "order")},
        "archived_at": {"type": ["string", "null"], "format": "date-time", "description": "Since when nothing new is written there."},
        "newest": told(message, "The id of the newest message."),
        "read": told(message, "Your read mark, the newest message that you have seen; only for members."),
        "unread": told(COUNT, f"Messages after the read mark, at most {MOST_UNREAD}; without one, since you joined. Only for members."),
        "mentions": told(COUNT, "Those of them that mention you, or everybody. Only for members."),
        "rules": told(said["rules"], f"{said['rules']['description']} Not in a list."),
        "created_at": told(TIME, "Not in a list."),
        "manages": told(FLAG, "Whether you may change it. Missing if not."),
    }  # fmt: skip
    whole = {**BOARD, "rules": "Be kind.", "created_at": AT, "manages": True}
    return sent_schemas(said) | {
        "Board": record(board, "read", "unread", "mentions", "rules", "created_at", "manages", example=whole),
        "Boards": record({"boards": listed("Board"), "more": told(FLAG, "Whether there are more after the last one.")},
                         example={"boards": [BOARD], "more": False}),
        "Member": record({"id": ID, "username": STRING, "name": STRING}, example=MEMBER),
        "Invited": record({"members": listed("Member"), "more": FLAG}, example={"members": [MEMBER], "more": False}),
        "Marked": record({"read": told(message, "What is noted; null if there is no message. A mark that was further stays there, and is not told here.")}, example={"read": 1041}),
    }  # fmt: skip


def said_of_a_board() -> Json:
    return {
        "name": told(STRING, f"At most {NAME_MAX} characters on one line."),
        "about": told(STRING, f"A line about the board, at most {ABOUT_MAX} characters."),
        "rules": told(STRING, f"At most {RULES_MAX} characters."),
        "read_by": told({**STRING, "enum": list(READERS)}, "Who may read."),
        "write_by": told({**STRING, "enum": list(WRITERS)}, "Who may post, but never somebody who may not read."),
        "order": told(
            {**STRING, "enum": list(ORDERS)},
            "Which message its page has first. Replies have the order that they have on each board.",
        ),
    }


def sent_schemas(said: Json) -> Json:
    optional = {
        "slug": told(
            or_null(SLUG),
            "Not for a board of the invited, which gets a random one. A board made without one gets one that is made from its name.",
        ),
        **{name: nullable(schema) for name, schema in said.items() if name != "name"},
    }
    people = {"type": ["array", "null"], "items": STRING, "maxItems": INVITED_AT_ONCE}
    invite = {
        "invite": told(
            people,
            "Usernames of members whom you invite in the same step, all of them or none. In a form, with commas between.",
        )
    }
    mark = {"id": {"type": "integer", "minimum": 0}, "as": told(or_null(STRING), "By whom; refused to anybody else.")}
    owner = told(
        or_null(STRING),
        "The username of the member to whom the board goes. The owner before stays invited, if it is a board of the invited.",
    )
    edit = {"name": nullable(said["name"]), **optional, **invite, "owner": owner, "archived": told(or_null(FLAG), "Whether nothing new is written there.")}  # fmt: skip
    return {
        "NewBoard": record(
            {"name": said["name"], **optional, **invite},
            *optional,
            *invite,
            example={"slug": "rowing", "name": "Rowing"},
        ),
        "BoardEdit": record(edit, *edit, example={"archived": True}),
        "ReadMark": record(mark, "as", example={"id": 1041}),
    }


def nullable(schema: Json) -> Json:
    choices = {"enum": [*schema["enum"], None]} if "enum" in schema else {}
    return or_null(schema) | choices
