"""Rows 6 to 11: what is said, and is no text, too much of it, or meant to be taken for something else."""

import html
import json

import pytest

from handlers import ROUTES
from tests.http.test_messages import JSON, refused
from tests.support.people import Person


@pytest.mark.parametrize(
    "body",
    [b"", b"null", b"[]", b"3", b'"x"', b"{", b'{"body": NaN}', b'{"body": 1}', b"{}", b'{"body": null}',
     b'{"body": ["x"]}', b"[" * 1000, b'{"a":' * 1000 + b"1" + b"}" * 1000, b'{"body": ' + b"1" * 5000 + b"}",
     b'{"body": "\xff"}', b'{"body": "\\ud800"}', b'{"body": "x", "key": 7}', b'{"body": "x", "key": "\\ud800"}'],
)  # fmt: skip
def test_06_json_that_is_not_what_it_should_be(server, body):
    """However odd the JSON, the answer is one clear 400."""
    response = server.client.post("/api/v1/messages", content=body, headers={"Content-Type": "application/json"})
    refused(response, 400)


FIELDS = {
    "/api/v1/messages": ("body", "key"),
    "/api/v1/signup": ("username", "password", "name", "invite"),
    "/api/v1/signin": ("username", "password"),
    "/api/v1/tokens": ("name",),
}


@pytest.mark.parametrize("bad", [r"\ud800", r"a\udfffb", r"\ude00\ud83d"])
@pytest.mark.parametrize("path", FIELDS)
def test_07_half_a_character_anywhere(server, path, bad):
    """A lone surrogate, in any field of JSON: a clear refusal, never a fault."""
    person, before = Person(server), server.cursor
    good = {"body": "x", "username": "somebody", "password": "a few random words", "name": "x", "invite": "x"}
    for field in FIELDS[path]:
        fields = {name: good[name] for name in FIELDS[path] if name in good} | {field: "@"}
        content = json.dumps(fields).replace("@", bad + bad * 12 if field == "key" else bad)
        response = person.api.post(path, content=content, headers={"Content-Type": "application/json"})
        assert response.status_code in (400, 401, 410, 422), (field, response.status_code)
        assert response.json()["error"]["code"] != "internal"
    assert server.cursor == before


@pytest.mark.parametrize(
    ("text", "status", "code"),
    [
        ("", 422, "body_empty"), (" \n\t", 422, "body_empty"), ("\u200b", 422, "body_empty"),
        ("x" * 4001, 422, "body_too_long"), ("a\0b", 400, "body_not_text"),
        ("x" * 51_200, 413, "too_large"), ("z" + "\u0300" * 4100, 201, None), ("x\u202ey", 201, None),
    ],
)  # fmt: skip
def test_08_and_10_text_that_is_too_long_or_none_is_refused_everywhere_alike(server, text, status, code):
    """The API and the form give the same answer, and nothing is written."""
    before = server.cursor
    for response in (server.post(text), server.client.post("/add", data={"s": text}, headers=JSON)):
        if code:
            assert refused(response, status, code)
        else:
            assert response.status_code == status
    if code:
        assert server.cursor == before


def test_09_bytes_that_are_no_utf8_in_a_form_or_a_query(server):
    """Every route, with every field and every name of a query that it might read: 400 or a page that ignores it."""
    browser, before = Person(server).browser(), server.cursor
    names = ("s", "body", "key", "username", "password", "new", "name", "link", "act", "days", "messages", "next", "as")
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    for pattern, *_ in ROUTES:
        path = pattern.replace("([^/]+)", "99999999").replace("([0-9]{1,18})", "999999999").replace("\\", "")
        if path.endswith("/signout"):
            continue
        for query in ("after=%ff&before=%ff&t=%ff&q=%ff&link=%ff&invite=%ff&next=%ff&%ff=1", "wait=%ff&after=a-1"):
            with browser.stream("GET", f"{path}?{query}") as response:  # one of them has no end
                assert response.status_code < 500, (path, query)
        response = browser.post(path, content="&".join(f"{name}=%ff%fe" for name in names), headers=form)
        ignored = (303,) if path in ("/account/everywhere", "/account/facebook/seen") else ()  # buttons without fields
        assert 400 <= response.status_code < 500 or response.status_code in ignored, (path, response.status_code)
    assert server.cursor == before
    refused(server.client.post("/api/v1/messages", content=b"body=%ff", headers=form), 400, "not_utf8")
    refused(server.get("/get?after=%ff"), 400)


def test_10_text_that_wants_to_spill_over_stays_where_it_is(server):
    """Towers of marks are cut, overrides that turn lines around are dropped, and the neighbours are as they were."""
    neighbours = [server.post("before").json()]
    tower, turned = (
        server.post("Z" + "\u0335\u0300" * 50 + "algo").json(),
        server.post("evil\u202etxt.exe\u2066").json(),
    )
    neighbours.append(server.post("after").json())
    assert tower["body"].startswith("Z") and tower["body"].endswith("algo") and len(tower["body"]) <= 13
    assert turned["body"] == "eviltxt.exe"
    kept = server.get("/get").json()["messages"]
    assert [one for one in kept if one["id"] in (neighbours[0]["id"], neighbours[1]["id"])] == neighbours
    refused(server.post("x" * 4001), 422, "body_too_long")
    assert server.post("x" * 4000).status_code == 201


def test_11_markup_is_shown_literally(server):
    """Nobody's message becomes part of the page."""
    nasty = "<script>alert(1)</script></script>{{7*7}}<!-- \"'><img src=x onerror=alert(1)>"
    server.post(nasty)
    page = server.get("/").text
    assert "<script>alert" not in page and "<img src=x" not in page
    assert html.escape(nasty, quote=False)[:30] in page or html.escape(nasty)[:30] in page
