"""Reading: what it costs, which is counted here and not timed, and how often a client may."""

import asyncio
import collections
import contextlib
import dataclasses
import gc
import json
import re
import threading
import urllib.parse
import weakref
import zlib

import pytest
from tornado.httpclient import AsyncHTTPClient
from tornado.web import RequestHandler

from board.credentials import hash_secret, new_session
from board.limits import Limits
from board.markup import MOST_MARKUP
from board.recent import PAGE
from board.text import clean
from handlers.http.templates import LOADER, Template
from handlers.messages import articles
from handlers.messages.articles import MOST_BYTES, MOST_KEPT, Articles
from net.addresses import parse_address, parse_short
from net.fast_path.known import KnownRequest
from net.fast_path.memo import size_of
from net.loop_turns import LoopTurns
from storage.boards import BoardChange
from storage.errors import UnavailableError
from storage.records import GUEST, Author, Message
from tests.support.in_process import running, settled
from tests.support.people import PASSWORD, Person, refused
from tests.support.routes import ROUTES
from tests.support.server import until

LENGTH = 4000
WORST = [
    clean((piece * LENGTH)[:LENGTH], LENGTH)
    for piece in (
        "http://a ",
        "`a`",
        "```a```",
        "http://a?'''''''''' ",
        '"',
        "`a` x\n\n",
        "[a](https://a.b) ",
        "- _a_\n",
        "\u337f",
        "ab ",
        "\U0001f3fb ",
        "`\n",
    )
]
"""The longest messages, made of what becomes most markup, most bytes, most lines, most letters when it is folded."""
MOST_PIECES = 5 * MOST_MARKUP + 1
"""Of what a template is given for one message: a link's beginning, title, host and end, and the text behind it."""
LONG_LINK = clean("http://a?" + "'" * (LENGTH - 10) + "x", LENGTH)

COUNTED = {
    "/?before=30": "/", "/?after=1": "/", "/add": "/add", "/get?t=0": "/get", "/search": "/search",
    "/search?q=a": "/search", "/feed.atom": r"/feed\.atom", "/m/3": "/m/([^/]+)", "/signup": "/signup",
    "/signin": "/signin", "/signout": "/signout", "/password": "/password", "/account": "/account",
    "/account/revoke/1": "/account/revoke/([0-9]{1,18})", "/account/download": "/account/download",
    "/picture/1": "/picture/([0-9]{1,18})", "/privacy": "/privacy", "/facebook/start": "/facebook/start",
    "/facebook/continue": "/facebook/continue",
    "/facebook/welcome": "/facebook/welcome", "/facebook/deletion": "/facebook/deletion",
    "/account/facebook/link": "/account/facebook/link",
    "/account/facebook/seen": "/account/facebook/seen", "/facebook/switch": "/facebook/switch", "/audit": "/audit",
    "/b/nothing/get": "/b/([^/]+)/get",  # whether it is new has to be read
    "/api/v1/messages?before=30&limit=100": "/api/v1/messages", "/api/v1/messages?after={epoch}-3": "/api/v1/messages",
    "/api/v1/messages/3/reactions": "/api/v1/messages/([^/]+)/reactions", "/api/v1/reactions?ids=3": "/api/v1/reactions", "/api/v1/members?prefix=a": "/api/v1/members",
    "/api/v1/messages/3": "/api/v1/messages/([^/]+)", "/api/v1/search?q=a&limit=100": "/api/v1/search",
    "/api/v1/stream?after={epoch}-3": "/api/v1/stream", "/b/rowing/?before=50": "/b/([^/]+)/",
    "/b/first/feed.atom": r"/b/([^/]+)/feed\.atom", "/m/3/embed": "/m/([^/]+)/embed",
    "/oembed?url=http://127.0.0.1/m/3": "/oembed",
    "/api/v1/boards/first": "/api/v1/boards/([^/]+)", "/api/v1/boards/x/members": "/api/v1/boards/([^/]+)/members",
    "/api/v1/boards/diving/messages": "/api/v1/boards/([^/]+)/messages",  # the first look at it
    "/api/v1/boards/first/search?q=a": "/api/v1/boards/([^/]+)/search",
    "/api/v1/me": "/api/v1/me", "/api/v1/tokens": "/api/v1/tokens",
    "/api/v1/openapi.json": r"/api/v1/openapi\.json", "/api": "/api", "/nothing": None,
    "/b/club/": "/b/([^/]+)/", "/b/club": "/b/([^/]+)", "/b/club/add": "/b/([^/]+)/add", "/b/club/search?q=a": "/b/([^/]+)/search", "/boards": "/boards", "/boards/new": "/boards/new",
    "/b/club/settings": "/b/([^/]+)/settings", "/b/club/leave": "/b/([^/]+)/leave",
    # The pages of forms that only take a POST show their account page to a GET.
    "/account/name": "/account/name", "/account/password": "/account/password",
    "/account/tokens": "/account/tokens", "/account/feeds": "/account/feeds", "/feed?key=x": "/feed", "/account/everywhere": "/account/everywhere",
    "/account/delete": "/account/delete", "/account/facebook/unlink": "/account/facebook/unlink",
    "/b/club/invite": "/b/([^/]+)/invite", "/b/club/uninvite": "/b/([^/]+)/uninvite",
    "/b/club/owner": "/b/([^/]+)/owner",
    "/b/club/hooks": "/b/([^/]+)/hooks", "/b/club/hooks/1": "/b/([^/]+)/hooks/([^/]+)",
    "/api/v1/boards/x/hooks": "/api/v1/boards/([^/]+)/hooks",
    "/b/club/webhooks": "/b/([^/]+)/webhooks", "/b/club/webhooks/1": "/b/([^/]+)/webhooks/([0-9]{1,18})",
    "/api/v1/boards/club/webhooks": "/api/v1/boards/([^/]+)/webhooks",
    "/api/v1/boards/club/webhooks/1": "/api/v1/boards/([^/]+)/webhooks/([^/]+)",
    "/b/club/archive": "/b/([^/]+)/archive", "/b/club/delete": "/b/([^/]+)/delete",
}  # fmt: skip
"""What is read or made for the one who asks, by address, and the route that leads there."""
FREE = {
    "/get": "/get",  # polls, from memory
    "/get?after={cursor}&wait=0": "/get",
    "/api/v1/messages": "/api/v1/messages",
    "/api/v1/messages?after={cursor}&wait=0": "/api/v1/messages",
    "/li": "/li",  # a line each
    "/lo": "/lo",
    "/api/": "/api/",
    "/manifest.webmanifest": r"/manifest\.webmanifest",  # every page asks for it
    "/facebook/callback": "/facebook/callback",  # refused at once, or counted as a try to sign in
    "/favicon.ico": r"/favicon\.ico",
    "/apple-touch-icon.png": r"/apple-touch-icon\.png",
    "/robots.txt": r"/robots\.txt",
    "/healthz": "/healthz",  # for those that watch over the board
    "/readyz": "/readyz",
    "/metrics": "/metrics",
    "/embed": "/embed",  # kept for all, and a guest's page for everybody
    "/b/rowing/embed": "/b/([^/]+)/embed",
    "/embed.js": r"/embed\.js",
    "/static/000000000000/board.css": "/static/([0-9a-f]{12})/(.+)",  # every page asks for them
}
KEPT = {"/": "/", "/b/rowing/": "/b/([^/]+)/", "/api/v1/boards": "/api/v1/boards"}
"""Free for guests, once the board is in memory."""


@contextlib.asynccontextmanager
async def board_of(folder, bodies, *flags):
    async with running(folder, *flags) as house:
        client = AsyncHTTPClient(force_instance=True, max_clients=50)
        for body in bodies:
            await house.storage.append(None, body, None)
        await house.board.waiters.deliver()
        cursor = house.board.waiters.recent.cursor

        async def get(path, method="GET", body=None, **headers):
            url = f"http://127.0.0.1:{house.port}" + path.format(cursor=cursor, epoch=cursor.epoch)
            return await client.fetch(
                url, method=method, body=body, raise_error=False, follow_redirects=False, headers=headers
            )

        house.get = get
        yield house
        client.close()


# --- how often


def test_every_page_says_whether_looking_at_it_is_counted():
    """A new one can't be forgotten: it stands in one list or the other."""
    known = {*COUNTED.values(), *FREE.values(), *KEPT.values()}
    readable = {
        route[0] for route in ROUTES if getattr(route[1], "get", None) is not RequestHandler._unimplemented_method
    }
    assert readable - known == set() and known - readable <= {None}


async def test_what_is_read_or_made_is_counted_and_nothing_else(tmp_path):
    """Who has looked too often is told so in the one shape, and when to come back; the board itself goes on."""
    flags = "--metrics-token=0123456789abcdef", "--embed-from=https://blog.example.org"
    async with board_of(tmp_path, ["words"] * 40, *flags) as house:
        limits = Limits(lambda: 0.0)
        house.application.context.site = dataclasses.replace(house.board, limits=limits)
        session = await member(house)
        await house.storage.set_role(None, "ada", "moderator")
        for slug in ("rowing", "diving"):
            await house.storage.create_board(None, slug, slug.title())
        house.board.waiters.recent.start = 10  # as if so many changes were forgotten
        assert [(await house.get(path)).code for path in KEPT] == [200] * len(KEPT)
        for who in ("127.0.0.1", "account 1"):
            while not limits.reading.take(who):
                pass
        for headers in ({"Cookie": f"longboard={session}"}, {}):
            for path in COUNTED:
                reply = await house.get(path, **headers)
                if headers or reply.code not in (401, 403):
                    assert (path, reply.code) == (path, 429)
                    assert int(reply.headers["Retry-After"]) >= 1
                    assert b"That was a lot at once" in reply.body
            for path in {**FREE, **({} if headers else KEPT)}:
                assert (path, (await house.get(path, **headers)).code != 429) == (path, True)
        for path in KEPT:
            assert (path, (await house.get(path, Cookie=f"longboard={session}")).code) == (path, 429)


async def member(house):
    hashed = await house.board.passwords.hash(PASSWORD)
    account = await house.storage.create_account("ada", "Ada", hashed)
    secret = new_session(house.board.secret)
    await house.storage.create_credential(account.id, "session", hash_secret(secret), "A browser")
    return secret


def test_looking_around_is_never_too_often_for_a_person(start):
    """Sixty pages at once, and then five a second; each member and each address for itself."""
    server = start(limits="on")
    server.post("words")
    ada = Person(server)
    codes = [server.get("/m/1").status_code for _ in range(60)]
    assert codes == [200] * 60
    until(lambda: server.get("/m/1").status_code == 429)
    assert ada.api.get("/api/v1/messages/1").status_code == 200
    reply = server.get("/api/v1/messages/1")
    assert reply.status_code == 200 or refused(reply, 429, "too_many_requests")


async def test_deleting_is_limited_as_posting_is(tmp_path):
    """One's own messages: each deletion wakes every page. What a moderator takes away is not counted."""
    async with board_of(tmp_path, ["by a guest"]) as house:
        limits = Limits(lambda: 0.0)
        house.application.context.site = dataclasses.replace(house.board, limits=limits)
        session = await member(house)
        await house.storage.set_role(None, "ada", "moderator")
        await house.board.waiters.deliver()
        mine, _ = await house.storage.append(Author(1, "Ada"), "by Ada", None)
        while not limits.deleting.take("account 1"):
            pass
        cookie = {"Cookie": f"longboard={session}"}
        reply = await house.get(f"/api/v1/messages/{mine.id}", method="DELETE", **cookie)
        assert reply.code == 429 and int(reply.headers["Retry-After"]) >= 1
        assert (await house.get("/api/v1/messages/1", method="DELETE", **cookie)).code == 204


# --- what it costs


class Counts:
    """What is made between two looks of the loop at what has come."""

    def __init__(self, monkeypatch):
        self.tick = 0
        self.templates, self.pieces, self.bytes = (collections.Counter() for _ in range(3))
        generate, flat = Template.generate, articles.flat

        def generating(template, **names):
            html = generate(template, **names)
            self.templates[self.tick] += 1
            self.bytes[self.tick] += len(html)
            return html

        def cutting(tree):
            for piece in flat(tree):
                self.pieces[self.tick] += 1
                yield piece

        monkeypatch.setattr(Template, "generate", generating)
        monkeypatch.setattr(articles, "flat", cutting)

    async def look(self):
        while True:
            await asyncio.sleep(0)
            self.tick += 1

    def take(self):
        """The sums, and the most of one turn, since the last time."""
        taken = [(sum(c.values()), max(c.values(), default=0)) for c in (self.templates, self.pieces, self.bytes)]
        for counter in (self.templates, self.pieces, self.bytes):
            counter.clear()
        return taken


def worst_board():
    return [*WORST, LONG_LINK] * 10


async def test_what_a_guest_may_repeat_is_made_once_and_in_small_turns(tmp_path, monkeypatch):
    """Over the worst messages that can be posted: the first look makes them in turns, the next makes none."""
    async with board_of(tmp_path, worst_board(), "--embed-from=https://blog.example.org") as house:
        counts = Counts(monkeypatch)
        looking = asyncio.create_task(counts.look())
        paths = {path: COUNTED[path] for path in COUNTED if not re.search("account|stream", path)} | FREE | KEPT
        for path in paths:
            house.application.context.making.articles = Articles(house.application.context.making.turns)
            house.board.waiters.recent.derived.clear()
            counts.take()
            await house.get(path)
            (templates, most_templates), (pieces, most_pieces), _ = counts.take()
            assert templates <= PAGE + 15 and pieces <= PAGE * MOST_PIECES, path
            assert most_templates <= 20 and most_pieces <= 2 * MOST_PIECES, (path, most_templates, most_pieces)
            await house.get(path)
            (templates, _), (pieces, _), _ = counts.take()
            assert templates <= 6 and pieces == 0, (path, templates, pieces)  # a page, and the fields of its form
        looking.cancel()


def reads_of(house, monkeypatch):
    """What is read from storage for pages from now on."""
    reads, read = [], house.storage._read

    def counted(unit, *arguments, **options):
        reads.append(getattr(unit, "__name__", unit))
        return read(unit, *arguments, **options)

    monkeypatch.setattr(house.storage, "_read", counted)
    return reads


async def test_a_read_mark_reads_nothing_from_storage(tmp_path, monkeypatch):
    """Every open page of a member sends them all the time."""
    async with board_of(tmp_path, ["words"] * 3) as house:
        session = await member(house)
        board = await house.storage.create_board(None, "rowing", "Rowing")
        posted, _ = await house.storage.append(None, "words", None, board_id=board.id)
        headers = {"Cookie": f"longboard={session}", "Content-Type": "application/json"}
        assert (await house.get("/api/v1/me", **headers)).code == 200
        assert (await house.get("/api/v1/boards", **headers)).code == 200
        await house.get("/b/rowing/get?wait=0", **headers)
        reads = reads_of(house, monkeypatch)
        for slug, newest in (("first", 3), ("rowing", posted.id)):
            reply = await house.get(f"/api/v1/boards/{slug}/read", "PUT", body='{"id": 99}', **headers)
            assert (reply.code, json.loads(reply.body)) == (202, {"read": newest})
        assert reads == []
        reply = await house.get("/api/v1/boards/never/read", "PUT", body='{"id": 99}', **headers)
        assert reply.code == 404


async def test_a_post_is_answered_as_posted_if_what_its_author_may_read_can_not_be_found(tmp_path, monkeypatch):
    """It is kept then, and only its author's read mark is not moved."""
    async with board_of(tmp_path, []) as house:
        session = await member(house)
        await house.storage.create_board(None, "rowing", "Rowing")
        await house.board.waiters.deliver()

        async def find(credential):
            raise UnavailableError("away")

        monkeypatch.setattr(house.board.scopes, "find", find)
        headers = {"Cookie": f"longboard={session}", "Content-Type": "application/json"}
        reply = await house.get("/api/v1/messages", "POST", body='{"body": "kept"}', **headers)
        assert reply.code == 201 and json.loads(reply.body)["body"] == "kept"


async def test_many_who_ask_at_once_share_what_is_made(tmp_path, monkeypatch):
    """Forty requests for the worst page, cold: each message is made once, one page is put together in a turn."""
    async with board_of(tmp_path, worst_board(), "--embed-from=https://blog.example.org") as house:
        counts = Counts(monkeypatch)
        looking = asyncio.create_task(counts.look())
        replies = await asyncio.gather(*(house.get("/?before=120", **{"Accept-Encoding": "gzip"}) for _ in range(40)))
        looking.cancel()
        assert {reply.code for reply in replies} == {200} and len({reply.body for reply in replies}) == 1
        (templates, most_templates), (pieces, most_pieces), _ = counts.take()
        assert templates <= PAGE + 1 + 40 and pieces <= PAGE * MOST_PIECES
        assert most_templates <= 20 and most_pieces <= 2 * MOST_PIECES


async def test_guests_of_one_board_don_t_wait_for_those_of_another(tmp_path, monkeypatch):
    """Each board's page is made once for all who ask, whatever the others wait for."""
    async with board_of(tmp_path, ["words"]) as house:
        for slug in ("rowing", "diving"):
            await house.storage.create_board(None, slug, slug.title())
            assert (await house.get(f"/b/{slug}/get?wait=0")).code == 200  # its newest changes are in memory
        held, read, reads = asyncio.Event(), house.storage.board, collections.Counter()

        async def board(slug, asker):
            reads[slug] += 1
            if slug == "rowing":
                await held.wait()
            return await read(slug, asker)

        monkeypatch.setattr(house.storage, "board", board)
        waiting = [asyncio.create_task(house.get("/b/rowing/")) for _ in range(5)]
        await settled(lambda: reads["rowing"])
        others = await asyncio.gather(*(house.get(path) for path in ("/", "/b/diving/") for _ in range(5)))
        assert [reply.code for reply in others] == [200] * 10
        held.set()
        assert [(await one).code for one in waiting] == [200] * 5
        assert reads == {"rowing": 1, "diving": 1} and not house.application.context.making.shared


async def test_the_list_of_boards_for_guests_is_read_from_memory(tmp_path, monkeypatch):
    """Each page of theirs asks for it. It says what storage says, page by page, and of nothing that is not for them."""
    async with board_of(tmp_path, ["words"]) as house:
        await house.storage.create_board(None, "open-2", "Second")
        for slug, read_by in (("open", "everyone"), ("club", "members"), ("x", "invited"), ("empty", "everyone")):
            board = await house.storage.create_board(None, slug, slug.title(), read_by=read_by)
            if slug == "open":
                await house.storage.append(None, "words", None, board_id=board.id)
        reads = reads_of(house, monkeypatch)
        listed = json.loads((await house.get("/api/v1/boards")).body)
        further = json.loads((await house.get("/api/v1/boards?after=open")).body)
        assert reads == []
        slugs = [(one["slug"], one["newest"]) for one in listed["boards"]]
        assert [slug for slug, _ in slugs] == ["first", "empty", "open", "open-2"] and listed["more"] is False
        assert dict(slugs)["first"] == 1 and dict(slugs)["empty"] is None is dict(slugs)["open-2"]
        from_storage = await house.storage.listed(GUEST, "", 9, {})
        assert [(board.slug, one.newest) for board, one in from_storage] == slugs[1:]
        assert further == {"boards": listed["boards"][3:], "more": False}


@pytest.mark.parametrize(
    ("path", "part"),
    [
        ("/api/v1/messages/{id}", "message"), ("/m/{id}", "html"), ("/b/rowing/?before=99", "html"),
        ("/b/rowing/search?q=secret", "search"), ("/api/v1/boards/rowing/search?q=secret", "search"),
    ],
)  # fmt: skip
async def test_what_is_read_of_a_board_that_closes_meanwhile_is_not_sent(tmp_path, monkeypatch, path, part):
    """Storage has given it, while everybody could read it; when it is ready to be sent, guests can't."""
    async with board_of(tmp_path, ["words"]) as house:
        board = await house.storage.create_board(None, "rowing", "Rowing")
        posted, _ = await house.storage.append(None, "secret", None, board_id=board.id)
        path = path.replace("{id}", str(posted.id))
        reply = await house.get(path)
        assert reply.code == 200 and b"secret" in reply.body
        kind = house.application.context.making.articles if part == "html" else house.storage
        real = getattr(kind, part)

        async def closing(*arguments, **options):
            given = await real(*arguments, **options)
            await house.storage.set_board(None, board.id, BoardChange(read_by="members"))
            await house.board.waiters.deliver()
            return given

        monkeypatch.setattr(kind, part, closing)
        reply = await house.get(path)
        assert reply.code == 404 and b"secret" not in re.sub(rb"q(=|%3D)secret", b"", reply.body)


async def test_big_pages_are_compressed_beside_the_loop(tmp_path, monkeypatch):
    """History, a message's page and the front page, for guests and for members."""
    sizes = []
    compress, compressobj = zlib.compress, zlib.compressobj

    def noting(data, *arguments, **options):
        if threading.current_thread() is threading.main_thread():
            sizes.append(len(data))
        return compress(data, *arguments, **options)

    class Noted:
        def __init__(self, *arguments, **options):
            self.real = compressobj(*arguments, **options)

        def compress(self, data):
            if threading.current_thread() is threading.main_thread():
                sizes.append(len(data))
            return self.real.compress(data)

        def flush(self, *arguments):
            return self.real.flush(*arguments)

    async with board_of(tmp_path, worst_board()) as house:
        session = await member(house)
        monkeypatch.setattr(zlib, "compress", noting)
        monkeypatch.setattr(zlib, "compressobj", Noted)
        for path in ("/", "/?before=100", "/m/50", "/search?q=ab", "/feed.atom"):
            for cookie in ({}, {"Cookie": f"longboard={session}"}):
                reply = await house.get(path, **{"Accept-Encoding": "gzip"}, **cookie)
                assert reply.code == 200 and reply.headers.get("Vary") == "Accept-Encoding", path
                assert len(reply.body) > 3000
        assert sizes and max(sizes) <= 128 * 1024, sizes


# --- what is kept


def message(id, body="words", **other):
    return Message(**{"id": id, "seq": id, "author": None, "body": body, "created_at": 1, "edited_at": None} | other)


async def test_ready_messages_are_kept_within_bounds():
    """In bytes and in number; what was looked at last stays."""
    kept = Articles(LoopTurns())
    for number in range(1, 600):
        await kept.html([message(number, LONG_LINK), message(1)])
        assert kept.size <= MOST_BYTES
    assert 50 < len(kept) < 599 and kept._find(message(1), False) and not kept._find(message(2, LONG_LINK), False)
    for number in range(1, MOST_KEPT + 100):
        await kept.html([message(number)])
    assert len(kept) <= MOST_KEPT


async def test_a_ready_message_is_never_an_older_or_another_one():
    """An edit, another author's name, or another board behind the same numbers is shown as it is."""
    kept = Articles(LoopTurns())
    states = [
        message(1), message(1, "other words", seq=2, edited_at=3), message(1, author=Author(1, "Ada")),
        message(1, author=Author(1, "deleted account")), message(1),
    ]  # fmt: skip
    for state in states:
        for this in (None, 1):
            html = (await kept.html([state], this))[0].decode()
            assert state.body in html and (state.author.name if state.author else "Guest") in html
            assert ("edited" in html) == (state.edited_at is not None) and ("aria-current" in html) == (this == 1)
    assert len(kept) == 2


def test_pages_of_errors_are_kept_for_guests_within_bounds(start):
    """And hold nothing of a member, nor of what somebody else asked for."""
    server = start(reading="members")
    ada = Person(server, name="Ada Visible").browser()
    for number in range(150):
        path = urllib.parse.quote(f"/nothing/{number}")
        assert "Ada Visible" in ada.get(path).text and "Ada Visible" not in server.get(path).text
    for number in (1, 2):
        assert f"next=%2Fm%2F{number}" in server.get(f"/m/{number}").text


async def test_a_client_can_t_write_the_log(tmp_path, monkeypatch, caplog):
    """What is refused as too much at once is a line a minute, which says how many it stands for."""
    monkeypatch.setattr("storage.sqlite.search.SEARCHES_WAITING_MAX", 0)
    monkeypatch.setattr("net.logs._last_warned", {})
    async with board_of(tmp_path, ["words"]) as house:
        for _ in range(5):
            reply = await house.get("/api/v1/search?q=words")
            assert (reply.code, json.loads(reply.body)["error"]["code"]) == (503, "busy")
        assert len([record for record in caplog.records if record.name == "longboard"]) == 1
        monkeypatch.setattr("net.logs.RARELY_SECONDS", 0)
        await house.get("/api/v1/search?q=words")
        assert "4 more like it" in caplog.text


async def test_known_polls_are_forgotten_by_last_use_and_within_bounds(tmp_path, monkeypatch):
    """Ten thousand polls that nobody repeats don't push out the one that everybody sends, nor fill the memory."""
    monkeypatch.setattr("net.fast_path.memo.REQUESTS_MAX", 100)
    async with board_of(tmp_path, ["words"]) as house:
        memo, cursor = house.application.context.memo, house.board.waiters.first.cursor_bytes
        head = b"GET /get?after="

        def learn(tail):
            memo.learn(KnownRequest(head, tail, 25, None, False, None, None, house.board.waiters.first))

        everyones = b" HTTP/1.1\r\nHost: x\r\n\r\n"
        learn(everyones)
        for number in range(500):
            learn(b" HTTP/1.1\r\nHost: %d\r\n\r\n" % number)
            assert memo.classify(head + cursor + everyones) is not None
        assert len(memo._known) == 100
        monkeypatch.setattr("net.fast_path.memo.BYTES_MAX", 20_000)
        for number in range(500):
            learn(b" HTTP/1.1\r\nHost: %d%s\r\n\r\n" % (number, b"x" * 3000))
            assert sum(size_of(key, repeat) for key, repeat in memo._known.items()) == memo._size <= 20_000


def test_an_address_is_remembered_only_if_it_may_be_one():
    """What a header says instead of one may be as long as its sender likes."""
    parse_short.cache_clear()
    assert parse_address("192.0.2.1:5678") == "192.0.2.1" and parse_address("x" * 10_000) is None
    assert parse_short.cache_info().currsize == 1


def test_a_page_that_was_sent_is_not_kept_in_a_circle():
    """Nothing that a template was given waits for the collector of garbage."""

    gc.collect()
    gc.disable()
    try:
        words = Watched("words")
        watched = weakref.ref(words)
        assert b"words" in LOADER.load("day.html").generate(words=words)
        del words
        assert watched() is None
    finally:
        gc.enable()


class Watched(str):
    """Words that can be watched."""
