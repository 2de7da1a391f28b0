"""Headers, types and parameters mean the same, in every spelling that a client may send."""

import gzip
import json

import pytest

from handlers.http.negotiation import qualities, takes_gzip, wants_json
from handlers.http.static import static_url
from tests.support.people import PASSWORD, Person, refused

# --- lists of what a client takes


@pytest.mark.parametrize(
    ("header", "takes"),
    [("gzip", True), ("GZIP", True), ("br, gzip;q=0.5", True), ("gzip ; q=1.0", True), ("*", True), ("x-gzip", True),
     ("", False), ("identity", False), ("gzip;q=0", False), ("gzip; q=0.000", False), ("identity, gzip;q=0", False),
     ("*;q=0", False), ("gzip;q=0, *", False), ("notgzip", False), ("br", False), ("gzip;q=x", False), ("gzip;q=0.001", True),
     ("deflate, " * 500 + "gzip", True)],
)  # fmt: skip
def test_gzip_goes_only_to_who_takes_it(server, header, takes):
    """RFC 9110, 12.5.3; the page that is kept, what a handler renders, and files, alike."""
    assert takes_gzip(header) is takes
    for path, cookies in (("/", {}), ("/", {"a": "b"}), ("/search", {}), (static_url("board.css"), {})):
        if len(header) < 1000:
            answer = server.open(headers={"Accept-Encoding": header}, cookies=cookies).get(path)
            assert (answer.headers.get("Content-Encoding") == "gzip") is takes, path


@pytest.mark.parametrize(
    ("header", "is_json"),
    [("application/json", True), ("application/json, text/plain, */*", True), ("text/html;q=0.5, application/json", True),
     ("Application/JSON", True), ("text/html, application/json", False), ("text/html, application/json;q=0.9", False),
     ("application/json;q=0", False), ("application/json;q=0, */*", False), ("*/*", False), ("", False),
     ("application/jsonx", False), ("text/*, application/json;q=0.1", False)],
)  # fmt: skip
def test_a_program_gets_json_and_a_reader_a_page(server, header, is_json):
    """As Accept weighs them."""
    assert wants_json(header) is is_json
    answer = server.client.post("/add", data={"s": " "}, headers={"Accept": header})
    assert answer.headers["Content-Type"].startswith("application/json" if is_json else "text/html")


def test_a_weight_is_between_0_and_1():
    """Whatever somebody writes."""
    assert qualities("a;q=7, b;q=-1, c;q=nan;x=1, d;x=1;Q=0.3, e ;q = 0.2") == {
        "a": 1, "b": 0, "c": 0, "d": 0.3, "e": 0.2,
    }  # fmt: skip


# --- what changed since


def test_a_cache_is_told_the_same_of_every_answer(server):
    """One ETag for compressed and plain is a weak one, and what depends on Accept-Encoding says so, 304 and 206 too."""
    server.post("words for the feed")
    for path in ("/feed.atom", static_url("board.js"), static_url("icon.svg"), static_url("icon-192.png")):
        answers = [server.get(path, headers={"Accept-Encoding": coding}) for coding in ("gzip", "identity")]
        etags = {answer.headers["Etag"] for answer in answers}
        assert len(etags) == 1 and all(etag.startswith('W/"') for etag in etags)
        for coding in ("gzip", "identity"):
            same = {"If-None-Match": etags.copy().pop(), "Accept-Encoding": coding}
            again = server.get(path, headers=same)
            assert again.status_code == 304 and again.headers["Vary"] == "Accept-Encoding"
            assert again.headers["Etag"] in etags
            strong = server.get(path, headers=same | {"If-None-Match": same["If-None-Match"].removeprefix("W/")})
            assert strong.status_code == 304, "as it was named before"
    part = server.get(static_url("board.js"), headers={"Range": "bytes=0-9"})
    assert part.status_code == 206 and part.headers["Vary"] == "Accept-Encoding"


def test_a_time_that_is_none_is_no_fault(server):
    """Numbers as long as a header may be."""
    for value in (
        f"Sun, 06 Nov {'9' * 20} 08:49:37 GMT",
        "Sun, 06 Nov 9999 23:59:60 GMT",
        "Mon, 01 Jan 0001 00:00:00 +2359",
    ):
        assert server.get("/feed.atom", headers={"If-Modified-Since": value}).status_code == 200


# --- types of bodies


@pytest.mark.parametrize(
    "kind",
    ["application/x-www-form-urlencoded", "Application/X-WWW-Form-Urlencoded", "APPLICATION/X-WWW-FORM-URLENCODED; Charset=UTF-8",
     " application/x-www-form-urlencoded ;charset=utf-8"],
)  # fmt: skip
def test_a_form_is_a_form_however_its_type_is_written(server, kind):
    """In capitals too, by the API and by the page."""
    headers = {"Content-Type": kind.strip()}
    made = server.client.post("/api/v1/messages", content="body=a+form", headers=headers)
    assert made.status_code == 201 and made.json()["body"] == "a form"
    assert server.client.post("/add", content="s=a+form", headers=headers).status_code == 303


@pytest.mark.parametrize("kind", ["application/json", "Application/JSON; charset=utf-8"])
@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"])
def test_json_is_json(server, kind, bom):
    """With the mark that Windows writes before it, too."""
    made = server.client.post("/api/v1/messages", content=bom + b'{"body": "json"}', headers={"Content-Type": kind})
    assert made.status_code == 201 and made.json()["body"] == "json"


@pytest.mark.parametrize("path", ["/api/v1/messages", "/api/v1/signin", "/api/v1/signup", "/add", "/signin", "/signup"])
def test_what_is_neither_is_told_what_to_send(server, path):
    """Files of a form, XML, plain text: 415 in words, and never a guess."""
    for options in (
        {"files": {"body": (None, "x"), "s": (None, "x")}},
        {"content": b"x", "headers": {"Content-Type": "multipart/form-data"}},
        {"content": b"x", "headers": {"Content-Type": "Multipart/Form-Data; boundary=x"}},
        {"content": b"<x/>", "headers": {"Content-Type": "application/xml"}},
        {"content": b"s=x&body=x", "headers": {"Content-Type": "application/x-www-form-urlencodedx"}},
        {"content": b"s=x", "headers": {"Content-Type": "text/plain"}},
    ):
        answer = server.client.post(path, **options, params={"x": "1"})
        assert answer.status_code == 415 and "application/x-www-form-urlencoded" in answer.text
        if path.startswith("/api"):
            assert refused(answer, 415, "unsupported_type")
    if not path.startswith("/api"):
        answer = server.client.post(path, json={"s": "x"}, headers={"Accept": "application/json"})
        assert refused(answer, 415, "unsupported_type")


@pytest.mark.parametrize("path", ["/api/v1/messages", "/add"])
@pytest.mark.parametrize("coding", ["gzip", "GZip", "br", "deflate", "identity, gzip"])
@pytest.mark.parametrize("kind", ["application/json", "application/x-www-form-urlencoded"])
def test_a_compressed_body_is_told_that_it_is_not_read(server, path, coding, kind):
    """415, with what is taken (RFC 9110, 12.5.3 and 15.5.16)."""
    body = gzip.compress(json.dumps({"body": "x"}).encode())
    headers = {"Content-Type": kind, "Content-Encoding": coding, "Accept": "application/json"}
    answer = server.client.post(path, content=body, headers=headers)
    assert refused(answer, 415, "unsupported_encoding") and answer.headers["Accept-Encoding"] == "identity"


def test_a_body_that_says_it_is_as_it_is_is_read(server):
    """`Content-Encoding: identity` means nothing (RFC 9110, 8.4)."""
    headers = {"Content-Encoding": "identity"}
    assert server.client.post("/api/v1/messages", json={"body": "x"}, headers=headers).status_code == 201


# --- values


def test_null_is_not_given(start):
    """As Go, C# and generated clients write it; what is needed is still missing."""
    server = start()
    post = server.client.post
    assert post("/api/v1/messages", json={"body": "x", "key": None}).status_code == 201
    key = {"Idempotency-Key": "k" * 30}
    ids = {post("/api/v1/messages", json={"body": "x", "key": None}, headers=key).json()["id"] for _ in range(2)}
    assert len(ids) == 1
    account = {"username": "ada_null", "password": PASSWORD, "name": None, "invite": None}
    assert post("/api/v1/signup", json=account).json()["account"]["name"] == "ada_null"
    refused(post("/api/v1/messages", json={"body": None}), 400, "bad_field")
    refused(post("/api/v1/signin", json={"username": "ada_null", "password": None}), 400, "bad_field")


def test_limit_is_obeyed_or_refused(start):
    """With `before` and without; with a cursor it has no meaning, and says so; what nobody knows is ignored."""
    server = start()
    for number in range(1, 121):
        server.post(f"number {number}")

    def read(query):
        answer = server.get(f"/api/v1/messages?{query}")
        assert answer.status_code == 200, answer.text
        return answer.json()

    for limit, count in ((1, 1), (7, 7), (60, 60), (100, 100), (1000, 100)):
        for before in ("", "&before=121"):
            reply = read(f"limit={limit}{before}")
            assert [m["id"] for m in reply["messages"]] == list(range(121 - count, 121)) and reply["older"] is True
        found = server.get(f"/api/v1/search?q=number&limit={limit}").json()["messages"]
        assert len(found) == count
    newest = read("limit=1")
    assert newest["cursor"] == server.cursor
    server.post("news")
    assert [m["body"] for m in read(f"after={newest['cursor']}")["messages"]] == ["news"]
    assert "older" not in start().get("/api/v1/messages?limit=5").json()
    for query in ("limit=0", "limit=0&before=5", "limit=x"):
        refused(server.get(f"/api/v1/messages?{query}"), 400, "bad_number")
    refused(server.get("/api/v1/search?q=x&limit=0"), 400, "bad_number")
    for query in ("limit=5", "before=5"):
        refused(server.get(f"/api/v1/messages?after={newest['cursor']}&{query}"), 400, "bad_field")
    assert len(read("fbclid=x&_=123&utm_source=y")["messages"]) == 50


def test_a_page_s_template_leads_nowhere(start):
    """Crawlers read it as well: every link of the page is there."""
    import re

    server = start()
    server.post("words")
    for path in sorted(set(re.findall(r'href="(/[^"]*)"', server.get("/").text.replace("&amp;", "&")))):
        assert server.get(path, follow_redirects=True).status_code == 200, path


def test_pages_say_what_they_need_and_data_what_it_is(server, start):
    """Policies that a browser reads, on pages; the base of none can be moved."""
    ada = Person(server)
    for path, client in (
        ("/", server.client),
        ("/", ada.browser()),
        ("/signin", server.client),
        ("/nothing", server.client),
    ):
        headers = client.get(path).headers
        assert "camera=()" in headers["Permissions-Policy"] and headers["Cross-Origin-Resource-Policy"] == "same-origin"
    for path in ("/get", "/api/v1/messages", "/healthz", "/", "/feed.atom", static_url("board.css")):
        assert "base-uri 'none'" in server.get(path).headers["Content-Security-Policy"], path
    assert "Permissions-Policy" not in server.get("/get").headers
    https = start(public_url="https://board.example.org")
    assert https.get("/").headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert "Cross-Origin-Opener-Policy" not in server.get("/").headers
