"""The memo of known requests on its own: which bytes are answered or parked without parsing, and which are not."""

import contextlib
import sqlite3
import time
import types

import pytest

from board.credentials import FRESH_SECONDS, Credentials, hash_secret, new_secret
from board.scopes import Scopes
from board.waiters import WaiterList, load
from net.fast_path.known import KnownRequest
from net.fast_path.memo import REQUESTS_MAX, RequestMemo
from storage import open_storage
from storage.records import Password
from tests.support.wire import read

PATH = b"GET /get?after="
TAIL = b"&wait=25 HTTP/1.1\r\nHost: x\r\n\r\n"
PROXIED = b"&wait=25 HTTP/1.1\r\nHost: x\r\nX-Request-Id: %s\r\n\r\n"


@pytest.fixture
async def house(tmp_path):
    """A board with three messages, and a memo that knows one poll of a guest and one behind a proxy."""
    storage = await open_storage(f"sqlite:///{tmp_path}/board.db")
    with contextlib.closing(sqlite3.connect(tmp_path / "board.db")) as db, db:
        db.execute("UPDATE board SET epoch = 'c0ffee42'")  # a random one may have no letters
    for word in ("one", "two", "three"):
        await storage.append(None, word, None)
    credentials = Credentials(storage, 14_400)
    waiters = WaiterList(storage, await load(storage), 100, forget=credentials.forget)
    scopes = Scopes(storage, credentials)
    memo = RequestMemo(waiters, credentials, scopes, [("Server", "x")], ["X-Request-Id"])
    for tail in (TAIL, PROXIED % b"1"):
        memo.learn(KnownRequest(PATH, tail, 25, None, False, None, None, waiters.first))
    yield types.SimpleNamespace(
        waiters=waiters,
        credentials=credentials,
        scopes=scopes,
        storage=storage,
        memo=memo,
        recent=waiters.recent,
    )
    await storage.close()


def request(house, behind=0, path=PATH, tail=TAIL):
    """The bytes of a poll whose cursor lacks the last `behind` changes."""
    return path + b"%s-%d" % (house.recent.epoch.encode(), house.recent.seq - behind) + tail


def bodies(reply):
    return [message["body"] for message in read(reply)["messages"]]


@pytest.mark.parametrize("tail", [TAIL, PROXIED % b"1", PROXIED % b"another"])
async def test_a_known_poll_that_has_all_changes_is_parked(house, tail):
    known, news = house.memo.classify(request(house, tail=tail))
    assert (known.wait, known.secret_hash, news) == (25, None, None)


@pytest.mark.parametrize(("behind", "lacks"), [(1, ["three"]), (2, ["two", "three"]), (3, ["one", "two", "three"])])
async def test_a_known_poll_that_lacks_changes_is_answered_with_them(house, behind, lacks):
    known, news = house.memo.classify(request(house, behind))
    assert bodies(news) == lacks and known is house.memo.classify(request(house)).known


async def test_the_same_bytes_after_the_cursor_of_another_path_are_another_poll(house):
    """The board is in the path: who may read one may not read each."""
    for path in (b"GET /api/v1/messages?after=", b"GET /b/rowing/get?after="):
        assert house.memo.classify(request(house, 1, path)) is house.memo.classify(request(house, 0, path)) is None


def odd_requests(house):
    """Requests that are nearly a known poll, by what is wrong with them."""
    poll, older = request(house), request(house, 1)
    epoch, seq = house.recent.epoch.encode(), b"%d" % house.recent.seq
    has_all = epoch + b"-" + seq
    yield "nothing", b""
    yield "a part of it", poll[:-1]
    yield "more than it", poll + b"x"
    yield "two of them", poll + poll
    yield "two older ones", older + older
    yield "another method", poll.replace(b"GET", b"PUT", 1)
    yield "another path", poll.replace(b"/get", b"/gets", 1)
    yield "a path in capitals", poll.replace(b"/get", b"/GET", 1)
    yield "an empty line first", b"\r\n" + poll
    yield "bare line feeds", poll.replace(b"\r\n", b"\n")
    yield "an unknown header", poll.replace(b"Host: x\r\n", b"Host: x\r\nA: b\r\n")
    yield "another wait", poll.replace(b"wait=25", b"wait=5")
    yield "another host", poll.replace(b"Host: x", b"Host: y")
    yield "a token", poll.replace(b"Host: x", b"Host: x\r\nAuthorization: Bearer lb_x")
    yield "its cursor elsewhere", b"GET /get?wait=25&after=" + has_all + TAIL.removeprefix(b"&wait=25")
    yield "its cursor in a header", b"GET /get HTTP/1.1\r\nA: " + has_all + TAIL
    yield "two cursors", PATH + has_all + b"&after=" + has_all + TAIL
    yield "a cursor that begins with zero", PATH + epoch + b"-0" + seq + TAIL
    yield "a cursor with a sign", PATH + epoch + b"-+" + seq + TAIL
    yield "a cursor in capitals", PATH + epoch.upper() + b"-" + seq + TAIL
    yield "no number", PATH + epoch + b"-" + TAIL
    yield "a cursor ahead of the board", request(house, -1)
    yield "a number longer than any", PATH + has_all + b"0" * 20 + TAIL
    yield "another database's cursor", PATH + b"x" * 8 + b"-" + seq + TAIL
    yield "a value on two lines", poll.replace(b"Host: x", b"Host: x\r\nX-Request-Id: 1\r\n 2")


async def test_nothing_that_is_nearly_a_known_poll_is_taken_for_it(house):
    taken = [name for name, data in odd_requests(house) if house.memo.classify(data) is not None]
    assert not taken


async def test_a_cursor_from_before_what_memory_has_is_not_answered_from_memory(house):
    assert house.memo.classify(request(house, house.recent.seq)) is not None
    house.recent.start = house.recent.seq - 1
    assert [house.memo.classify(request(house, behind)) is None for behind in (0, 1, 2)] == [False, False, True]


async def test_the_polls_of_as_many_members_as_may_park_are_known(house):
    """Each has another cookie, and headers as long as a browser's behind a proxy. They come in turns: if the memo
    were too small for a few of them, the oldest would always be the next, and none would be known.
    """
    other = b" HTTP/1.1\r\nX-Request-Id: %d\r\nCookie: longboard=%d; " + b"x" * 900 + b"\r\n\r\n"
    tails = [other % (number, number) for number in range(REQUESTS_MAX)]
    for tail in tails:
        house.memo.learn(KnownRequest(PATH, tail, 25, None, False, None, None, house.waiters.first))
    assert all(house.memo.classify(request(house, tail=tail)) for tail in tails)


async def test_no_poll_is_known_during_a_drain(house):
    house.waiters.drain()
    assert house.memo.classify(request(house)) is house.memo.classify(request(house, 1)) is None


async def test_news_moves_a_known_poll_to_the_new_cursor(house):
    known = house.memo.classify(request(house)).known
    assert known.next == request(house)
    last = request(house)
    await house.storage.append(None, "four", None)
    await house.waiters.deliver()
    assert bodies(house.memo.classify(last).news) == ["four"]
    assert known.next == request(house) != last


async def test_a_poll_with_a_token_is_known_only_while_its_account_is_the_same(house):
    """What changed is read again by a handler, before anything is parked or answered."""
    account = await house.storage.create_account("ada", "Ada", Password(None))
    secret = new_secret()
    await house.storage.create_credential(account.id, "token", hash_secret(secret), "test")
    tail = TAIL.replace(b"Host: x", b"Host: x\r\nAuthorization: Bearer " + secret.encode())

    async def learn():
        credential = await house.credentials.find(secret, use=True)
        known = KnownRequest(PATH, tail, 25, hash_secret(secret), True, credential.account, None, house.waiters.first)
        house.memo.learn(known)

    await learn()
    assert house.memo.classify(request(house, tail=tail)).known.account.name == "Ada"
    house.credentials.forget([account.id])
    assert house.memo.classify(request(house, tail=tail)) is None
    await learn()
    await house.storage.set_name(account.id, "Countess")
    await house.waiters.deliver()
    await house.credentials.find(secret, use=True)
    assert house.memo.classify(request(house, tail=tail)) is None
    await learn()
    assert house.memo.classify(request(house, tail=tail)).known.account.name == "Countess"


async def member_of(house, *, counts_as_use=False):
    """Returns a poll of a member that the memo is to know, the credential, what is to be learnt, and a list of the times
    at which the credential is looked up.
    """
    account = await house.storage.create_account("ada", "Ada", Password(None))
    secret = new_secret()
    await house.storage.create_credential(account.id, "session", hash_secret(secret), "test")
    tail = TAIL.replace(b"Host: x", b"Host: x\r\nCookie: longboard=" + secret.encode())
    credential = await house.credentials.find(secret, use=False)
    known = KnownRequest(
        PATH, tail, 25, hash_secret(secret), counts_as_use, credential.account, None, house.waiters.first
    )
    looks, recall = [], house.credentials.recall

    def counted(digest, *, use):
        looks.append(house.credentials.clock())
        return recall(digest, use=use)

    house.credentials.recall = counted
    return request(house, tail=tail), credential, known, looks


async def test_a_session_is_looked_up_once_for_as_long_as_it_is_trusted(house):
    now = [time.time()]
    house.credentials.clock = lambda: now[0]
    poll, credential, known, looks = await member_of(house)
    house.memo.learn(known)
    for _ in range(3):
        assert house.memo.classify(poll)
    assert len(looks) == 1
    house.credentials.forget([credential.account.id + 1])
    assert house.memo.classify(poll) and len(looks) == 2, "something about another account has changed"
    now[0] += FRESH_SECONDS - 1
    assert house.memo.classify(poll) and len(looks) == 2
    now[0] += 2
    assert house.memo.classify(poll) is None, "it has to be read again"


async def test_a_session_is_trusted_no_longer_than_what_it_may_read(house):
    """Which was read half a minute before."""
    poll, credential, known, looks = await member_of(house)
    began, now = house.credentials.clock(), [time.time() - 30]
    house.credentials.clock = lambda: now[0]
    known.scope = await house.scopes.find(credential)
    house.memo.learn(known)
    now[0] = began
    assert house.memo.classify(poll) and house.memo.classify(poll) and len(looks) == 1
    now[0] = began + FRESH_SECONDS - 29
    assert house.memo.classify(poll) is None


async def test_a_session_that_has_ended_is_not_trusted_any_longer(house):
    poll, credential, known, _ = await member_of(house)
    house.memo.learn(known)
    assert house.memo.classify(poll)
    await house.storage.revoke_all(credential.account.id)
    assert house.memo.classify(poll), "nobody has told this process"
    await house.waiters.deliver()
    assert house.memo.classify(poll) is None


async def test_each_use_of_a_token_is_counted(house):
    poll, _, known, looks = await member_of(house, counts_as_use=True)
    house.memo.learn(known)
    for number in range(3):
        assert house.memo.classify(poll) and len(looks) == number + 1
