"""The described call by which other sites show a message: there is one where boards may be embedded."""

from handlers.http.headers import is_embedding
from handlers.operations.openapi_calls import ANYONE, call
from handlers.operations.openapi_errors import ALWAYS
from handlers.operations.openapi_parts import ID, TEXT, Json, good, query, record, ref
from settings import Settings

PIXELS = {"type": "integer", "minimum": 1}
ERRORS = (
    *ALWAYS,
    "bad_field",
    "bad_number",
    "not_utf8",
    "not_found",
    "too_many_requests",
    "no_such_format",
)


def embed_calls(settings: Settings) -> Json:
    if not is_embedding(settings):
        return {}
    asked = (
        {**query("url", {"type": "string"}, "The address of a message, /m/ and its id, with the board's origin."), "required": True},
        query("maxwidth", {**PIXELS, "maximum": ID["maximum"]}, "The most pixels that the frame may be wide."),
        query("maxheight", {**PIXELS, "maximum": ID["maximum"]}, "The most pixels that the frame may be high."),
        query("format", {"type": "string", "enum": ["json"]}, "There is no other."),
    )  # fmt: skip
    answer = good(200, "What to show.", ref("OEmbed"))
    summary = "What another site shows of a message that everyone may read (oEmbed 1.0)"
    return {"/oembed": {"get": call("getOEmbed", "messages", summary, ANYONE, answer, ERRORS, parameters=asked)}}


def embed_schemas(settings: Settings) -> Json:
    if not is_embedding(settings):
        return {}
    texts = ("version", "type", "html", "title", "author_name", "provider_name", "provider_url")
    example = dict.fromkeys(texts, "…") | {"version": "1.0", "type": "rich", "width": 600, "height": 180}
    return {"OEmbed": record(dict.fromkeys(texts, TEXT) | {"width": PIXELS, "height": PIXELS}, example=example)}
