"""What the API's description is put together from: schemas, parameters, bodies and answers (OpenAPI 3.1)."""

from typing import Any

Json = dict[str, Any]

CURSOR = r"^[0-9a-z]{1,16}-(0|[1-9][0-9]{0,17})$"
TIME = {"type": "string", "format": "date-time"}
ID = {"type": "integer", "minimum": 1}
MOST_NUMBER = 10**18 - 1
TEXT = {"type": "string"}


def ref(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


def record(properties: Json, *optional: str) -> Json:
    required = [name for name in properties if name not in optional]
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def json_body(schema: Json) -> Json:
    return {"application/json": {"schema": schema}}


def sent(properties: Json, *optional: str, form: bool = True) -> Json:
    """A request's body, as JSON or as a form."""
    schema = {**record(properties, *optional), "additionalProperties": True}
    kinds = ("application/json", "application/x-www-form-urlencoded") if form else ("application/json",)
    return {"required": True, "content": {kind: {"schema": schema} for kind in kinds}}


Good = dict[str, tuple[str, Json | None]]
"""Status → what it means, and the schema of what comes, if anything does."""


def answers(good: Good, *errors: int) -> Json:
    replies: Json = {}
    for status, (words, schema) in good.items():
        replies[status] = {"description": words} | ({"content": json_body(schema)} if schema else {})
    for code in (400, *errors, 503):
        replies[str(code)] = {"description": ERRORS[code], "content": json_body(ref("Error"))}
    return replies


ERRORS = {
    400: "It can't be understood",
    401: "No token, a wrong one, or one that is over",
    403: "Not for this account, or from another site's page",
    404: "There is no such thing",
    409: "The username is taken, or the message has changed meanwhile",
    410: "The invitation was used, or has run out",
    413: "Far too large",
    415: "Neither JSON nor a form",
    422: "It can't be kept: too long, empty, or not allowed",
    429: "Too often; Retry-After says when to try again",
    503: "Not now; Retry-After says when to try again",
}
SENT = (401, 403, 413, 415, 422, 429)
"""What may be answered to whoever sends something."""


def query(name: str, schema: Json, words: str) -> Json:
    return {"name": name, "in": "query", "description": words, "schema": schema}


def in_path(name: str) -> Json:
    return {"name": name, "in": "path", "required": True, "schema": ID}
