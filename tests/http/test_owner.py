"""The first steps of a new board: one link makes its first moderator, once, and only as long as there is none."""

import concurrent.futures
import contextlib
import html
import re
import sqlite3

import pytest

from tests.http.test_accounts import link_of, sign_up
from tests.support.admin import admin, at
from tests.support.people import PASSWORD, Person, refused
from tests.support.server import until

LINK = re.compile(r"This board has no moderator yet\..*: (http://\S+)/signup\?owner#(\S+)")


def said(server):
    """The secrets of the links that the server's log has."""
    until(lambda: LINK.search(server.log.read_text()))
    return [secret for _, secret in LINK.findall(server.log.read_text())]


def owner(server, username="ada", **fields):
    """A browser that has sent the form that the link leads to."""
    browser = server.open()
    form = {"username": username, "password": PASSWORD, "invite": said(server)[-1]} | fields
    return browser, browser.post("/signup?owner", data=form)


def role_of(server, username):
    with contextlib.closing(sqlite3.connect(server.database)) as db:
        return db.execute("SELECT role FROM accounts WHERE username = ?", (username,)).fetchone()[0]


@pytest.mark.parametrize("signup", ["open", "invite", "closed"])
def test_the_link_of_a_new_board_makes_its_moderator(start, signup):
    """For each value of SIGNUP. It works once, even if that moderator is demoted; the audit log has it, and the next start
    logs no link."""
    server = start(signup=signup)
    (secret,) = said(server)
    assert f"http://127.0.0.1:{server.port}/signup?owner#{secret}" in server.log.read_text()
    page = server.get("/signup?owner")
    assert page.status_code == 200 and re.search(r'<p class="field"><label for="invite">', page.text)
    browser, answer = owner(server)
    assert answer.status_code == 303 and browser.get("/audit").status_code == 200
    assert role_of(server, "ada") == "moderator"
    assert re.search(r" ada +made ada a moderator with the owner's link", admin(at(server.database), "audit").stdout)
    assert "Account 1 is the first moderator's: owner's link, from 127.0.0.1" in server.log.read_text()
    admin(at(server.database), "demote", "ada")
    again = owner(server, "bob")[1]
    assert again.status_code == (403 if signup == "closed" else 410)
    assert "used already" in again.text
    admin(at(server.database), "promote", "ada")
    server.stop()
    server.start()
    assert len(said(server)) == 1


def test_the_link_says_nothing_to_those_who_have_it_not(start):
    """On a closed board the page is there for everybody who asks for it, and lets nobody in without the secret."""
    server = start(signup="closed")
    refused(server.get("/signup", headers={"Accept": "application/json"}), 403, "signup_closed")
    form = {"username": "ada", "password": PASSWORD, "invite": "guessed"}
    assert server.client.post("/signup", data=form).status_code == 403
    assert server.client.post("/signup?owner", data=form | {"invite": ""}).status_code == 403
    assert b"ada" not in server.get("/get").content


def test_a_mistake_in_the_form_does_not_use_the_link_up(start):
    server = start(signup="closed")
    assert owner(server, password="short")[1].status_code == 422
    _, answer = owner(server, "no spaces allowed")
    assert answer.status_code == 422 and said(server)[0] in answer.text
    assert owner(server)[1].status_code == 303


def test_the_link_ends_after_an_hour(start):
    server = start()
    (secret,) = said(server)
    with contextlib.closing(sqlite3.connect(server.database)) as db:
        ((hash, role, left),) = db.execute("SELECT hash, account_role, expires_at - 1000 * unixepoch() FROM links")
        assert role == "moderator" and 0 < left <= 3_601_000 and secret.encode() not in hash
        db.execute("UPDATE links SET expires_at = 1")
        db.commit()
    assert owner(server)[1].status_code == 410


def test_only_a_new_board_offers_itself(start):
    """Once something was posted, a start logs no link; the command still prints one."""
    server = start()
    assert len(said(server)) == 1
    server.stop()
    server.start()
    until(lambda: len(said(server)) == 2)
    server.post("the first message")
    server.stop()
    server.start()
    server.post("the second message")
    assert len(said(server)) == 2
    assert "/signup?owner#" in admin(at(server.database), "owner").stdout


def test_without_what_is_behind_the_sign_nobody_becomes_a_mere_member(start):
    """The form that the link leads to asks for it also where everybody may sign up, until it is there."""
    server = start()
    form = {"username": "ada", "password": PASSWORD, "invite": ""}
    answer = server.client.post("/signup?owner", data=form)
    assert answer.status_code == 403 and "behind # in the owner" in html.unescape(answer.text)
    assert 'action="/signup?owner"' in answer.text and re.search(r'<p class="field"><label for="invite">', answer.text)


def test_no_link_makes_a_second_moderator(start):
    """An unused one ends with the first moderator, however that one came about; ten at once make one."""
    server = start()
    said(server)
    admin(at(server.database), "owner")
    member = Person(server)
    admin(at(server.database), "promote", member.username)
    assert owner(server)[1].status_code == 410
    run = admin(at(server.database), "owner", check=1)
    assert f"{member.username} is a moderator already; bin/admin promote makes others" in run.stderr
    server = start()
    said(server)
    secrets = [link_of(admin(at(server.database), "owner")).partition("#")[2] for _ in range(5)] * 2
    with concurrent.futures.ThreadPoolExecutor(10) as pool:
        answers = pool.map(lambda n: owner(server, f"person_{n}", invite=secrets[n])[1].status_code, range(10))
    assert sorted(answers) == [303] + [410] * 9


def test_the_command_prints_another_link(start):
    server = start(signup="closed")
    run = admin(at(server.database), "owner")
    assert re.search(r"The link works once, until \d{4}-\d\d-\d\dT\d\d:\d\dZ\.", run.stdout)
    path = link_of(run)
    assert path.startswith("/signup?owner#")
    assert owner(server, invite=path.partition("#")[2])[1].status_code == 303
    assert role_of(server, "ada") == "moderator"


def test_a_program_may_use_it_too(start):
    server = start(signup="closed")
    assert sign_up(server, username="ada", invite=said(server)[0]).status_code == 201
    assert role_of(server, "ada") == "moderator"


def test_an_invitation_makes_no_moderator(start):
    server = start(signup="invite")
    secret = link_of(admin(at(server.database), "invite")).partition("#")[2]
    assert owner(server, invite=secret)[1].status_code == 303
    assert role_of(server, "ada") == "member"


def test_it_is_so_on_postgresql_too(new_database, start):
    server = start(database_url=new_database())
    browser, answer = owner(server)
    assert answer.status_code == 303 and browser.get("/audit").status_code == 200
