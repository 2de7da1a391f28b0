"""Names in storage: which are refused, which need the username beside them, and how processes hear of it."""

# ruff: noqa: F811 (the fixture of the suite for storage)
import asyncio
import json
import sqlite3

import pytest

from storage import open_storage
from storage.errors import NameReservedError, UsernameTakenError
from storage.names import note_only_other, read_presents
from storage.records import FIRST_BOARD, GUEST, Author, Password
from storage.sqlite.tx import SQLiteTx, finish
from tests.storage.test_boards import made
from tests.storage.test_sqlite import steps
from tests.storage.test_storage import ADA, KEY, storage  # noqa: F401 (a fixture)
from tests.support.postgres import psql

NONE = Password(None)
CYRILLIC = "А\u0501а"  # none of these letters is Latin


async def shown(storage, account):
    [present] = await storage.presents([account.id])
    return present.as_author(present.name)


async def changed_since(storage, number):
    return set(await storage.access_changes_after(number))


async def access(storage):
    return (await storage.changes_after(0, 1)).head.access


async def test_names_that_look_alike_have_their_usernames_beside_them(storage):
    """In each read of a message, on both boards, in the answer to a post, and of those who reacted; as long as both are there."""
    board = await made(storage)
    message, _ = await storage.append(ADA, "low tide", KEY)
    assert message.author == Author(ADA.id, "Ada")
    other = await storage.create_account("other", CYRILLIC, NONE)
    author = Author(other.id, CYRILLIC, "other")
    for board_id in (FIRST_BOARD, board.id):
        posted, _ = await storage.append(author, "high tide", None, board_id=board_id)
        reply, _ = await storage.append(author, "a reply", None, board_id=board_id, reply_to=posted.id)
        assert [posted.author, reply.author] == [author] * 2
        assert (await storage.edit(posted.id, "higher tide", board_id=board_id)).author == author
        assert [one.author for one in await storage.named([posted.id], board_id)] == [author]
        assert (await storage.message(posted.id, GUEST)).author == author
        [found] = (await storage.search("higher tide", None, 9, board_id)).messages
        assert found.author == author
        assert [one.author for one in (await storage.before(None, 2, board_id)).messages] == [author] * 2
    page = (await storage.snapshot(changes=9, page=9)).page.messages
    again, _ = await storage.append(ADA, "low tide", KEY)
    assert again.author == page[0].author == Author(ADA.id, "Ada", "ada")
    assert {one.author for one in (await storage.log_after(0, 9)).messages} == {author, again.author}
    assert {one.author for one in (await storage.changes_on(board.id, GUEST, 0, 9)).messages} == {author}
    await storage.delete_account(other.id, keep_messages=False)
    assert (await storage.message(message.id, GUEST)).author == Author(ADA.id, "Ada")


async def test_a_name_that_its_account_has_no_more_has_the_username_beside_it(storage):
    """Who takes another's name to write under it, and then another, is known by what was written."""
    message, _ = await storage.append(ADA, "words", None)
    await storage.set_name(ADA.id, "Countess")
    assert (await storage.message(message.id, GUEST)).author == Author(ADA.id, "Ada", "ada")
    await storage.set_name(ADA.id, "Ada")
    assert (await storage.message(message.id, GUEST)).author == Author(ADA.id, "Ada")


async def test_a_name_that_is_another_s_username_has_the_username_beside_it(storage):
    """Who knows @bob would take it for that member. All processes hear of it, also when one of these goes: the name, the account
    with the username, or that username."""
    mallory = await storage.create_account("mallory", "BOB_9", NONE)
    alone, beside = Author(mallory.id, "BOB_9"), Author(mallory.id, "BOB_9", "mallory")
    message, _ = await storage.append(alone, "words", None)
    assert message.author == alone

    async def after(step, now):
        before = await access(storage)
        done = await step
        assert mallory.id in await changed_since(storage, before)
        assert await shown(storage, mallory) == (await storage.message(message.id, GUEST)).author == now
        return done

    bob = await after(storage.create_account("bob_9", "Robert", NONE), beside)
    await after(storage.set_username(bob.id, "bobby"), alone)
    await after(storage.set_username(bob.id, "bob_9"), beside)
    await after(storage.delete_account(bob.id, keep_messages=False), alone)
    await storage.set_name(ADA.id, "ada")
    assert await shown(storage, ADA) == Author(ADA.id, "ada"), "one's own username is no other's"


HOSTILE = (
    "Guest", "GUEST", "Gue\u200bst", "Guеst", "𝐆𝐮𝐞𝐬𝐭", "Ａdmin", "Adm1n", "ADMIN", "AdministrаtOr", "Moderator", "rnod",
    "deleted  account", "Our Board", "0ur Board", "Grace Hopper", "GRACE HOPPER", "Grасе Hорреr", "gr\u00adace", "GRACE_H",
    "Ada @grace", "Ada ＠grace",
)  # fmt: skip


async def test_a_name_of_the_site_or_of_a_moderator_is_refused(storage):
    """At sign-up and later. It is kept where nobody can choose another, and has the username beside it."""
    storage.reserved_names = (*storage.reserved_names, "Our Board")
    for username, called in (("grace", "Grace Hopper"), ("grace_h", "Hopper")):
        await storage.create_account(username, called, NONE)
        await storage.set_role(None, username, "moderator")
    for name in HOSTILE:
        for refused in (
            storage.create_account("new", name, NONE),
            storage.set_name(ADA.id, name),
            storage.check_names(None, username="new", name=name),
            storage.check_names(ADA.id, username="ada", name=name),
            storage.check_names(ADA.id, username=name, name="Ada"),
        ):
            with pytest.raises(NameReservedError):
                await refused
        assert await storage.free_usernames(["countess", name]) == ["countess"]
        kept = await storage.create_account("new", name, NONE, any_name=True)
        assert await shown(storage, kept) == Author(kept.id, name, "new")
        identity = await storage.create_account_with_identity("facebook", "1", "2", name, ["by_facebook"])
        by_facebook = identity.account
        assert await shown(storage, by_facebook) == Author(by_facebook.id, name, "by_facebook")
        await storage.set_name(kept.id, name)  # which it has already
        await storage.set_name(kept.id, "Countess")
        assert await shown(storage, kept) == Author(kept.id, "Countess")
        await storage.rename_identity(identity.id, "Lovelace")
        assert await shown(storage, by_facebook) == Author(by_facebook.id, "Lovelace")
        await storage.rename_identity(identity.id, name)
        assert await shown(storage, by_facebook) == Author(by_facebook.id, name, "by_facebook")
        for one in (kept, by_facebook):
            await storage.delete_account(one.id, keep_messages=False)
    assert (await storage.account("ada")).name == "Ada"


async def test_a_username_that_looks_like_a_moderators_is_refused(storage):
    await storage.create_account("grace_hopper", "Grace", NONE)
    await storage.set_role(None, "grace_hopper", "moderator")
    for username in ("guest", "admin", "grace_h0pper"):
        with pytest.raises(NameReservedError):
            await storage.create_account(username, "Somebody", NONE)
        with pytest.raises(NameReservedError):
            await storage.set_username(ADA.id, username)
    assert (await storage.account("ada")).id == ADA.id


@pytest.mark.parametrize("name", ["admin", "grace_h0pper"])
async def test_a_name_from_a_provider_gives_no_right_to_it_as_a_username(storage, name):
    """Its account keeps it as its name only; nor may a username be taken as a name."""
    await storage.create_account("grace_hopper", "Grace", NONE)
    await storage.set_role(None, "grace_hopper", "moderator")
    made = (await storage.create_account_with_identity("facebook", "1", "2", name, ["x_x"])).account
    for refused in (storage.check_names(made.id, username=name, name="Countess"), storage.set_username(made.id, name)):
        with pytest.raises(NameReservedError):
            await refused
    await storage.check_names(made.id, username="x_x", name=name)
    await storage.set_name(made.id, name)
    assert await shown(storage, made) == Author(made.id, name, "x_x")
    early = await storage.create_account_with_identity("facebook", "1", "3", "Early", [name])
    with pytest.raises(NameReservedError):
        await storage.set_name(early.account.id, name)


async def test_who_has_a_moderator_s_username_as_name_is_told_apart_from_then_on(storage):
    """Who expected it, before somebody became a moderator or took that username: at once where it is read, and with the
    next housekeeping, all processes hear of it. The moderator's own name is shown as it is.
    """
    kept = [await storage.create_account(f"n{n}", name, NONE) for n, name in enumerate(("Root_B0ss", "Chief"))]
    boss = await storage.create_account("root_boss", "Root_Boss", NONE)
    await storage.set_name(boss.id, "Boss")
    assert [await shown(storage, one) for one in kept] == [Author(one.id, one.name) for one in kept]
    before = await access(storage)
    await storage.set_role(None, "root_boss", "moderator")
    first, second = kept
    assert await shown(storage, first) == Author(first.id, first.name, "n0")
    await storage.make_skeletons()
    await storage.set_username(boss.id, "chief")
    assert await shown(storage, second) == Author(second.id, second.name, "n1")
    await storage.make_skeletons()
    assert [await shown(storage, one) for one in kept] == [Author(one.id, one.name, one.username) for one in kept]
    assert await shown(storage, boss) == Author(boss.id, "Boss", None, True)
    assert await changed_since(storage, before) == {boss.id, first.id, second.id}


async def test_an_owner_s_link_tells_apart_who_has_that_username_as_name(storage):
    """For a new account, and for one that is there."""
    kept = [await storage.create_account(f"n{n}", name, NONE) for n, name in enumerate(("Boss", "Ada"))]
    for hash in (b"1", b"2"):
        await storage.create_link("invite", hash, None, 2**50, role="moderator")
    await storage.create_account("boss", "Somebody", NONE, b"1")
    await storage.set_role(None, "boss", "member")  # the link is for a site without a moderator
    await storage.use_owner_link(ADA.id, b"2")
    assert [await shown(storage, one) for one in kept] == [Author(one.id, one.name, one.username) for one in kept]


async def test_a_username_that_means_something_in_words_is_nobody_s_to_take(storage):
    """What stands for everybody, and for guests; who has it already keeps it. Names such as Ali are free."""
    early = await storage.create_account("all", "Early", NONE, any_name=True)
    for username in ("all", "guests"):
        assert await storage.free_usernames([username, "ali"]) == ["ali"]
        for refused in (
            storage.create_account(username, "Somebody", NONE),
            storage.check_names(ADA.id, username=username, name="Ada"),
            storage.set_username(ADA.id, username),
        ):
            with pytest.raises((NameReservedError, UsernameTakenError)):
                await refused
    await storage.set_username(early.id, "all")
    assert (await storage.create_account("ali", "Ali", NONE)).name == "Ali"
    await storage.set_name(ADA.id, "All")
    assert await shown(storage, ADA) == Author(ADA.id, "All", "ada"), "as Ali looks the same"


async def test_moderators_keep_their_names_and_may_share_them(storage):
    """Nothing fails when somebody with a name that others have becomes a moderator. The badge is theirs alone."""
    first = await storage.create_account("first", "Grace", NONE)
    second = await storage.create_account("second", "Grасе", NONE)
    for username in ("first", "second"):
        await storage.set_role(None, username, "moderator")
    await storage.set_name(first.id, "Grace")
    await storage.set_name(second.id, "Admirer")
    assert [await shown(storage, one) for one in (first, second)] == [
        Author(first.id, "Grace", None, True),
        Author(second.id, "Admirer", None, True),
    ]
    await storage.set_role(None, "second", "member")
    assert await shown(storage, second) == Author(second.id, "Admirer")


async def test_two_at_once_are_told_apart_and_a_moderators_name_is_judged_when_it_is_written(storage, monkeypatch):
    """Whatever was read before: each is judged in its transaction."""
    those = await asyncio.gather(*(storage.create_account(f"n{n}", "Grace", NONE) for n in range(5)))
    assert [await shown(storage, one) for one in those] == [Author(one.id, "Grace", one.username) for one in those]
    await storage.check_names(None, username="late", name="Grace")
    real, waits, goes_on = storage._write, asyncio.Event(), asyncio.Event()

    async def later(unit):
        waits.set()
        await goes_on.wait()
        return await real(unit)

    monkeypatch.setattr(storage, "_write", later)
    late = [
        asyncio.create_task(storage.create_account("late", "Grace", NONE)),
        asyncio.create_task(storage.set_name(ADA.id, "Grace")),
    ]
    await waits.wait()  # what is read before the transaction has been read
    monkeypatch.setattr(storage, "_write", real)
    await storage.set_role(None, "n0", "moderator")
    goes_on.set()
    refused = await asyncio.gather(*late, return_exceptions=True)
    assert [type(one) for one in refused] == [NameReservedError] * 2


async def test_processes_hear_only_of_those_who_are_shown_in_another_way(storage):
    """The first of a name when the second comes, and the last when the second goes: a thousand others cost nothing."""
    those = [await storage.create_account("n0", "Grace", NONE)]
    for number, expected in enumerate([{0}, set(), set()], 1):
        before = await access(storage)
        those.append(await storage.create_account(f"n{number}", "Grace", NONE))
        assert await changed_since(storage, before) == {those[one].id for one in expected}
    for goes, expected in ((3, {3}), (2, {2}), (1, {1, 0})):
        before = await access(storage)
        await storage.delete_account(those[goes].id, keep_messages=True)
        assert await changed_since(storage, before) == {those[one].id for one in expected}
    before = await access(storage)
    await storage.set_name(ADA.id, "Grасе")
    assert await changed_since(storage, before) == {ADA.id, those[0].id}
    before = await access(storage)
    await storage.set_name(ADA.id, "Ada")
    assert await changed_since(storage, before) == {ADA.id, those[0].id}


async def test_names_that_a_node_of_the_last_release_wrote_are_looked_at(storage):
    """New accounts, and names that it changed: a server looks at them in steps, and tells who is shown in another way."""
    storage.reserved_names = (*storage.reserved_names, "Our Board")
    taken = await storage.create_account("taken", "Grace", NONE)

    async def as_before(tx):
        insert = "INSERT INTO accounts (username, name, created_at) VALUES ($1, $2, 1)"
        await tx.run_many(insert, [(f"old{n}", "Grace" if n else "our board") for n in range(150)])
        await tx.run("UPDATE accounts SET name = 'Guest' WHERE id = $1", ADA.id)

    await storage._write(as_before)
    olds = [await storage.account(f"old{n}") for n in (0, 1, 149)]
    assert [await shown(storage, one) for one in olds] == [Author(one.id, one.name) for one in olds]
    before = await access(storage)
    await storage.make_skeletons()
    assert [await shown(storage, one) for one in olds] == [Author(one.id, one.name, one.username) for one in olds]
    assert await shown(storage, ADA) == Author(ADA.id, "Guest", "ada")
    assert {taken.id, ADA.id, *(one.id for one in olds)} <= await changed_since(storage, before)
    before = await access(storage)
    await storage.make_skeletons()
    assert await access(storage) == before, "nothing was left to look at"


ALIKE = """
    WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {0})
    INSERT INTO accounts (username, name, role, created_at, skeleton)
    SELECT 'user_' || i, 'Grace', 'member', 1, 'grace' FROM n;
    INSERT INTO accounts (username, name, role, created_at, skeleton)
    SELECT 'other_' || id, 'Other', 'member', 1, 'other ' || id FROM accounts;"""


async def one_of_each(tx, count):
    """What is read of messages by one of many and by one who is alone, and what a new name costs."""
    read = await read_presents(tx, [count, count + 1])
    assert [one.is_apart for one in read] == [True, False]
    await note_only_other(tx, "grace", count)


def test_ten_thousand_of_one_name_cost_as_much_as_a_hundred(tmp_path):
    """In SQLite: the same plans, and as many steps."""
    found = []
    for count in (100, 10_000):
        asyncio.run(make(f"sqlite:///{tmp_path}/{count}.db"))
        with sqlite3.connect(tmp_path / f"{count}.db") as db:
            db.executescript(ALIKE.format(count))
            found.append(steps(db, lambda db, count: finish(one_of_each(SQLiteTx(db), count)), count))
        db.close()
    (few, plans), (many, plans_of_many) = found
    assert plans == plans_of_many and abs(many - few) <= 20, f"{few} steps became {many}"
    assert not [plan for plan in plans if plan.startswith("SCAN")], plans


async def make(url):
    await (await open_storage(url)).close()


class Explaining:
    """A transaction that notes the plans of its reads, as PostgreSQL carries them out."""

    def __init__(self, tx):
        self._tx = tx
        self.rows = 0

    async def all(self, sql, *values):
        [(plan,)] = await self._tx.all(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}", *values)
        self.rows += rows_in(json.loads(plan)[0]["Plan"])
        return await self._tx.all(sql, *values)


def rows_in(plan):
    read = (plan["Actual Rows"] + plan.get("Rows Removed by Filter", 0)) * plan["Actual Loops"]
    return read + sum(rows_in(one) for one in plan.get("Plans", ()))


async def test_ten_thousand_of_one_name_cost_postgresql_little(new_database):
    """It reads a handful of rows, also when its statistics say that most have the same name."""
    url = new_database()
    await make(url)
    psql(url, f"SET search_path = longboard; {ALIKE.format(10_000)} ANALYZE")
    opened = await open_storage(url)
    try:
        explaining = None

        async def unit(tx):
            nonlocal explaining
            explaining = Explaining(tx)
            await one_of_each(explaining, 10_000)

        await opened._read(unit)
        assert 0 < explaining.rows < 30
    finally:
        await opened.close()
