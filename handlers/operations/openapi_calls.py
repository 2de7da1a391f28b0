"""The described calls: method and path, who may use them, what they take, and all their replies."""

from board.recent import PAGE
from handlers.http.fields import LIMIT_MAX
from handlers.operations.openapi_errors import ALWAYS, ANYTHING, CHANGES, NAMES, READS, SENT, TEXT, WRITES, refusals
from handlers.operations.openapi_parts import CURSOR, MOST_NUMBER, QUERY, Good, Json, good, in_path, query, ref, sent
from handlers.operations.openapi_schemas import GUEST_SECRET, KEY_HEADER
from settings import Settings

ANYONE: list[Json] = []
MEMBERS: list[Json] = [{"token": []}]
GUESTS_TOO: list[Json] = [{}, {"token": []}]
MONITOR: list[Json] = [{"monitor": []}]
A_MONITOR_SEES_MORE: list[Json] = [{}, {"monitor": []}]


def call(
    id: str,
    tag: str,
    summary: str,
    who: list[Json],
    answers: Good,
    errors: tuple[str, ...],
    *,
    takes: str = "",
    parameters: tuple[Json, ...] = (),
    words: str = "",
) -> Json:
    """Describes one operation. `takes` is the name of its body's schema."""
    described: Json = {"operationId": id, "tags": [tag], "summary": summary}
    if who is not GUESTS_TOO:  # the default; some generators would require a token if it were repeated here
        described["security"] = who
    if words:
        described["description"] = words
    if parameters:
        described["parameters"] = list(parameters)
    if takes:
        described["requestBody"] = sent(takes)
    return described | {"responses": answers | refusals(errors)}


def readers(settings: Settings) -> list[Json]:
    return GUESTS_TOO if settings.reading == "public" else MEMBERS


def posters(settings: Settings) -> list[Json]:
    return GUESTS_TOO if (settings.reading, settings.posting) == ("public", "guests") else MEMBERS


NUMBER = {"type": "integer", "format": "int64", "minimum": 0, "maximum": MOST_NUMBER}
AFTER = query(
    "after", {"type": "string", "pattern": CURSOR}, "The cursor of the last reply. The answer has the changes after it."
)
BEFORE = query("before", NUMBER, "Page back: the answer has messages older than the one with this id.")
AS = query("as", {"type": "string"}, "By whom it is meant to come, for a page in a browser; refused to anybody else.")
IDS = query(
    "ids",
    {"type": "string", "pattern": "^[0-9]{1,18}(,[0-9]{1,18}){0,99}$"},
    f"Ids with commas between them, at most {LIMIT_MAX}: the answer has those of these messages that are on the board, without "
    "a cursor. It doesn't go with `after`, `before` or `limit`.",
)
LIMIT = query(
    "limit",
    {"type": "integer", "format": "int32", "minimum": 1, "maximum": LIMIT_MAX},
    f"How many of the newest, or paging back: {PAGE} if it isn't sent. More than {LIMIT_MAX} counts as {LIMIT_MAX}.",
)
POLL_WORDS = (
    "Without parameters: the newest messages, oldest first, and a cursor. With `after`: the changes since that cursor, "
    "at once if there are any; otherwise the answer waits for one, and has no messages when `wait` is over."
)


def wait(settings: Settings) -> Json:
    most = settings.poll_seconds
    words = f"Seconds to wait at most: 0 never waits, and more than {most:g} counts as {most:g}. Without `after` nothing waits."
    return query("wait", {"type": "number", "minimum": 0, "default": most}, words)


def message_calls(settings: Settings) -> Json:
    polls = (AFTER, wait(settings))
    read = ("bad_field", "bad_cursor", "bad_wait", "bad_number", "not_utf8")
    words = "2xx means that the message is on disk."
    return {
        "/api/v1/messages": {
            "get": call(
                "listMessages", "messages", "Read: the newest, what comes after a cursor, or what came before a message",
                readers(settings), good(200, "Messages.", ref("Messages")), (*READS, *read),
                parameters=(*polls, BEFORE, LIMIT, IDS),
                words=f"{POLL_WORDS} With `before`: older messages, oldest first, without a cursor. `before` and `limit` don't go with `after`.",
            ),
            "post": call(
                "postMessage", "messages", "Post; with a key, sending again posts once", posters(settings), posted(),
                (*WRITES, *SENT, *TEXT, *NAMES, "name_reserved", "bad_secret", "bad_key", "not_allowed", "key_reused", "no_such_message",
                 "too_many_posts"), takes="NewMessage", parameters=(KEY_HEADER, GUEST_SECRET), words=words,
            ),
        },
        "/api/v1/messages/{id}": one_message(settings),
        "/api/v1/stream": {"get": stream(settings)},
        "/api/v1/search": {"get": search(settings)},
        "/get": {
            "get": call(
                "poll", "messages", "The page's poll: as /api/v1/messages, but a client that is far behind is reset",
                readers(settings), good(200, "Messages.", ref("Messages")),
                (*READS, "bad_cursor", "bad_wait", "bad_number", "not_utf8"), parameters=polls, words=POLL_WORDS,
            )
        },
        "/feed.atom": {"get": feed(settings, "getFeed", "messages")},
    }  # fmt: skip


def posted() -> Good:
    new = good(201, "Posted.", ref("Message"), "Location")
    return new | good(200, "The message that was posted before with this key.", ref("Changed"), "Location")


def one_message(settings: Settings) -> Json:
    own = (*WRITES, "not_found", "not_yours", "not_allowed", "bad_secret", "too_late")
    return {
        "parameters": [in_path("id")],
        "get": call(
            "getMessage", "messages", "Read one", readers(settings), good(200, "The message.", ref("Message")),
            (*READS, "not_found"),
        ),
        "patch": call(
            "editMessage", "messages", "Change one of your own; guests, for ten minutes", posters(settings),
            good(200, "The message as it is now.", ref("Message")),
            (*own, *SENT, *TEXT, "archived", "read_only", "edited_meanwhile", "someone_else", "not_utf8", "too_many_posts",
             "too_many_requests"), takes="MessageEdit", parameters=(AS, GUEST_SECRET),
        ),
        "delete": call(
            "deleteMessage", "messages", "Delete one of your own; moderators, any; guests, their own for ten minutes",
            readers(settings), good(204, "Gone."),
            (*own, "someone_else", "not_utf8", "too_many_tries"), parameters=(AS, GUEST_SECRET),
        ),
    }  # fmt: skip


STREAM_WORDS = (
    "It begins with what a poll that does not wait would be told, and goes on with each change: an event is the same "
    "JSON as a reply of `listMessages`, and its id is the cursor. It ends after a quarter of an hour at most, and when "
    "something about the account changes: come back with the id of the last event. Comments, or in JSON lines replies "
    "without messages, keep it alive."
)


def stream(settings: Settings) -> Json:
    come_back = {"name": "Last-Event-ID", "in": "header", "schema": AFTER["schema"], "description": "The id of the last event. It wins over `after`."}  # fmt: skip
    text = {"schema": {"type": "string"}}
    events = good(200, "Events, for as long as the stream lasts.")
    events["200"]["content"] = {"text/event-stream": text, "application/x-ndjson": text}
    return call(
        "streamMessages", "messages", "Follow: server-sent events, or lines of JSON, for each change",
        readers(settings), events, (*READS, "bad_cursor", "not_utf8", "not_acceptable"),
        parameters=(AFTER, come_back),
        words=STREAM_WORDS,
    )  # fmt: skip


def search(settings: Settings) -> Json:
    where = {"type": "string", "pattern": r"^\*$"}
    words = "`*`: all boards that you may read. Each message then has its `board`. Without it, the first board."
    return call(
        "searchMessages", "messages", "Search: the newest messages with these words and conditions", readers(settings),
        good(200, "The messages that were found, the newest first.", ref("Found")),
        (*READS, "bad_field", "bad_number", "not_utf8", "bad_date", "query_too_long", "too_many_searches"),
        parameters=(QUERY, query("board", where, words), BEFORE, LIMIT),
    )  # fmt: skip


def feed(settings: Settings, id: str, tag: str, *errors: str) -> Json:
    atom = good(200, "The feed.", None, "ETag", "Last-Modified")
    atom["200"]["content"] = {"application/atom+xml": {"schema": {"type": "string"}}}
    same = good(304, "Unchanged, by If-None-Match or If-Modified-Since.", None, "ETag", "Last-Modified")
    return call(id, tag, "The newest messages as an Atom feed", readers(settings), atom | same, (*READS, *errors))


BY_PASSWORD = (*ALWAYS, *CHANGES, *SENT, "passwords_off", "password_not_text", "password_length", "too_many_tries", "busy")  # fmt: skip
SIGN_UP_ERRORS = (*BY_PASSWORD, *NAMES, "bad_username", "name_reserved", "password_common", "username_taken", "signup_closed", "invite_needed", "link_gone")  # fmt: skip
SIGN_IN_ERRORS = (*BY_PASSWORD, "wrong_password", "suspended", "not_allowed")


def account_calls() -> Json:
    return {
        "/api/v1/signup": {
            "post": call(
                "signUp", "accounts", "Make an account", ANYONE, good(201, "Made.", ref("AccountReply")),
                SIGN_UP_ERRORS, takes="NewAccount",
            )
        },
        "/api/v1/signin": {
            "post": call(
                "signIn", "accounts", "Sign in for a token", ANYONE, good(200, "The token.", ref("SignedIn")),
                SIGN_IN_ERRORS, takes="Credentials",
            )
        },
        "/api/v1/signout": {
            "post": call("signOut", "accounts", "End this token", MEMBERS, good(204, "Ended."), (*WRITES, "not_found"))
        },
        "/api/v1/me": {
            "get": call("getMe", "accounts", "The token's account", MEMBERS, good(200, "You.", ref("AccountReply")), READS)
        },
    }  # fmt: skip


TOKEN_ERRORS = (*WRITES, *SENT, *NAMES, "bot_token", "no_such_board", "not_allowed", "password_needed", "confirm_first", "wrong_password",
                "suspended", "password_not_text", "password_length", "too_many_tokens", "too_many_tries", "busy")  # fmt: skip


def token_calls() -> Json:
    made = good(201, "The token.", ref("NewToken"))
    return {
        "/api/v1/tokens": {
            "get": call(
                "listTokens", "tokens", "Your bots' named tokens", MEMBERS, good(200, "Tokens.", ref("Tokens")),
                (*READS, "bot_token"),
            ),
            "post": call(
                "createToken", "tokens", "Make a named token for a bot; it is shown once", MEMBERS, made,
                TOKEN_ERRORS, takes="TokenRequest",
            ),
        },
        "/api/v1/tokens/{id}": {
            "parameters": [in_path("id")],
            "delete": call(
                "revokeToken", "tokens", "Revoke a named token", MEMBERS, good(204, "Revoked."),
                (*WRITES, "bot_token", "not_found"),
            ),
        },
    }  # fmt: skip


def operation_calls(settings: Settings) -> Json:
    well = good(200, "The board's state.", ref("Health"))
    unready = good(503, "Not now.", ref("Health"), "Retry-After")
    return {
        "/healthz": {
            "get": call("getHealth", "operation", "Whether polls can be served", A_MONITOR_SEES_MORE, well, ANYTHING)
        },
        "/readyz": {
            "get": call(
                "getReadiness", "operation", "Whether the board can be read and written", A_MONITOR_SEES_MORE,
                well | unready, ANYTHING,
            )
        },
    } | (metrics() if settings.metrics_token else {})  # fmt: skip


def metrics() -> Json:
    figures = good(200, "The figures.")
    figures["200"]["content"] = {"text/plain": {"schema": {"type": "string"}}}
    return {
        "/metrics": {
            "get": call(
                "getMetrics", "operation", "Figures for Prometheus, where METRICS_TOKEN is set", MONITOR, figures,
                (*ANYTHING, "invalid_token", "not_found"),
            )
        },
    }  # fmt: skip
