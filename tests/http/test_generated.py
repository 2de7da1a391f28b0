"""Generated clients read the board: made of the description that a server serves, and used against it.

openapi-python-client is always tried; the others by bin/test --clients.
"""

import http.server
import json
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.support.generated import OpenApiGenerator, OpenApiPythonClient, Orval
from tests.support.people import PASSWORD, new_username
from tests.support.server import Server

CLIENTS = [
    pytest.param(OpenApiPythonClient, id="openapi-python-client"),
    pytest.param(OpenApiGenerator, id="openapi-generator", marks=pytest.mark.clients),
    pytest.param(Orval, id="orval", marks=pytest.mark.clients),
]


@pytest.fixture(scope="module", params=CLIENTS)
def client(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("generated")
    server = Server(folder)
    try:
        client = request.param(server, folder)
        yield client
        client.end()
    finally:
        status = server.stop()
    assert status == 0
    log = server.log.read_text()
    assert "Traceback" not in log and "ERROR" not in log, log


def answered(call, status):
    got, value = call
    assert got == status, value
    return value


def refused(call, status, code):
    assert answered(call, status)["error"]["code"] == code
    return True


def member(client):
    """A new one's fields, and a token."""
    fields = {"username": new_username(), "password": PASSWORD}
    assert answered(client.call("signUp", body=fields), 201)["account"]["username"] == fields["username"]
    return fields, answered(client.call("signIn", body=fields), 200)["token"]


def post(client, body, token=None):
    return answered(client.call("postMessage", body={"body": body}, token=token), 201)


def cursor(client):
    return answered(client.call("listMessages"), 200)["cursor"]


def news(client, after):
    return answered(client.call("listMessages", query={"after": after, "wait": 0.0}), 200)["messages"]


def test_somebody_signs_up_in_and_out(client):
    """The token is good until then."""
    fields, token = member(client)
    assert answered(client.call("getMe", token=token), 200)["account"]["name"] == fields["username"]
    assert answered(client.call("signOut", token=token), 204) in (None, {})
    assert refused(client.call("getMe", token=token), 401, "invalid_token")


def test_a_guest_s_message_has_no_author(client):
    """Null is read as that, in each field that may be null."""
    message = post(client, "by a guest")
    assert (message["author"], message["edited_at"]) == (None, None)
    assert answered(client.call("getMessage", message["id"]), 200)["body"] == "by a guest"


def test_each_change_of_a_message_is_read(client):
    """Posted, edited and deleted: each as what it is."""
    fields, token = member(client)
    before = cursor(client)
    message = post(client, "first words", token)
    assert message["author"]["name"] == fields["username"] and news(client, before) == [message]
    edited = answered(client.call("editMessage", message["id"], body={"body": "better words"}, token=token), 200)
    assert edited["edited_at"] is not None and news(client, before) == [edited]
    answered(client.call("deleteMessage", message["id"], token=token), 204)
    assert news(client, before) == [{"id": message["id"], "deleted": True}]


def test_a_poll_waits_for_news(client):
    """And gives what came."""
    after = cursor(client)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(client.call, "listMessages", query={"after": after})
        client.server.until_parked(1)
        client.server.post("news")
        (message,) = answered(waiting.result(), 200)["messages"]
    assert message["body"] == "news"


def test_a_key_posts_once(client):
    """The second answer is the first one's message."""
    fields = {"body": "once", "key": "a-key-of-one-client-" + new_username()}
    first = answered(client.call("postMessage", body=fields), 201)
    assert answered(client.call("postMessage", body=fields), 200) == first


def test_the_past_is_paged_back(client):
    """Oldest first, and whether there is more."""
    one, two, three = (post(client, f"page {n}") for n in range(3))
    page = answered(client.call("listMessages", query={"before": three["id"], "limit": 2}), 200)
    assert (page["messages"], page["older"]) == ([one, two], True) or one["id"] == 1


def test_words_are_found(client):
    """As whole messages."""
    word = new_username()
    message = post(client, f"with {word}")
    assert answered(client.call("searchMessages", query={"q": word}), 200)["messages"] == [message]


def test_a_bot_s_token_is_made_used_and_revoked(client):
    """Its secret comes once."""
    _, token = member(client)
    made = answered(client.call("createToken", body={"name": "bot", "password": PASSWORD}, token=token), 201)
    (kept,) = answered(client.call("listTokens", token=token), 200)["tokens"]
    assert (kept["id"], kept["name"]) == (made["id"], "bot") and "token" not in kept
    post(client, "by a bot", made["token"])
    answered(client.call("revokeToken", made["id"], token=token), 204)
    assert refused(client.call("postMessage", body={"body": "x"}, token=made["token"]), 401, "invalid_token")


def test_every_refusal_is_read(client):
    """With its code, in the one shape."""
    fields, token = member(client)
    message = post(client, "a guest's")
    assert refused(client.call("signIn", body=fields | {"password": "not this one"}), 401, "wrong_password")
    assert refused(client.call("signUp", body=fields), 409, "username_taken")
    assert refused(client.call("postMessage", body={"body": " "}), 422, "body_empty")
    assert refused(client.call("getMessage", 10**17), 404, "not_found")
    assert refused(client.call("deleteMessage", message["id"], token=token), 403, "not_yours")
    stale = {"body": "other words", "began_from": "2001-01-01T00:00:00.000Z"}
    mine = post(client, "mine", token)
    assert refused(client.call("editMessage", mine["id"], body=stale, token=token), 409, "edited_meanwhile")


def test_how_the_board_is_is_read(client):
    """By whoever looks after it."""
    assert answered(client.call("getHealth"), 200)["status"] == "ok"
    assert answered(client.call("getReadiness"), 200)["storage"] == "ok"


LATER = {"created_at": "2031-11-23T18:27:03.123Z", "edited_at": None, "reactions": [{"emoji": "👍", "count": 2}]}


class FromTheFuture(http.server.BaseHTTPRequestHandler):
    """Answers as a board of a later version, which has more fields everywhere."""

    def do_GET(self):
        author = {"id": 7, "name": "Ada", "picture": "/picture/7"}
        message = {"id": 2, "body": "words", "author": author, "reply_to": 1, **LATER}
        messages = [message, {"id": 1, "deleted": True, "deleted_at": LATER["created_at"]}]
        body = json.dumps({"messages": messages, "cursor": "abc-2", "board": "main"}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass


@pytest.fixture
def later_board():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), FromTheFuture) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_fields_to_come_do_not_break_a_client_of_today(client, later_board):
    """Wherever a later version adds some."""
    read = answered(client.call("listMessages", url=later_board), 200)
    (message, gone), next_cursor = read["messages"], read["cursor"]
    assert (message["id"], message["author"]["name"], next_cursor) == (2, "Ada", "abc-2")
    assert gone["id"] == 1 and gone["deleted"] is True
