"""The session's cookie beside those of other boards on the same host, and of the time before it had a port."""

import re
import sqlite3

import httpx
import pytest

from board.credentials import hash_secret, is_made_here, new_secret, new_session
from tests.support.patience import PATIENCE
from tests.support.people import PASSWORD, Person, refused, session_of
from tests.support.wire import FIRST, Wire


@pytest.fixture
def two(start):
    """Two boards on one host, and a browser with one jar for both."""
    boards = start(), start()
    with httpx.Client(timeout=PATIENCE) as browser:
        yield boards, browser


def form(person):
    return {"username": person.username, "password": PASSWORD}


def test_two_boards_on_one_host_leave_each_other_s_members_alone(two):
    """Signing in, out and posting at one changes nothing at the other."""
    (first, second), browser = two
    ada, grace = Person(first), Person(second)
    assert browser.post(f"{first.url}/signin", data=form(ada)).status_code == 303
    assert browser.get(f"{second.url}/api/v1/messages").status_code == 200
    assert browser.post(f"{second.url}/add", data={"s": "a guest", "as": ""}).status_code == 303
    assert "Set-Cookie" not in browser.get(f"{second.url}/").headers
    assert browser.post(f"{second.url}/signin", data=form(grace)).status_code == 303
    for board, person in ((first, ada), (second, grace)):
        assert browser.get(f"{board.url}/api/v1/me").json()["account"]["username"] == person.username
    assert browser.post(f"{second.url}/signout").status_code == 303
    assert browser.get(f"{first.url}/api/v1/me").status_code == 200


def test_the_port_in_its_name_is_the_one_that_the_browser_sees(start):
    """In its Host, or in PUBLIC_URL; none where it goes without saying, so that nobody is signed out by that."""
    plain = start()
    ada = Person(plain)
    for host, name in (("a.example:9000", "longboard-9000"), ("a.example", "longboard"), ("a.example:80", "longboard"),
                       ("[::1]:9000", "longboard-9000"), ("[::1]", "longboard")):  # fmt: skip
        said = plain.open().post("/signin", data=form(ada), headers={"Host": host}).headers["Set-Cookie"]
        assert said.startswith(f"{name}="), host
    for url, name in (("https://a.example", "__Host-longboard"), ("https://a.example:8443", "__Host-longboard-8443"),
                      ("http://a.example:8080", "longboard-8080")):  # fmt: skip
        board = start(public_url=url)
        said = board.open().post("/signin", data=form(Person(board))).headers["Set-Cookie"]
        assert said.startswith(f"{name}="), url


def from_before(server, person):
    """A session as it was made before sessions had a mark, in a cookie as it was called then."""
    secret = new_secret()
    with sqlite3.connect(server.database) as db:
        db.execute(
            "INSERT INTO credentials (account_id, kind, hash, name, created_at, last_used_at)"
            " SELECT id, 'session', ?, 'Firefox', strftime('%s') * 1000, strftime('%s') * 1000 FROM accounts WHERE username = ?",
            (hash_secret(secret), person.username),
        )
    db.close()
    return secret


def test_nobody_is_signed_out_by_the_update(server):
    """A session from before is known by its old cookie, on the page, in the API and by its polls, and ends as any other."""
    ada = Person(server)
    secret = from_before(server, ada)
    browser = server.open(cookies={"longboard": secret})
    assert browser.get("/api/v1/me").json()["account"]["username"] == ada.username
    assert f">{ada.username}</bdi>" in browser.get("/").text
    assert browser.post("/add", data={"s": "still me", "as": ada.username}).status_code == 303
    assert browser.get("/api/v1/messages").json()["messages"][-1]["author"]["id"] == ada.id
    signed_out = browser.post("/signout")
    assert len(signed_out.headers.get_list("Set-Cookie")) == 2, "the old one goes, too"
    assert server.open(cookies={"longboard": secret}).get("/api/v1/me").status_code == 401


def test_signing_in_takes_the_old_cookie_s_place(server):
    """The session from before ends, and its cookie goes."""
    ada = Person(server)
    secret = from_before(server, ada)
    browser = server.open(cookies={"longboard": secret})
    said = browser.post("/signin", data=form(ada)).headers.get_list("Set-Cookie")
    said = [cookie for cookie in said if "path=/;" in cookie.lower() + ";"]
    assert [cookie.partition("=")[0] for cookie in said] == [f"longboard-{server.port}", "longboard"]
    assert '=""' in said[1] and server.open(cookies={"longboard": secret}).get("/api/v1/me").status_code == 401


@pytest.mark.parametrize("reading", ["public", "members"])
@pytest.mark.parametrize("named", ["longboard", "longboard-{port}"])
@pytest.mark.parametrize("value", ["unmarked", "marked elsewhere", "nonsense", "a.b", '"x y"', "lb_x"])
def test_a_cookie_that_this_board_never_gave_is_nobody_s(shared, reading, named, value):
    """It is neither cleared nor a reason to refuse: whoever comes with it is a guest, on every page and with every call."""
    board = shared[reading]
    value = {"unmarked": new_secret(), "marked elsewhere": new_session(b"another board's key")}.get(value, value)
    cookie = {"Cookie": f"{named.format(port=board.port)}={value}"}
    for method, path in (("GET", "/"), ("GET", "/get"), ("GET", "/api/v1/messages"), ("GET", "/m/1"), ("GET", "/account"),
                         ("POST", "/api/v1/messages"), ("POST", "/add"), ("GET", "/signin"), ("GET", "/nothing")):  # fmt: skip
        body = {"data": {"s": "x", "body": "x"}} if method == "POST" else {}
        mine = board.client.request(method, path, headers=cookie, **body)
        guest = board.client.request(method, path, **body)
        assert mine.status_code == guest.status_code and "Set-Cookie" not in mine.headers, path


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    from tests.support.server import Server

    boards = {}
    for reading in ("public", "members"):
        boards[reading] = Server(tmp_path_factory.mktemp(reading), reading=reading)
        Person(boards[reading]).post("words")
    yield boards
    for board in boards.values():
        assert board.stop() == 0


def test_a_session_of_this_board_that_ended_is_never_a_guest_s(server):
    """It is known by its mark, in whichever cookie it comes; a page that forgives takes it away."""
    ada = Person(server)
    browser = ada.browser()
    secret = session_of(browser)
    ada.browser().post("/account/everywhere")
    for name in ("longboard", f"longboard-{server.port}"):
        dead = {"Cookie": f"{name}={secret}"}
        refused(server.get("/api/v1/me", headers=dead), 401, "signed_out")
        refused(server.client.post("/api/v1/messages", json={"body": "x"}, headers=dead), 401, "signed_out")
        refused(server.get("/get", headers=dead), 401, "signed_out")
        gone = server.get("/", headers=dead).headers.get_list("Set-Cookie")
        assert [cookie.partition("=")[0] for cookie in gone] == [name] and "expires" in gone[0]
    server.client.cookies.clear()


def test_a_good_cookie_counts_beside_a_foreign_one(server):
    """The other board's may have the old name."""
    ada = Person(server)
    browser = ada.browser()
    cookies = {
        "Cookie": f"longboard={new_secret()}; longboard-{server.port}={session_of(browser)}; longboard-1={new_secret()}"
    }
    page = server.get("/", headers=cookies)
    assert f">{ada.username}</bdi>" in page.text and "Set-Cookie" not in page.headers


def test_a_session_s_mark_is_its_board_s():
    """Any other key, or any other character, and it is nobody's."""
    session = new_session(b"key")
    assert is_made_here(b"key", session) and not is_made_here(b"other", session) and len(session) == 56
    for at in range(len(session)):
        assert not is_made_here(b"key", session[:at] + ("A" if session[at] != "A" else "B") + session[at + 1 :])
    for text in ("", ".", new_secret(), session.partition(".")[0], "é.é", "\ud800.x"):
        assert not is_made_here(b"key", text)


# --- the fast ways


def test_no_cookie_goes_to_the_page_or_the_polls(server):
    """Neither for guests nor for members: what a browser sends there stays what it was."""
    ada = Person(server)
    browser = ada.browser()
    assert browser.post("/signin", data=form(ada)).status_code == 303
    sent = [cookie.name for cookie in browser.cookies.jar if cookie.path == "/"]
    assert sent == [f"longboard-{server.port}"], "others are for an address of their own"
    for client in (browser, server.open()):
        for path in (
            "/",
            "/get",
            f"/get?after={server.cursor}&wait=0",
            "/api/v1/messages",
            "/static/000000000000/main.js",
        ):
            assert "Set-Cookie" not in client.get(path).headers, path


def test_a_guest_s_first_page_and_everybody_s_polls_take_the_fast_ways(start):
    """Counted: the page that is kept is answered without a handler, and polls known by their bytes without parsing."""
    server = start(metrics_token="m" * 20)
    ada = Person(server)
    cookie = f"Cookie: longboard-{server.port}={session_of(ada.browser())}\r\n"
    foreign = f"Cookie: longboard={new_secret()}\r\nAuthorization: Basic dXNlcjpwYXNz\r\n"  # another board, a proxy
    for headers in ("", cookie, f"Authorization: {ada.api.headers['Authorization']}\r\n", foreign):
        with Wire(server.port) as wire:
            for _ in range(FIRST):
                wire.poll(server.cursor, 0, headers)
                assert wire.reply()[0] == 200
            before = repeated(server)
            for _ in range(20):
                wire.poll(server.cursor, 0, headers)
                assert wire.reply()[0] == 200
            assert repeated(server) - before == 20, headers


def repeated(server):
    text = server.get("/metrics", headers={"Authorization": f"Bearer {'m' * 20}"}).text
    return float(re.search(r"^longboard_polls_repeated_total (\S+)", text, re.MULTILINE)[1])


async def test_a_guest_s_first_page_needs_no_handler(tmp_path, monkeypatch):
    """Also where there is a PUBLIC_URL: the name is looked at, and that is all."""
    from tornado.httpclient import AsyncHTTPClient
    from tornado.httpserver import HTTPServer
    from tornado.netutil import bind_sockets

    from board.site import Site
    from board.site.parts import Rules
    from handlers import Application
    from handlers.http.base import Base
    from settings import read_settings
    from storage import open_storage

    for number, flags in enumerate(([], ["--public-url=https://a.example", "--scheme-header=X-Forwarded-Proto"])):
        storage = await open_storage(f"sqlite:///{tmp_path}/board{number}.db")
        board = await Site.open(storage, max_parked=10, limits=True, rules=Rules())
        server = HTTPServer(Application(board, read_settings(flags, {})))
        [sock] = bind_sockets(0, "127.0.0.1")
        server.add_sockets([sock])
        handled = []
        prepare = Base.prepare

        async def counted(self, handled=handled, prepare=prepare):
            handled.append(self)
            await prepare(self)

        monkeypatch.setattr(Base, "prepare", counted)
        client = AsyncHTTPClient(force_instance=True)
        headers = {"Host": "a.example", "X-Forwarded-Proto": "https", "Connection": "keep-alive"}
        for _ in range(10):
            answer = await client.fetch(f"http://127.0.0.1:{sock.getsockname()[1]}/", headers=headers)
            assert answer.code == 200 and "Set-Cookie" not in answer.headers
        assert len(handled) == 1
        monkeypatch.undo()
        client.close()
        server.stop()
        await server.close_all_connections()
        await board.close()
        await storage.close()
