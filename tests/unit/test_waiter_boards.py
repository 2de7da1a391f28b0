"""Boards in memory: what a commit costs, an outage, and the bound of what is kept."""

import asyncio
import sys

import pytest

from board import others, ticks
from board.caller import Caller
from board.cursor import NO_CURSOR, Cursor, parse_cursor
from board.errors import DeniedError
from board.others import KEPT_BYTES, NAMED_MAX, Hears
from board.recent import PAGE, RECENT, Recent
from board.recents import show_again
from board.scopes import GUESTS, Scope
from board.site import Site
from board.site.boards import NO_BOARD
from board.site.parts import Rules
from board.waiter import Ended, FutureWaiter
from storage import open_storage
from storage.boards import BoardChange
from storage.records import GUEST, OPERATOR, Author, Password
from storage.rows import epoch_of
from storage.sqlite.messages import insert
from tests.support.patience import PATIENCE
from tests.support.wire import ids, read
from tests.unit.test_waiters import Counting


@pytest.fixture
async def storage(tmp_path):
    storage = await open_storage(f"sqlite:///{tmp_path}/board.db")
    yield Counting(storage)
    await storage.close()


async def site_with(storage, count, max_parked=2000):
    """A site with so many boards beside the first, without ticks, which delivers only when asked to."""
    for number in range(count):
        await storage.create_board(None, f"board-{number}", "Name")
    site = await Site.open(storage, max_parked=max_parked, limits=False, rules=Rules())
    site.waiters.request_tick = lambda: None
    return site


def boards_of(site):
    return [site.waiters.directory.find(f"board-{n}", GUESTS) for n in range(len(site.waiters.directory._boards) - 1)]


async def test_many_whose_names_changed_at_once_cost_one_look_at_each_board_in_memory(storage):
    """After an outage or an import there are hundreds: the loop does nothing else then."""
    site = await site_with(storage, 0)
    ada = await storage.create_account("ada", "Ada", Password(None))
    await storage.append(Author(ada.id, "Ada"), "words", None)
    await site.waiters.deliver()
    looks = []

    class Looked(Recent):
        @property
        def author_ids(self):
            looks.append(self)
            return super().author_ids

    kept = [Looked(await storage.snapshot(changes=9, page=9), lambda: 0) for _ in range(5)]
    await storage.set_name(ada.id, "Countess")
    await show_again(storage, range(1000), lambda: kept)
    assert [one.page.messages[0].author for one in kept] == [Author(ada.id, "Ada", "ada")] * 5
    assert len(looks) <= 2 * len(kept)


async def post(storage, board, text):
    message, _ = await storage.append(None, text, None, board_id=board.id)
    return message


async def write(storage, messages):
    """Posts many at once, as a crowd would."""
    await storage.storage._writer.write(
        lambda db: [insert(db, None, body, 1, None, None, None, id) for id, body in messages]
    )


def park(site, board, hears=None):
    waiter = site.waiters.poll(board.cursor, PATIENCE, board=board, hears=hears)
    assert isinstance(waiter, FutureWaiter)
    return waiter


@pytest.mark.parametrize(("count", "read"), [(0, "changes_after"), (1, "log_after"), (30, "log_after")])
async def test_a_commit_costs_one_read_whatever_the_number_of_boards(storage, count, read):
    """On each board, and with polls parked on all of them: those without changes in memory begin with this one."""
    site = await site_with(storage, count)
    everywhere = [site.waiters.first, *boards_of(site)]
    for board in everywhere:
        parked = [park(site, board) for _ in range(3)]
        storage.calls.clear()
        message = await post(storage, board, "news")
        storage.calls.clear()
        assert await site.waiters.deliver()
        assert storage.calls == [read]
        assert [ids(one.future.result()) for one in parked] == [[message.id]] * 3
        assert parked[0].future.result() is parked[2].future.result()


async def test_a_site_with_one_board_asks_nothing_more_at_its_start(storage):
    await site_with(storage, 0)
    assert "listing" not in storage.calls and "log_after" not in storage.calls


async def test_epochs_are_made_when_somebody_asks(storage, monkeypatch):
    """A start with thousands of boards makes none."""
    made = []
    monkeypatch.setattr("storage.listing.epoch_of", lambda *given: made.append(given[2]) or epoch_of(*given))
    site = await site_with(storage, 3)
    _, board, _ = boards_of(site)
    assert not made
    assert board.cursor.epoch == board.epoch == (await storage.changes_on(board.id, GUEST, 0, 0)).head.epoch
    assert made == [board.id]


async def test_a_post_finds_its_board_in_memory_and_is_judged_in_storage(storage):
    """Where both differ, because another node has just changed the board, storage is right."""
    site = await site_with(storage, 1)
    [board] = boards_of(site)
    caller, words = Caller(None, "192.0.2.9"), ("words", None, "board-0")
    storage.calls.clear()
    message, _ = await site.post(caller, *words)
    assert storage.calls == ["append"] and message.board_id == board.id
    await storage.set_board(None, board.id, BoardChange(read_by="members"))
    with pytest.raises(DeniedError, match=NO_BOARD):
        await site.post(caller, *words)
    assert site.waiters.directory.find("board-0", GUESTS) is board, "memory has not heard of it"
    assert await storage.count_on(board.id, OPERATOR) == 1


async def test_an_outage_of_more_changes_than_memory_has(storage):
    """Everybody gets what they missed: parked polls on each board, and those that come later; nobody is reset for it."""
    site = await site_with(storage, 3)
    boards = [site.waiters.first, *boards_of(site)]
    parked = [(board, board.cursor, park(site, board)) for board in boards]
    await write(storage, [(boards[number % 4].id, f"message {number}") for number in range(1100)])
    assert await site.waiters.deliver()
    for board, cursor, waiter in parked:
        got, reply = [], waiter.future.result()
        while True:
            got += [message["body"] for message in read(reply)["messages"]]
            cursor = parse_cursor(read(reply)["cursor"])
            assert "reset" not in read(reply)
            if cursor == board.cursor:
                break
            await site.load(Caller(None, ""), board, cursor)
            reply = site.waiters.poll(cursor, 0, board=board)
        assert got == [f"message {number}" for number in range(1100) if boards[number % 4] is board]


async def test_what_is_kept_of_all_boards_has_a_bound(storage):
    """Those unused for longest go, also while polls are parked there; they miss nothing, and nobody is reset."""
    site = await site_with(storage, 12)
    recents, boards = site.waiters.recents, boards_of(site)
    recents._most = 400_000
    await write(storage, [(board.id, f"{number} " + "x" * 300) for board in boards for number in range(PAGE)])
    await site.waiters.deliver()
    old = [Cursor(board.epoch, board.seq - 5) for board in boards]
    parked = [park(site, board) for board in boards]
    for board in boards:
        await site.waiters.load(board)
        assert board.recent.is_whole and "reset" in read(site.waiters.poll(NO_CURSOR, 0, board=board))
        assert recents.size <= recents._most
    assert 1 < len(recents) < len(boards) and boards[0].recent is None and boards[-1].recent is not None
    storage.calls.clear()
    last = await post(storage, boards[0], "news")
    assert await site.waiters.deliver() and storage.calls == ["append", "log_after"]
    assert ids(parked[0].future.result()) == [last.id]
    for board, cursor in zip(boards, old, strict=True):
        await site.load(Caller(None, ""), board, cursor)
        reply = read(site.waiters.poll(cursor, 0, board=board))
        assert "reset" not in reply and len(reply["messages"]) == 5 + (board is boards[0])


async def test_many_who_look_at_a_board_share_one_read_and_eight_boards_a_pass(storage):
    site = await site_with(storage, 20)
    boards = boards_of(site)
    storage.calls.clear()
    await asyncio.gather(*(site.waiters.load(board) for board in boards for _ in range(5)))
    assert storage.calls.count("snapshot_on") == 20 and storage.calls.count("log_after") in (3, 4)
    assert storage.calls[:9] == ["log_after"] + ["snapshot_on"] * 8


async def test_quiet_boards_are_not_reset_for_what_is_written_elsewhere(storage):
    """Numbers of one board are sparse: its rows say how far behind a cursor is."""
    site = await site_with(storage, 2)
    quiet, busy = boards_of(site)
    first, second = await post(storage, quiet, "one"), await post(storage, quiet, "two")
    await write(storage, [(busy.id, str(number)) for number in range(1200)])
    await site.waiters.deliver()
    await site.waiters.load(quiet)
    assert ids(site.waiters.poll(Cursor(quiet.epoch, first.seq), 0, board=quiet)) == [second.id]
    assert isinstance(site.waiters.poll(quiet.cursor, 1, board=quiet), FutureWaiter)


async def test_a_quiet_first_board_is_not_reset_after_a_start_either(storage):
    """Beside a busy one. A client that is further behind on the quiet one than memory reaches is reset."""
    site = await site_with(storage, 1)
    [busy], first = boards_of(site), site.waiters.first
    one, two = await post(storage, first, "one"), await post(storage, first, "two")
    await write(storage, [(busy.id, str(number)) for number in range(1200)])
    last = await post(storage, first, "three")
    site = await Site.open(storage, max_parked=10, limits=False, rules=Rules())
    first = site.waiters.first
    assert ids(site.waiters.poll(Cursor(first.epoch, one.seq), 0)) == [two.id, last.id]
    assert first.recent.start == first.floor
    await write(storage, [(first.id, str(number)) for number in range(RECENT)])
    site = await Site.open(storage, max_parked=10, limits=False, rules=Rules())
    assert site.waiters.recent.start == last.seq and "reset" not in read(site.waiters.poll(at(site, last), 0))
    assert read(site.waiters.poll(at(site, two), 0))["reset"]


def at(site, message):
    return Cursor(site.waiters.first.epoch, message.seq)


async def test_members_with_different_boards_of_their_own_share_a_word_of_the_others(storage):
    """It is made once, however many may read something else besides; and once for all who have news there as well."""
    site = await site_with(storage, 2)
    ada = await storage.create_account("ada", "Ada", Password(None))
    own = await storage.create_board(ada, "", "Own", read_by="invited", most_owned=1)
    busy, quiet = boards_of(site)[:2]
    await site.waiters.deliver()
    heard, others = site.waiters.directory.seq, site.waiters.others
    await post(storage, busy, "news")
    await storage.append(Author(ada.id, "Ada"), "news", None, board_id=own.id)
    await site.waiters.deliver()
    others.begin()
    strangers = [Scope(True, frozenset([number])) for number in range(100, 150)]
    invited = [Scope(True, frozenset([number, own.id])) for number in range(100, 150)]
    told, told_more = (
        {id(word): word for word in (others.word(heard, quiet, scope, None) for scope in scopes)}
        for scopes in (strangers, invited)
    )
    assert len(told) == len(told_more) == 1
    assert own.slug.encode() in told_more.popitem()[1] and own.slug.encode() not in told.popitem()[1]


def act_before_loading(storage, act):
    """Somebody else does something after the log was read, and before a board's newest changes are."""
    read = storage.storage.snapshot_on

    async def after_acting(*arguments, **options):
        await act()
        return await read(*arguments, **options)

    storage.snapshot_on = after_acting


async def test_what_is_loaded_ahead_of_the_log_stays_ahead(storage, monkeypatch):
    """Its messages come again in the log, which may be cut before the last of them: no cursor goes back."""
    site = await site_with(storage, 1)
    [board] = boards_of(site)

    async def act():
        await write(storage, [(board.id, "one"), (board.id, "two"), (board.id, "three")])

    act_before_loading(storage, act)
    await site.waiters.load(board)
    cursor, waiter, seen = board.cursor, park(site, board), []
    move_to = type(board).follow
    monkeypatch.setattr(type(board), "follow", lambda one: seen.append(one.recent.seq) or move_to(one))
    monkeypatch.setattr("board.waiters.RECENT", 1)
    assert await site.waiters.deliver()
    assert board.cursor == cursor and not waiter.future.done() and seen == []
    last = await post(storage, board, "four")
    assert await site.waiters.deliver()
    assert ids(waiter.future.result()) == [last.id]


async def test_rights_are_in_memory_before_what_is_loaded(storage):
    """The end of a right to read comes before what was posted after it."""
    site = await site_with(storage, 1)
    [board] = boards_of(site)
    rights, parked = board.rights, park(site, board)

    async def act():
        await storage.set_board(None, board.id, BoardChange(read_by="members"))
        await write(storage, [(board.id, "for members")])

    act_before_loading(storage, act)
    await site.waiters.load(board)
    assert [message.body for message in board.recent.messages] == ["for members"]
    assert board.rights != rights and site.waiters.directory.find("board-0", GUESTS) is None
    assert read(parked.future.result())["messages"] == []


async def test_while_storage_is_away_what_is_in_memory_goes_on(storage):
    """Who needs what is not there is told so; parked polls stay, and get what they missed."""
    site = await site_with(storage, 1)
    [board] = boards_of(site)
    waiter = park(site, board)
    message = await post(storage, board, "news")
    storage.away = True
    assert not await site.waiters.deliver()
    with pytest.raises(Exception, match="newest changes"):
        await site.waiters.load(board)
    storage.away = False
    assert await site.waiters.deliver()
    assert ids(waiter.future.result()) == [message.id]


# --- word of the others


async def test_ticks_come_at_fixed_times(storage, monkeypatch):
    """However much is written, and wherever: a poll that is told comes back and hears the rest in one go."""
    site = await site_with(storage, 2)
    del site.waiters.request_tick
    board, other = boards_of(site)
    hidden = await storage.create_board(None, "x", "Name", read_by="invited")
    async with asyncio.timeout(PATIENCE):
        while site.waiters.others.told < hidden.changed:
            await site.waiters.deliver()
            await asyncio.sleep(0.01)
    loop, due = asyncio.get_running_loop(), set()
    monkeypatch.setattr(loop, "call_at", lambda when, *_: due.add(when) or asyncio.TimerHandle(when, print, (), loop))
    for where in (hidden, other, hidden, board):
        before = loop.time()
        await write(storage, [(where.id, "news")])
        await site.waiters.deliver()
        site.waiters._ticking = None
    assert all(when % ticks.TICK_SECONDS == 0 for when in due) and max(due) <= before + 2 * ticks.TICK_SECONDS
    monkeypatch.undo()
    waiter = park(site, board, Hears(site.waiters.directory.newest_for(GUESTS), GUESTS))
    for number in range(20):
        message = await post(storage, other, str(number))
        await site.waiters.deliver()
    async with asyncio.timeout(PATIENCE):
        reply = read(await waiter.future)
        while reply.get("boards", {}).get("board-1", [0])[0] != message.id:
            heard = Hears(reply["others"], GUESTS)
            answer = site.waiters.poll(board.cursor, PATIENCE, board=board, hears=heard)
            reply = read(await answer.future if isinstance(answer, FutureWaiter) else answer)
    assert reply["others"] == message.seq


def test_ticks_tell_few_enough_a_second():
    """And those of longer pauses are at times at which those of shorter ones are."""
    for parked in range(0, 100_000, 7):
        pause = ticks.pause_for(parked)
        assert parked / pause <= ticks.TELLS_PER_SECOND and (pause / ticks.TICK_SECONDS).is_integer()
        assert bin(int(pause / ticks.TICK_SECONDS)).count("1") == 1
    assert ticks.pause_for(2000) == 1 and ticks.pause_for(2001) == 2


async def test_boards_stay_in_the_order_of_their_news(storage):
    """One that was loaded ahead of the log has a higher number than what the log brings next, of another."""
    site = await site_with(storage, 2)
    (ahead, next_one), directory = boards_of(site), site.waiters.directory
    directory.news.note(ahead, directory.seq + 2)
    directory.news.note(next_one, directory.seq + 1)
    assert set(directory.news.after(directory.seq + 1, is_member=False, own=())) == {ahead, next_one}


async def test_too_many_boards_to_name_are_a_list_to_read_again(storage):
    site = await site_with(storage, NAMED_MAX + 1)
    board, *others = boards_of(site)
    await site.waiters.tick()
    heard = Hears(site.waiters.directory.newest_for(GUESTS), GUESTS)
    for count in (NAMED_MAX, NAMED_MAX + 1):
        waiter = park(site, site.waiters.first, heard)
        await write(storage, [(other.id, "news") for other in [*others, board][:count]])
        await site.waiters.deliver()
        await site.waiters.tick()
        reply = read(waiter.future.result())
        assert ("list" in reply, len(reply.get("boards", ()))) == (
            (False, NAMED_MAX) if count == NAMED_MAX else (True, 0)
        )
        heard = Hears(reply["others"], GUESTS)


async def test_word_is_made_once_for_each_board_and_scope(storage):
    """However many polls are told, their replies are the same bytes; those who don't ask for word stay parked."""
    site = await site_with(storage, 3, max_parked=10_000)
    board, other, _ = boards_of(site)
    await site.waiters.tick()
    heard = Hears(site.waiters.directory.newest_for(GUESTS), GUESTS)
    told, deaf = [park(site, board, heard) for _ in range(500)], [park(site, board) for _ in range(500)]
    there = [park(site, other, heard) for _ in range(500)]
    await post(storage, other, "news")
    await site.waiters.deliver()
    assert all(waiter.future.done() for waiter in there)
    await site.waiters.tick()
    replies = [waiter.future.result() for waiter in told]
    assert len(set(replies)) == 1
    assert len({id(reply) for reply in replies}) <= 2, (
        "once for a group; if they end at two ticks, there are two groups"
    )
    assert not any(waiter.future.done() for waiter in deaf)


async def test_kept_words_are_bounded_by_their_bytes(storage, monkeypatch):
    """Also where a client says each time that it has heard of something else."""
    monkeypatch.setattr(others, "KEPT_BYTES", KEPT_BYTES // 16)
    for number in range(NAMED_MAX):
        await storage.create_board(None, f"{number:040}", "Name")
    first_numbers = 1000
    await write(storage, [(1, "news")] * first_numbers)
    site = await site_with(storage, 0)
    await write(storage, [(board.id, "news") for board in site.waiters.directory.listed(GUESTS, NAMED_MAX)])
    await site.waiters.deliver()
    await site.waiters.tick()
    word, most = site.waiters.others.word, 0
    for heard in range(first_numbers):
        assert len(word(heard, site.waiters.first, GUESTS, None)) > 40 * NAMED_MAX
        [kept] = [one for one in site.waiters.others._words.values() if one]
        most = max(most, sum(sys.getsizeof(made) for made in kept.values()))
    assert len(kept) > 1 and KEPT_BYTES // 32 < most <= KEPT_BYTES // 16


async def test_no_tick_waits_for_what_somebody_may_not_read(storage):
    """Who may read the board is told to read the list, as its newest message is not known yet; then of what follows."""
    site = await site_with(storage, 1)
    [everyones] = boards_of(site)
    members = await storage.create_board(None, "diving", "Name", read_by="members")
    ada = await storage.create_account("ada", "Ada", Password(None))
    hidden = await storage.create_board(ada, "", "Name", read_by="invited", most_owned=1)
    await site.waiters.deliver()
    waiters, first, find = site.waiters, site.waiters.first, site.waiters.directory.of
    for board, waits in ((everyones, True), (find(members.id), False), (find(hidden.id), False)):
        author = Author(ada.id, "Ada")
        (stays, _), (last, _) = [
            await storage.append(author, text, None, board_id=board.id) for text in ("stays", "last")
        ]
        await waiters.deliver()
        await waiters.tick()
        waiters.recents.clear()
        heard, scope = waiters.others.latest, Scope(True, frozenset({hidden.id}))
        guest, reader = park(site, first, Hears(heard, GUESTS)), park(site, first, Hears(heard, scope))
        deleted = await storage.delete(last.id, board_id=board.id)
        storage.failing = "newest_on"
        assert not await waiters.deliver() and list(waiters.directory.unsure) == [board]
        assert waiters.waits == waits
        if not waits:
            await waiters.tick()
            assert not guest.future.done()
            told = read(reader.future.result())
            assert (told["others"], told["list"]) == (deleted.seq, True) and "boards" not in told
        storage.failing = None
        assert await waiters.deliver() and not waiters.waits
        await waiters.tick()
        word = b',"others":%d,"boards":{"%s":[%d,%d]}' % (deleted.seq, board.slug.encode(), stays.id, ada.id)
        assert waiters.others.word(heard, first, scope, None) == word
        waiters.leave(guest)
        waiters.leave(reader)


async def test_the_newest_of_a_quiet_board_is_one_row(storage):
    """Nothing of it is brought into memory for it, and what somebody looks at stays there; those wanted don't delay it."""
    site = await site_with(storage, 20)
    boards = boards_of(site)
    kept = [await post(storage, board, "stays") for board in boards]
    last = [await post(storage, board, "last") for board in boards]
    await site.waiters.deliver()
    site.waiters.recents.clear()
    for board, message in zip(boards[:3], last, strict=False):
        await storage.delete(message.id, board_id=board.id)
    storage.calls.clear()
    await asyncio.gather(*(site.waiters.load(board) for board in boards[3:]))
    assert storage.calls[:4] == ["log_after", "newest_on", "newest_on", "newest_on"]
    assert storage.calls.count("newest_on") == 3 and not site.waiters.directory.unsure
    assert [board.newest for board in boards[:3]] == ids_of(kept[:3])
    assert not any(board.recent and board.recent.is_whole for board in boards[:3])


def ids_of(messages):
    return [message.id for message in messages]


async def test_who_is_given_a_board_and_who_had_it_are_judged_again(storage):
    """Their polls on any board; those of others stay parked."""
    site = await site_with(storage, 1)
    ada, bob, eve = [await storage.create_account(name, name, Password(None)) for name in ("ada", "bob", "eve")]
    own = await storage.create_board(ada, "", "Own", read_by="invited", most_owned=1)
    await site.waiters.deliver()
    board = site.waiters.directory.find("board-0", GUESTS)
    parked = [site.waiters.poll(board.cursor, PATIENCE, one.id, board=board) for one in (ada, bob, eve)]
    await storage.give_board(own.id, bob.id)
    assert await site.waiters.deliver()
    assert [waiter.future.done() and waiter.future.result() for waiter in parked] == [Ended.ASK_AGAIN] * 2 + [False]


# --- what others do between two reads of one delivery


def act_between(storage, name, act):
    """Somebody else does something just before this read, once."""
    read, acts = getattr(storage.storage, name), [act]

    async def after_acting(*arguments, **options):
        storage.calls.append(name)
        if acts:
            await acts.pop()()
        return await read(*arguments, **options)

    setattr(storage, name, after_acting)


async def shorten_page(storage, site):
    """Has the newest page of the first board read again with the next delivery."""
    await write(storage, [(site.waiters.first.id, str(number)) for number in range(PAGE + 10)])
    last = await post(storage, site.waiters.first, "last")
    await site.waiters.deliver()
    await storage.delete(last.id)


async def test_what_is_removed_between_two_reads_leaves_the_other_boards(storage):
    """The first board's newest changes are of a later moment than the log then, and have the new floor already."""
    site = await site_with(storage, 2)
    board, untouched = boards_of(site)
    spam = await storage.append(None, "spam", None, "192.0.2.9")
    await storage.append(None, "spam there", None, "192.0.2.9", board_id=board.id)
    await post(storage, untouched, "stays")
    await site.waiters.load(board)
    await site.waiters.load(untouched)
    cursor, waiter, undisturbed = board.cursor, park(site, board), park(site, untouched)
    await shorten_page(storage, site)
    act_between(storage, "snapshot", lambda: storage.remove_all(None, spam[0].id))
    assert await site.waiters.deliver() and await site.waiters.deliver()
    assert read(waiter.future.result())["messages"] == [] and not undisturbed.future.done()
    storage.calls.clear()
    async with asyncio.timeout(PATIENCE):
        await site.waiters.load(board)
    assert len(storage.calls) < 10
    reply = read(site.waiters.poll(cursor, 0, board=board))
    assert reply["reset"] and reply["messages"] == []


async def test_a_post_on_the_first_board_between_two_reads_is_told_on_others(storage):
    """A tick has told of what was read before it."""
    site = await site_with(storage, 1)
    [board], posted = boards_of(site), []
    await shorten_page(storage, site)
    hears = Hears(site.waiters.directory.newest_for(GUESTS), GUESTS)
    before = park(site, board, hears)

    async def act():
        await site.waiters.tick()
        posted.append(await post(storage, site.waiters.first, "in between"))

    act_between(storage, "snapshot", act)
    assert await site.waiters.deliver() and await site.waiters.deliver()
    heard = read(before.future.result())["others"]
    waiter = park(site, board, Hears(heard, GUESTS))
    await site.waiters.tick()
    assert read(waiter.future.result())["boards"]["first"] == [posted[0].id, None]
