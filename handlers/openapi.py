"""The API's description (OpenAPI 3.1), written by hand and held to the truth by tests/test_openapi.py; and /api.

The page at /api lists what stands here, so neither can say what the other doesn't.
"""

from board.passwords import LEAST, MOST
from board.people import NAME_LENGTH
from handlers.base import Base, Page
from handlers.openapi_parts import (
    CURSOR,
    ID,
    MOST_NUMBER,
    SENT,
    TEXT,
    TIME,
    Good,
    Json,
    answers,
    in_path,
    query,
    record,
    ref,
    sent,
)
from handlers.search import LONGEST
from settings import Settings

NEWS = {
    "messages": {"type": "array", "items": ref("Changed")},
    "cursor": {"type": "string", "pattern": CURSOR},
    "more": {"const": True},
    "reset": {"const": True},
    "older": {"const": True},
    "watching": {"type": "integer", "minimum": 0},
    "retry_ms": {"type": "integer", "minimum": 0},
}


def schemas(settings: Settings) -> Json:
    message = {
        "id": ID,
        "body": {"type": "string", "maxLength": settings.message_length},
        "author": {"oneOf": [record({"id": ID, "name": TEXT}), {"type": "null"}]},
        "created_at": TIME,
        "edited_at": {"oneOf": [TIME, {"type": "null"}]},
    }
    deleted = record({"id": ID, "deleted": {"const": True}})
    token = {"id": ID, "name": TEXT, "created_at": TIME, "last_used_at": TIME}
    role = {"enum": ["member", "moderator"]}
    return {
        "Message": record(message),
        "Changed": {"oneOf": [ref("Message"), deleted]},
        "News": record(NEWS, "more", "reset", "older", "watching", "retry_ms"),
        "Found": record(
            {
                "messages": {"type": "array", "items": ref("Message")},
                "older": {"type": "boolean"},
                "indexing": {"const": True},
            },
            "indexing",
        ),
        "History": record({"messages": {"type": "array", "items": ref("Message")}, "older": {"type": "boolean"}}),
        "Account": record({"id": ID, "username": TEXT, "name": TEXT, "role": role, "created_at": TIME}),
        "Token": record(token),
        "Error": record({"error": record({"code": TEXT, "message": TEXT})}),
    }


def message_paths(settings: Settings) -> Json:
    most = f"At most {settings.message_length} characters, counted when control characters are taken out."
    body = {"type": "string", "minLength": 1, "description": most}
    key = {"type": "string", "minLength": 22, "maxLength": 100, "pattern": "^[ -~]*$"}
    posted: Good = {"201": ("Posted", ref("Message")), "200": ("Was posted before", ref("Changed"))}
    return {
        "/api/v1/messages": {
            "get": READ,
            "post": {
                "summary": "Post; with a key, sending again posts once",
                "requestBody": sent({"body": body, "key": key}, "key"),
                "responses": answers(posted, *SENT),
            },
        },
        "/api/v1/search": {"get": SEARCH},
        "/api/v1/messages/{id}": {
            "parameters": [in_path("id")],
            "get": {"summary": "Read one", "responses": answers({"200": ("It", ref("Message"))}, 401, 404, 413, 429)},
            "patch": {
                "summary": "Change one of your own",
                "requestBody": sent({"body": body, "began_from": SEEN}, "began_from"),
                "responses": answers({"200": ("As it is now", ref("Message"))}, *SENT, 404, 409),
            },
            "delete": {
                "summary": "Delete one of your own; moderators, any",
                "responses": answers({"204": ("Gone", None)}, 401, 403, 404, 413, 429),
            },
        },
    }


SEEN = {
    "type": "string",
    "description": "the message's edited_at, or created_at, that this edit began from: 409 if it has changed since",
}
BEFORE = query("before", {"type": "integer", "minimum": 0, "maximum": MOST_NUMBER}, "page back from this message")
LIMIT = query("limit", {"type": "integer", "minimum": 0, "maximum": MOST_NUMBER}, "how many, paging back; 1 to 100")
READ = {
    "summary": "Read: the newest, what comes after a cursor, or what came before a message",
    "parameters": [
        query(
            "after", {"type": "string", "pattern": CURSOR}, "the cursor of the last reply: wait for what comes after"
        ),
        query("wait", {"type": "number", "minimum": 0}, "seconds to wait at most; 0 never waits"),
        BEFORE,
        LIMIT,
    ],
    "responses": answers({"200": ("Messages", {"anyOf": [ref("News"), ref("History")]})}, 401, 413, 429),
}

WORDS = query("q", {"type": "string", "maxLength": LONGEST}, 'words in any order, and "words in quotes"')
SEARCH = {
    "summary": "Search: the newest messages that have all of these words",
    "parameters": [{**WORDS, "required": True}, BEFORE, LIMIT],
    "responses": answers({"200": ("What was found, the newest first", ref("Found"))}, 401, 413, 422, 429),
}


def account_paths() -> Json:
    username = {"type": "string", "pattern": "^[A-Za-z0-9_]{3,32}$"}
    password = {"type": "string", "minLength": LEAST, "maxLength": MOST}
    account = record({"account": ref("Account")})
    signed_in = record({"token": TEXT, "expires_in": {"type": "integer"}, "account": ref("Account")})
    new = sent({"username": username, "password": password, "name": NAME, "invite": TEXT}, "name", "invite")
    return {
        "/api/v1/signup": {
            "post": {
                "summary": "Make an account",
                "requestBody": new,
                "responses": answers({"201": ("Made", account)}, *SENT, 409, 410),
            }
        },
        "/api/v1/signin": {
            "post": {
                "summary": "Sign in for a token",
                "requestBody": sent({"username": username, "password": password}),
                "responses": answers({"200": ("The token", signed_in)}, *SENT),
            }
        },
        "/api/v1/signout": {
            "post": {"summary": "End this token", "responses": answers({"204": ("Ended", None)}, 401, 403, 413)}
        },
        "/api/v1/me": {
            "get": {"summary": "Whose token this is", "responses": answers({"200": ("You", account)}, 401, 413, 429)}
        },
    }


NAME = {
    "type": "string",
    "description": f"What others see: at most {NAME_LENGTH} characters, counted when control characters are taken out.",
}


PASSWORD = {"type": "string", "description": "The account's own: needed wherever the account has one."}


def token_paths() -> Json:
    made = record({"token": TEXT, "id": ID, "name": TEXT, "created_at": TIME, "last_used_at": TIME})
    tokens = record({"tokens": {"type": "array", "items": ref("Token")}})
    return {
        "/api/v1/tokens": {
            "get": {
                "summary": "Your bots' named tokens",
                "responses": answers({"200": ("Tokens", tokens)}, 401, 403, 413, 429),
            },
            "post": {
                "summary": "Make a named token for a bot; it is shown once",
                "requestBody": sent({"name": NAME, "password": PASSWORD}, "password"),
                "responses": answers({"201": ("The token", made)}, *SENT),
            },
        },
        "/api/v1/tokens/{id}": {
            "parameters": [in_path("id")],
            "delete": {
                "summary": "Revoke a named token",
                "responses": answers({"204": ("Revoked", None)}, 401, 403, 404, 413),
            },
        },
    }


def description(settings: Settings) -> Json:
    return {
        "openapi": "3.1.0",
        "info": {
            "title": settings.title,
            "version": "1",
            "description": "A live message board. Send tokens as `Authorization: Bearer lb_…`.",
        },
        "servers": [{"url": settings.public_url or "/"}],
        "security": [{}, {"token": []}],
        "paths": message_paths(settings) | account_paths() | token_paths(),
        "components": {
            "schemas": schemas(settings),
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


class OpenApi(Base):
    for_whom = "anyone"

    async def get(self) -> None:
        self.write_json(description(self.config))


class ApiPage(Page):
    for_whom = "anyone"
    forgives_old_sessions = True

    async def get(self) -> None:
        calls = [
            (method.upper(), path, call["summary"])
            for path, methods in description(self.config)["paths"].items()
            for method, call in methods.items()
            if method != "parameters"
        ]
        self.render("api.html", calls=calls, base=self.config.public_url or f"http://{self.request.host}")
