"""The API's description is true: generated requests, good and bad, get only answers that it names."""

import json
import re
from urllib.parse import parse_qs, urlsplit

import jsonschema_rs
import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from openapi_spec_validator import OpenAPIV31SpecValidator
from schemathesis.checks import CHECKS

from handlers.http.fields import LIMIT_MAX
from handlers.operations.openapi import DESCRIPTION, description
from settings import read_settings
from tests.support.admin import admin
from tests.support.people import PASSWORD, Person
from tests.support.server import Server, until

described = description(read_settings([], {}))
schema = schemathesis.openapi.from_dict(described)


@pytest.fixture(scope="module")
def board(tmp_path_factory):
    server = Server(tmp_path_factory.mktemp("openapi"), poll_seconds=1)
    server.person = Person(server, "schema_owner")
    server.bot = server.person.api.post("/api/v1/tokens", json={"name": "bot", "password": PASSWORD}).json()
    yield server
    assert server.stop() == 0
    log = server.log.read_text()
    assert "Traceback" not in log and "ERROR" not in log, log


@schema.exclude(path="/api/v1/stream").parametrize()  # its answers have no end: see below
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
def test_every_answer_is_as_described(case, board):
    """No request, however made up, gets a fault, or an answer that the description doesn't know."""
    signs_out = case.path.endswith("signout")
    headers = {} if signs_out else {"Authorization": board.person.api.headers["Authorization"]}
    response = case.call(base_url=board.url, headers=headers)
    case.validate_response(response, excluded_checks=beyond_schema(response, parameters_of(case)))
    assert unnamed(case, response) == set()


EVERYWHERE = {"content-type", "content-length", "content-encoding", "date"}


def unnamed(case, response):
    """The error and the headers of an answer that the description doesn't name."""
    call = described["paths"][case.path].get(case.method.lower())
    if call is None:
        refused = (405, "allow") if response.status_code == 405 else (401, "www-authenticate")
        status, header = {"HEAD": (200, "date"), "OPTIONS": (204, "allow")}.get(case.method, refused)
        return set() if response.status_code == status and header in response.headers else {case.method}
    named = call["responses"].get(str(response.status_code), {})
    headers = EVERYWHERE | {name.lower() for name in named.get("headers", {})}
    found = {name.lower() for name in response.headers} - headers
    found = {name for name in found if f"`{name}`" not in DESCRIPTION.lower()}
    if response.status_code >= 400 and response.content and case.path != "/readyz":
        code = response.json()["error"]["code"]
        found |= {code} - named["content"]["application/json"]["examples"].keys()
    return found


def parameters_of(case):
    """The schemas of the parameters in the query that the description names for a call."""
    path = described["paths"][case.path]
    named = (*path.get("parameters", ()), *path.get(case.method.lower(), {}).get("parameters", ()))
    return {one["name"]: one["schema"] for one in named if one["in"] == "query"}


def has_only_more(response, known):
    """Whether the request has all that it should, and parameters that nobody knows besides."""
    query = parse_qs(urlsplit(response.request.url).query, keep_blank_values=True)
    fits = all(
        re.search(known[name].get("pattern", r"^\d+$" if known[name]["type"] == "integer" else ""), value)
        for name in known.keys() & query.keys()
        for value in query[name]
    )
    return fits and not query.keys() <= known.keys()


def beyond_schema(response, known):
    """Checks that don't know of refusals which a schema can't describe: a common password, NUL, a used invitation; nor
    that parameters which nobody knows are ignored, as links that are passed on have some.
    """
    if response.status_code == 400 and not response.content:  # what is no HTTP gets Tornado's bare 400
        return CHECKS.get_all()
    code = response.json()["error"]["code"] if response.status_code >= 400 else ""
    if response.status_code == 410:
        return CHECKS.get_by_names(["positive_data_acceptance", "negative_data_rejection"])
    if code == "bad_field" and response.request.method in ("GET", "PATCH"):  # parameters that don't go together; a time
        return CHECKS.get_by_names(["positive_data_acceptance"])
    limits = re.findall(r"[?&]limit=(\d+)", response.request.url)
    if response.status_code == 200 and limits and int(limits[-1]) > LIMIT_MAX:
        return CHECKS.get_by_names(["negative_data_rejection"])  # old clients send more, which does no harm
    if response.status_code == 422 or code.endswith("_not_text"):
        return CHECKS.get_by_names(["positive_data_acceptance"])
    if response.status_code < 300 and has_only_more(response, known):
        return CHECKS.get_by_names(["negative_data_rejection"])
    return []


ELSEWHERE = {
    "Author": {"username"},  # test_names
    "Reacting": {"username"},
    "Messages": {"more", "retry_ms"},  # of a thousand changes, and of a server that ends: test_history, test_polls
    "Found": {"indexing", "more_boards"},  # test_search_storage, test_search_all
}
"""Fields that come where other tests look for them."""


def note_fields(schema, value, seen):
    """Notes which fields of the named objects a value has."""
    for one in schema.get("anyOf", ()):
        note_fields(one, value, seen)
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        schema = described["components"]["schemas"][name]
        if "properties" in schema and isinstance(value, dict) and value.keys() >= set(schema["required"]):
            seen.setdefault(name, set()).update(value)
        note_fields(schema, value, seen)
    elif isinstance(value, list):
        for one in value:
            note_fields(schema.get("items", {}), one, seen)
    elif isinstance(value, dict):
        for field, one in value.items():
            note_fields(schema.get("properties", {}).get(field, {}), one, seen)


def test_each_header_and_field_that_is_described_also_comes(start):
    """Of messages and boards: what no answer has, nobody should look for."""
    board = start()
    person, guest, seen, posts = Person(board), board.client, {}, "/api/v1/boards/{slug}/messages"
    admin(f"--database-url={board.settings['database_url']}", "promote", person.username)
    until(lambda: person.api.get("/api/v1/me").json()["account"]["role"] == "moderator")

    def call(status, who, method, path, *, query="", headers=(), **names):
        body = {"json": names.pop("json")} if "json" in names else {}
        response = who.request(method, path.format(**names) + query, headers=dict(headers), **body)
        assert response.status_code == status, response.text
        of_it = described["paths"][path][method.lower()]["responses"][str(status)]
        assert {name.lower() for name in of_it.get("headers", {})} <= response.headers.keys(), (path, response.headers)
        for kind, content in of_it.get("content", {}).items():
            if kind == "application/json":
                note_fields(content["schema"], response.json(), seen)
        return response

    until(lambda: "Last-Modified" in board.get("/feed.atom").headers)
    etag = call(200, guest, "GET", "/feed.atom").headers["ETag"]
    call(304, guest, "GET", "/feed.atom", headers={"If-None-Match": etag})
    call(201, person.api, "POST", "/api/v1/boards", json={"slug": "rowing", "name": "Rowing"})
    rowing = {"slug": "rowing"}
    posted = call(201, person.api, "POST", posts, **rowing, json={"body": "words"}).json()
    key = {"body": "more words", "key": "b7Jt0yVxGq2mR5sLw8aZ1c"}
    call(201, guest, "POST", posts, **rowing, json={"body": f"@{person.username}", "reply_to": posted["id"]})
    secret = {"Guest-Secret": "s" * 22}
    own = call(201, guest, "POST", posts, **rowing, json={"body": "mine", "guest_name": "Zoe"}, headers=secret).json()
    call(200, guest, "PATCH", "/api/v1/messages/{id}", id=own["id"], json={"body": "still mine"}, headers=secret)
    call(204, guest, "DELETE", "/api/v1/messages/{id}", id=own["id"], headers=secret)
    call(201, guest, "POST", posts, **rowing, json=key)
    call(200, guest, "POST", posts, **rowing, json=key)
    cursor = call(200, guest, "GET", posts, query="?limit=1", **rowing).json()["cursor"]
    call(200, guest, "GET", posts, query="?after=0-0&wait=0", **rowing)
    call(200, guest, "GET", "/api/v1/messages/{id}", id=posted["id"])
    react = {"id": posted["id"], "kind": "heart"}
    call(200, person.api, "PUT", "/api/v1/messages/{id}/reactions/{kind}", **react)
    call(200, guest, "GET", "/api/v1/messages/{id}/reactions", id=posted["id"])
    call(200, person.api, "GET", "/api/v1/reactions", query=f"?ids={posted['id']}")
    call(200, person.api, "DELETE", "/api/v1/messages/{id}/reactions/{kind}", **react)
    call(200, person.api, "GET", "/api/v1/members", query="?prefix=p")
    call(200, person.api, "PUT", "/api/v1/messages/{id}/pin", id=posted["id"])
    call(200, guest, "GET", posts, **rowing)
    call(200, person.api, "DELETE", "/api/v1/messages/{id}/pin", id=posted["id"])
    call(200, person.api, "PATCH", "/api/v1/messages/{id}", id=posted["id"], json={"body": "better"})
    call(204, person.api, "DELETE", "/api/v1/messages/{id}", id=posted["id"])
    call(200, guest, "GET", posts, query=f"?after={cursor}&wait=0", **rowing)
    call(200, guest, "GET", "/get", query=f"?after={board.cursor}&wait=0")
    call(200, guest, "GET", "/api/v1/boards/{slug}/search", query="?q=words", **rowing)
    call(200, guest, "GET", "/api/v1/search", query="?q=words&board=*")
    for who in (guest, person.api):
        call(200, who, "GET", "/api/v1/boards")
        call(200, who, "GET", "/api/v1/boards/{slug}", **rowing)
    call(202, person.api, "PUT", "/api/v1/boards/{slug}/read", **rowing, json={"id": posted["id"]})
    member = {"username": Person(board).username}
    call(200, person.api, "PUT", "/api/v1/boards/{slug}/members/{username}", **rowing, **member)
    call(200, person.api, "GET", "/api/v1/boards/{slug}/members", **rowing)
    hooks = "/api/v1/boards/{slug}/webhooks"
    hook = call(201, person.api, "POST", hooks, **rowing, json={"url": "https://a.invalid/"}).json()
    which = rowing | {"id": hook["id"]}
    call(200, person.api, "GET", hooks, **rowing)
    call(200, person.api, "PATCH", f"{hooks}/{{id}}", **which, json={"paused": True})
    call(200, person.api, "GET", f"{hooks}/{{id}}", **which)
    call(200, person.api, "POST", f"{hooks}/{{id}}/secret", **which)
    call(200, person.api, "POST", f"{hooks}/{{id}}/test", **which)
    call(204, person.api, "DELETE", f"{hooks}/{{id}}", **which)
    for name, fields in seen.items():
        known = described["components"]["schemas"][name]["properties"].keys()
        assert fields == known - ELSEWHERE.get(name, set()), name
    assert {
        "Messages",
        "Message",
        "Deleted",
        "Board",
        "Boards",
        "Found",
        "Marked",
        "Member",
        "Invited",
        "Members",
        "Reactions",
        "Reacting",
        "OwnReactions",
        "ReactedTo",
        "Webhook",
        "MadeWebhook",
        "Webhooks",
        "WebhookSecret",
        "WebhookTest",
    } == seen.keys() - {"Author"}


STREAM = "/api/v1/stream"


@pytest.mark.parametrize("accept", [None, "*/*", "text/event-stream", "application/x-ndjson", "text/html", "*/*;q=x"])
@pytest.mark.parametrize(
    "query", ["", "after={}", "after=x", "after=%ff", "lastEventId={}", "lastEventId=x", "limit=x"]
)
@pytest.mark.parametrize("token", ["mine", "lb_x", None])
def test_every_answer_of_a_stream_is_as_described(board, accept, query, token):
    """Its head, and its first event; and each refusal, with its code."""
    headers = {"Accept": accept} if accept else {}
    if token:
        mine = board.person.api.headers["Authorization"]
        headers["Authorization"] = mine if token == "mine" else f"Bearer {token}"
    called = described["paths"][STREAM]["get"]["responses"]
    request = board.client.build_request("GET", f"{STREAM}?{query.format(board.cursor)}", headers=headers)
    response = board.client.send(request, stream=True)
    named = called[str(response.status_code)]
    kind = response.headers["Content-Type"].partition(";")[0]
    assert kind in named["content"]
    assert not {
        name
        for name in response.headers
        if name not in EVERYWHERE | {name.lower() for name in named.get("headers", {})}
        and f"`{name}`" not in DESCRIPTION.lower()
    }
    if response.status_code == 200:
        first = next(response.iter_text())
        assert first.startswith("retry: ") if kind == "text/event-stream" else json.loads(first)["cursor"]
    else:
        assert json.loads(response.read())["error"]["code"] in named["content"]["application/json"]["examples"]
    response.close()


def test_the_description_is_valid():
    """By the OpenAPI initiative's own schema; and each example is what its schema says."""
    OpenAPIV31SpecValidator(described).validate()
    for name, part in described["components"]["schemas"].items():
        whole = {**part, "components": described["components"]}
        for example in part.get("examples", []):
            jsonschema_rs.validate({**whole, "$schema": "https://json-schema.org/draft/2020-12/schema"}, example)
        assert part.get("examples") or name == "Changed"


def test_the_description_is_one_that_generators_read():
    """What the common ones stumble over is nowhere in it, and everything has a name."""
    text = json.dumps(described)
    assert '"const"' not in text and "additionalProperties" not in text
    calls = [
        call for methods in described["paths"].values() for method, call in methods.items() if method != "parameters"
    ]
    ids = [call["operationId"] for call in calls]
    assert len(set(ids)) == len(ids) == len(calls)
    for call in calls:
        assert call["tags"] and call["summary"]
        assert list(call.get("requestBody", {}).get("content", {"application/json": {}})) == ["application/json"]
        for status, response in call["responses"].items():
            schema = response.get("content", {}).get("application/json", {}).get("schema", {"$ref": ""})
            assert "$ref" in schema, (call["operationId"], status)


def test_the_description_names_every_route_of_the_api(board):
    """Nothing is left out, nothing made up."""
    from handlers import ROUTES

    others = {
        "/get",
        "/feed.atom",
        "/b/{}/feed.atom",
        "/feed",
        "/healthz",
        "/readyz",
    }  # and /metrics, where that is turned on
    paths = set(board.get("/api/v1/openapi.json").json()["paths"])
    routes = {re.sub(r"\([^)]*\)", "{}", route[0]) for route in ROUTES if route[0].startswith("/api/v1/")}
    assert {re.sub(r"\{\w+\}", "{}", path) for path in paths} == routes - {r"/api/v1/openapi\.json"} | others
