"""Facebook as a way in: never unasked into a live session, never past a suspension, and ended with the rest."""

import contextlib
import re
import sqlite3
import urllib.parse

import pytest

from tests.support.admin import admin
from tests.support.facebook import begin, fake_facebook, free_port, log_in, query_of, signed_in_as, start_board
from tests.support.people import PASSWORD, Person, client, refused
from tests.support.server import until

ADA, GRACE, LEE = 1, 2, 3


@pytest.fixture
def both(start):
    """A board and the Facebook beside it."""
    port = free_port()
    with fake_facebook(port) as fake:
        yield start_board(start, fake.url, port), fake


def link(browser, fake, person=ADA):
    response = browser.post("/account/facebook/link", data={"password": PASSWORD})
    assert response.status_code == 200, response.text
    assert browser.get(fake.answer(begin(browser, "/facebook/continue"), person)).status_code == 303


def at(board):
    return f"--database-url={board.settings['database_url']}"


# --- no swap without a click


def test_another_site_s_link_shows_the_button(both):
    """Facebook would send on at once whoever allowed the app before; the way on is the board's own link."""
    board, _ = both
    quinn = Person(board, "quinn").browser()
    for site in ("cross-site", "same-site"):
        shown = quinn.get("/facebook/start?next=/account", headers={"Sec-Fetch-Site": site})
        assert shown.status_code == 200 and "Set-Cookie" not in shown.headers
        assert 'href="/facebook/start?next=%2Faccount"' in shown.text and "<b>quinn</b>" in shown.text
    for site in ("same-origin", "none"):
        assert quinn.get("/facebook/start", headers={"Sec-Fetch-Site": site}).status_code == 302


def accounts_of(board):
    with contextlib.closing(sqlite3.connect(board.database)) as db:
        return db.execute("SELECT count(*) FROM accounts").fetchone()[0]


def test_a_live_session_of_somebody_else_is_asked_about(both):
    """The one at the browser says which account it is to be; until then nothing has changed, whoever it is at Facebook."""
    board, fake = both
    quinn = Person(board, "quinn")
    browser = quinn.browser()
    asked = log_in(browser, fake, GRACE, "/facebook/start?next=/account")
    assert asked.status_code == 200 and "signed in as <b>quinn</b>" in asked.text
    assert ">Grace Hopper</bdi>" in asked.text and 'href="/account"' in asked.text
    assert signed_in_as(browser)["username"] == "quinn"
    assert accounts_of(board) == 1  # there is no new one yet
    went = browser.post("/facebook/switch", data={"as": "quinn"})
    assert went.status_code == 303 and "/facebook/welcome?next=%2Faccount" in went.headers["Location"]
    assert signed_in_as(browser)["name"] == "Grace Hopper"
    assert browser.get(f"/picture/{signed_in_as(browser)['id']}").status_code == 200 and accounts_of(board) == 2
    assert browser.post("/facebook/switch", data={"as": "grace_hopper"}).status_code == 400  # once


def test_the_same_account_is_not_asked(both):
    """Confirming that it is oneself goes straight on."""
    board, fake = both
    browser = board.open()
    log_in(browser, fake)
    assert log_in(browser, fake, ADA, "/facebook/start?next=/account").headers["Location"] == "/account#"


def test_the_answer_counts_for_the_one_who_was_asked(both):
    """Somebody else is signed in by now, or the answer comes from another site or another browser: nothing happens."""
    board, fake = both
    quinn, rob = Person(board, "quinn"), Person(board, "rob")
    browser = quinn.browser()
    log_in(browser, fake, GRACE)
    evil = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
    assert browser.post("/facebook/switch", data={"as": "quinn"}, headers=evil).status_code == 403
    assert rob.browser().post("/facebook/switch", data={"as": "rob"}).status_code == 400
    browser.post("/signin", data={"username": "rob", "password": PASSWORD})
    assert browser.post("/facebook/switch", data={"as": "quinn"}).status_code == 409
    assert signed_in_as(browser)["username"] == "rob"


def test_a_way_back_that_was_only_asked_about_is_used_up(both):
    """Its code and state open nothing a second time, and the question's own state is never Facebook's."""
    board, fake = both
    browser = Person(board).browser()
    back = fake.answer(begin(browser), GRACE)
    assert browser.get(back).status_code == 200
    assert browser.get(back).status_code == 400
    assert query_of(back)["state"]


# --- a suspension is not cleared by a deletion


def test_who_was_suspended_and_has_their_data_deleted_stays_out(both):
    """Until a moderator says otherwise."""
    board, fake = both
    browser = board.open()
    log_in(browser, fake)
    admin(at(board), "suspend", "ada_lovelace")
    fake.act(ADA, "delete")
    said = log_in(board.open(), fake)
    assert said.status_code == 403 and "suspended by a moderator" in said.text
    taken = board.client.post("/api/v1/signup", json={"username": "ada_lovelace", "password": PASSWORD})
    refused(taken, 409, "username_taken")
    admin(at(board), "unsuspend", "ada_lovelace")
    log_in(browser := board.open(), fake)
    assert signed_in_as(browser)["username"] == "ada_lovelace"


# --- bots' tokens


def test_a_bot_s_token_takes_the_password(both):
    """An open session or a token of some hours does not make one that lives on."""
    board, _ = both
    person = Person(board)
    browser = person.browser()
    said = refused(person.api.post("/api/v1/tokens", json={"name": "bot"}), 403, "password_needed")
    assert said and "“password”" in person.api.post("/api/v1/tokens", json={"name": "bot"}).text
    refused(person.api.post("/api/v1/tokens", json={"name": "bot", "password": "not it"}), 401, "wrong_password")
    assert "This is not your password" in browser.post("/account/tokens", data={"name": "b", "password": "no"}).text
    assert browser.post("/account/tokens", data={"name": "b"}).status_code == 400
    assert person.api.get("/api/v1/tokens").json() == {"tokens": []}


def test_a_member_without_a_password_makes_a_bot_s_token_just_after_facebook(both):
    """And it ends with what Facebook allowed."""
    board, fake = both
    browser = board.open()
    log_in(browser, fake)
    page = browser.post("/account/tokens", data={"name": "bot"}).text
    bot = client(board, re.search(r"<code>(lb_[\w-]+)</code>", page)[1])
    assert bot.get("/api/v1/me").status_code == 200
    fake.act(ADA, "deauthorize")
    until(lambda: bot.get("/api/v1/me").status_code == 401)
    assert signed_in_as(browser) is None


# --- a link that its owner did not make


def test_an_intruder_s_link_is_noticed_and_goes_with_the_password(both):
    """A notice until it is dismissed; and the box is ticked where Facebook came after the password."""
    board, fake = both
    person = Person(board)
    with sqlite3.connect(board.database) as db:
        db.execute("UPDATE accounts SET password_at = password_at - 60000")  # it was set a minute ago
    db.close()
    intruder, owner = person.browser(), person.browser()
    assert "was linked on" not in owner.get("/account").text
    link(intruder, fake, LEE)
    page = owner.get("/account").text
    assert "was linked on" in page and re.search(r'name="unlink" value="yes" checked', page)
    form = {"password": PASSWORD, "new": "a new password", "unlink": "yes"}
    assert owner.post("/account/password", data=form).status_code == 303
    page = owner.get("/account").text
    assert "was linked on" not in page and 'name="unlink"' not in page
    by_facebook = board.open()
    log_in(by_facebook, fake, LEE)
    assert signed_in_as(by_facebook)["id"] != person.id


def test_a_link_that_its_owner_made_stays_if_the_box_is_not_ticked(both):
    """The notice is dismissed once; the next change of the password finds Facebook older than it, and leaves it."""
    board, fake = both
    person = Person(board)
    browser = person.browser()
    link(browser, fake)
    assert browser.post("/account/facebook/seen").status_code == 303
    assert "was linked on" not in browser.get("/account").text
    assert browser.post("/account/password", data={"password": PASSWORD, "new": "a new password"}).status_code == 303
    page = browser.get("/account").text
    assert 'name="unlink" value="yes">' in page
    log_in(again := board.open(), fake)
    assert signed_in_as(again)["id"] == person.id


@pytest.mark.parametrize("keeps", [False, True])
def test_a_link_for_a_new_password_ends_facebook_unless_it_is_to_stay(both, keeps):
    """Who needs it may have lost the account to somebody."""
    board, fake = both
    person = Person(board)
    link(person.browser(), fake, LEE)
    printed = admin(at(board), "password", person.username).stdout.splitlines()[0]
    form = {"link": urllib.parse.urlsplit(printed).fragment, "password": "a new password"}
    assert 'name="facebook" value="keep">' in board.get("/password").text
    assert board.open().post("/password", data=form | ({"facebook": "keep"} if keeps else {})).status_code == 303
    log_in(again := board.open(), fake, LEE)
    assert (signed_in_as(again)["id"] == person.id) is keeps
