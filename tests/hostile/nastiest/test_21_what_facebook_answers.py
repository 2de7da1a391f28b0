"""Facebook slow, down, wrong or hostile: every answer here is written by hand, with none of the fake's code."""

import concurrent.futures
import gzip
import hashlib
import hmac
import json
import sqlite3
import time
import urllib.parse

import pytest

from tests.http.test_facebook import location, problem
from tests.support.facebook import APP_ID, APP_SECRET, Canned, begin, free_port, query_of, reply, signed_in_as
from tests.support.patience import PATIENCE
from tests.support.server import Server

TOKEN = reply('{"access_token":"EAAGm0PX4ZCpsBAKZC","token_type":"bearer","expires_in":5183944}')
PIXEL = b"\x89PNG\r\n\x1a\n" + b"\0" * 60
OAUTH_ERROR = (
    '{"error":{"message":"Error validating verification code EAAsecret.","type":"OAuthException",'
    '"code":100,"error_subcode":36009,"fbtrace_id":"AbCdEf_1234-x"}}'
)


def hang(connection):
    connection.settimeout(PATIENCE)
    connection.recv(1)


def drip(connection):
    """A byte now and then, for ever."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    while True:
        connection.sendall(b" ")
        time.sleep(0.2)


def endless_chunks(connection):
    connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    for _ in range(2000):
        connection.sendall(b"10000\r\n" + b"x" * 65536 + b"\r\n")


def hundred_megabytes(connection):
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 104857600\r\n\r\n")
    for _ in range(1600):
        connection.sendall(b" " * 65536)


def endless_headers(connection):
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    while True:
        connection.sendall(b"X-More: " + b"x" * 8000 + b"\r\n")


@pytest.fixture(scope="module")
def canned():
    server = Canned({})
    yield server
    server.close()


@pytest.fixture(scope="module")
def the_board(canned, tmp_path_factory):
    app = {"facebook_app_id": APP_ID, "facebook_app_secret": APP_SECRET, "facebook_fake": canned.url}
    board = Server(tmp_path_factory.mktemp("failures"), port=free_port(), **app)
    board.url = f"http://localhost:{board.port}"
    yield board
    assert board.stop() == 0
    log = board.log.read_text()
    assert "Traceback" not in log and "ERROR" not in log, log
    assert not [secret for secret in (APP_SECRET, "code-of-mine", "EAA") if secret in log]


@pytest.fixture
def board(the_board, canned):
    canned.answers = {}
    canned.asked.clear()
    the_board.client = the_board.open()
    return the_board


def come_back(browser, path="/facebook/start"):
    """Straight to the way back, with a code that is as good as what the canned answers say about it."""
    state = query_of(begin(browser, path))["state"]
    return browser.get(f"/facebook/callback?code=code-of-mine&state={state}#_=_")


def accounts(board):
    db = sqlite3.connect(board.database, timeout=PATIENCE)
    [[count]] = db.execute("SELECT count(*) FROM accounts")
    db.close()
    return count


def fails(board):
    """502 on a page, with neither an account nor a session."""
    before, browser = accounts(board), board.open()
    response = come_back(browser)
    assert "Facebook doesn't answer" in problem(response, 502)
    assert accounts(board) == before and signed_in_as(browser) is None
    return response


ANYWHERE = [
    reply("<!doctype html><title>Facebook</title>", kind="text/html"),
    reply("<!doctype html><title>Sorry</title>", "500 Internal Server Error", "text/html"),
    reply("", "503 Service UnavailableError"),
    reply(OAUTH_ERROR, "400 Bad Request"),
    reply(OAUTH_ERROR),
    reply('{"error":{"message":"(#4) Application request limit reached","type":"OAuthException","code":4}}', "403 Forbidden"),
    reply('{"error":"a string"}', "400 Bad Request"),
    reply(""), reply("null"), reply("[]"), reply("false"), reply("0"), reply('"text"'), reply("{}"), reply("NaN"),
    reply("{"), reply("[" * 20_000), reply(b"\xff\xfe{}"), reply('{"a":1}{"b":2}'),
    reply("", "302 Found", more="Location: /v24.0/elsewhere\r\n"),
    reply("", "301 Moved Permanently", more="Location: http://example.invalid/\r\n"),
    reply(gzip.compress(b'{"access_token":"EAA","id":"1"}'), more="Content-Encoding: gzip\r\n"),
    reply('{"access_token":"EAA", "id": "1"}' + " " * 70_000),
    b"", b"\0\1\2", b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}",
    hundred_megabytes, endless_chunks, endless_headers,
]  # fmt: skip


@pytest.mark.parametrize("answer", ANYWHERE)
@pytest.mark.parametrize("path", ["/oauth/access_token", "/me"])
def test_21_every_strange_answer_ends_on_a_friendly_page(board, canned, path, answer):
    """HTML, nothing, null, lists, errors with 200, redirects, 100 MB: never an account, never a fault of ours."""
    canned.answers = {"/oauth/access_token": TOKEN} | {path: answer}
    fails(board)
    assert "elsewhere" not in "".join(canned.asked)


@pytest.mark.parametrize("token", ["null", "0", "17", "true", "[]", "{}", '""', "NaN"])
def test_21_a_token_that_is_none(board, canned, token):
    """What is no string is not used."""
    canned.answers = {"/oauth/access_token": reply(f'{{"access_token":{token}}}'), "/me": reply("{}")}
    fails(board)


@pytest.mark.parametrize(
    "id", ["null", "1234", "1e5", "true", '""', '"abc"', '"12 "', '"12\\n"', '"-1"', '"１２３"', '"²"', '["1"]', "NaN", '"%s"' % ("1" * 40)]
)  # fmt: skip
def test_21_an_account_is_never_made_without_an_id(board, canned, id):
    """An id is a string of digits; a name alone, or a number, is nobody."""
    canned.answers = {"/oauth/access_token": TOKEN, "/me": reply(f'{{"name":"Nobody","id":{id}}}')}
    fails(board)


def test_21_facebook_down(start):
    """Nobody listens there: the same page, at once, and the board itself is well."""
    port = free_port()
    app = {"facebook_app_id": APP_ID, "facebook_app_secret": APP_SECRET}
    board = start(port=port, facebook_fake=f"http://127.0.0.1:{free_port()}", **app)
    board.url = f"http://localhost:{port}"
    fails(board)
    assert board.post("all is well").status_code == 201 and "ConnectionRefusedError" in board.log.read_text()


@pytest.mark.parametrize("slow", [hang, drip])
@pytest.mark.parametrize("path", ["/oauth/access_token", "/me"])
def test_21_a_facebook_that_hangs_is_given_up_in_time(board, canned, path, slow):
    """Both questions together take less than eight seconds."""
    canned.answers = {"/oauth/access_token": TOKEN} | {path: slow}
    fails(board)


def test_21_two_slow_answers_share_the_time(board, canned):
    """Each within its own limit, but together too long."""

    def slow(answer):
        def send(connection):
            time.sleep(5)
            connection.sendall(answer)

        return send

    canned.answers = {"/oauth/access_token": slow(TOKEN), "/me": slow(reply('{"id":"5"}'))}
    fails(board)


def test_21_polls_go_on_while_facebook_hangs(board, canned):
    """Sixty people wait for Facebook; meanwhile a parked poll gets its news, and nobody waits for an answer."""
    canned.answers = {"/oauth/access_token": hang}
    browsers = [board.open() for _ in range(60)]
    with concurrent.futures.ThreadPoolExecutor(64) as pool:
        waiting = [pool.submit(come_back, browser) for browser in browsers]
        while len(canned.asked) < 40:
            time.sleep(0.01)
        number, delivered = 0, 0
        while not all(one.done() for one in waiting):
            poll = pool.submit(board.news, board.cursor, 20)
            board.until_parked(1)
            board.post(f"meanwhile {number}")
            assert poll.result()["messages"][0]["body"] == f"meanwhile {number}"
            number += 1
            delivered += not all(one.done() for one in waiting)
        assert delivered
        statuses = [one.result().status_code for one in waiting]
        # Fifty at a time: on a busy machine some have given up before the last one comes.
        assert set(statuses) <= {502, 503} and statuses.count(502) >= 50


def test_21_the_operator_reads_what_facebook_said_in_numbers(board, canned, the_board):
    """Codes and the trace, never the message, which may have a token in it."""
    canned.answers = {"/oauth/access_token": reply(OAUTH_ERROR, "400 Bad Request")}
    fails(board)
    assert "HTTP 400 code=100 error_subcode=36009 fbtrace_id=AbCdEf_1234-x\n" in the_board.log.read_text()


def test_21_what_is_asked_of_facebook(board, canned):
    """The exact way back, the code, the proof, and only the fields that are needed."""
    canned.answers = {"/oauth/access_token": TOKEN, "/me": reply('{"id":"77","name":"Ada"}')}
    location(come_back(board.open()))
    token, me = (urllib.parse.urlsplit(request.split()[1]) for request in canned.asked)
    assert token.path == "/v24.0/oauth/access_token" and me.path == "/v24.0/me"
    asked = dict(urllib.parse.parse_qsl(token.query))
    assert asked == {"redirect_uri": f"{board.url}/facebook/callback", "code": "code-of-mine", "client_id": APP_ID,
                     "client_secret": APP_SECRET}  # fmt: skip
    asked = dict(urllib.parse.parse_qsl(me.query))
    proof = hmac.new(APP_SECRET.encode(), b"EAAGm0PX4ZCpsBAKZC", hashlib.sha256).hexdigest()
    fields = "id,name,picture.width(160).height(160)"
    assert asked == {"access_token": "EAAGm0PX4ZCpsBAKZC", "appsecret_proof": proof, "fields": fields}


@pytest.mark.parametrize(
    "name", ["null", "17", '""', '"\\u200b"', '"\\ud800"', '"\\u0000"', '"%s"' % ("x" * 3000), "[]", '"<b>"']
)
def test_21_a_strange_name_keeps_nobody_out(board, canned, name):
    """Something else stands there instead, and can be changed."""
    facebook_id = str(abs(hash(name)) + 10**6)
    canned.answers = {"/oauth/access_token": TOKEN, "/me": reply(f'{{"id":"{facebook_id}","name":{name}}}')}
    browser = board.open()
    location(come_back(browser))
    assert 1 <= len(signed_in_as(browser)["name"]) <= 50


# --- pictures


def with_picture(canned, facebook_id, url, answer=None, silhouette=False):
    me = {"id": facebook_id, "name": "P Q", "picture": {"data": {"url": url, "is_silhouette": silhouette}}}
    canned.answers = {"/oauth/access_token": TOKEN, "/me": reply(json.dumps(me)), "/profilepic": answer}
    if answer is None:
        del canned.answers["/profilepic"]


def picture_of(browser):
    return browser.get(f"/picture/{signed_in_as(browser)['id']}")


@pytest.mark.parametrize(
    "answer",
    [
        reply("<html>", kind="image/png"), reply("<svg onload='alert(1)'/>", kind="image/svg+xml"), reply(b""),
        reply(b"GIF8"), reply(PIXEL, "404 Not Found"), reply(PIXEL + b"\0" * 300_000, kind="image/png"),
        hundred_megabytes, endless_chunks, hang, reply(b"", "302 Found", more="Location: http://127.0.0.1:9/x.png\r\n"),
        reply(b"", "302 Found", more="Location: /v1/profilepic\r\n"), reply(b"", "302 Found"),
    ],
)  # fmt: skip
def test_21_what_is_no_picture_is_not_kept_and_keeps_nobody_out(board, canned, answer):
    """Judged by its bytes and its size, whatever it is called; initials stand there instead."""
    with_picture(canned, "31337", f"{canned.url}/profilepic?x=1", answer)
    browser = board.open()
    location(come_back(browser))
    assert picture_of(browser).headers["Content-Type"] == "image/svg+xml"


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:{other}/profilepic", "http://localhost:{port}/profilepic", "https://127.0.0.1:{port}/profilepic",
            "http://127.0.0.1:{port}@127.0.0.1:{other}/profilepic", "file:///etc/passwd", "//evil.example/profilepic", "profilepic",
            "http://127.0.0.1:{port}\\r\\nX: y/profilepic", "", "http://[::1/profilepic"]
)  # fmt: skip
def test_21_a_picture_elsewhere_is_not_even_asked_for(board, canned, url):
    """Only Facebook's own hosts are: nobody can send the board's server somewhere."""
    elsewhere = Canned({"/profilepic": reply(PIXEL)})
    port, other = canned.url.rpartition(":")[2], elsewhere.url.rpartition(":")[2]
    with_picture(canned, "4242", url.format(port=port, other=other), reply(PIXEL))
    browser = board.open()
    location(come_back(browser))
    assert picture_of(browser).headers["Content-Type"] == "image/svg+xml"
    assert elsewhere.asked == [] and not any("profilepic" in request.split()[1] for request in canned.asked)
    elsewhere.close()


@pytest.mark.parametrize(
    ("kind", "content"),
    [("jpeg", b"\xff\xd8\xff\xe0rest"), ("png", PIXEL), ("gif", b"GIF89arest"), ("webp", b"RIFF\0\0\0\0WEBPVP8 ")],
)
def test_21_a_picture_is_served_as_what_it_is(board, canned, kind, content):
    """Whatever it was called on the way; the next one replaces it, a failure leaves it, a silhouette takes it away."""
    browser = board.open()
    with_picture(canned, f"9{len(kind)}{ord(kind[0])}", f"{canned.url}/profilepic", reply(content, kind="text/html"))
    facebook_id = f"9{len(kind)}{ord(kind[0])}"
    for answer, expected in (
        (reply(content, kind="text/html"), f"image/{kind}"),
        (reply("", "302 Found", more="Location: /other/profilepic2\r\n"), f"image/{kind}"),
        (reply("", "500 Internal Server Error"), f"image/{kind}"),
    ):
        with_picture(canned, facebook_id, f"{canned.url}/profilepic", answer)
        location(come_back(browser))
        assert picture_of(browser).headers["Content-Type"] == expected
    with_picture(canned, facebook_id, f"{canned.url}/profilepic", reply(content), silhouette=True)
    location(come_back(browser))
    assert picture_of(browser).headers["Content-Type"] == "image/svg+xml"


def test_21_a_picture_may_be_behind_a_redirect_of_facebook_s(board, canned):
    """Each hop is looked at anew."""
    with_picture(canned, "5555", f"{canned.url}/profilepic", reply("", "302 Found", more="Location: /scontent.png\r\n"))
    canned.answers["/scontent.png"] = reply(PIXEL)
    browser = board.open()
    location(come_back(browser))
    assert picture_of(browser).content == PIXEL


@pytest.mark.parametrize(
    ("url", "good"),
    [
        ("https://platform-lookaside.fbsbx.com/platform/profilepic/?asid=1", True),
        ("https://scontent-fra3-1.xx.fbcdn.net/v/t1.png?oh=1", True),
        ("https://graph.facebook.com/1/picture", True),
        ("http://scontent.xx.fbcdn.net/x", False), ("https://fbcdn.net.evil.example/x", False),
        ("https://evilfbcdn.net/x", False), ("https://scontent.fbcdn.net:8443/x", False),
        ("https://user@scontent.fbcdn.net/x", False), ("https://evil.example/#.fbcdn.net", False), ("", False),
    ],
)  # fmt: skip
async def test_21_facebook_s_hosts(url, good):
    """Those that it serves pictures from, by https, and none that only looks like them."""
    from handlers.login.facebook import Facebook
    from settings import Settings

    assert Facebook(Settings()).keeps_pictures_at(url) is good
