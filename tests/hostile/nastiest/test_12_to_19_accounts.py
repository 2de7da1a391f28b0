"""Rows 12 to 19, and 22 without Facebook: people who are not who they say, and those who guess."""

import asyncio
import concurrent.futures
import email.utils
import pathlib
import signal
import sqlite3
import time

import httpx
import pytest

from tests.http.test_accounts import sign_in, sign_up
from tests.http.test_messages import JSON
from tests.support.patience import PATIENCE
from tests.support.people import PASSWORD, Person, client, new_username, refused, session_of
from tests.support.server import Server
from torture.nodes import Node


@pytest.mark.parametrize("username", ["ab", "x" * 33, "ＡＤＭＩＮ", "аdmin", "ad\u200bmin", "a b c", "", "ada!", "ſam"])
def test_12_usernames_are_plain_so_that_nobody_looks_like_somebody_else(server, username):
    """Full-width, Cyrillic and invisible letters are refused."""
    refused(sign_up(server, username=username), 422, "bad_username")


def test_12_a_username_is_taken_whatever_its_case(server):
    """Ada and ada are one name."""
    username = new_username()
    assert sign_up(server, username=username).status_code == 201
    refused(sign_up(server, username=username.upper()), 409, "username_taken")
    assert sign_in(server, username.upper(), PASSWORD).status_code == 200


def test_13_fifty_who_want_one_name_at_once(server):
    """One gets it, the others are told that it is taken."""
    username = new_username()
    with concurrent.futures.ThreadPoolExecutor(50) as pool:
        statuses = list(pool.map(lambda _: sign_up(server, username=username).status_code, range(50)))
    assert sorted(statuses) == [201] + [409] * 49


@pytest.mark.parametrize(
    ("password", "status", "code"),
    [
        ("short", 422, "password_length"), ("x" * 50_000, 422, "password_length"), ("password", 422, "password_common"),
        ("12345678", 422, "password_common"), ("Password", 422, "password_common"), ("aaaaaaaaaa", 422, "password_common"),
        ("nul\0inside", 400, "password_not_text"), ("\ud800xxxxxxxx", 400, "password_not_text"),
    ],
)  # fmt: skip
def test_14_passwords_that_will_not_do(server, password, status, code):
    """Too short, far too long, or what everybody tries first; and none of these is hashed or is a fault."""
    refused(sign_up(server, password=password), status, code)
    if status == 400 or len(password) > 128:
        refused(sign_in(server, "anybody", password), status, code)


def test_14_a_password_is_kept_as_it_was_typed(server):
    """Spaces at its ends, and every script, belong to it."""
    username, password = new_username(), "  пароль 密码 😀 "
    assert sign_up(server, username=username, password=password).status_code == 201
    refused(sign_in(server, username, password.strip()), 401, "wrong_password")
    assert sign_in(server, username, password).status_code == 200
    assert server.client.post("/signin", data={"username": username, "password": password}).status_code == 303


class Costly(Server):
    under = ()  # as a user starts it: others hash passwords with less work (tests/support/hashing.py)


def test_15_unknown_wrong_and_passwordless_are_answered_alike(tmp_path):
    """Nobody learns from an answer, or from how long it takes, who has an account."""
    server = Costly(tmp_path)
    username, bare = Person(server).username, new_username()
    sign_up(server, username=bare)
    db = sqlite3.connect(server.database, isolation_level=None, timeout=PATIENCE)
    db.execute("UPDATE accounts SET password = NULL WHERE username = ?", (bare,))
    db.close()
    answers, took = set(), {}
    for name in (username, bare, "nobody_at_all", "not even a name!"):
        before = cpu(server)
        for _ in range(8):
            response = sign_in(server, name, "wrong password")
            answers.add((response.status_code, response.text))
        took[name] = cpu(server) - before
    assert len(answers) == 1 and answers.pop()[0] == 401
    assert max(took.values()) < 2 * min(took.values()) and min(took.values()) > 0.04, took
    server.kill()


def cpu(server):
    """Seconds of CPU that the server has used: work, whatever else the machine does."""
    return (
        sum(map(int, pathlib.Path(f"/proc/{server.process.pid}/stat").read_text().rpartition(")")[2].split()[11:13]))
        / 100
    )


def test_16_the_attacker_waits_and_the_victim_gets_in(start):
    """A thousand wrong guesses are throttled where they come from; nobody is locked out by them."""
    server = start(limits="on", client_header="X-Forwarded-For")
    victim = Person(server)
    statuses = [
        sign_in(server, victim.username, f"guess {n}", headers={"X-Forwarded-For": "192.0.2.66"}).status_code
        for n in range(1000)
    ]
    assert set(statuses) == {401, 429} and statuses.count(401) <= 15
    response = sign_in(server, victim.username, PASSWORD, headers={"X-Forwarded-For": "192.0.2.66"})
    assert refused(response, 429, "too_many_tries") and int(response.headers["Retry-After"]) > 0
    assert sign_in(server, victim.username, PASSWORD, headers={"X-Forwarded-For": "198.51.100.7"}).status_code == 200


def test_17_an_address_is_what_the_proxy_says_and_never_what_a_client_claims(start):
    """Rotating headers give no new tries: only the entry that the trusted proxy wrote counts, IPv6 by /64."""
    server = start(limits="on", client_header="X-Forwarded-For")
    statuses = []
    for n in range(30):
        claimed = {
            "X-Forwarded-For": f"10.0.0.{n}, 2001:db8:1:2::{n:x}", "X-Real-Ip": f"10.1.0.{n}",
            "Forwarded": f"for=10.2.0.{n}",
        }  # fmt: skip
        statuses.append(sign_in(server, "somebody", "wrong password", headers=claimed).status_code)
    assert statuses.count(401) <= 12 and statuses[-1] == 429
    unconfigured = start(limits="on")
    statuses = [
        sign_in(unconfigured, "somebody", "wrong password", headers={"X-Forwarded-For": f"10.0.0.{n}"}).status_code
        for n in range(30)
    ]
    assert statuses[-1] == 429
    unconfigured.stop()
    assert unconfigured.log.read_text().count("CLIENT_HEADER") == 1


async def test_18_a_token_of_four_hours_and_a_second(tmp_path):
    """A real server whose clock is moved: an unused token is dead after four hours, one in use is not."""
    node = Node("board", f"sqlite:///{tmp_path}/board.db", tmp_path, [])
    await node.start()
    fields = {"username": "ada", "password": PASSWORD}
    async with httpx.AsyncClient(base_url=node.url) as http:
        await http.post("/api/v1/signup", json=fields)
        token = (await http.post("/api/v1/signin", json=fields)).json()["token"]
        hours = 0.0
        for step, status in ((3.9, 200), (3.9, 200), (4 + 1 / 3600, 401)):
            hours += step
            node.move_clock(3600 * hours)
            while await time_at(http) < time.time() + 3600 * hours - 60:
                await asyncio.sleep(0.01)
            response = await http.get("/api/v1/me", headers={"Authorization": f"Bearer {token}"})
            assert response.status_code == status, hours
    assert await node.end(signal.SIGTERM) == 0


async def time_at(http):
    """What the server takes for the time, in seconds since 1970."""
    said = (await http.get("/healthz")).headers["Date"]
    return email.utils.parsedate_to_datetime(said).timestamp()


def test_18_a_token_with_one_character_changed(server):
    """Not one of 43 characters may be another."""
    person = Person(server)
    token = person.api.headers["Authorization"].removeprefix("Bearer ")
    for at in range(3, len(token)):
        flipped = token[:at] + ("A" if token[at] != "A" else "B") + token[at + 1 :]
        refused(client(server, flipped).get("/api/v1/me"), 401, "invalid_token")


def test_18_a_token_is_good_nowhere_else(server):
    """A token is no cookie, a session's secret is no token, and neither works in the URL."""
    person = Person(server)
    browser = person.browser()
    secret = session_of(browser)
    refused(client(server, secret).get("/api/v1/me"), 401, "sign_in_first")
    with server.open(cookies={"longboard": person.sign_in()}) as other:
        refused(other.get("/api/v1/me"), 401, "signed_out")
    token = person.sign_in()
    refused(server.get(f"/api/v1/me?access_token={token}&token={token}"), 401, "invalid_token")


def test_18_a_revoked_token_s_parked_poll_ends(server):
    """At once, with 401, while others stay parked."""
    person, cursor = Person(server), server.cursor
    made = person.api.post("/api/v1/tokens", json={"name": "bot", "password": PASSWORD}).json()
    bot = client(server, made["token"])
    with concurrent.futures.ThreadPoolExecutor() as pool:
        poll = pool.submit(bot.get, f"/api/v1/messages?after={cursor}")
        kept = pool.submit(person.api.get, f"/api/v1/messages?after={cursor}")
        guest = pool.submit(server.get, f"/api/v1/messages?after={cursor}")
        server.until_parked(3)
        person.api.delete(f"/api/v1/tokens/{made['id']}")
        refused(poll.result(), 401, "invalid_token")
        server.until_parked(2)
        server.post("for those who stayed")
        assert kept.result().status_code == guest.result().status_code == 200


def test_19_another_site_s_page_can_not_post(server):
    """Cross-site and null origins are refused; programs, which send neither, are not."""
    before = server.cursor
    for headers in (
        {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "https://evil.example"},
    ):
        for path in ("/add", "/api/v1/messages"):
            response = server.client.post(path, data={"s": "x", "body": "x"}, headers=headers | JSON)
            assert refused(response, 403, "cross_origin")
    assert server.cursor == before
    response = server.client.post("/add", data={"s": "same"}, headers={"Sec-Fetch-Site": "same-origin"})
    assert response.status_code == 303


@pytest.mark.parametrize(
    "header",
    [
        "Bearer lb_" + "x" * 43,
        "Bearer lb_",
        "bearer  lb_short and more",
        "Basic dXNlcjpwYXNz, Bearer lb_x",
        "lb_token",
        "Bearer lb_\udcff".encode(errors="surrogateescape"),
    ],
)
def test_19_a_wrong_token_is_never_a_guest(server, header):
    """401 on reading and on posting, also beside a good cookie."""
    person = Person(server)
    browser = person.browser()
    for response in (
        server.client.get("/get", headers={"Authorization": header}),
        browser.post("/api/v1/messages", json={"body": "x"}, headers={"Authorization": header}),
    ):
        refused(response, 401, "invalid_token")


def test_19_another_site_can_neither_sign_in_nor_out(server):
    """Forms of other pages are refused before they are looked at."""
    browser = Person(server).browser()
    for path in ("/signin", "/signup", "/signout", "/account/delete", "/account/tokens", "/api/v1/signout"):
        response = browser.post(path, headers={"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"})
        assert response.status_code == 403
    assert browser.get("/api/v1/me").status_code == 200


@pytest.mark.parametrize(
    "target",
    ["//e.example", "/\\e.example", "/\t/e.example", "https:e.example", "https://e.example", "/\r\nX: y", "e", ""],
)
def test_22_nobody_is_sent_elsewhere_after_signing_in(server, target):
    """`next` leads to a page of this board, or to its front."""
    person = Person(server)
    response = server.client.post("/signin", data={"username": person.username, "password": PASSWORD, "next": target})
    assert (response.status_code, response.headers["Location"]) == (303, "/")
