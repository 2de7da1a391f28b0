"""Guessing at passwords: it is slow from wherever it comes, keeps nobody out, and is written down in few lines."""

import asyncio
import collections
import concurrent.futures
import itertools
import json
import time

import pytest

from board.account_log import EVENTS, AccountLog
from board.failures import Failures
from board.limits import AddressLimit, Limits
from board.networks import networks_of
from board.turns import ANYBODY, MOST_OF, MOST_OF_KNOWN, WAITING_MAX, Asker, BusyError, Turns
from storage.failed_tries import FailedTries
from storage.records import Password
from tests.support.people import PASSWORD, Person, refused
from tests.support.server import ROOT, until
from tests.unit.test_credentials import Clock, clock, storage  # noqa: F401 (fixtures)

SITE = [f"2001:db8:5:{n:x}::1" for n in range(60)]
"""Addresses in sixty /64s of one /48."""
HOUR = 3600


def sign_in(client, username, password, address=None):
    headers = {"X-Forwarded-For": address} if address else {}
    return client.post("/api/v1/signin", json={"username": username, "password": password}, headers=headers)


def form(client, username, password, address):
    fields = {"username": username, "password": password}
    return client.post("/signin", data=fields, headers={"X-Forwarded-For": address})


def with_limits(start, **settings):
    return start(limits="on", client_header="X-Forwarded-For", **settings)


# --- how many tries, by a clock that the test moves


def tries(limits, username, addresses, time, seconds, every=1):
    """How many of the tries get through that come one every so often, from each of these in turn."""
    right = 0
    for address in itertools.islice(itertools.cycle(addresses), int(seconds / every)):
        right += limits.guessing.take(username, networks_of(address)[0]) == 0
        time.now += every
    return right


def test_the_networks_of_an_address():
    """What one customer may have: of IPv6 up to a /48."""
    assert networks_of("192.0.2.77") == ("192.0.2.77", "192.0.2.0/24")
    assert networks_of("2001:db8:1:2345::/64") == ("2001:db8:1:2345::/64", "2001:db8:1:2300::/56", "2001:db8:1::/48")
    assert networks_of("unknown") == ("unknown",)


@pytest.mark.parametrize(
    ("addresses", "burst", "each"),
    [
        (["192.0.2.1"], 10, 3),
        ([f"192.0.2.{n}" for n in range(200)], 40, 0.75),
        (["2001:db8:0:1::/64"], 10, 3),
        ([f"2001:db8:0:{n:x}::/64" for n in range(200)], 20, 1.5),  # a /56
        ([f"2001:db8:0:{n:x}00::/64" for n in range(200)], 40, 0.75),  # a /48
    ],
)
def test_a_network_has_a_few_times_what_one_address_has(clock, addresses, burst, each):  # noqa: F811
    """And not as much more as it has addresses."""
    limit = AddressLimit(10, 3, clock)
    at_once = sum(limit.take(address) == 0 for _ in range(20) for address in addresses)
    assert at_once == burst
    clock.now += 30 * each
    assert sum(limit.take(address) == 0 for _ in range(40) for address in addresses) == pytest.approx(
        min(30, burst), abs=1
    )


def test_what_one_address_is_refused_does_not_count_for_its_neighbours(clock):  # noqa: F811
    """Nobody empties a network's bucket by knocking on."""
    limit = AddressLimit(10, 3, clock)
    assert sum(limit.take("192.0.2.1") == 0 for _ in range(1000)) == 10
    assert limit.take("192.0.2.2") == 0


def test_guesses_at_one_account_are_slow_from_wherever_they_come(clock):  # noqa: F811
    """From a thousand networks: a hundred, then one a minute."""
    addresses = [f"10.{n % 250}.{n // 250}.1" for n in range(1000)]
    assert tries(Limits(clock), "ada", addresses, clock, HOUR) <= 100 + HOUR / 60 + 1


def test_one_network_alone_does_not_take_all_tries_at_an_account(clock):  # noqa: F811
    """Whoever has one /48 never keeps a stranger's browser of the owner out."""
    limits = Limits(clock)
    assert tries(limits, "ada", [f"2001:db8:0:{n:x}::/64" for n in range(500)], clock, 24 * HOUR, 5) < 24 * HOUR / 110
    assert limits.guessing.take("ada", "192.0.2.1") == 0


def test_where_somebody_came_in_others_do_not_keep_them_out(clock):  # noqa: F811
    """A program that signs in each few hours, from the address that it always has."""
    limits = Limits(clock)
    limits.guessing.note_right("ada", "192.0.2.1")
    tries(limits, "ada", [f"10.{n}.1.1" for n in range(250)], clock, HOUR + 30)
    assert limits.guessing.take("ada", "198.51.100.1") > 0
    assert limits.guessing.take("ada", "192.0.2.1") == 0
    assert limits.guessing.take("bob", "198.51.100.1") == 0


def test_limits_that_are_off_refuse_nobody_and_remember_nobody():
    """They are the same object, so nothing else has to ask whether they are on."""
    limits = Limits(are_on=False)
    for n in range(1000):
        limits.posting.check("account 1")
        limits.sign_up_from.check(f"10.1.{n % 250}.1")
        limits.guessing.by_address.check("192.0.2.1")
        assert limits.guessing.take("ada", "192.0.2.1") == 0 == limits.guessing.take_known("browser 1")
        limits.guessing.note_right("ada", f"10.1.{n % 250}.1")
    assert not any(
        map(len, (limits.posting, limits.sign_up_from, limits.guessing.by_address, limits.guessing._has_been))
    )
    assert limits.asker("192.0.2.1", "account 1") is ANYBODY


# --- whose turn it is


async def queued(turns, askers):
    """Tasks that wait for their turn, and a list in which each notes when it came."""
    order = []

    async def wait(asker):
        await turns.begin(asker)
        order.append(asker)

    tasks = [asyncio.create_task(wait(asker)) for asker in askers]
    await asyncio.sleep(0)
    return tasks, order


async def drain(turns, tasks):
    while not all(task.done() for task in tasks):
        turns.end()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    return collections.Counter(type(task.exception()) for task in tasks)


async def test_known_ones_come_first_then_networks_by_turns():
    """However many of a crowd wait, the first of another network is next but one."""
    turns, crowd = Turns(), [Asker(f"192.0.2.{n}") for n in range(1, 4) for _ in range(5)]
    stranger, known = Asker("198.51.100.1"), Asker("192.0.2.1", "account 1")
    tasks, order = await queued(turns, [*crowd, stranger, known])
    assert await drain(turns, tasks) == {type(None): 17}
    assert order[:4] == [crowd[0], known, crowd[0], stranger]


async def test_an_address_and_its_networks_have_so_many_places():
    """Five askers of one network never fill the queue; a known browser has a place beside a full address."""
    turns = Turns()
    taken, _ = await queued(turns, [Asker("203.0.113.1")])  # whose turn it is
    site = [Asker(f"2001:db8:0:{n:x}00::/64") for n in range(30)]
    known = [Asker(site[0].address, "account 1")] * (MOST_OF_KNOWN + 1)
    tasks, _ = await queued(turns, [*[site[0]] * 20, *[one for one in site for _ in range(5)], *known])
    busy = [isinstance(task.exception(), BusyError) if task.done() else False for task in tasks]
    assert busy[:20].count(False) == MOST_OF[0]
    assert busy[:-6].count(False) == MOST_OF[2]
    assert busy[-6:] == [False] * 5 + [True]
    await drain(turns, [*taken, *tasks])


async def test_a_full_queue_has_a_place_for_another_network():
    """The last of a crowd gives way."""
    turns = Turns()
    crowds = [Asker(f"10.0.{net}.{n}") for net in range(5) for n in range(4) for _ in range(10)]
    tasks, _ = await queued(turns, crowds)
    assert len(turns) == WAITING_MAX
    last, _ = await queued(turns, [Asker("192.0.2.1")])
    assert not last[0].done() and len(turns) == WAITING_MAX
    await drain(turns, [*tasks, *last])
    turns.end()
    assert last[0].exception() is None and len(turns) == 0


async def test_who_gives_up_waiting_holds_nobody_up():
    """Neither while waiting, nor when the turn has just come."""
    turns = Turns()
    tasks, order = await queued(turns, [Asker(f"192.0.2.{n}") for n in range(4)])
    tasks[1].cancel()
    turns.end()  # not the cancelled one's
    tasks[2].cancel()  # whose turn has just come
    await until_done(tasks)
    assert [asker.address for asker in order] == ["192.0.2.0", "192.0.2.3"]
    turns.end()
    assert len(turns) == 0


async def until_done(tasks):
    await asyncio.wait(tasks)


# --- on a real server


def must_wait(try_once):
    """Whether one of three tries in a row is refused: a single one may be let in at any time, as the clock has it."""
    return 429 in {try_once().status_code for _ in range(3)}


def test_300_guesses_from_60_networks_of_one_48(start):
    """The /48 gets few, and the owner comes in from elsewhere, as from a browser of the same network."""
    server = with_limits(start)
    person = Person(server)
    browser = server.open()
    assert form(browser, person.username, PASSWORD, "2001:db8:5:fff::1").status_code == 303
    answers = collections.Counter(
        sign_in(server.client, person.username, f"guess {n}", SITE[n % 60]).status_code for n in range(300)
    )
    assert answers[401] <= 25 and answers[401] + answers[429] == 300, answers
    assert refused(sign_in(server.client, person.username, PASSWORD, SITE[0]), 429, "too_many_tries")
    assert sign_in(server.client, person.username, PASSWORD, "198.51.100.7").status_code == 200
    assert form(browser, person.username, PASSWORD, SITE[0]).status_code == 303


def test_a_guesser_with_a_thousand_networks_does_not_lock_the_owner_out(start):
    """An unknown browser has to wait; those in which the owner has been don't, nor programs where they always are."""
    server = with_limits(start)
    person = Person(server)
    browser, stranger = server.open(), server.open()
    assert form(browser, person.username, PASSWORD, "192.0.2.1").status_code == 303
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        guesses = pool.map(lambda n: sign_in(server.client, person.username, "a guess", f"10.{n}.0.1"), range(250))
        answers = collections.Counter(answer.status_code for answer in guesses)
    assert answers[401] <= 110 and answers[429] >= 140, answers
    assert must_wait(lambda: form(stranger, person.username, "a guess", "203.0.113.9"))
    assert form(browser, person.username, PASSWORD, "203.0.113.9").status_code == 303  # known, wherever it is
    assert sign_in(server.client, person.username, PASSWORD, "192.0.2.1").status_code == 200
    other = Person(server)
    assert form(stranger, other.username, PASSWORD, "203.0.113.9").status_code == 303


def test_300_sign_ins_at_once_from_3_addresses(start):
    """They wait or are told that it is busy; the owner's known browser comes in, and is never told so."""
    server = with_limits(start)
    person, crowd = Person(server), [Person(server) for _ in range(3)]
    browser = server.open()
    assert form(browser, person.username, PASSWORD, "192.0.2.1").status_code == 303
    with concurrent.futures.ThreadPoolExecutor(301) as pool:
        flood = [pool.submit(sign_in, server.client, f"nobody_{n}", PASSWORD, f"10.0.{n % 3}.1") for n in range(300)]
        owner = [pool.submit(form, browser, person.username, PASSWORD, "10.0.0.1") for _ in range(3)]
        assert [one.result().status_code for one in owner] == [303] * 3
        answers = collections.Counter(one.result().status_code for one in flood)
    assert answers[401] + answers[503] == 300 and answers[401] >= 3, answers
    assert all(form(server.open(), one.username, PASSWORD, "198.51.100.1").status_code == 303 for one in crowd)


def test_a_known_browser_is_a_cookie_for_signing_in_alone(start):
    """Only a right password sets it, it is sent to /signin alone, and it lets nobody in."""
    server = with_limits(start)
    person = Person(server)
    browser = server.open()
    assert "-known-" not in str(form(browser, person.username, "a wrong one", "192.0.2.1").headers)
    made = form(browser, person.username, PASSWORD, "192.0.2.1").headers.get_list("Set-Cookie")
    (known,) = [cookie for cookie in made if "-known-" in cookie]
    assert "; Path=/signin" in known and "; HttpOnly" in known and "; SameSite=Strict" in known
    assert PASSWORD not in known and person.username not in known
    for path in ("/", "/get?after=x&wait=0", "/account", "/api/v1/me", "/api/v1/signin"):
        assert "-known-" not in browser.build_request("GET", path).headers.get("Cookie", "")
    assert "-known-" in browser.build_request("POST", "/signin").headers["Cookie"]
    browser.post("/signout")
    assert browser.get("/account").status_code == 401


def test_what_is_known_ends_with_the_password(start):
    """And is no good for another account, nor where somebody has changed it."""
    server = with_limits(start)
    person, other = Person(server), Person(server)
    browser, elsewhere = server.open(), server.open()
    for client in (browser, elsewhere):
        assert form(client, person.username, PASSWORD, "192.0.2.1").status_code == 303
    kept = {cookie.name: cookie.value for cookie in browser.cookies.jar if "known" in cookie.name}
    assert (
        elsewhere.post("/account/password", data={"password": PASSWORD, "new": "quite other words"}).status_code == 303
    )

    def guess(username):
        addresses = (f"10.{n}.0.1" for n in range(250))
        until(lambda: sign_in(server.client, username, "a guess", next(addresses)).status_code == 429)

    guess(person.username)
    assert must_wait(lambda: form(browser, person.username, "a guess", "203.0.113.9"))
    assert form(elsewhere, person.username, "quite other words", "203.0.113.9").status_code == 303
    name, value = kept.popitem()
    forged = server.open(cookies={f"{name.rpartition('-')[0]}-{n}": value for n in range(8)})
    guess(other.username)
    assert must_wait(lambda: form(forged, other.username, "a guess", "203.0.113.9"))


# --- what is written down


def lines_of(server):
    server.stop()
    return [
        line for line in server.log.read_text().splitlines() if " INFO Account " in line or " INFO Sign-in " in line
    ]


def test_the_log_has_few_lines_and_no_secret(start):
    """Each sign-in has one, failures have one a minute for each account and reason; nothing typed stands there."""
    server = with_limits(start)
    began = time.monotonic()
    person = Person(server)
    for n in range(300):
        sign_in(server.client, person.username, f"guess {n}", SITE[n % 60])
    for n in range(60):
        sign_in(server.client, f"my password is {n}", f"oops {n}", f"198.51.100.{n}")
    browser = server.open()
    secret = form(browser, person.username, PASSWORD, "192.0.2.1").headers["Set-Cookie"]
    lines = lines_of(server)
    of_failures = [line for line in lines if "Sign-in failed" in line]
    kinds = 3  # wrong_password, no_such_account, too_many_tries
    assert kinds <= len(of_failures) <= kinds * (1 + (time.monotonic() - began) // 60), lines
    assert any(f"Sign-in failed: account {person.id}, wrong password, from 2001:db8:5:" in line for line in lines)
    assert any("Sign-in failed: no such account, from 198.51.100." in line for line in lines)
    assert lines[-1].endswith(f"Account {person.id} signed in: password, from 192.0.2.1")
    log = server.log.read_text()
    for typed in (
        "guess 1",
        "guess 29",
        "my password",
        "oops",
        PASSWORD,
        secret.split("=")[1].split(";")[0],
        person.username,
    ):
        assert typed not in log


def test_every_change_of_a_way_in_has_a_line(start):
    """As JSON, with the account, the address and the kind."""
    server = start(log_format="json")
    person = Person(server)
    browser, other = person.browser(), person.browser()
    fields = {"password": PASSWORD, "name": "weather"}
    assert browser.post("/account/tokens", data=fields).status_code == 200
    bot = person.api.get("/api/v1/tokens").json()["tokens"][0]["id"]
    assert person.api.delete(f"/api/v1/tokens/{bot}").status_code == 204
    assert browser.post("/account/everywhere").status_code == 303
    assert other.get("/account").status_code == 401
    new = "quite other words"
    assert browser.post("/account/password", data={"password": PASSWORD, "new": new}).status_code == 303
    assert browser.post("/signout").status_code == 303
    assert browser.post("/signin", data={"username": person.username, "password": new}).status_code == 303
    assert browser.post("/account/delete", data={"password": new}).status_code == 303
    server.stop()
    events = [json.loads(line) for line in server.log.read_text().splitlines() if '"event"' in line]
    assert [event["event"] for event in events] == [
        "signed_up", "signed_in", "signed_in", "signed_in", "token_made", "revoked", "revoked_all",
        "password_changed", "signed_out", "signed_in", "deleted",
    ]  # fmt: skip
    assert {(event["account"], event["client"]) for event in events} == {(person.id, "127.0.0.1")}
    assert not [text for text in (PASSWORD, new, "weather") if text in server.log.read_text()]


def test_whoever_fails_cannot_fill_the_log(caplog, clock):  # noqa: F811
    """An hour of failures at a thousand accounts from one network; what was left out is counted."""
    caplog.set_level("INFO")
    log = AccountLog(clock)
    for n in range(36_000):
        clock.now += 0.1
        log.write_failure(n % 1000, f"10.0.0.{n % 256}", "wrong_password")
    assert 60 <= len(caplog.records) <= 40 + 4 * 60 + 1
    left_out = sum(getattr(record, "fields", {}).get("left_out", 0) for record in caplog.records)
    assert 36_000 - 1000 <= left_out + len(caplog.records) <= 36_000


def test_the_docs_name_every_event():
    """docs/security.md is the inventory of what is logged."""
    docs = (ROOT / "docs" / "security.md").read_text()
    events = [f"facebook_{event}" if "{}" in did else event for event, did in EVENTS.items()]
    assert not [event for event in events if f"`{event}`" not in docs]


# --- how many there were since


async def test_failed_tries_are_counted_since_the_last_sign_in(storage):  # noqa: F811
    """They are kept across restarts, and go with the account."""
    ada = await storage.create_account("ada", "Ada", Password("hash"))
    failures = Failures(storage)
    for _ in range(3):
        failures.note(ada.id)
    assert await failures.of(ada.id) == FailedTries(3, 0)
    await failures.save()
    failures = Failures(storage)
    failures.note(ada.id)
    assert await failures.of(ada.id) == FailedTries(4, 0)
    await failures.note_sign_in(ada.id)
    failures.note(ada.id)
    assert await failures.of(ada.id) == FailedTries(1, 4)
    await failures.save()
    await failures.note_sign_in(ada.id)
    assert await failures.of(ada.id) == FailedTries(0, 1)
    failures.note(ada.id)
    await storage.delete_account(ada.id, keep_messages=True)
    await failures.save()
    assert await failures.of(ada.id) == FailedTries(0, 0)


async def test_failed_tries_that_could_not_all_be_saved_are_not_counted_twice(storage, monkeypatch):  # noqa: F811
    """All of them are kept for the next time, so none of them may have been saved."""
    monkeypatch.setattr("storage.tx.ROWS_AT_ONCE", 1)
    ada, bob = [await storage.create_account(name, name, Password("hash")) for name in ("ada", "bob")]
    with pytest.raises(Exception, match=r"large|range"):
        await storage.add_failed_tries({ada.id: 1, bob.id: 2**70})
    assert await storage.failed_tries(ada.id) == FailedTries(0, 0)


async def test_while_storage_is_away_failed_tries_wait(storage):  # noqa: F811
    """Nothing is lost, nor counted twice."""
    ada = await storage.create_account("ada", "Ada", Password("hash"))
    failures = Failures(storage)
    failures.note(ada.id)
    storage.away = True
    for write in (failures.save, lambda: failures.note_sign_in(ada.id)):
        with pytest.raises(Exception, match="away"):
            await write()
    storage.away = False
    assert await failures.of(ada.id) == FailedTries(1, 0)
    await failures.note_sign_in(ada.id)
    assert await failures.of(ada.id) == FailedTries(0, 1)


def test_the_account_page_tells_of_failed_tries(start):
    """Since the last sign-in and before it, also after a restart; who had none sees nothing of it."""
    server = start()
    person = Person(server)
    browser = person.browser()
    assert "failed" not in browser.get("/account").text
    for n in range(3):
        sign_in(server.client, person.username, f"guess {n}")
    assert "3 failed tries at your password since you last signed in." in browser.get("/account").text
    cookies = dict(browser.cookies)
    server.stop()
    server.start()
    assert "3 failed tries" in server.open(cookies=cookies).get("/account").text
    sign_in(server.client, person.username, "one more guess")
    page = person.browser()
    sign_in(server.client, person.username, "and another")
    text = page.get("/account").text
    assert "1 failed try at your password since you last signed in; 4 between that time and the one before." in text
    told = page.get("/account/download").json()["failed_sign_ins"]
    assert told == {"since": 1, "earlier": 4}
