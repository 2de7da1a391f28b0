"""The API's description (OpenAPI 3.1), written by hand and checked by tests/http/test_openapi.py; and the page /api.

The page lists the same calls, so the two always agree. docs/decisions/0012-openapi.md says why the description is made
like this.
"""

import functools
import json

from handlers.http.base import Base, Page
from handlers.operations.examples import LABELS, examples
from handlers.operations.openapi_boards import board_calls, board_schemas
from handlers.operations.openapi_calls import GUESTS_TOO, account_calls, message_calls, operation_calls, token_calls
from handlers.operations.openapi_embed import embed_calls, embed_schemas
from handlers.operations.openapi_errors import error_examples
from handlers.operations.openapi_feeds import private_feed_calls
from handlers.operations.openapi_hooks import hook_calls, hook_schemas
from handlers.operations.openapi_mentions import mention_calls, mention_schemas
from handlers.operations.openapi_parts import Json, part_name
from handlers.operations.openapi_pins import pin_calls
from handlers.operations.openapi_reactions import reaction_calls, reaction_schemas
from handlers.operations.openapi_schemas import schemas
from handlers.operations.openapi_webhooks import webhook_calls, webhook_schemas
from settings import Settings
from version import VERSION

DESCRIPTION = """A live message board. Its docs/protocol.md describes all of this for people.

Send a token as `Authorization: Bearer lb_…`. A browser's session cookie works, too; a page of another site is refused.

Every error has one shape, with a code that never changes. Besides the errors of each call there are 405
`method_not_allowed`, with `Allow`, and 500 `internal`, a fault of the board. A board with a `PUBLIC_URL` answers 421
`wrong_host` at another name, and 403 `https_only` to plain http. 415 may have `Accept-Encoding` (`identity`). Treat a
status that you don't know by its class (4xx, 5xx), and ignore fields that you don't know: later versions may have more.

`HEAD` is allowed wherever `GET` is, and `OPTIONS` everywhere. Every answer has `X-Content-Type-Options`,
`Referrer-Policy`, `Content-Security-Policy` and `Cache-Control` (`no-store`, except the feed); with https, it has
`Strict-Transport-Security` as well; for sites in CORS_FROM, `Access-Control-Allow-Origin` and `Access-Control-Expose-Headers`. `Connection` (`close`) says that the server closes the connection, `Vary` and
`Content-Encoding` that the answer may be compressed; `X-Accel-Buffering` (`no`) is a stream's, for nginx.
"""
TAGS = {
    "messages": "Reading, waiting for news, posting, changing and searching.",
    "boards": "Boards beside the first: the list, making and changing them, who is invited, and their messages.",
    "accounts": "Signing up, in and out.",
    "tokens": "Tokens of bots. They last until they are revoked, or have not been used for a year.",
    "operation": "For load balancers and monitors.",
}


def calls(settings: Settings) -> Json:
    return (
        message_calls(settings)
        | reaction_calls(settings)
        | mention_calls()
        | pin_calls()
        | board_calls(settings)
        | hook_calls()
        | webhook_calls()
        | account_calls()
        | token_calls()
        | operation_calls(settings)
        | private_feed_calls(settings)
        | embed_calls(settings)
    )


def all_schemas(settings: Settings) -> Json:
    return (
        schemas(settings)
        | reaction_schemas()
        | mention_schemas()
        | board_schemas()
        | hook_schemas()
        | webhook_schemas()
        | embed_schemas(settings)
    )


def description(settings: Settings) -> Json:
    paths = calls(settings)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": settings.title,
            "version": VERSION,
            "description": DESCRIPTION,
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": settings.public_url or "/"}],
        "tags": [{"name": name, "description": words} for name, words in TAGS.items()],
        "security": GUESTS_TOO,
        "paths": paths,
        "components": {
            "schemas": all_schemas(settings),
            "headers": {part_name(name): schema for name, schema in HEADERS.items()},
            "examples": error_examples(named_codes(paths)),
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer", "description": "From signIn, or a bot's."},
                "monitor": {"type": "http", "scheme": "bearer", "description": "METRICS_TOKEN."},
            },
        },
    }


def header(words: str, required: bool = True, **schema: object) -> Json:
    return {"description": words, "required": required, "schema": schema}


HEADERS = {
    "Location": header("Where it is.", type="string", format="uri-reference"),
    "Retry-After": header("Seconds after which to try again.", type="integer", minimum=0),
    "WWW-Authenticate": header("How to say who you are.", type="string"),
    "ETag": header("For If-None-Match next time.", type="string"),
    "Last-Modified": header("For If-Modified-Since next time.", type="string"),
}


def named_codes(paths: Json) -> set[str]:
    """Returns the codes of errors with which the described calls can answer."""
    responses = [
        response
        for methods in paths.values()
        for method, call in methods.items()
        if method != "parameters"
        for response in call["responses"].values()
    ]
    return {code for response in responses for code in response.get("content", {}).get("application/json", {}).get("examples", {})}  # fmt: skip


@functools.lru_cache(1)
def encoded(settings: Settings) -> bytes:
    """Encodes the description. Cached, because it takes a few milliseconds."""
    return json.dumps(description(settings), ensure_ascii=False, separators=(",", ":")).encode()


@functools.lru_cache(1)
def summaries(settings: Settings) -> list[tuple[str, str, str]]:
    """Returns method, path and summary of each call."""
    return [
        (method.upper(), path, call["summary"])
        for path, methods in description(settings)["paths"].items()
        for method, call in methods.items()
        if method != "parameters"
    ]


class OpenApi(Base):
    allows_cors = True
    for_whom = "anyone"
    identifies = False

    async def get(self) -> None:
        self.write_bytes(encoded(self.config))


class ApiPage(Page):
    for_whom = "anyone"
    forgives_old_sessions = True

    async def get(self) -> None:
        base = self.config.public_url or f"http://{self.request.host}"
        shown = examples(base, self.config.passwords, self.language.tell)
        self.render("api.html", calls=summaries(self.config), examples=shown, labels=LABELS)
