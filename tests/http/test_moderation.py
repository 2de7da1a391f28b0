"""What moderators may do, what nobody else may, and that it is written down."""

import concurrent.futures
import datetime
import re

import pytest
import tornado.web

from handlers.http.base import Base
from tests.support.admin import admin
from tests.support.people import PASSWORD, Person, refused, session_of
from tests.support.routes import ROUTES
from tests.support.server import until


def url_of(server):
    return f"--database-url={server.settings['database_url']}"


@pytest.fixture
def board(url, start):
    """On each engine in turn."""
    return start(database_url=url)


@pytest.fixture
def moderator(board):
    person = Person(board)
    assert "is a moderator now" in admin(url_of(board), "promote", person.username).stdout
    until(lambda: person.api.get("/api/v1/me").json()["account"]["role"] == "moderator")
    return person


def moderate(browser, message, **form):
    return browser.post(f"/m/{message['id']}/moderate", data=form)


def test_only_moderators_see_their_pages(board, moderator):
    """A member and a guest find neither the log nor the buttons, and can't do it by hand either."""
    member, guest = Person(board), board.open()
    message = member.post("words")
    for browser, status in ((member.browser(), 403), (guest, 401)):
        assert browser.get("/audit").status_code == status
        assert "Moderate" not in browser.get(f"/m/{message['id']}").text
        for act in ("suspend", "unsuspend", "block", "remove"):
            assert moderate(browser, message, act=act).status_code == status
    browser = moderator.browser()
    assert browser.get("/audit").status_code == 200 and "Moderate" in browser.get(f"/m/{message['id']}").text
    assert moderate(browser, message, act="nonsense").status_code == 400


def test_a_moderator_deletes_any_message_but_edits_none(board, moderator):
    """Taking words away is moderation; putting words into mouths is not."""
    message = Person(board).post("off topic")
    path = f"/api/v1/messages/{message['id']}"
    refused(moderator.api.patch(path, json={"body": "x"}), 403, "not_yours")
    assert moderator.api.delete(path).status_code == 204
    assert f"deleted message {message['id']} by " in moderator.browser().get("/audit").text


def test_a_suspended_account_is_out_at_once(board, moderator):
    """Token, session and parked poll end; signing in says why; restoring lets it in again."""
    spammer, cursor = Person(board), board.cursor
    browser = spammer.browser()
    message = spammer.post("buy this")
    with concurrent.futures.ThreadPoolExecutor() as pool:
        poll = pool.submit(spammer.api.get, f"/get?after={board.cursor}")
        board.until_parked(1)
        assert moderate(moderator.browser(), message, act="suspend").status_code == 303
        refused(poll.result(), 401, "invalid_token")
    refused(spammer.api.post("/api/v1/messages", json={"body": "more"}), 401, "invalid_token")
    assert browser.get("/account").status_code == 401
    fields = {"username": spammer.username, "password": spammer.password}
    refused(board.client.post("/api/v1/signin", json=fields), 403, "suspended")
    refused(board.client.post("/api/v1/signin", json=fields | {"password": "wrong words"}), 401, "wrong_password")
    admin(url_of(board), "unsuspend", spammer.username)
    refused(spammer.api.get("/api/v1/me"), 401, "invalid_token")
    assert board.client.post("/api/v1/signin", json=fields).status_code == 200
    assert [m["body"] for m in board.news(cursor)["messages"]] == ["buy this"]


def test_suspending_from_another_process_ends_parked_polls(board):
    """bin/admin suspend works beside the running server."""
    person = Person(board)
    with concurrent.futures.ThreadPoolExecutor() as pool:
        poll = pool.submit(person.api.get, f"/api/v1/messages?after={board.cursor}")
        board.until_parked(1)
        admin(url_of(board), "suspend", person.username)
        refused(poll.result(), 401, "invalid_token")


def test_a_blocked_address_can_not_post_as_a_guest(start):
    """Guests from there are refused for the time; others, and members from there, are not."""
    server = start(client_header="X-Forwarded-For")
    moderator, member = Person(server), Person(server)
    admin(url_of(server), "promote", moderator.username)
    until(lambda: moderator.api.get("/api/v1/me").json()["account"]["role"] == "moderator")
    here, there = {"X-Forwarded-For": "192.0.2.1"}, {"X-Forwarded-For": "192.0.2.2"}

    def post(headers, client=server.client):
        return client.post("/api/v1/messages", json={"body": "x"}, headers=headers)

    message = post(here).json()
    mine = post({**here, "Guest-Secret": "s" * 22}).json()
    assert moderate(moderator.browser(), message, act="block", days="7").status_code == 303
    blocked, secret = post(here), {**here, "Guest-Secret": "s" * 22}
    refused(blocked, 403, "not_allowed")
    until_when = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=7)
    said = re.fullmatch(r"Posting is blocked until (\S+ \S+) UTC\.", blocked.json()["error"]["message"])
    told = datetime.datetime.strptime(f"{said[1]}+0000", "%Y-%m-%d %H:%M%z")
    assert abs(until_when - told) < datetime.timedelta(hours=1)
    own = f"/api/v1/messages/{mine['id']}"
    for answer in (
        server.client.patch(own, json={"body": "y"}, headers=secret),
        server.client.delete(own, headers=secret),
    ):
        assert refused(answer, 403, "not_allowed") and said[0] in answer.text
    assert post(there).status_code == 201
    assert post(here, member.api).status_code == 201
    assert server.client.get("/get", headers=here).status_code == 200


@pytest.fixture
def proxied(start):
    """A board behind a proxy that says who comes."""
    return start(client_header="X-Forwarded-For")


def promoted(server):
    person = Person(server)
    admin(url_of(server), "promote", person.username)
    until(lambda: person.api.get("/api/v1/me").json()["account"]["role"] == "moderator")
    return person


@pytest.mark.parametrize("guest", [True, False])
def test_all_that_a_spammer_posted_goes_at_once(proxied, guest):
    """Every page replaces what it shows; what others wrote stays."""
    moderator, other = promoted(proxied), Person(proxied).post("ham")
    poster, there = proxied.client if guest else Person(proxied).api, {"X-Forwarded-For": "192.0.2.1"}
    spam = [poster.post("/api/v1/messages", json={"body": f"spam {n}"}, headers=there).json() for n in range(70)]
    ham = proxied.client.post("/api/v1/messages", json={"body": "of a guest"}).json()
    cursor = proxied.cursor
    assert moderate(moderator.browser(), spam[0], act="remove").status_code == 303
    reply = proxied.news(cursor)
    assert reply["reset"] and reply["messages"] == [other, ham]
    assert proxied.get("/api/v1/messages").json()["messages"] == [other, ham]
    assert "spam" not in proxied.get("/").text


def test_all_guests_are_not_one_spammer(board, moderator):
    """Behind a proxy that doesn't say who comes, a guest's address is everyone's: it is neither cleared nor blocked."""
    messages = [board.post(f"guest {n}").json() for n in range(3)]
    for act in ("remove", "block"):
        response = moderate(moderator.browser(), messages[0], act=act)
        assert response.status_code == 422 and "everyone" in response.text
    assert board.get("/api/v1/messages").json()["messages"] == messages
    assert board.post("still welcome").status_code == 201


def test_a_moderator_can_neither_suspend_nor_clear_away_a_moderator(board, moderator):
    """That is for the one at the command line, which is in the log as well."""
    other = Person(board)
    admin(url_of(board), "promote", other.username)
    message = other.post("words")
    for act in ("suspend", "remove"):
        assert moderate(moderator.browser(), message, act=act).status_code == 403
    admin(url_of(board), "demote", other.username)
    until(lambda: moderate(moderator.browser(), message, act="suspend").status_code == 303)
    log = admin(url_of(board), "audit").stdout.splitlines()
    assert len(log) == 4 and "command line" in log[0] and f"suspended {other.username}" in log[-1]
    assert moderator.username in log[-1]


def test_a_suspension_is_seen_and_ended_on_the_page(board, moderator):
    """The page says what the button will do, then what is so; the button is the way back then."""
    person, browser = Person(board, name="Gina"), moderator.browser()
    message = person.post("words")
    page = f"/m/{message['id']}"
    before = browser.get(page).text
    assert "will be signed out" in before and 'value="suspend"' in before and "is suspended" not in before
    assert moderate(browser, message, act="suspend").status_code == 303
    during = browser.get(page).text
    assert "Gina</bdi> is suspended" in during and 'value="unsuspend"' in during and 'value="suspend"' not in during
    assert "is suspended" not in board.get(page).text
    assert moderate(browser, message, act="unsuspend").status_code == 303
    key = r'name="key" value="[^"]+"'  # of the form for a reply: a new one for each page
    assert re.sub(key, "", browser.get(page).text) == re.sub(key, "", before)
    assert person.sign_in()
    assert f"ended the suspension of {person.username}<" in browser.get("/audit").text


def test_a_guest_s_account_can_not_be_suspended(board, moderator):
    """There is none; the answer says what to do instead."""
    message = board.post("by a guest").json()
    response = moderate(moderator.browser(), message, act="suspend")
    assert response.status_code == 422 and "Block the address" in response.text
    assert moderate(moderator.browser(), {"id": 10**9}, act="remove").status_code == 404


# --- boards that are not for everyone

FOR_ANYONE = {
    "/signup", "/signin", "/signout", "/li", "/lo", "/api/", "/password", "/api/v1/signup", "/api/v1/signin",
    "/healthz", "/readyz", "/metrics", r"/static/([0-9a-f]{12})/(.+)", "/api", r"/api/v1/openapi\.json",
    "/privacy", "/facebook/start", "/facebook/continue", "/facebook/callback", "/facebook/deauthorize",
    "/facebook/delete", "/facebook/deletion", r"/favicon\.ico", r"/apple-touch-icon\.png", r"/robots\.txt",
}  # fmt: skip


def test_a_members_board_shows_a_stranger_nothing(start):
    """READING=members: every route but a known few answers 401 or that there is nothing, whatever is asked of it."""
    server = start(reading="members", posting="members")
    person = Person(server)
    message = person.post("secret words")
    assert len(ROUTES) > 20
    for pattern, *_ in ROUTES:
        path = pattern.replace("([^/]+)", str(message["id"])).replace("([0-9]{1,18})", "1")
        if pattern in FOR_ANYONE:
            continue
        methods = {"GET": server.client.get, "POST": server.client.post, "DELETE": server.client.delete}
        for method, call in methods.items():
            response = call(path)
            assert response.status_code in (401, 404, 405), f"{method} {path}: {response.status_code}"
            assert "secret" not in response.text
    assert {route[0] for route in ROUTES} >= FOR_ANYONE
    assert set(server.health()) == {"status", "storage", "version"}
    assert "secret words" in person.browser().get("/").text
    assert person.api.get("/get").json()["messages"] == [message]


def test_every_route_says_for_whom_it_is():
    """A handler that forgets to say it is closed to strangers on a members' board."""
    for _, handler, *_ in ROUTES:
        if issubclass(handler, Base):
            assert handler.for_whom in ("anyone", "readers", "members", "moderators")
        else:
            assert issubclass(handler, tornado.web.StaticFileHandler)
    assert Base.for_whom == "readers"


def test_a_refusal_says_who_may_do_it(start):
    """A stranger learns what the board is; of moderators' pages, that membership is not enough."""
    server = start(reading="members")
    for path, words in (
        ("/", "Only members can read this site."),
        ("/search", "Only members can read this site."),
        ("/account", "Only members can do this."),
        ("/audit", "Only moderators can do this."),
    ):
        page = server.get(path)
        assert page.status_code == 401 and f"<h1>{words} Please sign in.</h1>" in page.text
        assert "<title>Please sign in · Longboard</title>" in page.text


def test_a_members_poll_ends_when_reading_is_no_longer_theirs(start):
    """On a members' board a sign-out ends the parked poll of that session."""
    server = start(reading="members", metrics_token="a-token-for-the-test")
    browser = Person(server).browser()
    cursor = browser.get("/get").json()["cursor"]
    watcher = server.open(headers={"Authorization": "Bearer a-token-for-the-test"})
    with concurrent.futures.ThreadPoolExecutor() as pool:
        poll = pool.submit(browser.get, f"/get?after={cursor}")
        until(lambda: watcher.get("/healthz").json()["parked"] == 1)
        server.client.post("/api/v1/signout", headers={"Cookie": f"longboard={session_of(browser)}"})
        refused(poll.result(), 401, "signed_out")


def test_a_bot_of_a_moderator_can_not_moderate(board, moderator):
    """Its token reads and writes; deleting other people's words takes the person."""
    bot = moderator.api.post("/api/v1/tokens", json={"name": "bot", "password": PASSWORD}).json()
    message = Person(board).post("words")
    headers = {"Authorization": f"Bearer {bot['token']}"}
    assert board.client.get("/audit", headers=headers).status_code == 403
    refused(board.client.delete(f"/api/v1/messages/{message['id']}", headers=headers), 403, "not_yours")
    assert board.client.post(f"/m/{message['id']}/moderate", data={"act": "remove"}, headers=headers).status_code == 403


@pytest.mark.parametrize("origin", ["http://[", "http://a]b", "null", "::"])
def test_an_origin_that_is_no_address_is_refused(board, origin):
    """403, and no fault."""
    response = board.client.post("/api/v1/messages", json={"body": "x"}, headers={"Origin": origin})
    refused(response, 403, "cross_origin")
    assert "Traceback" not in board.log.read_text()
