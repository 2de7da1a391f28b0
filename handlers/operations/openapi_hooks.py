"""The described calls that are about a board's incoming webhooks."""

from handlers.operations.openapi_boards import IN_BOARD, NO_BOARD
from handlers.operations.openapi_calls import MEMBERS, call
from handlers.operations.openapi_errors import NAMES, READS, SENT, WRITES
from handlers.operations.openapi_parts import (
    FLAG,
    ID,
    TEXT,
    TIME,
    Json,
    good,
    in_path,
    listed,
    or_null,
    record,
    ref,
    told,
)
from handlers.operations.openapi_schemas import AT

KEEPS = (NO_BOARD, "bot_token", "owner_only", "not_allowed", "too_many_tries")
WORDS = "For moderators and, on another board than the first, its owner."
SHOWN_ONCE = "Where it takes posts, with its secret. This is the only answer that has it."


def hook_calls() -> Json:
    return {
        "/api/v1/boards/{slug}/hooks": {
            "parameters": [IN_BOARD],
            "get": call(
                "listHooks", "boards", "The incoming webhooks of a board", MEMBERS,
                good(200, "Incoming webhooks, in the order in which they were made.", ref("Hooks")),
                (*READS, *(code for code in KEEPS if code != "too_many_tries")), words=WORDS,
            ),
            "post": call(
                "makeHook", "boards", "Make an incoming webhook", MEMBERS,
                good(201, "Made; with its address.", ref("Hook")),
                (*WRITES, *SENT, *NAMES, *KEEPS, "name_reserved", "too_many_hooks"), takes="NewHook", words=WORDS,
            ),
        },
        "/api/v1/boards/{slug}/hooks/{id}": {
            "parameters": [IN_BOARD, in_path("id")],
            "patch": call(
                "changeHook", "boards", "Rename an incoming webhook, or give it a new secret", MEMBERS,
                good(200, "As it is now; with its address, if the secret is new.", ref("Hook")),
                (*WRITES, *SENT, *NAMES, *KEEPS, "no_such_hook", "name_reserved"), takes="HookEdit",
            ),
            "delete": call(
                "revokeHook", "boards", "Revoke an incoming webhook: its address takes nothing any more", MEMBERS,
                good(204, "Revoked."), (*WRITES, *KEEPS, "no_such_hook"),
            ),
        },
    }  # fmt: skip


HOOK = {"id": 3, "name": "Grafana", "username": "bot_grafana", "created_at": AT, "last_used_at": None,
        "drops_repeats": True}  # fmt: skip


def hook_schemas() -> Json:
    name = told(TEXT, "The name under which it posts.")
    drops = "Whether it posts the same bytes only once within ten seconds."
    hook = {
        "id": ID,
        "name": name,
        "username": told(TEXT, "Of the account that is the author of what it posts. Nobody can sign in to it."),
        "created_at": TIME,
        "last_used_at": {"type": ["string", "null"], "format": "date-time", "description": "When it posted last."},
        "drops_repeats": told(FLAG, drops),
        "url": told(TEXT, SHOWN_ONCE),
    }
    edit = {
        "name": or_null(name),
        "drops_repeats": told(or_null(FLAG), drops),
        "new_secret": told(or_null(FLAG), "Whether it gets a new secret; the old one ends."),
    }
    return {
        "Hook": record(hook, "url", example=HOOK),
        "Hooks": record({"hooks": listed("Hook")}, example={"hooks": [HOOK]}),
        "NewHook": record({"name": name}, example={"name": "Grafana"}),
        "HookEdit": record(edit, *edit, example={"name": "Grafana"}),
    }
