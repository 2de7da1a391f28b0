"""What a request's head decides: refusals before the body, HEAD and OPTIONS, other forms of an address."""

import json
import re
import socket

import pytest

from handlers import ROUTES
from tests.http.test_polls import repeats  # noqa: F401 (fixture: both ways)
from tests.support.patience import PATIENCE

BIG = 310_144
FORM = "Content-Type: application/x-www-form-urlencoded\r\n"


def said_to(server, *parts):
    """All that is said to this until the connection ends; whatever happens while it is sent."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE) as connection:
        for part in parts:
            connection.sendall(part if isinstance(part, bytes) else part.encode())
        return b"".join(iter(lambda: connection.recv(65536), b""))


def replies(said):
    """Status, headers and body of each of the replies, which all have a length."""
    found = []
    while said:
        head, _, rest = said.partition(b"\r\n\r\n")
        line, *lines = head.decode().split("\r\n")
        headers = {name.lower(): value for name, value in (one.split(": ", 1) for one in lines)}
        length = int(headers.get("content-length", 0))
        found.append((int(line.split()[1]), headers, rest[:length]))
        said = rest[length:]
    return found


def only(said):
    (reply,) = replies(said)
    return reply


def in_the_one_shape(reply, status, code):
    got, headers, body = reply
    assert got == status and headers["content-type"].startswith("application/json"), reply
    error = json.loads(body)["error"]
    assert error["code"] == code and error["message"] and headers["cache-control"] == "no-store"


REFUSED = [
    ("POST /get", BIG, 405, "method_not_allowed"),
    ("PUT /api/v1/messages", BIG, 405, "method_not_allowed"),
    ("POST /static/0123456789ab/board.css", BIG, 405, "method_not_allowed"),
    ("POST /api/v1/nowhere", BIG, 404, "not_found"),
    ("POST /api/v1/messages", 49_025, 413, "too_large"),
    ("POST /api/v1/messages", 10**12, 413, "too_large"),
    ("POST /api/v1/signin", 256 * 1024 + 1, 413, "too_large"),
    ("POST /get", 10**12, 405, "method_not_allowed"),
]


@pytest.mark.parametrize(("line", "length", "status", "code"), REFUSED)
def test_a_body_that_nobody_takes_is_refused_before_it_comes(server, line, length, status, code):
    """The whole answer is there while not one byte of the body has been sent."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE) as connection:
        head = f"{line} HTTP/1.1\r\nHost: x\r\nAccept: application/json\r\n{FORM}Content-Length: {length}\r\n\r\n"
        connection.sendall(head.encode())
        said = b"".join(iter(lambda: connection.recv(65536), b""))
    reply = only(said)
    in_the_one_shape(reply, status, code)
    assert reply[1]["connection"] == "close"


@pytest.mark.parametrize("path", ["/get", "/nowhere", "/static/0123456789ab/board.css", "/add"])
def test_what_is_said_to_end_the_connection_ends_it(server, path):
    """Also where the whole body has come before the answer: what follows is not answered any more."""
    body = b"x" * (6000 if path != "/add" else 400_000)
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\n{FORM}Content-Length: {len(body)}\r\n\r\n".encode()
    next_one = b"GET /robots.txt HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    assert only(said_to(server, head + body + next_one))[1]["connection"] == "close"


@pytest.mark.parametrize("path", ["/get", "/nowhere", "/add"])
def test_who_sends_such_a_body_all_the_same_can_read_the_answer(server, path):
    """To its end, and only then looks for the answer, as simple clients do: nothing is reset."""
    body = b"x" * 5_000_000
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\n{FORM}Content-Length: {len(body)}\r\n\r\n"
    assert only(said_to(server, head, body))[0] in (404, 405, 413)


def test_pieces_without_a_length_are_refused_when_they_are_too_many(server):
    """With the same words, however many more follow."""
    head = "POST /api/v1/messages HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunk = b"1000\r\n" + b"x" * 4096 + b"\r\n"
    in_the_one_shape(only(said_to(server, head, chunk * 500)), 413, "too_large")
    in_the_one_shape(only(said_to(server, head, b"100000\r\n" + b"x" * 2**20)), 413, "too_large")


def test_a_small_body_in_the_wrong_place_ends_no_connection(server):
    """What came along with its head is read, and the connection goes on."""
    wrong = f"POST /api/v1/nowhere HTTP/1.1\r\nHost: x\r\n{FORM}Content-Length: 3\r\n\r\na=b"
    empty = "POST /get HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"
    last = "GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    said = said_to(server, wrong + wrong.replace("/api/v1/nowhere", "/get") + empty + last)
    assert [reply[0] for reply in replies(said)] == [404, 405, 405, 200]


def test_who_waits_for_100_continue_is_not_told_to_go_on(server):
    """The refusal comes instead of it."""
    head = f"POST /get HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: {BIG}\r\n\r\n"
    assert only(said_to(server, head))[0] == 405
    head = (
        f"POST /add HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nConnection: close\r\n{FORM}Content-Length: 3\r\n\r\n"
    )
    assert b"100 (Continue)" in said_to(server, head, "s=x").partition(b"\r\n")[0]


def test_a_body_that_means_nothing_is_thrown_away(server):
    """GET with a body (RFC 9110, 9.3.1): answered as without it, and the connection goes on."""
    get = f"GET /healthz HTTP/1.1\r\nHost: x\r\n%sContent-Length: {BIG}\r\n\r\n"
    said = said_to(server, get % "", b"x" * BIG, get % "Connection: close\r\n", b"x" * BIG)
    assert [reply[0] for reply in replies(said)] == [200, 200]


# --- what is no request


LONG_HEADS = {
    "address": f"GET /?{'x' * 20_000} HTTP/1.1\r\nHost: x\r\n\r\n",
    "cookies": f"GET / HTTP/1.1\r\nHost: x\r\nCookie: a={'x' * 20_000}\r\n\r\n",
    "many headers": "GET / HTTP/1.1\r\n" + "".join(f"X-{n}: {'x' * 200}\r\n" for n in range(100)) + "\r\n",
    "endless": "GET / HTTP/1.1\r\nX: " + "x" * 3_000_000,
}


@pytest.mark.parametrize("what", LONG_HEADS)
def test_a_head_that_is_too_long_is_refused_in_words(server, what):
    """431, in the one shape, for who has sent all of it as well."""
    in_the_one_shape(only(said_to(server, LONG_HEADS[what])), 431, "head_too_long")


@pytest.mark.parametrize(
    "text",
    [
        "GET /?" + "limit=5&" * 60 + " HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET / HTTP/1.1\r\nHost x\r\n\r\n",
        "nonsense\r\n\r\n",
        "GET / HTTP/9.9\r\nHost: x\r\n\r\n",
        "POST /add HTTP/1.1\r\nHost: x\r\nContent-Length: -3\r\n\r\n",
        "POST /add HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
        "POST /add HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ],
)  # fmt: skip
def test_what_is_no_request_is_refused_in_the_one_shape(server, text):
    """Too many parameters, no HTTP, lengths that can't be."""
    in_the_one_shape(only(said_to(server, text)), 400, "bad_request")


# --- HEAD and OPTIONS


def addresses():
    """Those that are there with any settings."""
    for pattern in [route[0] for route in ROUTES]:
        yield re.sub(r"\(\[0-9a-f\]\{12\}\)", "0123456789ab", pattern).replace("(.+)", "board.css").replace("\\", "").replace(
            "([^/]+)", "1").replace("([0-9]{1,18})", "1")  # fmt: skip


@pytest.mark.parametrize("path", [*addresses()])
def test_head_is_there_wherever_get_is(server, path):
    """With the status and the headers that GET has, and no body; 405 where GET is."""
    path += "?wait=0" if path in ("/get", "/api/v1/messages") else ""
    with server.client.stream("GET", path) as get:  # a stream has no end
        head = server.client.head(path)
    assert head.status_code == get.status_code and head.content == b""
    assert head.headers.get("content-type") == get.headers.get("content-type")


@pytest.mark.parametrize("path", [*addresses()])
def test_options_are_told_to_anyone(server, path):
    """204 with Allow, which names what is there, and not a word to other sites."""
    headers = {"Origin": "https://elsewhere.example", "Access-Control-Request-Method": "POST"}
    response = server.client.options(path, headers=headers)
    assert response.status_code == 204 and response.content == b""
    allowed = response.headers["Allow"].split(", ")
    assert not [name for name in response.headers if name.startswith("access-control")]
    for method in {"GET", "HEAD", "POST", "PATCH", "DELETE"} - set(allowed):
        assert server.client.request(method, path).status_code in (405, 401, 404)  # as members, or where it is set up
    assert ("HEAD" in allowed) == ("GET" in allowed)


def test_options_of_the_server_and_of_nothing(start):
    """`OPTIONS *` asks for all; what isn't there has none. A members' board tells strangers the same."""
    server = start(reading="members")
    end = " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    status, headers, _ = only(said_to(server, "OPTIONS *" + end))
    assert status == 204 and headers["allow"] == "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"
    assert only(said_to(server, "OPTIONS /nowhere" + end))[0] == 404
    assert only(said_to(server, "OPTIONS / HTTP/1.0\r\n\r\n"))[0] == 204


# --- the absolute form


@pytest.mark.parametrize(
    ("uri", "status"),
    [("http://x/healthz", 200), ("HTTP://x:8080/healthz?a=b", 200), ("https://x/get?wait=0", 200), ("http://x", 200),
     ("http://x?a=b", 200), ("http://x/nowhere", 404), ("ftp://x/healthz", 404)],
)  # fmt: skip
def test_the_absolute_form_of_an_address_is_understood(server, uri, status):
    """RFC 9112, 3.2.2: a server must accept it."""
    assert only(said_to(server, f"GET {uri} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"))[0] == status


def test_the_absolute_form_s_host_counts(server):
    """Whatever the header says."""
    asked = "GET http://board.example:81/feed.atom HTTP/1.1\r\nHost: other.example\r\nConnection: close\r\n\r\n"
    said = said_to(server, asked)
    assert b"http://board.example:81/" in said and b"other.example" not in said
