"""A clock that is wrong at a start, or jumps: nothing is deleted by it for good."""

import asyncio
import time

import pytest

from board import site as site_module
from board.clock import FAR_SECONDS, STEADY_SECONDS, Clock
from board.site import Site
from board.site.parts import Rules
from storage import open_storage
from storage.records import Author, Password

DAY = 86_400
NOW = 1_900_000_000


class Watch:
    """A clock and its seconds since the start, both moved by hand."""

    def __init__(self, at):
        self.at, self.passed = at, 0.0

    def go_on(self, seconds):
        self.at += seconds
        self.passed += seconds

    def on(self, seen, its=None):
        """What is believed by a process that begins now, on a database that saw these times, in seconds, last."""
        storage = Times(its)
        return Clock(storage, [round(at * 1000) for at in seen], lambda: self.at, lambda: self.passed), storage


class Times:
    def __init__(self, its):
        self.its = its

    async def times(self):
        return (None if self.its is None else self.its * 1000), []


@pytest.mark.parametrize("off", [0, DAY, -DAY, FAR_SECONDS, -FAR_SECONDS])
async def test_a_clock_near_what_was_seen_last_is_believed(off):
    """A board that was stopped over the week-end, or whose clock was a little wrong before."""
    clock, _ = Watch(NOW + off).on([5, NOW])
    assert await clock.is_believable()


@pytest.mark.parametrize("off", [FAR_SECONDS + 1, 10 * 365 * DAY, -FAR_SECONDS - DAY, -NOW])
async def test_a_clock_far_from_it_is_not(off, caplog):
    """It is said once, and each hour looked at again."""
    watch = Watch(NOW + off)
    clock, _ = watch.on([NOW, NOW - 400 * DAY])
    for _ in range(3):
        assert not await clock.is_believable()
        watch.go_on(3600)
    assert [record.levelname for record in caplog.records] == ["ERROR"]


async def test_a_clock_that_is_set_right_is_believed_at_once():
    """NTP has come up, half an hour after the board."""
    watch = Watch(NOW + 3650 * DAY)
    clock, _ = watch.on([NOW])
    assert not await clock.is_believable()
    watch.go_on(1800)
    watch.at -= 3650 * DAY
    assert await clock.is_believable()


async def test_a_clock_that_goes_on_evenly_is_believed_in_the_end():
    """A board that comes back after a year; not one whose clock still jumps."""
    watch = Watch(NOW + 365 * DAY)
    clock, _ = watch.on([NOW])
    for _ in range(STEADY_SECONDS // 3600):
        assert not await clock.is_believable()
        watch.go_on(3600)
        watch.at += 600
    assert not await clock.is_believable()
    watch.go_on(STEADY_SECONDS - 1)
    assert not await clock.is_believable()
    watch.go_on(1)
    assert await clock.is_believable()


async def test_a_clock_that_jumps_later_is_not_believed_any_more():
    """A board that runs for a month without a visitor is believed all along; a jump of a year is not."""
    watch = Watch(NOW)
    clock, _ = watch.on([NOW])
    for _ in range(4):
        watch.go_on(10 * DAY)
        assert await clock.is_believable()
    watch.at += 365 * DAY
    assert not await clock.is_believable()


async def test_the_database_s_own_clock_counts_too():
    """PostgreSQL deletes by its own."""
    clock, storage = Watch(NOW).on([NOW], its=NOW + 365 * DAY)
    assert not await clock.is_believable()
    storage.its = NOW
    assert await clock.is_believable()


async def test_a_new_board_has_nothing_to_go_by():
    """And nothing to lose."""
    clock, _ = Watch(NOW).on([])
    assert await clock.is_believable()


@pytest.mark.parametrize("years", [0, 10])
async def test_a_start_with_a_wrong_clock_ends_no_session(url, monkeypatch, years):
    """It is there again when the clock is right; a clock that is right takes out what is over."""
    monkeypatch.setattr(site_module, "FIRST_TIDY_SECONDS", 0)
    monkeypatch.setattr(site_module, "SAVE_SECONDS", 0.01)
    storage = await open_storage(url)
    try:
        ada = await storage.create_account("ada", "Ada", Password(None))
        old, new = [await storage.create_credential(ada.id, "session", name, "x") for name in (b"old", b"new")]
        await storage.append(Author(ada.id, "Ada"), "hello", None)
        await set_last_used(storage, url, old.id, 5)
        clock = lambda: time.time() + years * 365 * DAY  # noqa: E731
        board = await Site.open(storage, max_parked=10, limits=False, clock=clock, rules=Rules())
        judged = asyncio.Event()
        tidy, is_believable = board.credentials.tidy, board.clock.is_believable

        async def look():
            if not (believed := await is_believable()):
                judged.set()
            return believed

        async def tidied():
            await tidy()
            judged.set()

        monkeypatch.setattr(board.clock, "is_believable", look)
        monkeypatch.setattr(board.credentials, "tidy", tidied)
        keeping = asyncio.create_task(board.housekeeping())
        await judged.wait()
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)
        await board.close()
        assert [one.id for one in await storage.credentials(ada.id)] == ([new.id, old.id] if years else [new.id])
    finally:
        await storage.close()


async def set_last_used(storage, url, id, at):
    sql = f"UPDATE credentials SET last_used_at = {at} WHERE id = {id}"
    if url.startswith("sqlite"):
        await storage._writer.write(lambda db: db.execute(sql) and None)
    else:
        await storage._writer.write(lambda db: db.execute(sql))
