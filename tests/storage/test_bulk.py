"""What a moderator, a member or housekeeping does to very many messages at once: in steps, between which posts go on."""

import asyncio

import pytest

from storage import housekeeping, removal
from storage.errors import NotAllowedError, NotFoundError, UnavailableError
from storage.records import OPERATOR, Author, Password
from storage.sqlite.tx import SQLiteTx
from tests.storage.test_storage import ADA, bodies, snapshot, storage  # noqa: F401 (a fixture)

STEP = 5
ADDRESS = "192.0.2.7"


# ruff: noqa: F811 (the fixture of the suite for storage)
@pytest.fixture(autouse=True)
def small_steps(monkeypatch):
    for module in (housekeeping, removal):
        monkeypatch.setattr(module, "REMOVED_AT_ONCE", STEP)


async def flood(storage, count, author=None):
    return [(await storage.append(author, f"spam {n}", None, ADDRESS))[0] for n in range(count)]


@pytest.mark.parametrize("author", [None, ADA])
@pytest.mark.parametrize("count", [1, STEP, STEP + 1, 4 * STEP])
async def test_all_go_however_many(storage, author, count):
    """Counted, logged once, and with the floor raised above them; others' messages stay."""
    await storage.append(None, "from elsewhere", None, "192.0.2.8")
    spam = await flood(storage, count, author)
    assert await storage.remove_all(None, spam[count // 2].id) == count
    assert bodies((await storage.before(None, 100)).messages) == ["from elsewhere"]
    head = (await snapshot(storage)).head
    assert head.floor == head.seq > spam[-1].id
    assert [entry.action for entry in await storage.audit(None, 9, OPERATOR)] == ["remove"]
    assert (await storage.search("spam", None, 9)).messages == []


async def test_posts_go_on_between_the_steps(storage):
    """Nobody's post waits until the last of very many is gone."""
    spam = await flood(storage, 10 * STEP)
    order = []

    async def remove():
        await storage.remove_all(None, spam[0].id)
        order.append("removed")

    async def post():
        await storage.append(ADA, "meanwhile", None)
        order.append("posted")

    await asyncio.gather(remove(), post())
    assert order == ["posted", "removed"]
    assert bodies((await storage.before(None, 100)).messages) == ["meanwhile"]


async def test_few_go_in_one_transaction(storage):
    """All or nothing, as long as that holds up nobody."""
    spam = await flood(storage, STEP)
    before = storage.writing().batches.sum
    await storage.remove_all(None, spam[0].id)
    assert storage.writing().batches.sum == before + 1


def fail_from(storage, monkeypatch, number):
    """The writes from this one on find the database away; returns what ends that."""
    writer, count = storage._writer, iter(range(1000))
    real = writer.write

    async def write(unit):
        if next(count) >= number:
            raise UnavailableError("away")
        return await real(unit)

    monkeypatch.setattr(writer, "write", write)
    return lambda: monkeypatch.setattr(writer, "write", real)


async def test_what_broke_off_is_told_logged_and_can_be_gone_on_with(storage, monkeypatch):
    """The newest are gone, for every reader; the message that named them is still there to name the rest."""
    spam = await flood(storage, 4 * STEP)
    heal = fail_from(storage, monkeypatch, 2)
    with pytest.raises(UnavailableError):
        await storage.remove_all(None, spam[0].id)
    heal()
    head = (await snapshot(storage)).head
    assert head.floor == head.seq
    assert bodies((await storage.before(None, 100)).messages) == [f"spam {n}" for n in range(2 * STEP)]
    assert len(await storage.audit(None, 9, OPERATOR)) == 1
    assert await storage.remove_all(None, spam[0].id) == 2 * STEP
    assert (await storage.before(None, 100)).messages == [] and len(await storage.audit(None, 9, OPERATOR)) == 2
    with pytest.raises(NotFoundError):
        await storage.remove_all(None, spam[0].id)


async def test_a_right_that_ends_in_between_ends_it(storage):
    """Each step looks again whether the moderator is one."""
    await storage.set_role(None, "bob", "moderator")
    bob = await storage.account("bob")
    spam = await flood(storage, 10 * STEP)
    removing = asyncio.create_task(storage.remove_all(bob, spam[0].id))
    await asyncio.sleep(0)
    await storage.set_role(None, "bob", "member")
    with pytest.raises(NotAllowedError):
        await removing
    left = (await storage.before(None, 100)).messages
    assert left and left[0].id == spam[0].id


async def test_a_member_of_many_words_leaves_in_steps(storage, monkeypatch):
    """Whatever breaks off, the account is there until all of its messages are gone, and can be deleted again."""
    grace = await storage.create_account("grace", "Grace", Password(None))
    await flood(storage, 4 * STEP, Author(grace.id, "Grace"))
    heal = fail_from(storage, monkeypatch, 3)  # the first step is about reactions
    with pytest.raises(UnavailableError):
        await storage.delete_account(grace.id, keep_messages=False)
    heal()
    assert (await storage.account("grace")).id == grace.id
    assert len(await storage.posted_by(grace.id, 0, 100)) == 2 * STEP
    await storage.delete_account(grace.id, keep_messages=False)
    assert (await storage.before(None, 100)).messages == []
    with pytest.raises(NotFoundError):
        await storage.account("grace")


async def test_old_addresses_are_forgotten_in_steps(storage, url):
    """After a long time away there may be very many."""
    await flood(storage, 4 * STEP)
    old = f"UPDATE messages SET created_at = 5 WHERE id <= {3 * STEP}"
    if url.startswith("sqlite"):
        await storage._writer.write(lambda db: db.execute(old) and None)
    else:
        await storage._writer.write(lambda db: db.execute(old))
    before = storage.writing().batches.sum
    await storage.forget(0, 0)
    assert storage.writing().batches.sum == before + 4
    for id, there in ((1, False), (3 * STEP, False), (3 * STEP + 1, True)):
        if there:
            await storage.block_address(None, id, 10**14)
        else:
            with pytest.raises(NotFoundError):
                await storage.block_address(None, id, 10**14)


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
async def test_a_step_is_bounded_in_rows(storage, monkeypatch):
    """No transaction of SQLite's writer, for which every post waits, removes more than it may."""
    removed = []
    real = SQLiteTx.delete_messages

    async def count(tx, *values):
        removed.append(await real(tx, *values))
        return removed[-1]

    monkeypatch.setattr(SQLiteTx, "delete_messages", count)
    spam = await flood(storage, 7 * STEP + 2)
    await storage.remove_all(None, spam[-1].id)
    counts = [counter.total() for counter in removed]
    assert sum(counts) == 7 * STEP + 2 and max(counts) <= STEP


async def test_pages_load_the_board_again_once_however_many_steps_it_takes(storage):
    """Each step raises the floor, and would have every open page load the board again."""
    told = []

    async def count():
        told.append(1)

    storage.on_commit = count
    spam = await flood(storage, 4 * STEP)
    told.clear()
    assert await storage.remove_all(None, spam[0].id) == 4 * STEP
    assert len(told) == 1
    await flood(storage, 4 * STEP, ADA)
    told.clear()
    await storage.delete_account(ADA.id, keep_messages=False)
    assert len(told) == 1


async def test_what_is_said_again_is_delivered_again(storage):
    """The answer to a retry, and to an edit that is there already, promises that the board shows it: by now it does."""
    told = []

    async def count():
        told.append(1)

    key = "k" * 22
    message, _ = await storage.append(ADA, "hello", key)
    edited = await storage.edit(message.id, "hello again")
    storage.on_commit = count
    assert await storage.append(ADA, "hello", key) == (edited, False)
    assert await storage.edit(message.id, "hello again", began_from=message.changed_at) == edited
    assert len(told) == 2
