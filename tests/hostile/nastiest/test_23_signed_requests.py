"""What Facebook calls by itself: permission taken back, data to be deleted. Only the signature counts."""

import base64
import contextlib
import hashlib
import hmac
import json
import re
import sqlite3
import time

import pytest

from handlers.http.errors import RefusedError
from handlers.login.facebook import read_signed_request, verified_payload
from tests.http.test_facebook import link
from tests.support.facebook import APP_SECRET, fake_facebook, free_port, log_in, signed_in_as, start_board
from tests.support.people import PASSWORD, Person, refused
from tests.support.server import until

VECTOR = "vlXgu64BQGFSQrY0ZcJBZASMvYvTHu9GQ0YM9rjPSso.eyJhbGdvcml0aG0iOiJITUFDLVNIQTI1NiIsIjAiOiJwYXlsb2FkIn0"


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """A board and a fake Facebook that all tests of this file share."""
    from tests.support.server import Server

    port = free_port()
    with fake_facebook(port) as fake, contextlib.ExitStack() as stack:

        def start(**settings):
            server = Server(tmp_path_factory.mktemp("calls"), **settings)
            stack.callback(server.stop)
            return server

        yield start_board(start, fake.url, port), fake


@pytest.fixture(autouse=True)
def fresh_client(both):
    both[0].client = both[0].open()


def encode(content):
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def sign(payload, secret=APP_SECRET):
    if not isinstance(payload, bytes):
        payload = json.dumps(payload).encode()
    text = encode(payload)
    return f"{encode(hmac.new(secret.encode(), text.encode(), hashlib.sha256).digest())}.{text}"


def about(user_id, **fields):
    return {"algorithm": "HMAC-SHA256", "issued_at": int(time.time()), "user_id": user_id} | fields


def call(board, path, text, **options):
    return board.client.post(f"/facebook/{path}", data={"signed_request": text}, **options)


# --- the signature


def test_23_facebook_s_own_example():
    """The vector of its documentation, which says nothing about anybody."""
    assert verified_payload(VECTOR, "secret") == {"algorithm": "HMAC-SHA256", "0": "payload"}
    for read, secret, words in (
        (read_signed_request, "secret", "names nobody"),
        (verified_payload, "Secret", "signature is wrong"),
    ):
        with pytest.raises(RefusedError) as refused:
            read(VECTOR, secret)
        assert words in refused.value.words


GOOD = sign(about("1234"))
BAD = [
    "", ".", "x", "..", GOOD.replace(".", ""), GOOD + "A", "A" + GOOD, GOOD.partition(".")[0] + ".", "." + GOOD.partition(".")[2],
    sign(about("1234"), "another secret"), VECTOR, GOOD.replace(".", ".\n"), GOOD + "=", "é" + GOOD, GOOD + "é", "*" * 43 + "." + "*" * 8,
    sign(about("1234", algorithm="HMAC-SHA1")), sign(about("1234", algorithm="none")), sign(about("1234", algorithm=None)),
    sign({"user_id": "1234"}), sign(b"not json"), sign(b"[]"), sign(b"null"), sign(b"\xff\xfe"), sign(b"[" * 3000), sign(b""),
    sign(about("")), sign(about("abc")), sign(about(None)), sign(about(["1"])), sign(about("1" * 40)), sign(about("１２")), sign(about(True)),
    "\0" + GOOD, GOOD.swapcase(), "A" * 50_000 + "." + "A" * 50_000,
]  # fmt: skip


@pytest.mark.parametrize("text", BAD, ids=range(len(BAD)))
@pytest.mark.parametrize("path", ["deauthorize", "delete"])
def test_23_what_facebook_did_not_sign_is_refused(both, path, text):
    """Wrong signatures, algorithms, base64 and JSON: 400, and nothing is done."""
    board, _ = both
    response = call(board, path, text)
    assert response.status_code in (400, 413) and response.json()["error"]["code"] in (
        "bad_signed_request",
        "too_large",
    )
    assert not re.search(re.escape(APP_SECRET), response.text)


@pytest.mark.parametrize("path", ["deauthorize", "delete"])
def test_23_a_call_without_a_signed_request(both, path):
    """400, and there is nothing to see by GET."""
    board, _ = both
    refused(board.client.post(f"/facebook/{path}"), 400, "bad_field")
    refused(board.client.post(f"/facebook/{path}", json={"signed_request": GOOD}), 400, "bad_field")
    refused(board.get(f"/facebook/{path}"), 405, "method_not_allowed")


def test_23_a_page_of_another_site_can_not_make_the_call(both):
    """Facebook's server has no Origin; a browser has, and is refused before anything is looked at."""
    board, _ = both
    headers = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
    refused(call(board, "delete", GOOD, headers=headers), 403, "cross_origin")
    assert call(board, "delete", GOOD, headers={"Cookie": "longboard=dead", "User-Agent": "x"}).status_code == 200


# --- what they do


def test_23_unknown_people_and_repeated_calls_are_answered_alike(both):
    """200 in both cases; the same request leads to the same code and page."""
    board, _ = both
    assert call(board, "deauthorize", GOOD).json() == call(board, "deauthorize", GOOD).json() == {}
    answers = [call(board, "delete", GOOD).json() for _ in range(3)]
    assert answers[0] == answers[1] == answers[2] and set(answers[0]) == {"url", "confirmation_code"}
    code = answers[0]["confirmation_code"]
    assert re.fullmatch("[0-9a-f]{24}", code) and answers[0]["url"] == f"{board.url}/facebook/deletion?code={code}"
    page = board.get(f"/facebook/deletion?code={code}")
    assert page.status_code == 200 and "It is deleted" in page.text and code in page.text
    assert board.get("/facebook/deletion?code=" + "0" * 24).status_code == 404
    assert board.get("/facebook/deletion").status_code == 404
    assert call(board, "delete", sign(about("99"))).json()["confirmation_code"] != code


def test_23_taking_permission_back_ends_what_facebook_had_opened(both):
    """Sessions made by Facebook and their parked polls end; one by password stays, and so does the account."""
    import concurrent.futures

    board, fake = both
    person = Person(board)
    browser, by_facebook = person.browser(), board.open()
    link(browser, fake, 4)
    log_in(by_facebook, fake, 4)
    assert signed_in_as(by_facebook)["id"] == person.id
    with concurrent.futures.ThreadPoolExecutor() as pool:
        poll = pool.submit(by_facebook.get, f"/get?after={board.cursor}")
        board.until_parked(1)
        assert fake.act(4, "deauthorize") == "200 {}"
        refused(poll.result(), 401, "signed_out")
    assert signed_in_as(by_facebook) is None and signed_in_as(browser)["id"] == person.id
    log_in(by_facebook, fake, 4)
    assert signed_in_as(by_facebook)["id"] == person.id
    browser.post("/account/facebook/unlink", data={"password": PASSWORD})


def test_23_a_late_call_leaves_what_began_after_it(both):
    """Facebook may repeat a call hours later: who has come back since stays."""
    board, fake = both
    browser = board.open()
    log_in(browser, fake)
    id = re.search(r'person1".*?<code>(\d+)</code>', fake.client.get("/").text, re.DOTALL)[1]
    old = sign(about(id, issued_at=int(time.time()) - 3600))
    assert call(board, "deauthorize", old).status_code == call(board, "delete", old).status_code == 200
    assert signed_in_as(browser)
    assert call(board, "deauthorize", sign({"algorithm": "HMAC-SHA256", "user_id": int(id)})).status_code == 200
    assert signed_in_as(browser) is None
    fake.act(1, "delete")


def test_23_a_deletion_takes_the_account_that_nothing_else_lets_into(both):
    """Its messages stay as those of a deleted account, on open pages too; the picture is gone; all can begin anew."""
    board, fake = both
    browser = board.open()
    log_in(browser, fake)
    account = signed_in_as(browser)
    message = browser.post("/api/v1/messages", json={"body": "what I said"}).json()
    cursor = board.cursor
    answer = json.loads(fake.act(1, "delete").partition(" ")[2])
    assert signed_in_as(browser) is None
    with contextlib.closing(sqlite3.connect(board.database)) as db:
        kept = db.execute("SELECT count(*) FROM identities WHERE account_id = ?", (account["id"],)).fetchone()
    assert kept == (0,), "its picture is gone with it"
    assert board.get(f"/api/v1/messages/{message['id']}").json()["author"]["name"] == "deleted account"
    reply = board.news(cursor)
    assert reply["reset"] and "Ada Lovelace" not in json.dumps(reply)
    assert "It is deleted" in board.get(answer["url"]).text
    log_in(browser, fake)
    assert signed_in_as(browser)["id"] > account["id"]


def test_23_a_deletion_leaves_an_account_with_a_password_but_nothing_of_facebook_s(both):
    """Identity, picture, name and the sessions that Facebook made are gone."""
    board, fake = both
    browser = board.open()
    log_in(browser, fake, 3)
    account = signed_in_as(browser)
    browser.post("/account/password", data={"new": PASSWORD})
    message = browser.post("/api/v1/messages", json={"body": "what I said"}).json()
    assert message["author"]["name"] == "李小龍"
    fake.act(3, "delete")
    assert signed_in_as(browser) is None
    form = {"username": account["username"], "password": PASSWORD}
    assert browser.post("/signin", data=form).status_code == 303
    assert signed_in_as(browser)["name"] == account["username"]
    until(lambda: board.get(f"/api/v1/messages/{message['id']}").json()["author"]["name"] == account["username"])
    assert browser.get(f"/picture/{account['id']}").headers["Content-Type"] == "image/svg+xml"
    assert browser.get("/account/download").json()["facebook"] is None
    assert "Link Facebook" in browser.get("/account").text


def test_23_deletion_urls_lead_to_the_public_address(start):
    """Where browsers reach the board, not where it listens."""
    app = {"facebook_app_id": "1", "facebook_app_secret": APP_SECRET}
    server = start(public_url="https://board.example.org", **app)
    answer = server.client.post("/facebook/delete", data={"signed_request": GOOD}).json()
    assert answer["url"].startswith("https://board.example.org/facebook/deletion?code=")
