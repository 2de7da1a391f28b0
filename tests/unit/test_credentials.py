"""How long a way in lives, with a clock that the test moves; and what looking it up costs."""

import asyncio

import pytest
from tornado.httpclient import AsyncHTTPClient, HTTPRequest
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets

from board.credentials import (
    AWAY_SECONDS,
    BOT_SECONDS,
    FRESH_SECONDS,
    SESSION_SECONDS,
    TOKEN_PREFIX,
    Credentials,
    hash_secret,
    new_secret,
    new_session,
)
from board.limits import Limit
from board.site import Site
from board.site.parts import Rules
from handlers import Application
from settings import read_settings
from storage import open_storage
from storage.errors import UnavailableError
from storage.records import Password
from tests.unit.test_waiters import Counting

HOUR = 3600


class Clock:
    def __init__(self, now):
        self.now = now

    def __call__(self):
        return self.now


@pytest.fixture
async def storage(url):
    storage = await open_storage(url)
    yield Counting(storage)
    await storage.close()


@pytest.fixture
async def clock():
    import time

    return Clock(time.time())


async def sign_in(storage, kind):
    account = await storage.create_account(f"{kind}_owner", "Ada", Password(None))
    secret = new_session(await storage.secret()) if kind == "session" else new_secret(TOKEN_PREFIX)
    await storage.create_credential(account.id, kind, hash_secret(secret), "test")
    return secret


@pytest.mark.parametrize(("kind", "seconds"), [("token", 4 * HOUR), ("session", SESSION_SECONDS), ("bot", BOT_SECONDS)])
async def test_it_dies_when_it_was_not_used_for_too_long(storage, clock, kind, seconds):
    """A token at 4 h and a second, a session after 7 days, a bot's token after a year; used a minute before, it lives on."""
    secret = await sign_in(storage, kind)
    credentials = Credentials(storage, 4 * HOUR, clock)
    for _ in range(3):
        clock.now += seconds - 60
        assert await credentials.find(secret, use=True)
    clock.now += seconds + 1
    assert await credentials.find(secret, use=True) is None
    assert await Credentials(storage, 4 * HOUR, clock).find(secret, use=True) is None


async def test_looking_is_not_using(storage, clock):
    """A page's polls don't keep its session alive."""
    secret = await sign_in(storage, "session")
    credentials = Credentials(storage, 4 * HOUR, clock)
    for _ in range(8):
        clock.now += 86_400
        found = await credentials.find(secret, use=False)
    assert found is None


async def test_what_was_used_is_known_after_a_restart(storage, clock):
    """Last use is kept in memory, and written down now and then and at the end."""
    secret = await sign_in(storage, "token")
    credentials = Credentials(storage, 4 * HOUR, clock)
    clock.now += 3 * HOUR
    assert await credentials.find(secret, use=True)
    storage.away = True
    with pytest.raises(Exception, match="away"):
        await credentials.save()
    storage.away = False
    await credentials.save()
    clock.now += 3 * HOUR
    assert await Credentials(storage, 4 * HOUR, clock).find(secret, use=False)


async def test_a_token_seen_within_the_last_minute_costs_no_storage_call(storage, clock):
    """One look-up in memory; after a minute, one read."""
    secret = await sign_in(storage, "token")
    credentials = Credentials(storage, 4 * HOUR, clock)
    storage.calls.clear()
    for _ in range(100):
        clock.now += FRESH_SECONDS / 200
        assert await credentials.find(secret, use=True)
    assert storage.calls == ["credential"]
    clock.now += FRESH_SECONDS
    assert await credentials.find(secret, use=True)
    assert storage.calls == ["credential"] * 2


async def test_who_is_known_may_go_on_reading_while_storage_is_away(storage, clock):
    """For a quarter of an hour; a stranger, a revoked token and one that has died stay outside."""
    known, unknown, revoked = [await sign_in(storage, kind) for kind in ("token", "session", "bot")]
    credentials = Credentials(storage, 4 * HOUR, clock)
    for secret in (known, revoked):
        assert await credentials.find(secret, use=True)
    account_id = (await storage.credential(hash_secret(revoked))).account.id
    storage.away = True
    clock.now += FRESH_SECONDS + 1
    assert await credentials.find(known, use=False)
    credentials.forget([account_id])  # the last that was heard
    for secret in (unknown, revoked):
        with pytest.raises(UnavailableError):
            await credentials.find(secret, use=False)
    clock.now += AWAY_SECONDS
    with pytest.raises(UnavailableError):
        await credentials.find(known, use=False)


async def test_what_is_revoked_while_it_is_read_is_not_believed(storage, clock):
    """A read that began before a revocation never brings the credential back to life."""
    secret = await sign_in(storage, "token")
    credentials = Credentials(storage, 4 * HOUR, clock)
    account_id = (await storage.credential(hash_secret(secret))).account.id
    reading = asyncio.create_task(credentials.find(secret, use=True))
    await asyncio.sleep(0)
    await storage.revoke_all(account_id)
    credentials.forget([account_id])
    assert await reading is None or await credentials.find(secret, use=True) is None


async def test_housekeeping_takes_out_what_is_dead(storage, clock):
    """Dead sessions and tokens don't pile up; bots' tokens stay."""
    for kind in ("session", "token", "bot"):
        await sign_in(storage, kind)
    credentials = Credentials(storage, 4 * HOUR, clock)
    clock.now += 8 * 86_400
    await credentials.tidy()
    left = [c.kind for id in (1, 2, 3) for c in await storage.credentials(id)]
    assert left == ["bot"]


async def test_limits_let_a_burst_through_and_then_one_at_a_time(clock):
    """A burst, then the rate; another key is not affected; waiting as told is enough."""
    limit = Limit(burst=3, seconds=10, clock=clock)
    assert [limit.take("a") for _ in range(3)] == [0, 0, 0]
    assert 0 < limit.take("a") <= 10 and limit.take("b") == 0
    clock.now += limit.take("a")
    assert limit.take("a") == 0 and limit.take("a") > 0


async def test_a_limit_forgets_those_that_may_do_all_again(clock):
    """A crowd that has gone leaves nothing in memory."""
    limit = Limit(burst=3, seconds=10, clock=clock)
    for number in range(1000):
        limit.take(str(number))
    assert len(limit) == 1000
    clock.now += 60
    for _ in range(600):
        limit.take("a")
        clock.now += 10
    assert len(limit) == 1 and limit.take("a") == 0


# --- over HTTP, with the same clock


@pytest.fixture
async def http(storage, clock, tmp_path):
    """The application inside the test, so that its clock can be moved."""
    settings = read_settings(["--limits=off", "--poll-seconds=1"], {})
    board = await Site.open(storage, max_parked=10, limits=False, clock=clock, rules=Rules())
    server = HTTPServer(Application(board, settings))
    sockets = bind_sockets(0, "127.0.0.1")
    server.add_sockets(sockets)
    url = f"http://127.0.0.1:{sockets[0].getsockname()[1]}"
    client = AsyncHTTPClient(force_instance=True)

    async def call(path, **headers):
        request = HTTPRequest(url + path, headers={k.replace("_", "-"): v for k, v in headers.items()})
        return (await client.fetch(request, raise_error=False)).code

    yield call
    client.close()
    server.stop()
    await server.close_all_connections()
    await board.close()


async def test_a_bot_that_only_polls_with_its_token_lives(http, storage, clock):
    """Each poll with a bearer token is a use of it, when it starts."""
    token = await sign_in(storage, "token")
    for _ in range(3):
        clock.now += 4 * HOUR - 60
        assert await http("/get?wait=0", Authorization=f"Bearer {token}") == 200
    clock.now += 4 * HOUR + 1
    assert await http("/get?wait=0", Authorization=f"Bearer {token}") == 401


async def test_a_page_left_open_does_not_keep_its_session_alive(http, storage, clock):
    """Polls by cookie go on, and the session still ends after seven days; opening a page is a use."""
    secret = await sign_in(storage, "session")
    for _ in range(3):
        clock.now += 6 * 86_400
        assert await http("/", Cookie=f"longboard={secret}") == 200
        assert await http("/account", Cookie=f"longboard={secret}") == 200
    for _ in range(7):
        clock.now += 86_400 - 1
        assert await http("/get?wait=0", Cookie=f"longboard={secret}") == 200
    clock.now += 10
    assert await http("/get?wait=0", Cookie=f"longboard={secret}") == 401
    assert await http("/account", Cookie=f"longboard={secret}") == 401
