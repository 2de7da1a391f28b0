"""The described calls that are about the webhooks of a board."""

from board.receivers import PREFIX, URL_MAX
from handlers.operations.openapi_boards import IN_BOARD, NO_BOARD
from handlers.operations.openapi_calls import MEMBERS, call
from handlers.operations.openapi_errors import READS, SENT, WRITES
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
from handlers.operations.openapi_schemas import AT, COUNT
from storage.webhooks import MOST_BEHIND, MOST_ON_BOARD, MOST_WEBHOOKS, SHAPES

JUDGED = (NO_BOARD, "bot_token", "owner_only", "not_allowed")
CHANGES = (*WRITES, *JUDGED, "too_many_tries")
ONE = (*CHANGES, "no_such_webhook")
WHO = "For the board's owner and moderators who may read it; on the first board, for moderators."
SENDS = (
    "It sends every later change of the board, in order, as an event of Standard Webhooks 1.0, or for `slack` what is written, "
    f"as a message for a channel. {WHO} A board has at most {MOST_ON_BOARD}, a site {MOST_WEBHOOKS}."
)


def webhook_calls() -> Json:
    one = [IN_BOARD, in_path("id")]
    as_it_is = good(200, "The webhook as it is now.", ref("Webhook"))
    tried = good(200, "Whether it has arrived.", ref("WebhookTest"))
    secret = good(200, "The new secret, which is shown only now.", ref("WebhookSecret"))
    return {
        "/api/v1/boards/{slug}/webhooks": {
            "parameters": [IN_BOARD],
            "get": call("listWebhooks", "webhooks", "The outgoing webhooks of a board, and how far each one is", MEMBERS,
                        good(200, "Webhooks.", ref("Webhooks")), (*READS, *JUDGED), words=WHO),
            "post": call("makeWebhook", "webhooks", "Make an outgoing webhook, which sends what you may read", MEMBERS,
                         good(201, "Made. Its secret is shown only now.", ref("MadeWebhook")),
                         (*CHANGES, *SENT, "bad_url", "too_many_webhooks"), takes="NewWebhook", words=SENDS),
        },
        "/api/v1/boards/{slug}/webhooks/{id}": {
            "parameters": one,
            "get": call("getWebhook", "webhooks", "How far an outgoing webhook is", MEMBERS, as_it_is,
                        (*READS, *JUDGED, "no_such_webhook")),
            "patch": call("changeWebhook", "webhooks", "Pause an outgoing webhook, switch it on, or change its address", MEMBERS,
                          as_it_is, (*ONE, *SENT, "bad_url"), takes="WebhookEdit",
                          words="Who switches it on has it from then on: it sends what that account may read."),
            "delete": call("removeWebhook", "webhooks", "Remove an outgoing webhook", MEMBERS, good(204, "Gone."), ONE),
        },
        "/api/v1/boards/{slug}/webhooks/{id}/secret": {
            "parameters": one,
            "post": call("renewWebhookSecret", "webhooks", "Give an outgoing webhook a new secret", MEMBERS, secret, ONE,
                         words="For a day, each event has two signatures: by the new secret and by the one before."),
        },
        "/api/v1/boards/{slug}/webhooks/{id}/test": {
            "parameters": one,
            "post": call("testWebhook", "webhooks", "Send a test event now", MEMBERS, tried, (*ONE, "busy"),
                         words="It waits for the receiver's answer. How far the webhook is stays as it is."),
        },
    }  # fmt: skip


# --- what they take and return

URL = {"type": "string", "format": "uri", "maxLength": URL_MAX}
SHAPE = {"type": "string", "enum": list(SHAPES)}
LATER = {"type": ["string", "null"], "format": "date-time"}
EXAMPLE = {"id": 3, "url": "https://example.org/hooks/3f9a", "shape": "standard", "owner": "ada", "state": "on", "behind": 0, "failures": 0,
           "error": None, "created_at": AT, "paused_at": None, "succeeded_at": AT, "failed_at": None, "next_at": None}  # fmt: skip
SECRET = f"{PREFIX}MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo="


def webhook_schemas() -> Json:
    webhook = {
        "id": ID,
        "url": URL,
        "shape": SHAPE,
        "owner": told(TEXT, "The username of whose it is."),
        "state": told(
            {"type": "string", "enum": ["on", "paused", "gone", "failing", "no_right"]},
            "Switched off by itself: `gone`, the receiver answered 410; `failing`, no try has succeeded for a week; "
            "`no_right`, its account can't read the board any more.",
        ),
        "behind": told(COUNT, f"Changes that the receiver lacks, at most {MOST_BEHIND}."),
        "failures": told(COUNT, "Tries that have failed since the last success."),
        "error": told(or_null(TEXT), "Why the last try failed: a status, or a code such as `timeout`."),
        "created_at": TIME,
        "paused_at": LATER,
        "succeeded_at": LATER,
        "failed_at": LATER,
        "next_at": told(LATER, "When the next try is, if the last one failed."),
    }
    secret = told(TEXT, f"`{PREFIX}` and base64: libraries of Standard Webhooks check signatures with it.")
    edit = {
        "url": or_null(URL),
        "paused": told(or_null(FLAG), "false switches it on, also if it was switched off."),
        "skip": told(or_null(FLAG), "With `paused` false: leave out what the receiver lacks."),
    }
    return {
        "Webhook": record(webhook, example=EXAMPLE),
        "MadeWebhook": record(webhook | {"secret": secret}, example=EXAMPLE | {"secret": SECRET}),
        "Webhooks": record({"webhooks": listed("Webhook")}, example={"webhooks": [EXAMPLE]}),
        "NewWebhook": record({"url": URL, "shape": or_null(SHAPE) | {"enum": [*SHAPES, None]}}, "shape",
                             example={"url": EXAMPLE["url"]}),
        "WebhookEdit": record(edit, *edit, example={"paused": True}),
        "WebhookSecret": record({"secret": secret}, example={"secret": SECRET}),
        "WebhookTest": record({"error": told(or_null(TEXT), "null if it has arrived; else as `error` of a webhook.")},
                              example={"error": None}),
    }  # fmt: skip
