"""Logging in with Facebook, against the fake one: there and back, linking, and what is kept."""

import base64
import concurrent.futures
import contextlib
import html
import re
import sqlite3
import time
import urllib.parse

import pytest
import tornado.web

from tests.http.test_accounts import link_of
from tests.support.admin import admin
from tests.support.facebook import (
    APP_ID,
    APP_SECRET,
    begin,
    fake_facebook,
    free_port,
    log_in,
    query_of,
    signed_in_as,
    start_board,
)
from tests.support.patience import PATIENCE
from tests.support.people import PASSWORD, Person, session_of
from tests.support.server import until

ADA, GRACE, LEE = 1, 2, 3  # of the fake's people; Grace has no picture


@pytest.fixture
def facebook(start):
    """Starts a board with a fake Facebook beside it; gives both."""
    with contextlib.ExitStack() as stack:

        def begin_both(*options, **settings):
            port = free_port()
            fake = stack.enter_context(fake_facebook(port, *options))
            return start_board(start, fake.url, port, **settings), fake

        yield begin_both


@pytest.fixture
def both(facebook):
    return facebook()


def location(response):
    assert response.status_code == 303, response.text
    return response.headers["Location"]


def problem(response, status):
    """A friendly page and no session."""
    assert response.status_code == status, response.text
    assert response.headers["Content-Type"].startswith("text/html") and "Traceback" not in response.text
    assert "longboard=" not in response.headers.get("Set-Cookie", "").replace('longboard=""', "")
    return html.unescape(re.search("<h1>(.*?)</h1>", response.text)[1])


def test_without_an_app_there_is_no_button_and_no_way_in(server):
    """Where Facebook isn't set up, nothing of it is there."""
    assert "Facebook" not in server.get("/signin").text + server.get("/signup").text
    for path in ("start", "callback?code=x&state=y", "continue", "deletion"):
        assert server.get(f"/facebook/{path}").status_code == 404
    for path in ("deauthorize", "delete"):
        assert server.client.post(f"/facebook/{path}", data={"signed_request": "x.y"}).status_code == 404


def test_the_first_sign_in_makes_an_account_and_later_ones_find_it(both):
    """With Facebook's name and a free username, which may be changed."""
    board, fake = both
    assert (
        "Continue with Facebook" in board.get("/signin").text and "Continue with Facebook" in board.get("/signup").text
    )
    browser = board.open()
    assert location(log_in(browser, fake)).startswith("/facebook/welcome")
    account = signed_in_as(browser)
    assert (account["username"], account["name"]) == ("ada_lovelace", "Ada Lovelace")
    welcome = browser.get("/facebook/welcome?next=/%23m1").text
    assert 'value="ada_lovelace"' in welcome and 'value="Ada Lovelace"' in welcome and 'value="/#m1"' in welcome
    form = {"name": "Ada", "username": "Countess_1", "next": "/account"}
    assert location(browser.post("/facebook/welcome", data=form)) == "/account?done=username"
    assert (signed_in_as(browser)["username"], signed_in_as(browser)["name"]) == ("countess_1", "Ada")
    for path, where in (("/facebook/start", "/#"), ("/facebook/start?next=/account", "/account#")):
        other = board.open()
        assert location(log_in(other, fake, path=path)) == where
        assert signed_in_as(other)["id"] == account["id"]
    stranger = board.open()
    log_in(stranger, fake, LEE)
    assert (signed_in_as(stranger)["username"], signed_in_as(stranger)["name"]) == ("member", "李小龍")


def test_the_welcome_page_refuses_what_is_no_name_and_keeps_what_was_typed(both):
    """UsernameTakenError usernames too; and once there is a password, the username stays."""
    board, fake = both
    Person(board, "grace")
    browser = board.open()
    log_in(browser, fake)
    form = {"name": "Ada <b>", "username": "grace", "next": "/"}
    taken = browser.post("/facebook/welcome", data=form)
    assert taken.status_code == 409 and 'role="alert"' in taken.text and "Ada &lt;b&gt;" in taken.text
    assert browser.post("/facebook/welcome", data=form | {"username": "x y"}).status_code == 422
    assert browser.post("/account/password", data={"new": "a new password"}).status_code == 303
    assert browser.post("/facebook/welcome", data=form | {"username": "another"}).status_code == 403
    assert board.open().get("/facebook/welcome").status_code == 401


def test_what_the_board_asks_of_facebook(both):
    """The dialog gets the app, the exact way back, the one permission, and a state: nothing else."""
    board, fake = both
    url = begin(board.client)
    asked = query_of(url)
    assert url.startswith(f"{fake.url}/v24.0/dialog/oauth?")
    assert set(asked) == {"client_id", "redirect_uri", "response_type", "scope", "state"}
    assert (asked["client_id"], asked["scope"], asked["response_type"]) == (APP_ID, "public_profile", "code")
    assert asked["redirect_uri"] == f"{board.url}/facebook/callback"
    assert len(base64.urlsafe_b64decode(asked["state"] + "=")) == 32
    assert query_of(begin(board.client))["state"] != asked["state"]


def test_the_cookie_of_the_way_there(both):
    """Signed, for ten minutes, not for scripts, and Lax: Strict would not come back with its owner."""
    board, _ = both
    cookie = board.client.get("/facebook/start").headers["Set-Cookie"]
    assert {"HttpOnly", "Path=/", "SameSite=Lax", "Max-Age=600"} <= set(cookie.split("; "))
    assert APP_SECRET not in cookie


def test_facebook_s_way_back_never_comes_from_the_host_header(both):
    """Whoever sends another Host gets sent to the right one first, or anyway back to it."""
    board, _ = both
    moved = board.client.get("/facebook/start?next=/account", headers={"Host": "evil.example"})
    assert moved.headers["Location"] == f"{board.url}/facebook/start?next=/account&moved=1"
    there = board.client.get("/facebook/start?moved=1", headers={"Host": "evil.example"}).headers["Location"]
    assert query_of(there)["redirect_uri"] == f"{board.url}/facebook/callback"


def test_with_a_public_url_the_way_back_is_there_and_the_cookie_secure(start):
    """And the real Facebook is asked, in the version that the settings name."""
    app = {"facebook_app_id": APP_ID, "facebook_app_secret": APP_SECRET, "facebook_graph_version": "v25.0"}
    server = start(public_url="https://board.example.org", **app)
    response = server.get("/facebook/start?moved=1")
    url, cookie = response.headers["Location"], response.headers["Set-Cookie"]
    assert url.startswith("https://www.facebook.com/v25.0/dialog/oauth?")
    assert query_of(url)["redirect_uri"] == "https://board.example.org/facebook/callback"
    assert cookie.startswith("__Host-longboard-facebook=") and "Secure" in cookie.split("; ")
    assert "fake" not in server.get("/").text


def test_a_cookie_of_eleven_minutes_ago_is_too_old(both):
    """Even if a browser kept it."""
    board, _ = both
    db = sqlite3.connect(board.database)
    [[secret]] = db.execute("SELECT secret FROM board")
    db.close()
    name = f"longboard-{board.port}-facebook"
    value = '{"state": "s", "next": "/", "invite": null, "account_id": null}'
    for age, word in ((590, "Facebook"), (660, "used already, took too long")):
        cookie = tornado.web.create_signed_value(
            {1: secret.hex()}, name, value, clock=lambda age=age: time.time() - age, key_version=1
        ).decode()
        said = board.open(cookies={name: cookie}).get("/facebook/callback?state=s&error=access_denied")
        assert word in said.text and (said.status_code == 400) == (age == 660)


def test_nothing_secret_is_logged_or_kept(facebook):
    """Neither code, state, token nor the app's secret is in the log or the database, with a line for each request."""
    board, fake = facebook(log_requests="on")
    browser = board.open()
    back = fake.answer(begin(browser))
    browser.get(back)
    browser.get(back)
    state = query_of(begin(browser))["state"]
    browser.get(f"/facebook/callback?state={state}&code=wrong-code-of-mine")
    secrets = [query_of(back)["code"], query_of(back)["state"], state, APP_SECRET, "wrong-code-of-mine", "EAA"]
    board.stop()
    log = board.log.read_text()
    assert "303 GET /facebook/callback" in log and "HTTP 400 code=100" in log
    for file in board.database.parent.iterdir():
        content = file.read_bytes()
        assert not [secret for secret in secrets if secret.encode() in content], file


# --- signing up


def test_sign_up_rules_hold_for_facebook_too(facebook):
    """Closed means closed, an invitation lets one person in; whoever has an account gets in always."""
    board, fake = facebook(signup="invite")
    url = f"--database-url={board.settings['database_url']}"
    stranger = board.open()
    assert "invitation" in problem(log_in(stranger, fake), 403)
    path = link_of(admin(url, "invite"))
    old_link = path.replace("#", "?invite=")
    start = html.unescape(re.search(r'href="(/facebook/start[^"]*)"', board.get(old_link).text)[1])
    log_in(stranger, fake, path=start)
    assert signed_in_as(stranger)["name"] == "Ada Lovelace"
    problem(log_in(board.open(), fake, LEE, path=start), 410)
    board.stop()
    board.settings["signup"] = "closed"
    board.start()
    board.url = f"http://localhost:{board.port}"
    known, unknown = board.open(), board.open()
    assert location(log_in(known, fake)) == "/#"
    assert "no new members" in problem(log_in(unknown, fake, LEE), 403)


def test_the_owner_s_link_makes_a_moderator_with_facebook_too(facebook):
    """On a board that takes nobody else; and only once."""
    board, fake = facebook(signup="closed")
    path = link_of(admin(f"--database-url={board.settings['database_url']}", "owner"))
    start = f"/facebook/start?invite={path.partition('#')[2]}"
    browser = board.open()
    log_in(browser, fake, path=start)
    assert signed_in_as(browser)["name"] == "Ada Lovelace" and browser.get("/audit").status_code == 200
    assert "no new members" in problem(log_in(board.open(), fake, LEE, path=start), 403)


def test_an_account_is_never_found_by_name(both):
    """Somebody who is called the same, or has the username already, is somebody else."""
    board, fake = both
    person = Person(board, "ada_lovelace", name="Ada Lovelace")
    browser = board.open()
    log_in(browser, fake)
    assert signed_in_as(browser)["username"] == "ada_lovelace_2" and signed_in_as(browser)["id"] != person.id


def test_a_suspended_member_stays_out(both):
    """Facebook is no way around a moderator."""
    board, fake = both
    browser = board.open()
    log_in(browser, fake)
    admin(f"--database-url={board.settings['database_url']}", "suspend", "ada_lovelace")
    assert "suspended" in problem(log_in(board.open(), fake), 403)


def test_one_address_can_not_make_accounts_without_end(facebook):
    """The limits of signing in hold for what could be a guess. Without this browser's state it is none, and harms nobody:
    any page can send its visitors here.
    """
    board, _ = facebook()
    browsers = [board.open() for _ in range(120)]
    backs = [f"/facebook/callback?error=access_denied&state={query_of(begin(one))['state']}" for one in browsers]
    cookies = [dict(one.cookies) for one in browsers]
    board.stop()
    board.settings["limits"] = "on"
    board.start()
    base = f"http://localhost:{board.port}"
    stranger = board.open()
    for _ in range(120):
        assert stranger.get(f"{base}/facebook/callback?code=x&state=y").status_code == 400
    came = zip(cookies, backs, strict=True)
    statuses = [board.open(cookies=kept).get(f"{base}{back}").status_code for kept, back in came]
    assert set(statuses) == {403, 429} and statuses.count(403) >= 100


# --- linking


def link(browser, fake, person=ADA, password=PASSWORD):
    response = browser.post("/account/facebook/link", data={"password": password})
    assert response.status_code == 200 and 'href="/facebook/continue"' in response.text, response.text
    return browser.get(fake.answer(begin(browser, "/facebook/continue"), person))


def test_a_member_links_and_unlinks_facebook(both):
    """The password is asked for each time; afterwards both ways lead into the same account, then one."""
    board, fake = both
    person = Person(board, name="The Countess")
    browser = person.browser()
    assert browser.post("/account/facebook/link", data={"password": "wrong one"}).status_code == 401
    assert browser.get("/facebook/continue").headers["Location"] == "/account"
    assert location(link(browser, fake)) == "/account#"
    page = browser.get("/account").text
    assert ">Ada Lovelace</bdi>" in page and signed_in_as(browser)["name"] == "The Countess"
    by_facebook = board.open()
    assert location(log_in(by_facebook, fake)) == "/#" and signed_in_as(by_facebook)["id"] == person.id
    assert browser.post("/account/facebook/unlink", data={"password": "wrong one"}).status_code == 401
    assert (
        location(browser.post("/account/facebook/unlink", data={"password": PASSWORD}))
        == "/account?done=unlink&provider=facebook"
    )
    assert signed_in_as(by_facebook) is None and signed_in_as(browser)["id"] == person.id
    log_in(by_facebook, fake)
    assert signed_in_as(by_facebook)["id"] != person.id


def test_linking_belongs_to_the_one_who_began_it(both):
    """Signed out or somebody else by the time of the way back: nothing is linked."""
    board, fake = both
    ada, bob = Person(board), Person(board)
    browser = ada.browser()
    browser.post("/account/facebook/link", data={"password": PASSWORD})
    back = fake.answer(begin(browser, "/facebook/continue"))
    browser.post("/signin", data={"username": bob.username, "password": PASSWORD})
    assert "Nothing was linked" in problem(browser.get(back), 403)
    browser.post("/account/facebook/link", data={"password": PASSWORD})
    back = fake.answer(begin(browser, "/facebook/continue"))
    browser.post("/signout")
    assert "Nothing was linked" in problem(browser.get(back), 403)
    log_in(browser, fake)
    assert signed_in_as(browser)["id"] not in (ada.id, bob.id)


def test_a_facebook_account_is_linked_to_one_account_only(both):
    """Somebody else's stays theirs, and a second one is refused."""
    board, fake = both
    first, second = Person(board).browser(), Person(board).browser()
    location(link(first, fake, ADA))
    assert "another member" in problem(link(second, fake, ADA), 409)
    assert location(link(first, fake, ADA)) == "/account#"
    assert "another one already" in problem(link(first, fake, LEE), 409)


def test_a_member_without_a_password_sets_one_before_unlinking(both):
    """Else nobody could get in; and setting it needs a sign-in at Facebook of the last minutes."""
    board, fake = both
    browser = board.open()
    log_in(browser, fake)
    refused = browser.post("/account/facebook/unlink", data={})
    assert refused.status_code == 409 and "set a password first" in refused.text
    db = sqlite3.connect(board.database, isolation_level=None, timeout=PATIENCE)
    db.execute("UPDATE credentials SET created_at = created_at - 700000")
    db.close()
    board.stop()
    board.start()
    board.url = f"http://localhost:{board.port}"
    old = board.open(cookies=dict(browser.cookies))
    for path, form in (("/account/password", {"new": "a new password"}), ("/account/delete", {"messages": "keep"})):
        refused = old.post(path, data=form)
        assert refused.status_code == 403 and "Confirm with Facebook" in refused.text
    log_in(old, fake, path="/facebook/start?next=/account")
    assert old.post("/account/password", data={"new": "a new password"}).status_code == 303
    assert (
        location(old.post("/account/facebook/unlink", data={"password": "a new password"}))
        == "/account?done=unlink&provider=facebook"
    )
    form = {"username": "ada_lovelace", "password": "a new password"}
    assert board.open().post("/signin", data=form).status_code == 303


def test_a_member_without_a_password_can_delete_the_account(both):
    """Having just come from Facebook proves who it is."""
    board, fake = both
    browser = board.open()
    log_in(browser, fake)
    assert browser.post("/account/delete", data={"messages": "delete"}).status_code == 303
    log_in(browser, fake)
    assert "/facebook/welcome" in location(log_in(board.open(), fake, LEE))


def test_another_site_can_not_link_or_unlink(both):
    """Forms of other pages are refused; and a GET changes nothing."""
    board, _ = both
    browser = Person(board).browser()
    for path in ("/account/facebook/link", "/account/facebook/unlink", "/facebook/welcome"):
        headers = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
        assert browser.post(path, data={"password": PASSWORD}, headers=headers).status_code == 403
    assert browser.get("/account/facebook/unlink").status_code in (302, 303, 405, 200)
    assert browser.get("/account/facebook/link").status_code == 302


# --- names and pictures


def test_a_change_of_name_at_facebook_comes_along_at_the_next_sign_in(both):
    """Unless another name was chosen here; messages keep the name they were written under."""
    board, fake = both
    browser = board.open()
    log_in(browser, fake)
    browser.post("/api/v1/messages", json={"body": "as Lovelace"})
    fake.act(ADA, "rename", name="Ada King <b>")
    log_in(browser, fake)
    assert signed_in_as(browser)["name"] == "Ada King <b>"
    assert board.get("/api/v1/messages").json()["messages"][-1]["author"]["name"] == "Ada Lovelace"
    browser.post("/account/name", data={"name": "Countess"})
    fake.act(ADA, "rename", name="Ada Byron")
    log_in(browser, fake)
    assert signed_in_as(browser)["name"] == "Countess"
    assert ">Ada Byron</bdi>" in browser.get("/account").text


def test_the_picture_is_kept_and_served_by_the_board(both):
    """With its own type, nosniff and a policy that lets it do nothing; initials for those who have none."""
    board, fake = both
    browser = board.open()
    log_in(browser, fake, ADA)
    path = f"/picture/{signed_in_as(browser)['id']}"
    picture = browser.get(path)
    assert picture.headers["Content-Type"] == "image/png" and picture.content.startswith(b"\x89PNG")
    assert (
        picture.headers["X-Content-Type-Options"] == "nosniff"
        and picture.headers["Cache-Control"] == "private, no-cache"
    )
    assert picture.headers["Content-Security-Policy"].startswith("default-src 'none'; sandbox; base-uri 'none'")
    assert browser.get(path, headers={"If-None-Match": picture.headers["ETag"]}).status_code == 304
    other = board.open()
    log_in(other, fake, GRACE)
    initials = other.get(f"/picture/{signed_in_as(other)['id']}")
    assert initials.headers["Content-Type"] == "image/svg+xml" and ">GH</text>" in initials.text
    other.post("/account/name", data={"name": "<b> &c"})
    assert ">&lt;&amp;</text>" in other.get(f"/picture/{signed_in_as(other)['id']}").text


def test_a_picture_is_for_its_member_and_for_moderators(both):
    """Nobody can look through them all, not even to see who is there."""
    board, fake = both
    browser, other = board.open(), board.open()
    log_in(browser, fake, ADA)
    log_in(other, fake, GRACE)
    path = f"/picture/{signed_in_as(browser)['id']}"
    assert board.get(path).status_code == 401
    assert other.get(path).status_code == other.get("/picture/999999").status_code == 404
    admin(f"--database-url={board.settings['database_url']}", "promote", signed_in_as(other)["username"])
    until(lambda: other.get(path).status_code == 200)


def test_no_page_loads_anything_from_facebook(both):
    """All that a page names is the board's own, and its policy allows nothing else."""
    board, fake = both
    browser = board.open()
    log_in(browser, fake)
    for path in ("/", "/signin", "/account", "/facebook/welcome", "/privacy"):
        page = browser.get(path)
        assert not re.findall(r'(?:src|href)="(?:https?:)?//', page.text)
        assert "img-src 'self'" in page.headers["Content-Security-Policy"]


def test_my_data_has_what_came_from_facebook(both):
    """Id, name and picture are in the download."""
    board, fake = both
    browser = board.open()
    log_in(browser, fake)
    data = browser.get("/account/download").json()["facebook"]
    assert data["name"] == "Ada Lovelace" and data["id"].isdigit()
    assert base64.b64decode(data["picture"].partition(",")[2]).startswith(b"\x89PNG")


# --- boards of other kinds


def test_every_page_says_that_the_facebook_is_a_fake(both):
    """Nobody can take it for the real one."""
    board, fake = both
    pages = ["/", "/signin", "/signup", "/privacy", "/api", "/nothing-here", "/facebook/deletion?code=x", "/signout"]
    for path in pages:
        text = board.get(path).text
        assert "fake Facebook" in text and fake.url in text, path


def test_facebook_works_on_a_members_board(facebook):
    """Strangers can sign in with it, and see no picture before."""
    board, fake = facebook(reading="members", posting="members")
    browser = board.open()
    log_in(browser, fake)
    id = signed_in_as(browser)["id"]
    assert browser.get(f"/picture/{id}").status_code == 200 and board.get(f"/picture/{id}").status_code == 401
    assert board.get("/privacy").status_code == 200


def test_the_operator_s_privacy_text(start):
    """Paragraphs and links, and nothing of it is HTML; without one, the board's own words."""
    own = "We keep <b>nothing</b>.\n\nAsk us: https://example.org/privacy\nor write."
    text = start(privacy_text=own).get("/privacy").text
    assert "We keep &lt;b&gt;nothing&lt;/b&gt;." in text and text.count("<p dir") == 2
    assert '<a href="https://example.org/privacy" rel="noopener">' in text and "Addresses" not in text
    default = start().get("/privacy").text
    assert "30 days" in default and "Facebook" not in default.partition("Cookies.")[0]


def test_two_tabs_of_a_new_member_make_one_account(both):
    """Whichever comes first."""
    board, fake = both
    browsers = [board.open() for _ in range(6)]
    backs = [fake.answer(begin(browser)) for browser in browsers]
    with concurrent.futures.ThreadPoolExecutor() as pool:
        answers = list(pool.map(lambda pair: pair[0].get(pair[1]), zip(browsers, backs, strict=True)))
    assert {answer.status_code for answer in answers} == {303}
    assert len({signed_in_as(browser)["id"] for browser in browsers}) == 1


def test_a_session_by_facebook_replaces_the_one_that_was_there(both):
    """The old cookie is dead, as at every sign-in."""
    board, fake = both
    browser = board.open()
    log_in(browser, fake)
    old = {"longboard": session_of(browser)}
    log_in(browser, fake)
    assert signed_in_as(board.open(cookies=old)) is None and signed_in_as(browser)
    assert urllib.parse.urlsplit(board.url).hostname == "localhost"
