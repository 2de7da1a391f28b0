"""The waiter list on its own: cursors, order, resets, and what a delivery costs."""

import asyncio

import pytest

from board.answering import DRAIN_RETRY_MS, FULL_RETRY_MS
from board.cursor import Cursor, parse_cursor
from board.recent import BATCH, PAGE, RECENT
from board.site import Site
from board.site.parts import Rules
from board.waiter import Ended, Waiter
from board.waiters import WaiterList, load
from storage import open_storage
from storage.errors import UnavailableError
from storage.records import Password
from tests.support.patience import PATIENCE
from tests.support.wire import ids, read


class Counting:
    """A storage that counts the calls it passes on, and fails when told to."""

    def __init__(self, storage):
        self.storage = storage
        self.calls = []
        self.away = False
        self.failing = None

    def __getattr__(self, name):
        async def call(*arguments, **options):
            self.calls.append(name)
            if self.away or name == self.failing:
                raise UnavailableError("away")
            return await getattr(self.storage, name)(*arguments, **options)

        return call


@pytest.fixture
async def storage(tmp_path):
    storage = await open_storage(f"sqlite:///{tmp_path}/board.db")
    yield Counting(storage)
    await storage.close()


@pytest.fixture
async def waiters(storage):
    return WaiterList(storage, await load(storage), max_parked=2000)


async def post(storage, *bodies):
    for body in bodies:
        await storage.append(None, body, None)


def at(waiters, seq):
    return Cursor(waiters.recent.epoch, seq)


async def test_a_post_resolves_every_parked_poll_with_the_same_bytes(storage, waiters):
    """However many wait, one change is encoded once and read once: no storage call per woken poll."""
    parked = [waiters.poll(waiters.recent.cursor, PATIENCE) for _ in range(1000)]
    assert all(isinstance(waiter, Waiter) for waiter in parked) and waiters.parked == 1000
    await post(storage, "hello")
    storage.calls.clear()
    assert await waiters.deliver()
    replies = [await waiter.future for waiter in parked]
    assert storage.calls == ["changes_after"]
    assert all(reply is replies[0] for reply in replies) and ids(replies[0]) == [1]
    assert waiters.parked == 0


async def test_calls_to_deliver_share_reads(storage, waiters):
    """A hundred posts at once are read in two goes, not in a hundred."""
    await post(storage, *"abc")
    storage.calls.clear()
    assert all(await asyncio.gather(*(waiters.deliver() for _ in range(100))))
    assert storage.calls == ["changes_after"] * 2 and waiters.recent.seq == 3


async def test_nothing_slips_in_between_looking_and_parking(storage, waiters):
    """A hundred readers that poll on and on while others post get each message once, in order."""
    got = [[] for _ in range(100)]

    async def reader(mine):
        cursor = waiters.recent.cursor
        while len(mine) < 50:
            reply = waiters.poll(cursor, PATIENCE)
            if isinstance(reply, Waiter):
                reply = await reply.future
            mine += ids(reply)
            cursor = parse_cursor(read(reply)["cursor"])

    async def poster(number):
        for _ in range(10):
            await post(storage, f"from {number}")
            await waiters.deliver()

    await asyncio.gather(*(reader(mine) for mine in got), *(poster(n) for n in range(5)))
    assert all(mine == list(range(1, 51)) for mine in got)


async def test_a_poll_that_is_behind_is_answered_at_once(storage, waiters):
    """What was missed comes in one reply, each message once in its latest state."""
    await post(storage, "a", "b", "c")
    await storage.edit(1, "A")
    await storage.delete(2)
    await waiters.deliver()
    assert ids(waiters.poll(at(waiters, 0), PATIENCE)) == [3, 1, 2]
    assert read(waiters.poll(at(waiters, 3), PATIENCE))["messages"][1] == {"id": 2, "deleted": True}
    assert ids(waiters.poll(at(waiters, 5), 0)) == []


async def test_a_long_reply_is_cut_and_goes_on(storage, waiters):
    """`more` leads through everything, once each."""
    await post(storage, *map(str, range(BATCH + 30)))
    await waiters.deliver()
    first = read(waiters.poll(at(waiters, 0), 0))
    assert first["more"] and len(first["messages"]) == BATCH
    rest = read(waiters.poll(parse_cursor(first["cursor"]), 0))
    assert "more" not in rest and len(rest["messages"]) == 30
    assert rest["cursor"] == str(waiters.recent.cursor)


async def test_far_behind_or_of_another_board_is_reset(storage, waiters):
    """A client that memory can't serve gets the newest page instead, and is right again."""
    await post(storage, *map(str, range(RECENT + 20)))
    await waiters.deliver()
    for cursor in (at(waiters, 0), Cursor("another", 5)):
        reply = read(waiters.poll(cursor, PATIENCE))
        assert reply["reset"] and len(reply["messages"]) == PAGE
        assert reply["messages"][-1]["id"] == RECENT + 20 and reply["cursor"] == str(waiters.recent.cursor)
    assert "reset" not in read(waiters.poll(at(waiters, 20), 0))


async def test_a_cursor_ahead_makes_the_process_look_before_it_judges(storage, waiters):
    """Another process may have written: only if the database itself is behind the cursor is it reset."""
    await post(storage, "written", "elsewhere")
    assert not await waiters.is_beyond(at(waiters, 2))
    assert waiters.recent.seq == 2
    assert await waiters.is_beyond(at(waiters, 3))
    storage.away = True
    assert not await waiters.is_beyond(at(waiters, 3))


async def test_a_failed_read_is_healed_by_the_next(storage, waiters):
    """While storage is away polls stay parked; then they get what they missed."""
    waiter = waiters.poll(waiters.recent.cursor, PATIENCE)
    await post(storage, "meanwhile")
    storage.away = True
    assert not await waiters.deliver()
    assert not waiter.future.done()
    storage.away = False
    assert await waiters.deliver()
    assert ids(await waiter.future) == [1]


async def test_a_page_that_could_not_be_refilled_keeps_nobody_waiting(storage, waiters):
    """A deletion is delivered even if reading the rest of the page fails; the next read refills it."""
    await post(storage, *map(str, range(PAGE + 5)))
    await waiters.deliver()
    waiter = waiters.poll(waiters.recent.cursor, PATIENCE)
    await storage.delete(PAGE)
    storage.failing = "snapshot"
    assert not await waiters.deliver()
    assert read(waiter.future.result())["messages"] == [{"id": PAGE, "deleted": True}]
    storage.failing = None
    assert await waiters.deliver()
    assert waiters.recent.page == await storage.before(None, PAGE)


async def test_the_newest_page_is_kept_right_through_edits_and_deletions(storage, waiters):
    """What the page shows is what storage would give."""
    await post(storage, *map(str, range(PAGE + 20)))
    await waiters.deliver()
    for seq in (PAGE + 20, PAGE + 5, 30, 3):
        await storage.delete(seq)
        await storage.edit(seq - 1, "edited")
        await waiters.deliver()
        assert waiters.recent.page == await storage.before(None, PAGE)


async def test_time_ends_a_poll_with_the_same_cursor(waiters):
    """Without news a poll ends after its wait, not before, and leaves nothing behind."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    waiter = waiters.poll(waiters.recent.cursor, 0.3)
    reply = read(await waiter.future)
    assert loop.time() - began >= 0.3
    assert reply == {"messages": [], "cursor": str(waiters.recent.cursor), "watching": 1} and waiters.parked == 0
    async with asyncio.timeout(PATIENCE):
        while waiters._polls.groups():
            await asyncio.sleep(0)


async def test_a_client_that_leaves_is_off_the_list(waiters):
    """Leaving twice, or after the answer, does no harm."""
    waiter = waiters.poll(waiters.recent.cursor, PATIENCE)
    waiters.leave(waiter)
    waiters.leave(waiter)
    assert waiters.parked == 0 and await waiter.future is Ended.GONE


async def test_no_more_are_parked_than_may_be(storage):
    """The one too many is told when to come back; nobody is thrown out for it."""
    waiters = WaiterList(storage, await load(storage), max_parked=2)
    parked = [waiters.poll(waiters.recent.cursor, PATIENCE) for _ in range(2)]
    assert read(waiters.poll(waiters.recent.cursor, PATIENCE))["retry_ms"] == FULL_RETRY_MS
    assert not any(waiter.future.done() for waiter in parked)
    waiters.leave(parked[0])
    assert isinstance(waiters.poll(waiters.recent.cursor, PATIENCE), Waiter)


async def test_a_drain_answers_all_and_parks_no_more(storage, waiters):
    """At the end every poll gets an honest answer and a time to come back; news still goes out."""
    waiter = waiters.poll(waiters.recent.cursor, PATIENCE)
    waiters.drain()
    assert read(await waiter.future) == {
        "messages": [], "cursor": str(waiters.recent.cursor), "watching": 1, "retry_ms": DRAIN_RETRY_MS,
    }  # fmt: skip
    assert read(waiters.poll(waiters.recent.cursor, PATIENCE))["retry_ms"] == DRAIN_RETRY_MS
    await post(storage, "last words")
    await waiters.deliver()
    assert ids(waiters.poll(at(waiters, 0), PATIENCE)) == [1]


async def test_a_raised_floor_resets_everyone(storage, waiters):
    """After a bulk removal all clients show what is left."""
    await post(storage, "spam", "ham")
    await waiters.deliver()
    waiter = waiters.poll(waiters.recent.cursor, PATIENCE)
    await storage.storage._writer.write(purge)
    await waiters.deliver()
    reply = read(await waiter.future)
    assert reply["reset"] and [m["body"] for m in reply["messages"]] == ["ham"]
    assert "reset" not in read(waiters.poll(waiters.recent.cursor, 0))


def purge(db):
    db.execute("DELETE FROM messages WHERE body = 'spam'")
    db.execute("UPDATE board SET seq = seq + 1, floor = seq + 1")


@pytest.mark.parametrize("engine", ["sqlite", "postgres"])
async def test_what_was_written_is_delivered_before_the_writer_returns(engine, tmp_path, request):
    """The writer need not ask for it: storage calls deliver() after each commit that polls must hear of."""
    url = f"sqlite:///{tmp_path}/board.db" if engine == "sqlite" else request.getfixturevalue("new_database")()
    storage = await open_storage(url)
    board = await Site.open(storage, max_parked=10, limits=False, rules=Rules())
    account = await storage.create_account("ada", "Ada", Password(None))

    def park():
        parked = board.waiters.poll(board.waiters.recent.cursor, PATIENCE, account.id)
        assert not parked.future.done()
        return parked.future

    parked = park()
    message, _ = await storage.append(None, "hello", None)
    assert ids(parked.result()) == [message.id]
    parked = park()
    await storage.edit(message.id, "hello again")
    assert ids(parked.result()) == [message.id]
    parked = park()
    await storage.suspend(None, "ada")
    assert parked.result() is Ended.ASK_AGAIN
    parked = park()
    await storage.delete(message.id)
    assert read(parked.result())["messages"] == [{"id": message.id, "deleted": True}]
    parked = park()
    await storage.log(None, "nothing", "that a poll has to hear of")
    assert not parked.done()
    await board.close()
    await storage.close()
