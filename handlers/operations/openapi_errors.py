"""The errors of the described calls: each code with its status and its cause.

tests/unit/test_openapi_errors.py reads the handlers' code, and fails if it contains a code that is missing here.
"""

from handlers.operations.openapi_parts import Json, json_body, ref, with_headers

ERRORS: dict[str, tuple[int, str]] = {
    "bad_request": (400, "The request is not HTTP, is cut short, or has more than 50 parameters or fields."),
    "bad_json": (400, "The body is not a JSON object in UTF-8."),
    "bad_field": (400, "A field or a parameter is missing, or is of another type."),
    "not_utf8": (400, "A parameter or a field is not UTF-8."),
    "bad_number": (400, "A parameter must be a whole number, and not too small."),
    "bad_cursor": (400, "`after` is not a cursor."),
    "bad_wait": (400, "`wait` is not a number of seconds."),
    "bad_time": (400, "`t` is not a time in milliseconds."),
    "bad_key": (400, "The key does not have 22 to 100 random characters of ASCII."),
    "bad_secret": (400, "A guest's secret does not have 22 to 100 random characters of ASCII."),
    "body_not_text": (400, "The text has a NUL or half of a character in it."),
    "password_not_text": (400, "The password has a NUL or half of a character in it."),
    "invalid_token": (401, "The token is wrong, or has ended. Sign in for a new one."),
    "signed_out": (401, "The browser's session has ended."),
    "sign_in_first": (401, "Only members can do this."),
    "wrong_password": (401, "Wrong username or password, or it is not the account's password."),
    "cross_origin": (403, "The request came from a page of another site."),
    "not_allowed": (403, "The account is suspended, or the address is blocked."),
    "suspended": (403, "The account is suspended."),
    "not_yours": (403, "Somebody else wrote the message (moderators may delete it)."),
    "too_late": (403, "A guest's message is older than ten minutes."),
    "bot_token": (403, "A bot's token can't do this."),
    "password_needed": (403, "The account has a password, and it was not sent."),
    "confirm_first": (403, "The account has no password: make the token on the account page."),
    "passwords_off": (403, "The board takes no passwords: people come by other sites, bots with tokens."),
    "owner_only": (403, "Only the board's owner and moderators who may read it can do this."),
    "first_board": (403, "The site's settings say what its first board is."),
    "moderators_only": (403, "Only moderators make boards here; only they and a board's owner pin messages."),
    "archived": (403, "The board is archived: nothing new is written there."),
    "read_only": (403, "Only moderators and the board's owner can post there."),
    "signup_closed": (403, "The board takes no new members."),
    "invite_needed": (403, "New members need an invitation."),
    "not_found": (404, "It does not exist, or no longer does."),
    "no_such_board": (404, "There is no such board, or none that you may read."),
    "no_such_hook": (404, "There is no such incoming webhook on this board."),
    "no_such_account": (404, "There is no member with this username."),
    "no_such_webhook": (404, "There is no such outgoing webhook on this board."),
    "not_acceptable": (406, "The client accepts neither server-sent events nor lines of JSON."),
    "username_taken": (409, "The username is taken."),
    "slug_taken": (409, "Another board has this short name, or had it."),
    "someone_else": (409, "Whom the request names in `as` is not who is signed in."),
    "edited_meanwhile": (409, "The message has been edited since the state in `began_from`."),
    "link_gone": (410, "The invitation was used, or has run out."),
    "too_large": (413, "The body is far too large."),
    "unsupported_encoding": (415, "The body has a Content-Encoding."),
    "unsupported_type": (415, "The body is neither JSON nor a form."),
    "body_empty": (422, "The text has nothing visible in it."),
    "body_too_long": (422, "The text is too long."),
    "bad_reaction": (422, "There is no such reaction."),
    "bad_date": (422, "`before:` or `after:` in the query has no day behind it, such as 2026-11-01."),
    "query_too_long": (422, "The query is too long."),
    "key_reused": (422, "The key was used with other words, or to reply to another message."),
    "no_such_message": (422, "What `reply_to` names is no message of this board, or was deleted."),
    "bad_slug": (422, "A short name has 1 to 40 letters of a to z, digits, and hyphens between them."),
    "random_slug": (422, "A board for the invited gets a random short name."),
    "about_too_long": (422, "The line about the board is too long."),
    "rules_too_long": (422, "The board's rules are too long."),
    "name_differs": (422, "This is not the board's name."),
    "owns_board": (422, "One of the names is the board's owner, who needs no invitation."),
    "too_many_names": (422, "More names than are invited at once."),
    "too_many_boards": (
        422,
        "There are as many boards, short names or invitations as there may be: the words say of what, or of whom.",
    ),
    "bad_username": (422, "A username has 3 to 32 of the letters a to z, digits and `_`."),
    "bad_name": (422, "The name is empty, or too long, or has an @."),
    "password_length": (422, "The password is too short, or too long."),
    "name_reserved": (422, "The name is a moderator's, or the site's own."),
    "password_common": (422, "The password is a common one, or little more than a name."),
    "bad_url": (422, "Nothing is sent to this address: the words say why."),
    "too_many_hooks": (422, "The board, or the site, has as many incoming webhooks as it may have."),
    "too_many_webhooks": (422, "The board, or the site, has as many outgoing webhooks as it may have."),
    "too_many_tokens": (422, "The account has as many bots' tokens as it may have."),
    "too_many_posts": (429, "Too many posts or edits at once."),
    "too_many_requests": (429, "Too many requests at once for what is not in memory."),
    "too_many_searches": (429, "Too many searches at once."),
    "too_many_tries": (429, "Too many tries at once."),
    "head_too_long": (431, "The address and the headers have more than 16 KB together."),
    "no_such_format": (501, "oEmbed is answered in JSON only."),
    "unavailable": (503, "The storage is busy, full or unreachable. Trying again with the same key is safe."),
    "busy": (503, "Too many are signing in, searching or reading at once."),
}

ANYTHING = ("bad_request", "head_too_long")
"""Errors of all calls."""
ALWAYS = (*ANYTHING, "unavailable")
"""Errors of calls that read or write."""
IDENTIFIED = ("invalid_token", "signed_out")
"""Errors of calls that authenticate."""
KNOWN = (*ALWAYS, *IDENTIFIED, "sign_in_first")
"""Errors of calls that a board may restrict to members."""
READS = (*KNOWN, "too_many_requests")
"""Errors of calls that read from storage, or need work for one client alone."""
CHANGES = ("cross_origin", "too_large")
WRITES = (*KNOWN, *CHANGES)
MARKS = (
    *WRITES, "not_found", "not_allowed", "archived", "someone_else", "not_utf8", "too_many_tries", "too_many_requests",
)  # fmt: skip
"""Errors of calls that put a mark on a message: a reaction, or the pin."""
SENT = ("unsupported_encoding", "unsupported_type", "bad_json", "bad_field", "not_utf8")
"""Errors of calls with a body."""
TEXT = ("body_not_text", "body_empty", "body_too_long")
NAMES = ("bad_name", "body_not_text")

HEADERS = {401: ("WWW-Authenticate",), 429: ("Retry-After",), 503: ("Retry-After",)}
"""Names of the headers that errors of a status have."""


def refusals(codes: tuple[str, ...]) -> Json:
    """Returns the responses for these errors, by status."""
    responses: Json = {}
    for status in sorted({ERRORS[code][0] for code in codes}):
        named = [code for code in ERRORS if code in codes and ERRORS[code][0] == status]
        content = json_body(ref("ErrorReply"))
        content["application/json"]["examples"] = {code: {"$ref": f"#/components/examples/{code}"} for code in named}
        responses[str(status)] = {
            "description": "\n".join(f"- `{code}`: {ERRORS[code][1]}" for code in named),
            "content": content,
        } | with_headers(*HEADERS.get(status, ()))
    return responses


def error_examples(codes: set[str]) -> Json:
    return {
        code: {"summary": code, "value": {"error": {"code": code, "message": words.replace("`", "")}}}
        for code, (_, words) in ERRORS.items()
        if code in codes
    }
