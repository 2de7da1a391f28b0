"""Parts of the API's description: types, parameters and bodies (OpenAPI 3.1)."""

from typing import Any

from board.site.messages import QUERY_MAX

Json = dict[str, Any]

CURSOR = r"^[0-9a-z]{1,16}-(0|[1-9][0-9]{0,17})$"
MOST_NUMBER = 10**18 - 1
TIME = {"type": "string", "format": "date-time"}
ID = {"type": "integer", "format": "int64", "minimum": 1, "maximum": MOST_NUMBER}
TEXT = {"type": "string"}
FLAG = {"type": "boolean"}
"""Never `const`: common generators turn it into clients that can't be imported, or that read it wrongly."""


def ref(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


def listed(name: str) -> Json:
    return {"type": "array", "items": ref(name)}


def told(schema: Json, words: str) -> Json:
    return {**schema, "description": words}


def or_null(schema: Json) -> Json:
    """Makes a field optional: null counts as missing."""
    return {**schema, "type": [schema["type"], "null"]}


def record(properties: Json, *optional: str, example: Json | None = None, words: str = "") -> Json:
    """Describes an object. It allows further fields, so that later versions can add some."""
    schema: Json = {"type": "object", "properties": properties}
    if required := [name for name in properties if name not in optional]:
        schema["required"] = required
    if words:
        schema["description"] = words
    if example:
        schema["examples"] = [example]
    return schema


def json_body(schema: Json) -> Json:
    return {"application/json": {"schema": schema}}


def sent(name: str) -> Json:
    """Describes a request's body. It has one content type: given two, some generated clients send none."""
    words = "JSON, or the same fields as a form (`application/x-www-form-urlencoded`)."
    return {"required": True, "description": words, "content": json_body(ref(name))}


def query(name: str, schema: Json, words: str) -> Json:
    return {"name": name, "in": "query", "description": words, "schema": schema}


QUERY_WORDS = (
    'Words in any order, and "words in quotes". Beside them or alone, conditions: `from:` and a username, or `from:guests`; '
    "`before:` and `after:`, each with a day in UTC, such as `after:2026-11-01`; and `has:link`."
)
QUERY = {**query("q", {"type": "string", "maxLength": QUERY_MAX}, QUERY_WORDS), "required": True}


def in_path(name: str) -> Json:
    return {"name": name, "in": "path", "required": True, "schema": ID}


Good = dict[str, Json]
"""Status → the response if the call succeeds."""


def good(status: int, words: str, schema: Json | None = None, *headers: str) -> Good:
    """`headers` are the names of the response's headers."""
    response: Json = {"description": words}
    if schema:
        response["content"] = json_body(schema)
    return {str(status): response | with_headers(*headers)}


def with_headers(*names: str) -> Json:
    return {"headers": {name: {"$ref": f"#/components/headers/{part_name(name)}"} for name in names}} if names else {}


def part_name(header: str) -> str:
    return header.replace("-", "")


BESIDE = ("username", "role")
"""What an author has only sometimes."""


def author_fields(name: str) -> Json:
    return {
        "id": ID,
        "name": told(TEXT, name),
        "username": told(
            TEXT, "Show it with an @ beside the name. There is one where the name alone does not say who it is."
        ),
        "role": told(
            {"type": "string", "enum": ["moderator", "bot"]},
            "There is one if this is a moderator now, or an incoming webhook.",
        ),
    }
