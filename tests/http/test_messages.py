"""Posting and reading over HTTP: what is kept, what is refused, and in which shape."""

import html
import http.client
import json
import re
import secrets

import pytest

from tests.support.patience import PATIENCE

KEY = "0123456789abcdefghijkl"
JSON = {"Accept": "application/json"}


def key():
    return secrets.token_urlsafe(16)


def refused(response, status, code=None):
    assert response.status_code == status, response.text
    error = response.json()["error"]
    assert set(error) == {"code", "message"} and error["message"]
    if code:
        assert error["code"] == code
    return True


def test_a_post_answers_with_the_message_that_is_kept(server):
    """201, the message, and where to find it."""
    response = server.post("Hello <b>😀</b>\r\nsecond line ")
    message = response.json()
    assert response.status_code == 201
    assert message["body"] == "Hello <b>😀</b>\nsecond line" and message["author"] is None
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", message["created_at"])
    assert server.get(response.headers["Location"]).json() == message
    assert server.get("/api/v1/messages").json()["messages"][-1] == message


def test_the_api_takes_a_form_too(server):
    """`curl -d body=Hello` is enough."""
    assert server.client.post("/api/v1/messages", data={"body": "a form"}).json()["body"] == "a form"


def test_a_retry_with_the_same_key_posts_once(server):
    """201 the first time, 200 after, always the same message; other words are refused."""
    mine = key()
    first, again = server.post("once", key=mine), server.post("once", key=mine)
    assert (first.status_code, again.status_code) == (201, 200) and first.json() == again.json()
    header = server.client.post("/api/v1/messages", json={"body": "once"}, headers={"Idempotency-Key": mine})
    assert header.json() == first.json()
    refused(server.post("twice", key=mine), 422, "key_reused")


@pytest.mark.parametrize("bad", ["short", "x" * 101, "ключ" * 8, "with\nnewline" * 3])
def test_a_key_that_could_be_somebody_else_s_is_refused(server, bad):
    """Guests share their keys' space, so keys must be long and random."""
    refused(server.post("words", key=bad), 400, "bad_key")


def test_two_keys_are_no_key(server):
    twice = [("Idempotency-Key", key()), ("Idempotency-Key", key())]
    refused(server.client.post("/api/v1/messages", json={"body": "which?"}, headers=twice), 400, "bad_key")


def test_the_page_s_form_sent_twice_is_one_message(server):
    """A double click without JavaScript posts once; the same form with other words is another message."""
    page = server.get("/").text
    mine = re.search(r'name="key" value="([^"]+)"', page)[1]
    before = server.cursor
    for text in ("clicked twice", "clicked twice", "other words after Back"):
        response = server.client.post("/add", data={"s": text, "key": mine})
        assert (response.status_code, response.headers["Location"]) == (303, "/")
    assert [m["body"] for m in server.news(before)["messages"]] == ["clicked twice", "other words after Back"]
    assert mine not in server.get("/").text


def test_words_that_replace_others_are_posted_only_if_the_first_were_not(server):
    """Whichever of both comes first is the message, whatever the other's fate; and sent again it is the same message."""
    changed = {"s": "changed words", "first": "the first words"}
    for n, orders in enumerate(([changed, {"s": "the first words"}], [{"s": "the first words"}, changed])):
        before, key = server.cursor, f"{n}" * 32
        taken, again, other = (
            server.client.post("/add", data={**data, "key": key}, headers=JSON) for data in (orders[0], *orders)
        )
        assert (taken.status_code, again.status_code) == (201, 200) and taken.json() == again.json()
        refused(other, 422, "key_reused")
        assert [m["body"] for m in server.news(before)["messages"]] == [orders[0]["s"]]


def test_the_longest_message_can_replace_another_as_long(server):
    """Each character of either takes twelve bytes in a form."""
    data = {"s": "😀" * 4000, "first": "😁" * 4000, "key": "k" * 32}
    assert server.client.post("/add", data=data, headers=JSON).status_code == 201


def test_add_answers_programs_in_json(server):
    """The page's script and curl get the message instead of a redirect."""
    response = server.client.post("/add", data={"s": "from a script"}, headers=JSON)
    assert response.status_code == 201 and response.json()["body"] == "from a script"


def test_a_browser_gets_its_text_back_with_the_reason(server):
    """What was typed is still in the form, shown literally."""
    text = "</textarea><script>alert(1)</script>" + "x" * 4000
    response = server.client.post("/add", data={"s": text})
    assert response.status_code == 422 and "4000 characters" in html.unescape(response.text)
    assert html.escape(text) in response.text and "<script>alert" not in response.text


def test_the_public_url_s_origin_is_trusted_behind_a_proxy(start):
    """A proxy on the same machine that rewrites Host doesn't lock the board's own page out."""
    server = start(public_url="https://board.example.org")
    for origin, status in (("https://board.example.org", 303), ("https://other.example.org", 403)):
        assert server.client.post("/add", data={"s": "x"}, headers={"Origin": origin}).status_code == status
    assert "max-age" in server.get("/").headers["Strict-Transport-Security"]


@pytest.mark.parametrize("path", ["/nothing", "/static/000000000000/../server.py", "/api/v1/nothing", "/get/", "/%00"])
def test_an_unknown_address_is_404_with_all_headers(server, path):
    """A page for people, JSON for programs, and never fewer headers than elsewhere."""
    response = server.get(path)
    assert response.status_code == 404
    assert response.headers["X-Content-Type-Options"] == "nosniff" and "Content-Security-Policy" in response.headers
    if path.startswith("/api/"):
        refused(response, 404, "not_found")


def test_a_path_out_of_the_static_files_is_not_found(server):
    """In the one shape, with the code that says so: it has nothing to do with another site."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE)
    connection.request("GET", "/static/000000000000/../server.py")  # httpx would go up the path itself
    response = connection.getresponse()
    assert response.status == 404 and json.loads(response.read())["error"]["code"] == "not_found"
    connection.close()


@pytest.mark.parametrize("id", ["0", "99999999", "9" * 30, "x", "-1", "1e3", "%D9%A1"])
def test_an_unknown_message_is_404(server, id):
    """Whatever the id looks like."""
    refused(server.get(f"/api/v1/messages/{id}"), 404, "not_found")


def test_history_goes_back_page_by_page(start):
    """`before` and `limit` meet every message once; the page does the same by link, without JavaScript."""
    server = start()
    for number in range(1, 121):
        server.post(f"number {number}")
    seen, before = [], 10**9
    while True:
        page = server.get(f"/api/v1/messages?before={before}&limit=50").json()
        seen = [m["body"] for m in page["messages"]] + seen
        if not page["older"]:
            break
        before = page["messages"][0]["id"]
    assert seen == [f"number {n}" for n in range(1, 121)]
    seen, path = [], "/"
    while path:
        text = server.get(path).text
        visible = text.partition("<template")[0]
        seen += re.findall(r">(number \d+)</div>", visible)
        link = re.search(r'<p class="older"[^>]*id="older"(?! hidden)[^>]*>\s*<a href="([^"]+)"', visible)
        path = html.unescape(link[1]) if link else None
    assert seen == [f"number {n}" for n in range(120, 0, -1)]


@pytest.mark.parametrize("query", ["before=x", "before=-1", "before=" + "9" * 40, "before=1&limit=x", "before=%ff"])
def test_bad_paging_is_400(server, query):
    """Nonsense is refused, on the page as in the API."""
    refused(server.get(f"/api/v1/messages?{query}"), 400)
    if "limit" not in query:
        assert server.get(f"/?{query}").status_code == 400


def test_the_page_has_no_inline_script_and_nothing_from_elsewhere(start):
    """The policy is strict, and the page keeps to it."""
    server = start()
    response = server.get("/")
    policy = response.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy and "*" not in policy
    assert not re.search(r"<script(?![^>]*src=)|<style|\son\w+=|\sstyle=", response.text)
    assert not re.search(r'(?:src|<link[^>]*href)="(?:https?:)?//', response.text)
    for path in re.findall(r'(?:src|href)="(/static/[^"]+)"', response.text):
        asset = server.get(path)
        assert asset.status_code == 200 and "immutable" in asset.headers["Cache-Control"]


def test_every_reply_carries_the_same_protection(start):
    """Redirects and files, found or not, are no exception."""
    server = start(public_url="https://board.example.org")
    for path in ("/li", "/lo", "/static/000000000000/main.js", "/static/000000000000/none.js", "/", "/get"):
        headers = server.get(path, follow_redirects=False).headers
        assert headers["X-Content-Type-Options"] == "nosniff" and headers["Referrer-Policy"] == "same-origin"
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
        assert "max-age" in headers["Strict-Transport-Security"] and "Server" not in headers


def test_what_is_asked_of_static_files_is_refused_in_the_one_shape(server):
    """Programs read the same errors everywhere."""
    refused(server.get("/static/000000000000/none.js"), 404, "not_found")
    refused(server.client.post("/static/000000000000/main.js"), 405, "method_not_allowed")


def test_a_page_from_before_an_update_still_finds_its_files(server):
    """An old version's address gives the present file, but it may not be kept."""
    response = server.get("/static/000000000000/main.js")
    assert response.status_code == 200 and response.headers["Cache-Control"] == "no-store"
    assert server.get("/static/000000000000/none.js").status_code == 404


def test_posting_can_be_limited_to_members(start):
    """Guests are told to sign in, and reading goes on."""
    server = start(posting="members")
    refused(server.post("x"), 401)
    assert server.client.post("/add", data={"s": "kept text"}).status_code == 401
    assert "kept text" in server.client.post("/add", data={"s": "kept text"}).text
    assert server.get("/").status_code == 200


def test_reading_can_be_limited_to_members(start):
    """Nothing of the board is shown, not even how many there are."""
    server = start(reading="members")
    for path in ("/get", "/get?t=0", "/api/v1/messages", "/api/v1/messages/1"):
        refused(server.get(path), 401)
    assert server.get("/").status_code == 401 and "WWW-Authenticate" in server.get("/").headers
    assert set(server.health()) == {"status", "storage", "version"}
    assert server.get("/readyz").status_code == 200


def test_one_address_can_not_flood_the_board(start):
    """Beyond a burst, posts are 429 with a time to come back; nobody else is slowed down."""
    server = start(limits="on")
    answers = [server.post(f"flood {n}").status_code for n in range(80)]
    assert answers[:60] == [201] * 60 and 429 in answers
    response = server.post("one more")
    while response.status_code == 201:
        response = server.post("one more")
    refused(response, 429, "too_many_posts")
    assert int(response.headers["Retry-After"]) >= 1
    assert json.loads(server.get("/healthz").text)["status"] == "ok"
