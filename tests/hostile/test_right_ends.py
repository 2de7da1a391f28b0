"""A right ends when it ends: while a request waits, another process takes its right away, and it gets nothing.

Every handler in ROUTES is asked, with each of its methods: held where it waits for storage, behind the moment at
which it was found out who asks. A new one has to say here how it is asked.
"""

import ast
import asyncio
import gc
import inspect
import json
import re
import urllib.parse

import pytest
from tornado.httpclient import AsyncHTTPClient, HTTPRequest
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.simple_httpclient import HTTPStreamClosedError

import board.site.accounts
from board.credentials import hash_secret, new_secret, new_session
from board.site import Site
from handlers import Application
from handlers.http.base import Base
from handlers.http.context import rules_of
from settings import read_settings
from storage import open_storage
from storage.boards import BoardChange
from storage.errors import UnavailableError
from storage.records import OPERATOR, Author
from tests.support.in_process import settled
from tests.support.people import PASSWORD
from tests.support.routes import ROUTES
from tests.support.second_process import second_process
from tests.support.server import ROOT

WORDS = "words-of-members"
ADA = Author(1, "Ada")

SAMPLES = {
    "/": [("GET", "/"), ("GET", "/?before=99"), ("GET", "/?after=0")],
    "/add": [("GET", "/add"), ("POST", "/add", {"s": "posted"})],
    "/get": [("GET", "/get"), ("GET", "/get?after={behind}"), ("GET", "/get?after={ahead}&wait=2"),
             ("GET", "/get?t=0&wait=0")],
    "/b/rowing/get": [("GET", "/b/rowing/get"), ("GET", "/b/rowing/get?after={behind}&others=0"),
                      ("GET", "/b/rowing/get?after={rowing}&wait=2")],
    "/search": [("GET", "/search?q=members"), ("GET", "/search?q=members&board=*")],
    "/feed.atom": [("GET", "/feed.atom"), ("HEAD", "/feed.atom")],
    "/b/x/feed.atom": [("GET", "/b/rowing/feed.atom")],
    "/feed": [("GET", "/feed?key={feed}")],
    "/account/feeds": [("GET", "/account/feeds"),
                       ("POST", "/account/feeds", {"board": "rowing", "password": PASSWORD})],
    "/manifest.webmanifest": [("GET", "/manifest.webmanifest")],
    "/b/rowing/": [("GET", "/b/rowing/"), ("GET", "/b/rowing/?before=99"), ("GET", "/b/rowing/?after=0")],
    "/b/rowing": [("GET", "/b/rowing")],
    "/b/rowing/add": [("GET", "/b/rowing/add"), ("POST", "/b/rowing/add", {"s": "posted"})],
    "/b/rowing/search": [("GET", "/b/rowing/search?q=members"), ("GET", "/b/rowing/search?q=members&board=*")],
    "/boards": [("GET", "/boards")],
    "/boards/new": [("GET", "/boards/new"), ("POST", "/boards/new", {"name": "Another"})],
    "/b/rowing/settings": [("GET", "/b/rowing/settings"), ("POST", "/b/rowing/settings", {"name": "Another"})],
    "/b/rowing/invite": [("GET", "/b/rowing/invite"), ("POST", "/b/rowing/invite", {"username": "bob"})],
    "/b/rowing/uninvite": [("GET", "/b/rowing/uninvite"), ("POST", "/b/rowing/uninvite", {"username": "ada"})],
    "/b/rowing/owner": [("GET", "/b/rowing/owner"), ("POST", "/b/rowing/owner", {"owner": "bob"})],
    "/b/rowing/archive": [("GET", "/b/rowing/archive"), ("POST", "/b/rowing/archive", {})],
    "/b/rowing/delete": [("GET", "/b/rowing/delete"), ("POST", "/b/rowing/delete", {"name": "Rowing"})],
    "/b/rowing/webhooks": [("GET", "/b/rowing/webhooks"), ("POST", "/b/rowing/webhooks", {"url": "https://a.example/"})],
    "/b/rowing/webhooks/1": [("GET", "/b/rowing/webhooks/1"), ("POST", "/b/rowing/webhooks/1", {"act": "remove"})],
    "/b/rowing/leave": [("GET", "/b/rowing/leave"), ("POST", "/b/rowing/leave", {})],
    "/b/rowing/hooks": [("GET", "/b/rowing/hooks"), ("POST", "/b/rowing/hooks", {"name": "CI"})],
    "/b/rowing/hooks/1": [("GET", "/b/rowing/hooks/1"), ("POST", "/b/rowing/hooks/1", {"act": "test"}),
                          ("POST", "/b/rowing/hooks/1", {"act": "save", "name": "Other"}),
                          ("POST", "/b/rowing/hooks/1", {"act": "renew"}),
                          ("POST", "/b/rowing/hooks/1", {"act": "revoke"})],
    "/m/1": [("GET", "/m/1")],
    "/m/1/edit": [("POST", "/m/1/edit", {"s": "edited"}), ("POST", "/m/1/edit", {"s": ""})],
    "/m/1/delete": [("POST", "/m/1/delete", {})],
    "/m/1/react": [("POST", "/m/1/react", {"add": "heart"}), ("POST", "/m/1/react", {"remove": "heart"})],
    "/m/1/pin": [("POST", "/m/1/pin", {}), ("POST", "/m/1/pin", {"remove": "1"})],
    "/account": [("GET", "/account")],
    "/account/name": [("GET", "/account/name"), ("POST", "/account/name", {"name": "Another"}),
                      ("POST", "/account/name", {"name": ""})],
    "/account/password": [("GET", "/account/password"),
                          ("POST", "/account/password", {"password": PASSWORD, "new": "quite new words"})],
    "/account/tokens": [("GET", "/account/tokens"),
                        ("POST", "/account/tokens", {"name": "bot", "password": PASSWORD})],
    "/account/revoke/1": [("GET", "/account/revoke/1"), ("POST", "/account/revoke/1", {})],
    "/account/everywhere": [("GET", "/account/everywhere"), ("POST", "/account/everywhere", {})],
    "/account/download": [("GET", "/account/download")],
    "/account/delete": [("GET", "/account/delete"),
                        ("POST", "/account/delete", {"password": PASSWORD, "messages": "delete"})],
    "/picture/1": [("GET", "/picture/1")],
    "/facebook/start": [("GET", "/facebook/start?moved=1")],
    "/facebook/continue": [("GET", "/facebook/continue")],
    "/facebook/callback": [("GET", "/facebook/callback?code=x&state=x")],
    "/facebook/switch": [("GET", "/facebook/switch"), ("POST", "/facebook/switch", {"as": "ada"})],
    "/facebook/welcome": [("GET", "/facebook/welcome"),
                          ("POST", "/facebook/welcome", {"username": "other", "name": "Other"})],
    "/account/facebook/link": [("GET", "/account/facebook/link"),
                               ("POST", "/account/facebook/link", {"password": PASSWORD})],
    "/account/facebook/unlink": [("GET", "/account/facebook/unlink"),
                                 ("POST", "/account/facebook/unlink", {"password": PASSWORD})],
    "/account/facebook/seen": [("GET", "/account/facebook/seen"), ("POST", "/account/facebook/seen", {})],
    "/m/1/moderate": [("POST", "/m/2/moderate", {"act": act}) for act in ("suspend", "unsuspend", "block", "remove")],
    "/audit": [("GET", "/audit")],
    "/api/v1/messages": [("GET", "/api/v1/messages"), ("GET", "/api/v1/messages?before=99"),
                         ("GET", "/api/v1/messages?ids=1,2"),
                         ("GET", "/api/v1/messages?after={ahead}&wait=2"),
                         ("POST", "/api/v1/messages", {"body": "posted"})],
    "/api/v1/messages/1": [("GET", "/api/v1/messages/1"), ("PATCH", "/api/v1/messages/1", {"body": "edited"}),
                           ("DELETE", "/api/v1/messages/1")],
    "/api/v1/boards": [("GET", "/api/v1/boards"), ("POST", "/api/v1/boards", {"name": "Diving", "slug": "diving"})],
    "/api/v1/boards/x": [("GET", "/api/v1/boards/rowing"), ("PATCH", "/api/v1/boards/rowing", {"name": "Mine"}),
                         ("DELETE", "/api/v1/boards/rowing?name=Rowing")],
    "/api/v1/boards/x/members": [("GET", "/api/v1/boards/rowing/members")],
    "/api/v1/boards/x/members/y": [("PUT", "/api/v1/boards/rowing/members/bob", {}),
                                   ("DELETE", "/api/v1/boards/rowing/members/bob")],
    "/api/v1/boards/x/messages": [("GET", "/api/v1/boards/rowing/messages"),
                                  ("GET", "/api/v1/boards/rowing/messages?ids=1,2"),
                                  ("POST", "/api/v1/boards/rowing/messages", {"body": "posted"})],
    "/api/v1/boards/x/search": [("GET", "/api/v1/boards/rowing/search?q=members")],
    "/api/v1/boards/x/read": [("PUT", "/api/v1/boards/rowing/read", {"id": "1"})],
    "/api/v1/boards/x/hooks": [("GET", "/api/v1/boards/rowing/hooks"),
                               ("POST", "/api/v1/boards/rowing/hooks", {"name": "CI"})],
    "/api/v1/boards/x/hooks/1": [("PATCH", "/api/v1/boards/rowing/hooks/1", {"name": "Other", "new_secret": "true"}),
                                 ("DELETE", "/api/v1/boards/rowing/hooks/1")],
    "/api/v1/boards/x/webhooks": [("GET", "/api/v1/boards/rowing/webhooks"),
                                  ("POST", "/api/v1/boards/rowing/webhooks", {"url": "https://a.example/"})],
    "/api/v1/boards/x/webhooks/1": [("GET", "/api/v1/boards/rowing/webhooks/1"), ("DELETE", "/api/v1/boards/rowing/webhooks/1"),
                                    ("PATCH", "/api/v1/boards/rowing/webhooks/1", {"paused": "true"})],
    "/api/v1/boards/x/webhooks/1/secret": [("POST", "/api/v1/boards/rowing/webhooks/1/secret", {})],
    "/api/v1/boards/x/webhooks/1/test": [("POST", "/api/v1/boards/rowing/webhooks/1/test", {})],
    "/api/v1/messages/1/reactions": [("GET", "/api/v1/messages/1/reactions")],
    "/api/v1/messages/1/reactions/heart": [("PUT", "/api/v1/messages/1/reactions/heart", {}),
                                           ("DELETE", "/api/v1/messages/1/reactions/heart")],
    "/api/v1/messages/1/pin": [("PUT", "/api/v1/messages/1/pin", {}), ("DELETE", "/api/v1/messages/1/pin")],
    "/api/v1/reactions": [("GET", "/api/v1/reactions?ids=1,2")],
    "/api/v1/members": [("GET", "/api/v1/members?prefix=b")],
    "/api/v1/stream": [("GET", "/api/v1/stream?after={ahead}")],
    "/api/v1/search": [("GET", "/api/v1/search?q=members"), ("GET", "/api/v1/search?q=members&board=*")],
    "/api/v1/me": [("GET", "/api/v1/me")],
    "/api/v1/tokens": [("GET", "/api/v1/tokens"),
                       ("POST", "/api/v1/tokens", {"name": "bot", "password": PASSWORD})],
    "/api/v1/tokens/1": [("DELETE", "/api/v1/tokens/{bot}")],
}  # fmt: skip
"""By a path that the route takes: how it is asked by a member who moderates."""

PARTS = 4
"""Into which the walk over them is cut: each is a test of its own."""
INSTANT = {
    "/feed.atom", "/manifest.webmanifest", "/api/v1/me", "/facebook/start", "/facebook/callback", "/facebook/continue",
    "/facebook/switch",
}  # fmt: skip
"""Those that wait for nothing, and so are answered in one step with the look at who is asking."""

ANYONE_S = {
    "/signup", "/signin", "/signout", "/li", "/lo", "/api/", "/password", "/privacy", "/facebook/deauthorize",
    "/facebook/delete", "/facebook/deletion", "/api/v1/signup", "/api/v1/signin", "/api/v1/signout",
    "/api/v1/openapi.json", "/api", "/favicon.ico", "/apple-touch-icon.png", "/robots.txt", "/healthz", "/readyz",
    "/metrics", "/static/0123456789ab/x.js", "/hooks/1/0", "/hooks/1x0",
    "/embed", "/b/rowing/embed", "/m/1/embed", "/embed.js", "/oembed",
}  # fmt: skip
"""What stands on no right that could end, or ends it itself."""


DELIVERS = {"changes_after", "log_after", "listing", "snapshot", "snapshot_on", "newest_on"}
"""What deliver() itself reads, which will see what was done."""


class Held:
    """A storage that lets another process act first, once, when a handler asks it for anything."""

    def __init__(self, storage):
        self.storage = storage
        self.act = None
        self.site = None
        self.skips = 0

    def __setattr__(self, name, value):
        object.__setattr__(self.storage if name == "on_commit" else self, name, value)

    def __getattr__(self, name):
        value = getattr(self.storage, name)
        if not inspect.iscoroutinefunction(value):
            return value

        async def held(*arguments, **named):
            if self.act is not None and self.skips:
                self.skips -= 1
            elif self.act is not None:
                act, self.act = self.act, None
                await asyncio.to_thread(act)
                if name not in DELIVERS:
                    await self.site.waiters.deliver()
            return await value(*arguments, **named)

        return held


class House:
    """A members' board inside the test, with Ada and Bob, and a second process on its database."""

    def __init__(self, board, held, second, url):
        self.board, self.held, self.second, self.url = board, held, second, url
        self.storage = held.storage
        self.client = AsyncHTTPClient(force_instance=True, max_clients=10)

    async def session(self):
        """The secret of a new one of Ada's."""
        secret = new_session(self.board.secret)
        await self.storage.create_credential(ADA.id, "session", hash_secret(secret), "A browser")
        return secret

    async def ask(self, method, path, form=None, session=None):
        headers = {"Cookie": f"longboard={session}"} | (
            {"Content-Type": "application/x-www-form-urlencoded"} if form is not None else {}
        )
        body = urllib.parse.urlencode(form) if form is not None else None
        request = HTTPRequest(self.url + path, method, headers, body, follow_redirects=False, request_timeout=600)
        return await self.client.fetch(request, raise_error=False)

    async def ask_and_end(self, end, *request):
        """Asks, and has the right end between the commit and the reply."""
        deliver = self.storage.on_commit

        async def end_first():
            self.storage.on_commit = deliver
            await end(self)
            return await deliver()

        self.storage.on_commit = end_first
        response = await self.ask(*request)
        assert self.storage.on_commit == deliver, "nothing was written"
        return response

    async def state(self):
        """All that a request could change."""
        snapshot = await self.storage.snapshot(changes=1000, page=50)
        people = [await self.storage.password(name) for name in ("ada", "bob")]
        bots = [c.id for c in await self.storage.credentials(ADA.id) if c.kind == "bot"]
        boards = [one for one, _ in await self.storage.listed(OPERATOR, "", 9, {})]
        invited = await self.storage.invited(boards[0].id, OPERATOR, 0, 9)
        hooks = await self.storage._read(lambda tx: tx.all("SELECT id, hash, recent FROM hooks ORDER BY id"))
        names = [(await self.storage.account_of(id)).name for id in (3,)]
        there = await self.storage.before(None, 9, boards[0].id, OPERATOR)
        around = (
            [(a and (a.id, a.name, a.role), p) for a, p in people],
            boards,
            invited,
            there,
            [tuple(row) for row in hooks],
            names,
        )
        return snapshot.page, around, bots


@pytest.fixture(scope="module")
def second():
    """One process for all tests: each has it act on its own database."""
    with second_process() as second:
        yield second


@pytest.fixture
async def house(url, second, monkeypatch):
    storage = await open_storage(url)
    held = Held(storage)
    flags = ["--reading=members", "--posting=members", "--facebook-app-id=1234567890", "--limits=off"]
    settings = read_settings(flags, {"FACEBOOK_APP_SECRET": "s" * 32})
    board = await Site.open(held, max_parked=10, limits=False, rules=rules_of(settings))
    held.site = board
    hashed = await board.passwords.hash(PASSWORD)
    for name in ("ada", "bob"):
        await storage.create_account(name, name.capitalize(), hashed)
    await storage.set_role(None, "ada", "moderator")
    await storage.append(ADA, WORDS, None)
    await storage.append(Author(2, "Bob"), WORDS, None, "192.0.2.1")
    rowing = await storage.create_board(None, "rowing", "Rowing", read_by="members")
    await storage.append(Author(2, "Bob"), WORDS, None, board_id=rowing.id)
    await storage.invite(None, rowing.id, 2)
    await storage.make_hook(await storage.account("ada"), rowing.id, "CI", ["webhook_ci"], b"hash")
    await board.waiters.deliver()
    server = HTTPServer(Application(board, settings))
    [socket] = bind_sockets(0, "127.0.0.1")
    server.add_sockets([socket])
    prepare = Base.prepare

    async def judged(handler):
        await prepare(handler)
        held.act = held.next_act

    held.next_act = None
    monkeypatch.setattr(Base, "prepare", judged)
    with second.on(url):
        house = House(board, held, second, f"http://127.0.0.1:{socket.getsockname()[1]}")
        yield house
        house.client.close()
    server.stop()
    await server.close_all_connections()
    await board.close()
    await storage.close()


def route_of(path):
    return next(route for route in ROUTES if re.fullmatch(route[0], path))


def methods_of(handler):
    unimplemented = Base._unimplemented_method
    return {n for n in ("GET", "POST", "PUT", "PATCH", "DELETE") if getattr(handler, n.lower()) is not unimplemented}


def test_every_route_is_asked():
    """Whoever adds one says in SAMPLES how it is asked, or in ANYONE_S that it stands on no right."""
    known = {route_of(path)[0] for path in [*SAMPLES, *ANYONE_S]}
    assert [route[0] for route in ROUTES if route[0] not in known] == []
    for path, samples in SAMPLES.items():
        handler = route_of(path)[1]
        assert {sample[0] for sample in samples} - {"HEAD"} == methods_of(handler), path
        assert issubclass(handler, Base), path


def test_no_handler_has_another_way_out():
    """finish() and flush() look again at who is asking: nobody else may define them, or write to the connection."""
    ways = {"finish", "flush", "send_error", "_execute", "_look_and_finish", "_look_and_flush", "is_as_judged"}
    for path in (ROOT / "handlers").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            judges = ("Base", "Rights", "Authentication", "Judged", "WithBoards")  # each of which judges more
            if not isinstance(node, ast.ClassDef) or node.name in judges:
                continue
            calls = {
                n.func.attr for n in ast.walk(node) if isinstance(n, ast.Call) and isinstance(n.func, ast.Attribute)
            }
            assert "detach" not in calls or path.name == "stream.py"  # net/event_streams.py looks again
            if "HTTPMessageDelegate" not in map(ast.unparse, node.bases):  # those are no handlers
                defined = {n.name for n in node.body if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)}
                assert not defined & ways, f"{path.name}: {node.name}"


@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("deed", ["suspend ada", "revoke 1"])
async def test_nothing_is_given_or_done_on_a_right_that_ended_meanwhile(house, deed, part):
    """Suspended, or signed out everywhere, while the handler waits: refused, no words of the board's, nothing done."""
    paths, held_at, wrong = list(SAMPLES)[part::PARTS], set(), []
    for path in paths:
        for method, target, *form in SAMPLES[path]:
            was_held, outcome = await ask_while(house, deed, method, target, *form)
            if was_held:
                held_at.add(path)
                wrong += [f"{method} {target}: {outcome}"] if outcome else []
    assert wrong == []
    assert held_at == set(paths) - INSTANT


async def ask_while(house, deed, method, target, form=None):
    """Whether the handler was held, and what is wrong with its answer."""
    session = await house.session()
    bot = await house.storage.create_credential(ADA.id, "bot", new_secret().encode(), "a bot")
    feed = new_secret()
    await house.storage.create_credential(ADA.id, "feed", hash_secret(f"feed {feed}"), "a feed", board_id=2)
    cursor = house.board.waiters.recent.cursor
    ahead, behind = f"{cursor.epoch}-{cursor.seq + 1}", f"{cursor.epoch}-0"
    if "{ahead}" in target:
        await asyncio.to_thread(house.second.do, "post", "news")
    rowing = house.board.waiters.directory.of(2).cursor
    target = target.format(ahead=ahead, behind=behind, rowing=rowing, bot=bot.id, feed=feed)
    before = await house.state()
    house.held.next_act = lambda: house.second.do(deed)
    response = await house.ask(method, target, form, session)
    house.held.next_act = None
    was_held, house.held.act = house.held.act is None, None
    after = await house.state()
    await asyncio.to_thread(house.second.do, "restore", "ada")
    await house.board.waiters.deliver()
    if not was_held:
        return False, None
    if response.code not in ((404,) if target.startswith("/feed?") else (401, 403)):
        return True, f"answered {response.code} {response.body[:80]!r}"
    if WORDS.encode() in response.body or b"/account/revoke" in response.body:
        return True, "gave away words"
    return True, None if before[:2] == after[:2] and set(after[2]) <= set(before[2]) else "did it all the same"


async def revoke(house):
    await asyncio.to_thread(house.second.do, "revoke 1")


async def close_rowing(house):
    await house.storage.set_board(None, 2, BoardChange(read_by="invited"))


@pytest.mark.parametrize(
    ("end", "method", "path", "form"),
    [
        (revoke, "POST", "/add", {"s": "done"}),
        (revoke, "POST", "/api/v1/messages", {"body": "done"}),
        (revoke, "PATCH", "/api/v1/messages/1", {"body": "done"}),
        (revoke, "DELETE", "/api/v1/messages/1", None),
        (revoke, "POST", "/api/v1/boards/rowing/messages", {"body": "done"}),
        (close_rowing, "POST", "/api/v1/boards/rowing/messages", {"body": "done"}),
        (close_rowing, "POST", "/b/rowing/add", {"s": "done"}),
        (revoke, "POST", "/m/1/edit", {"s": "done"}),
        (revoke, "POST", "/m/1/delete", {}),
        (close_rowing, "PATCH", "/api/v1/messages/{hers}", {"body": "done"}),
        (close_rowing, "DELETE", "/api/v1/messages/{hers}", None),
        (close_rowing, "POST", "/m/{hers}/edit", {"s": "done"}),
        (close_rowing, "POST", "/m/{hers}/delete", {}),
    ],
)
async def test_what_was_done_is_answered_as_done(house, end, method, path, form):
    """The right ends after the commit, before the reply: a refusal would mean that nothing was kept."""
    hers, _ = await house.storage.append(ADA, "hers", None, board_id=2)
    await house.board.waiters.deliver()
    board, is_deletion = 2 if "rowing" in path or "{hers}" in path else 1, method == "DELETE" or "delete" in path
    before = [message.body for message in (await house.storage.before(None, 9, board, OPERATOR)).messages]
    session, path = await house.session(), path.format(hers=hers.id)
    response = await house.ask_and_end(end, method, path, form, session)
    assert response.code in (201, 200, 204, 303), response.body
    kept = [message.body for message in (await house.storage.before(None, 9, board, OPERATOR)).messages]
    assert kept.count("done") == (not is_deletion) and len(kept) >= len(before) - is_deletion
    assert kept != before
    if end is close_rowing:  # it has a secret address now
        [(rowing, _)] = await house.storage.listed(OPERATOR, "", 9, {})
        assert rowing.slug not in response.body.decode() + response.headers.get("Location", "")
    refused = await house.ask(method, path, form, session)
    assert refused.code in (401, 404)


async def delete_rowing(house):
    await house.storage.delete_board(None, 2)


@pytest.mark.parametrize(
    ("end", "method", "path", "form", "status"),
    [
        (revoke, "POST", "/boards/new", {"name": "Another"}, 303),
        (revoke, "POST", "/api/v1/boards", {"name": "Another"}, 201),
        (revoke, "POST", "/b/rowing/settings", {"name": "Another"}, 303),
        (revoke, "PATCH", "/api/v1/boards/rowing", {"name": "Another"}, 204),
        (close_rowing, "POST", "/b/rowing/settings", {"name": "Another"}, 303),
        (close_rowing, "PATCH", "/api/v1/boards/rowing", {"name": "Another"}, 204),
        (revoke, "POST", "/b/rowing/archive", {}, 303),
        (close_rowing, "POST", "/b/rowing/archive", {}, 303),
        (revoke, "POST", "/b/rowing/delete", {"name": "Rowing"}, 303),
        (revoke, "DELETE", "/api/v1/boards/rowing?name=Rowing", None, 204),
        (revoke, "POST", "/b/rowing/invite", {"username": "ada"}, 303),
        (delete_rowing, "POST", "/b/rowing/invite", {"username": "ada"}, 303),
        (revoke, "POST", "/b/rowing/owner", {"owner": "bob"}, 303),
        (close_rowing, "PATCH", "/api/v1/boards/rowing", {"owner": "bob"}, 204),
        (revoke, "PUT", "/api/v1/boards/rowing/members/ada", {}, 200),
        (delete_rowing, "PUT", "/api/v1/boards/rowing/members/ada", {}, 200),
        (revoke, "POST", "/b/rowing/uninvite", {"username": "bob"}, 303),
        (close_rowing, "POST", "/b/rowing/uninvite", {"username": "bob"}, 303),
        (revoke, "DELETE", "/api/v1/boards/rowing/members/bob", None, 204),
        (close_rowing, "POST", "/b/rowing/hooks/1", {"act": "save", "name": "Bell"}, 303),
        (revoke, "DELETE", "/api/v1/boards/rowing/hooks/1", None, 204),
        (revoke, "POST", "/b/hers/leave", {}, 303),
        (revoke, "POST", "/m/2/moderate", {"act": "suspend"}, 303),
        (revoke, "POST", "/m/2/moderate", {"act": "remove"}, 303),
    ],
)  # fmt: skip
async def test_what_became_of_a_board_or_of_people_is_answered_as_done(house, end, method, path, form, status):
    """The right to manage or moderate ends after the commit, before the reply."""
    hers = await house.storage.create_board(None, "hers", "Hers", read_by="members")
    await house.storage.invite(None, hers.id, ADA.id)
    await house.board.waiters.deliver()
    session = await house.session()
    response = await house.ask_and_end(end, method, path, form, session)
    assert response.code == status, (response.code, response.body)
    assert b"Rowing" not in response.body
    [secret] = [one.slug for one, _ in await house.storage.listed(OPERATOR, "", 9, {}) if one.id == 2] or ["rowing"]
    assert secret == "rowing" or secret not in response.headers.get("Location", "")
    deeds = [entry for entry in await house.storage.audit(None, 9, OPERATOR) if entry.actor_id == ADA.id]
    assert len(deeds) == 2  # also the webhook of this house
    refused = await house.ask(method, path, form, session)
    assert refused.code in (401, 404)


@pytest.mark.parametrize(
    ("method", "path", "form", "status", "leads"),
    [
        ("PATCH", "/api/v1/boards/rowing", {"name": "Another"}, 204, None),
        ("POST", "/b/rowing/settings", {"name": "Another"}, 303, "/b/rowing/settings?done=setup"),
        ("POST", "/b/rowing/archive", {}, 303, "/b/rowing/settings?done=archive"),
        ("POST", "/b/rowing/invite", {"username": "ada"}, 303, "/b/rowing/settings?done=invite&who=ada"),
        ("POST", "/b/rowing/uninvite", {"username": "bob"}, 303, "/b/rowing/settings?done=uninvite"),
        ("POST", "/b/rowing/uninvite", {"username": "ada"}, 303, "/boards?done=leave"),
        ("POST", "/b/rowing/owner", {"owner": "bob"}, 303, "/boards?done=owner"),
        ("PUT", "/api/v1/boards/rowing/members/ada", {}, 200, None),
        ("DELETE", "/api/v1/boards/rowing/members/bob", None, 204, None),
        ("POST", "/api/v1/boards", {"name": "Another"}, 201, "/api/v1/boards/another"),
        ("POST", "/boards/new", {"name": "Another"}, 303, "/b/another/"),
    ],
)
async def test_what_was_done_with_a_board_is_answered_as_done_if_storage_goes_away(
    house, monkeypatch, method, path, form, status, leads
):
    """Right after the commit: an error would say that nothing was done."""
    session, storage = await house.session(), house.storage
    if "uninvite" in path:
        await storage.invite(None, 2, ADA.id)

    async def away(*_, **__):
        raise UnavailableError("away")

    async def end(house):
        for name in ("standing", "board", "board_of", "account", "invited", "count_on", "credential"):
            monkeypatch.setattr(storage, name, away)

    response = await house.ask_and_end(end, method, path, form, session)
    assert (response.code, response.headers.get("Location")) == (status, leads), response.body


async def test_a_token_that_is_made_is_shown_if_storage_goes_away(house, monkeypatch):
    """Its secret is never shown again; only the board that it was made for is not named then."""
    session, asked = await house.session(), []

    async def away(*which):
        asked.append(which)
        raise UnavailableError("away")

    monkeypatch.setattr(house.storage, "board_of", away)
    form = {"name": "bot", "password": PASSWORD, "board": "rowing"}
    response = await house.ask("POST", "/api/v1/tokens", form, session)
    assert response.code == 201 and json.loads(response.body)["token"].startswith("lb_") and len(asked) == 1


@pytest.mark.parametrize(
    ("path", "form", "shown"),
    [
        ("/account/tokens", {"name": "bot", "password": PASSWORD}, b"<code>lb_"),
        ("/account/feeds", {"board": "rowing", "password": PASSWORD}, b"/feed?key="),
    ],
)
async def test_a_secret_is_shown_on_the_account_page_if_storage_goes_away(house, monkeypatch, path, form, shown):
    """It is made by then, and counts as one of so many; beside it is what was read before."""
    session, storage = await house.session(), house.storage
    create = storage.create_credential

    async def away(*_, **__):
        raise UnavailableError("away")

    async def created(*arguments, **named):
        made = await create(*arguments, **named)
        monkeypatch.setattr(storage, "identities_of", away)
        return made

    monkeypatch.setattr(storage, "create_credential", created)
    response = await house.ask("POST", path, form, session)
    assert response.code == 200 and shown in response.body


@pytest.mark.parametrize(
    ("path", "form"), [("/b/rowing/hooks", {"name": "Bell"}), ("/b/rowing/hooks/1", {"act": "renew"})]
)
async def test_the_address_of_a_webhook_is_shown_if_the_right_to_see_others_ends(house, monkeypatch, path, form):
    """It is never shown again; of the board there is nothing on that page."""
    session, storage = await house.session(), house.storage

    def closing(do):
        async def done(*arguments, **named):
            hook = await do(*arguments, **named)
            await close_rowing(house)
            return hook

        return done

    for name in ("make_hook", "set_hook"):
        monkeypatch.setattr(storage, name, closing(getattr(storage, name)))
    response = await house.ask("POST", path, form, session)
    [(rowing, _)] = await storage.listed(OPERATOR, "", 9, {})
    assert response.code == 200 and re.search(rb"/hooks/[12]/[0-9a-f]{40}", response.body)
    assert rowing.read_by == "invited" and rowing.slug.encode() not in response.body
    assert b"Rowing" not in response.body and b"CI" not in response.body


async def test_a_download_breaks_off_where_the_right_to_it_ends(house, monkeypatch):
    """What was sent before is out; the rest is not, and the client sees that it is not whole."""
    monkeypatch.setattr(board.site.accounts, "ROWS_AT_ONCE", 1)
    for n in range(5):
        await house.storage.append(ADA, f"mine {n}", None)
    await house.board.waiters.deliver()
    session = await house.session()
    house.held.skips = 10  # five for the page, then notes, what is signed in, the audit log (twice) and one message
    house.held.next_act = lambda: house.second.do("revoke", 1)
    with pytest.raises(HTTPStreamClosedError):
        await house.ask("GET", "/account/download", None, session)
    assert house.held.act is None
    house.held.next_act, house.held.skips = None, 0
    whole = await house.ask("GET", "/account/download", None, await house.session())
    assert len(json.loads(whole.body)["messages"]) == 6


async def test_who_only_has_another_name_by_now_is_served(house):
    """Something about the account changed, but not the right: the answer goes out after one more look."""
    session = await house.session()
    house.held.next_act = lambda: house.second.do("restore", "ada")  # notes a change, and changes nothing
    response = await house.ask("GET", "/m/1", None, session)
    house.held.next_act = None
    assert house.held.act is None and response.code == 200 and WORDS.encode() in response.body


async def test_a_refusal_too_goes_out_once_after_one_more_look(house):
    """Nothing is left over that fails, and that nobody waits for."""
    session, faults = await house.session(), []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: faults.append(context))
    house.held.next_act = lambda: house.second.do("restore", "ada")  # notes a change, and changes nothing
    response = await house.ask("GET", "/api/v1/messages/999", None, session)
    house.held.next_act = None
    assert house.held.act is None and response.code == 404
    await settled(lambda: not any("finish" in task.get_coro().__qualname__ for task in asyncio.all_tasks()))
    gc.collect()
    assert faults == []


@pytest.mark.parametrize("path", ["/add", "/m/1/edit"])
async def test_the_words_of_a_refused_form_come_back(house, path):
    """They are the sender's own; of the board nothing is shown with them."""
    session = await house.session()
    house.held.next_act = lambda: house.second.do("revoke", 1)
    response = await house.ask("POST", path, {"s": "long thought over"}, session)
    house.held.next_act = None
    assert house.held.act is None and response.code == 401
    assert b"long thought over</textarea>" in response.body and WORDS.encode() not in response.body


async def test_a_demoted_moderator_sees_no_audit_log(house):
    """The page was made for a moderator, and is shown to nobody else."""
    session = await house.session()
    house.held.next_act = lambda: house.second.do("demote", "ada")
    response = await house.ask("GET", "/audit", None, session)
    house.held.next_act = None
    assert house.held.act is None and response.code == 403
