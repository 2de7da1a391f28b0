"""A board that somebody may not read is for them one that never was: compared byte for byte, over every route.

A route that is added later is compared as well: whatever names a board, a message or an account of one in its address
is asked for what is hidden, and for what never was.
"""

import contextlib
import json
import re
import socket
import sqlite3

import pytest

from handlers.http.base import allowed_methods
from tests.http.test_boards import BOARDS, bot_of, hidden, make, post, promoted
from tests.support.patience import PATIENCE
from tests.support.people import Person, session_of
from tests.support.postgres import psql
from tests.support.routes import ROUTES

OF_BOARDS = re.compile(r"/(?:api/v1/boards|b)/\(")
OF_MESSAGES = re.compile(r"/(?:api/v1/messages|m)/\(")
OF_OTHERS = {
    r"/account/revoke/([0-9]{1,18})", r"/picture/([0-9]{1,18})", r"/api/v1/tokens/([^/]+)",
    r"/hooks/([0-9]{1,18})/([^/]+)", r"/hooks/([0-9]{1,18})x([^/]+)", r"/static/([0-9a-f]{12})/(.+)",
}  # fmt: skip
"""Routes with something in their address that is neither a board nor on one."""
QUERIES = (
    "",
    "?after=k3f9x2mq-0&wait=0",
    "?after=x",
    "?before=5&limit=2",
    "?limit=0",
    "?q=secret",
    "?q=secret&board=*",
    "?name=Hidden",
    "?wait=-1",
    "?ids=1,2",
    "?ids=1&before=5",
    "?ids=x",
)
FIELDS = {
    "body": "words", "s": "words", "name": "Hidden", "about": "x", "slug": "other", "id": "5", "act": "remove",
    "archived": "true", "read_by": "everyone", "q": "secret", "as": "", "key": "k" * 22,
    "add": "heart", "owner": "nobody", "username": "nobody", "reply_to": "1",
    "guest_name": "Zoe", "new_secret": "true", "url": "https://a.example/", "paused": "true", "shape": "slack",
}  # fmt: skip
BODIES = (
    None,
    ("application/x-www-form-urlencoded", "&".join(f"{name}={value}" for name, value in FIELDS.items())),
    ("application/x-www-form-urlencoded", "act=suspend&s=&body=&id=x&read_by=all"),
    ("application/x-www-form-urlencoded", "act=block&s=x&began_from=x"),
    ("application/json", json.dumps(FIELDS)),
    ("application/json", json.dumps({"body": "", "id": -1, "name": 5})),
    (
        "application/json",
        json.dumps({"body": "x", "id": 5, "key": "short", "read_by": "invited", "invite": ["nobody"], "owner": "x"}),
    ),
    ("application/json", json.dumps({"body": "x", "reply_to": 1})),
    ("application/json", json.dumps({"body": "x", "reply_to": "1"})),
    ("application/json", json.dumps({"body": "x", "guest_name": "Guest"})),
    ("application/json", "{"),
    ("text/plain", "x"),
)


def exchanged(server, method, path, headers, body=None):
    """The bytes of an answer. What differs between two equal requests is left out: the time, and the keys of forms."""
    kind, text = body or ("", "")
    lines = [f"{method} {path} HTTP/1.1", f"Host: 127.0.0.1:{server.port}", "Connection: close", *headers]
    if body:
        lines += [f"Content-Type: {kind}", f"Content-Length: {len(text.encode())}"]
    with socket.create_connection(("127.0.0.1", server.port), PATIENCE) as connection:
        connection.sendall("\r\n".join([*lines, "", text]).encode())
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    answer = re.sub(rb"\r\nDate: [^\r]+", b"", answer)
    return re.sub(rb'(name="key" value=")[^"]+', rb"\1KEY", answer)


def count_from(server, number):
    """Lets the next change have this number or a later one."""
    url, update = server.settings["database_url"], f"UPDATE board SET seq = {number}"
    if url.startswith("postgres"):
        psql(url, update.replace("board", "longboard.board"))
    else:
        with contextlib.closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as db, db:
            db.execute(update)


class Outsiders:
    """A site with a board that only its owner reads, and all kinds of people who may not."""

    def __init__(self, server):
        self.server = server
        count_from(server, 8_765_432_100)  # so that no id is by chance a part of anything else
        self.owner, moderator, invited = promoted(server), promoted(server), Person(server)
        make(self.owner, "public")
        post(server.client, "public", "for all")
        self.first = server.post("on the first").json()["id"]
        self.askers = {
            "guest": [],
            "moderator": [f"Cookie: longboard-{server.port}={session_of(moderator.browser())}"],
            "owner's bot": [f"Authorization: {bot_of(self.owner).headers['Authorization']}"],
            "no longer invited": [f"Authorization: {invited.api.headers['Authorization']}"],
        }
        self.was_invited, self.usernames = invited, [invited.username, "nobody_here"]

    def hide(self):
        """Makes the board, with all that can be done there."""
        self.slug = hidden(self.owner, about="secret")
        self.owner.api.put(f"{BOARDS}/{self.slug}/members/{self.was_invited.username}")
        self.ids = [post(self.was_invited.api, self.slug, "secret words")["id"] for _ in range(3)]
        self.owner.api.patch(f"/api/v1/messages/{post(self.owner.api, self.slug, 'x')['id']}", json={"body": "secret"})
        self.owner.api.delete(f"{BOARDS}/{self.slug}/members/{self.was_invited.username}")
        self.owner.api.patch(f"{BOARDS}/{self.slug}", json={"rules": "secret"})
        assert self.owner.api.post(f"{BOARDS}/{self.slug}/hooks", json={"name": "secret"}).json()["id"] == 1


@pytest.fixture
def outsiders(url, start):
    """On each engine in turn."""
    return Outsiders(start(database_url=url, embed_from="https://blog.example.org"))


def test_every_route_that_names_something_is_known():
    """A new one names a board, a message or something else: only of the last it must be said here."""
    named = {route[0] for route in ROUTES if "(" in route[0] and "facebook" not in route[0]}
    known = {route for route in named if OF_BOARDS.match(route) or OF_MESSAGES.match(route)}
    assert named - known == OF_OTHERS
    assert len(known) > 8


def test_what_is_hidden_is_answered_as_what_never_was(outsiders):
    """Status, headers and words, in whatever state the request is: by everybody, with every method, form and query."""
    server = outsiders.server
    outsiders.hide()
    make(outsiders.owner, "was-public")
    outsiders.owner.api.patch(f"{BOARDS}/was-public", json={"read_by": "invited"})
    gone = make(outsiders.owner, "deleted")
    of_gone = post(server.client, "deleted", "secret")["id"]
    assert outsiders.owner.api.delete(f"{BOARDS}/{gone['slug']}?name=Rowing").status_code == 204
    never = of_gone - 1  # the number of the board's own making: no message has it
    slugs = [(outsiders.slug, "0123456789abcdef0123"), ("was-public", "has-not-be"), ("deleted", "neverwa")]
    ids = [(outsiders.ids[0], never), (of_gone, never)]
    assert all(len(str(one)) == len(str(other)) for one, other in [*slugs, *ids]), (slugs, ids)
    wrong, compared, statuses = [], 0, set()
    for pattern, handler, *_ in ROUTES:
        pairs = slugs if OF_BOARDS.match(pattern) else ids if OF_MESSAGES.match(pattern) else []
        rests = ["heart", "nothing"] if OF_MESSAGES.match(pattern) else outsiders.usernames
        rests = ["1", "x"] if "/hooks/" in pattern else rests
        for there, nowhere in pairs:
            for method in sorted({*allowed_methods(handler)} - {"OPTIONS"}):
                for who, headers in outsiders.askers.items():
                    for rest in rests if pattern.count("(") > 1 else [""]:
                        for query in {"GET": QUERIES, "DELETE": ("", "?name=Hidden")}.get(method, ("",)):
                            for body in BODIES if method in ("POST", "PUT", "PATCH") else (None,):
                                answers = []
                                for name in (str(there), str(nowhere)):
                                    path = re.sub(r"\([^)]*\)", name, pattern, count=1)
                                    path = re.sub(r"\([^)]*\)", rest, path).replace("\\", "")
                                    answer = exchanged(server, method, path + query, headers, body)
                                    answers.append(answer.replace(name.encode(), b"NAME"))
                                compared += 1
                                statuses.add(answers[0].split(b" ")[1])
                                if answers[0] != answers[1] or b"secret words" in answers[0]:
                                    wrong.append((who, method, path, query, body, *answers))
    assert wrong == []
    assert compared > 1000 and statuses >= {b"400", b"401", b"403", b"404", b"415"}


def test_a_hidden_message_that_is_replied_to_or_named_is_one_that_never_was(outsiders):
    """On every board that the asker may read: the same refusal, and nothing in place of the message."""
    server = outsiders.server
    outsiders.hide()
    hidden, never = outsiders.ids[0], outsiders.ids[0] - 1
    wrong, statuses = [], []
    for who, headers in outsiders.askers.items():
        for path in ("/api/v1/messages", f"{BOARDS}/public/messages", "/add", "/b/public/add"):
            answers = []
            for id in (hidden, never):
                form = ("application/x-www-form-urlencoded", f"body=x&s=x&reply_to={id}")
                posted = exchanged(server, "POST", path, headers, form)
                read = exchanged(server, "GET", f"{path}?ids={id},{outsiders.first}", headers)
                answers.append([one.replace(str(id).encode(), b"ID") for one in (posted, read)])
            statuses += [answer.split(b" ")[1] for answer in answers[0]]
            if answers[0] != answers[1] or b"secret" in b"".join(answers[0]):
                wrong.append((who, path, *answers))
    assert wrong == []
    assert statuses == [b"422", b"200"] * 16


def test_a_guest_s_own_message_on_a_hidden_board_is_one_that_never_was(outsiders):
    """Posted with a secret, when the board was open to all."""
    server, secret = outsiders.server, {"Guest-Secret": "s" * 22}
    make(outsiders.owner, "was-public")
    posted = server.client.post(f"{BOARDS}/was-public/messages", json={"body": "secret"}, headers=secret).json()
    outsiders.owner.api.patch(f"{BOARDS}/was-public", json={"read_by": "invited"})
    answers = []
    for id in (posted["id"], posted["id"] - 1):  # which is the number of the board's making: no message has it
        for method, body in (("PATCH", ("application/json", '{"body": "x"}')), ("DELETE", None)):
            answer = exchanged(server, method, f"/api/v1/messages/{id}", [f"Guest-Secret: {'s' * 22}"], body)
            answers.append(answer.replace(str(id).encode(), b"ID"))
    assert answers[:2] == answers[2:] and [answer.split(b" ")[1] for answer in answers] == [b"404"] * 4


READ = (
    "/", "/?before=99", "/?after=0", "/add", "/get?t=0&wait=0", "/get", "/search?q=secret", "/search?q=words", "/feed.atom",
    "/search?q=secret&board=*", "/search?q=words&board=*", "/b/public/search?q=secret&board=*",
    "/audit", "/api/v1/messages", "/api/v1/messages?limit=9", "/api/v1/search?q=secret", "/api/v1/search?q=for&board=*",
    "/api/v1/search?q=secret&board=*",
    "/api/v1/boards", "/api/v1/boards?after=a", "/api/v1/boards/public", "/api/v1/boards/public/messages",
    "/api/v1/boards/public/search?q=secret", "/api/v1/boards/first", "/api/v1/boards/first/messages", "/api/v1/me",
    "/api/v1/tokens", "/healthz", "/readyz", "/privacy", "/api", "/api/v1/openapi.json",
)  # fmt: skip
"""What tells of the whole site, of its boards or of one's account."""


def test_nothing_else_tells_that_a_hidden_board_was_made_used_and_deleted(outsiders):
    """Lists, counts, cursors, search, feeds, the audit log and health are the same bytes as before."""
    server = outsiders.server

    def seen():
        paths = (*READ, f"/m/{outsiders.first}", f"/api/v1/messages/{outsiders.first}")
        askers = outsiders.askers.items()
        return {(who, path): exchanged(server, "GET", path, headers) for who, headers in askers for path in paths}

    before = seen()
    assert {answer.split(b" ")[1] for answer in before.values()} == {b"200", b"401", b"403"}
    outsiders.hide()
    assert differences(before, seen()) == []
    assert outsiders.owner.api.delete(f"{BOARDS}/{outsiders.slug}?name=Hidden").status_code == 204
    assert differences(before, seen()) == []


def differences(before, after):
    return [(*key, before[key], after[key]) for key in before if before[key] != after[key]]
