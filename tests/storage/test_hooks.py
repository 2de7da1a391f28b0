"""Incoming webhooks in every engine: what one posts, what stops it, and what is one message."""

# ruff: noqa: F811 (the fixture of the suite for storage)
import asyncio
import json
import sqlite3

import asyncpg
import pytest

from storage import open_storage
from storage.about import MadeHook
from storage.boards import BoardChange
from storage.errors import (
    ArchivedError,
    BoardGoneError,
    LinkGoneError,
    NameReservedError,
    NoSuchHookError,
    NotAllowedError,
    NotFoundError,
    OutdatedError,
    StorageError,
    TooManyHooksError,
    UsernameTakenError,
)
from storage.hook_posts import MOST_RECENT, REPEAT_MS, still_recent
from storage.hooks import HOOKS_EACH
from storage.names import has_unseen
from storage.records import FIRST_BOARD, GUEST, OPERATOR, Asker, Author, Message, Password
from tests.storage.test_storage import ADA, BOB, storage  # noqa: F401 (a fixture)
from tests.support.admin import admin

HASH, OTHER = b"h" * 32, b"o" * 32
USERNAMES = ["webhook_grafana", "webhook_grafana_2", "webhook_grafana_3"]


async def with_hook(storage, board_id=FIRST_BOARD, name="Grafana"):
    """A hook that Ada, a moderator, has made."""
    if not (await storage.account_of(ADA.id)).is_moderator:
        await storage.set_role(None, "ada", "moderator")
    ada = await storage.account_of(ADA.id)
    return ada, await storage.make_hook(ada, board_id, name, USERNAMES, HASH)


async def post(storage, hook, body="words", digest="d", hash=HASH):
    return await storage.post_by_hook(hook.id, hash, hook.board_id, body, digest, "192.0.2.1")


async def boards_of(storage):
    """One board of each kind that a hook may be on: its id, and who reads it as an asker."""
    closed = await storage.create_board(None, "news", "News", write_by="moderators")
    hidden = await storage.create_board(None, "any", "Committee", read_by="invited", owner_id=ADA.id)
    return [(FIRST_BOARD, GUEST), (closed.id, GUEST), (hidden.id, Asker(ADA.id))]


async def test_a_hook_posts_under_its_own_name_as_a_bot(storage):
    """On any board, also where only moderators write, or only the invited read; found by search, and in all that is read."""
    for number, (board_id, asker) in enumerate(await boards_of(storage)):
        ada, hook = await with_hook(storage, board_id, f"Gauge {number}")
        message = await post(storage, hook, f"level {number} @ada")
        assert message == await storage.message(message.id, asker)
        assert message.author == Author(hook.account.id, f"Gauge {number}", None, is_moderator=False, is_bot=True)
        assert (message.body, message.board_id, message.mentions) == (f"level {number} @ada", board_id, ())
        assert (await storage.search(f"level {number}", None, 9, board_id, asker)).messages == [message]
        [read] = [one for one in (await storage.log_after(0, 99)).messages if one.id == message.id]
        assert read == message
        [listed] = await storage.hooks_on(ada, board_id)
        assert abs(listed.last_used_at - message.created_at) < 1000 and listed.account.is_bot and listed.maker == ada
    usernames = [(await storage.account_of(id)).username for id in (3, 4, 5)]
    assert usernames == USERNAMES
    with pytest.raises(UsernameTakenError):
        await with_hook(storage)


async def test_nobody_gets_into_the_account_of_a_hook_or_makes_more_of_it(storage):
    """It has no password, is no moderator, is given no board and no invitation by name, and is not offered for mentions."""
    _, hook = await with_hook(storage)
    account, password = await storage.password("webhook_grafana")
    assert account == hook.account and password == Password(None)
    for done in (
        storage.set_role(None, "webhook_grafana", "moderator"),
        storage.create_link("password", b"link", account.id, 10**14),
    ):
        with pytest.raises(NotAllowedError, match="webhook_grafana is an incoming webhook"):
            await done
    assert await storage.accounts_called(["webhook_grafana"], ["Grafana"], 9) == []
    board = await storage.create_board(None, "any", "Committee", read_by="invited", owner_id=BOB.id)
    for done in (storage.invite(None, board.id, account.id), storage.give_board(board.id, account.id)):
        with pytest.raises(NotFoundError):
            await done
    assert await storage.members_beginning("webhook", 9) == await storage.members_beginning("graf", 9) == []


@pytest.mark.parametrize("drops", [True, False])
async def test_the_same_within_ten_seconds_is_one_message(storage, drops):
    """Unless that is switched off; other bytes, another hook and a later time make another one."""
    ada, hook = await with_hook(storage)
    _, other = await with_hook(storage, name="Other")
    await storage.set_hook(ada, FIRST_BOARD, hook.id, drops_repeats=drops)
    sent = [await post(storage, hook, digest=digest) for digest in "aba"] + [await post(storage, other, digest="a")]
    assert [one is not None for one in sent] == [True, True, not drops, True]
    await storage._write(lambda tx: tx.run("UPDATE hooks SET recent = replace(recent, ' a', ' z')"))
    assert await post(storage, hook, digest="a") is not None
    bodies = (await storage.before(None, 99)).messages
    assert len(bodies) == (4 if drops else 5)


async def test_what_is_remembered_of_a_hook_s_posts_ends_with_their_time(storage, monkeypatch):
    """By the database's clock, also after it was set back; and there is never more than a bound of it."""
    at = 1_700_000_000_000
    kept = f"{at} a\n{at + REPEAT_MS - 1} b"
    assert still_recent(kept, at + REPEAT_MS - 1) == {"a": at, "b": at + REPEAT_MS - 1}
    assert still_recent(kept, at + REPEAT_MS) == {"b": at + REPEAT_MS - 1}
    assert still_recent(kept, at - 1) == still_recent(None, at) == {}
    _, hook = await with_hook(storage)
    assert MOST_RECENT > 7 * (60 + REPEAT_MS / 1000), "seven nodes, each with its limit (board/limits.py: posting)"
    monkeypatch.setattr("storage.hook_posts.MOST_RECENT", 20)
    for number in range(25):
        await post(storage, hook, digest=f"{number}")

    async def recent():
        return (await storage._read(lambda tx: tx.one("SELECT recent FROM hooks")))[0]

    assert len((await recent()).splitlines()) == 20 and (await recent()).endswith(" 24")
    await storage.forget(0, 0, 0)
    assert await recent(), "it is not yet over"
    await storage._write(lambda tx: tx.run("UPDATE hooks SET last_used_at = last_used_at - $1", REPEAT_MS + 1))
    await storage.forget(0, 0, 0)
    assert await recent() is None, "a hook that has fallen silent"


async def test_two_nodes_with_the_same_bytes_at_the_same_time_post_once(url):
    """No node's memory decides."""
    first, second = await open_storage(url), await open_storage(url)
    await first.create_account("ada", "Ada", Password("a hash"))
    _, hook = await with_hook(first)
    sent = [post(node, hook, digest=f"{n}") for n in range(5) for node in (first, second, second)]
    posted = await asyncio.gather(*sent)
    assert sum(one is not None for one in posted) == 5
    assert len((await second.before(None, 99)).messages) == 5
    await first.close()
    await second.close()


async def test_a_wrong_secret_is_as_a_hook_that_never_was(storage):
    """Also one that another hook has, and the one from before a new one was made."""
    ada, hook = await with_hook(storage)
    assert await storage.hook_by(hook.id, HASH) == (hook.account.id, FIRST_BOARD)
    told = []
    for id, hash in ((hook.id, OTHER), (hook.id + 1, HASH), (10**18 - 1, HASH), (hook.id, b"")):
        for asked in (storage.hook_by(id, hash), storage.post_by_hook(id, hash, FIRST_BOARD, "x", "d", None)):
            with pytest.raises(NoSuchHookError) as error:
                await asked
            told.append(str(error.value))
    assert len(set(told)) == 1
    await storage.set_hook(ada, FIRST_BOARD, hook.id, hash=OTHER)
    with pytest.raises(NoSuchHookError):
        await post(storage, hook)
    assert await post(storage, hook, hash=OTHER)


async def test_what_stops_a_hook_stops_it_in_the_transaction_that_writes(storage):
    """Its board is archived or deleted, its account suspended, or it is revoked: after the secret was looked at."""
    board = await storage.create_board(None, "rowing", "Rowing")
    ada, hook = await with_hook(storage, board.id)
    await post(storage, hook, digest="1")
    await storage.set_board(None, board.id, BoardChange(is_archived=True))
    for posting in (post(storage, hook, digest="2"), storage.try_hook(ada, board.id, hook.id, "x", None)):
        with pytest.raises(ArchivedError):
            await posting
    await storage.set_board(None, board.id, BoardChange(is_archived=False))
    await storage.suspend(None, hook.account.username)
    with pytest.raises(NotAllowedError) as suspended:
        await post(storage, hook, digest="2")
    assert type(suspended.value) is NotAllowedError
    await storage.restore(None, hook.account.username)
    assert (await storage.try_hook(ada, board.id, hook.id, "tried", None)).author.is_bot
    await storage.delete_board(None, board.id)
    with pytest.raises(BoardGoneError):
        await post(storage, hook, digest="2")
    await storage.forget(0, 0, 0)
    with pytest.raises(NoSuchHookError):
        await post(storage, hook, digest="2")
    assert await storage._read(lambda tx: tx.all("SELECT 1 FROM hooks")) == []
    with pytest.raises(NotFoundError):
        await storage.account_of(hook.account.id)


async def test_a_revoked_hook_stays_as_the_author_of_what_it_posted(storage):
    """One that has posted nothing goes without a trace, and its username is free again."""
    ada, hook = await with_hook(storage)
    message = await post(storage, hook)
    await storage.revoke_hook(ada, FIRST_BOARD, hook.id)
    with pytest.raises(NoSuchHookError):
        await post(storage, hook, digest="2")
    assert await storage.message(message.id, GUEST) == message and await storage.hooks_on(ada, FIRST_BOARD) == []
    _, unused = await with_hook(storage)
    assert unused.account.username == "webhook_grafana_2"
    await storage.revoke_hook(ada, FIRST_BOARD, unused.id)
    with pytest.raises(NotFoundError):
        await storage.account_of(unused.account.id)
    actions = [(one.action, one.target) for one in await storage.audit(None, 9, OPERATOR)][::-1][1:]
    assert actions == [
        ("make", f"incoming webhook {hook.id}, webhook_grafana"), ("revoke", f"incoming webhook {hook.id}, webhook_grafana"),
        ("make", f"incoming webhook {unused.id}, webhook_grafana_2"),
        ("revoke", f"incoming webhook {unused.id}, webhook_grafana_2"),
    ]  # fmt: skip


async def test_only_who_moderates_a_board_keeps_its_hooks(storage):
    """Its owner, too; but nobody on the first board who is no moderator, and of a hidden one no moderator knows."""
    hidden = await storage.create_board(None, "any", "Committee", read_by="invited", owner_id=BOB.id)
    ada, hook = await with_hook(storage)
    bob = await storage.account_of(BOB.id)
    made = await storage.make_hook(bob, hidden.id, "Bell", ["webhook_bell"], OTHER)
    session = await storage.create_credential(BOB.id, "session", b"s" * 32, "A browser")
    await storage.revoke_credential(BOB.id, session.id)
    for actor, board_id, id, credential, error in (
        (bob, FIRST_BOARD, hook.id, None, NotAllowedError),
        (ada, hidden.id, made.id, None, NotFoundError),
        (ada, 99, made.id, None, NotFoundError),
        (bob, hidden.id, made.id, session.id, NotFoundError),
    ):
        for done in (
            storage.hooks_on(actor, board_id, credential=credential),
            storage.make_hook(actor, board_id, "x", ["webhook_x"], OTHER, credential=credential),
            storage.set_hook(actor, board_id, id, name="x", credential=credential),
            storage.revoke_hook(actor, board_id, id, credential=credential),
            storage.try_hook(actor, board_id, id, "x", None, credential=credential),
        ):
            with pytest.raises(error):
                await done
    for done in (storage.set_hook, storage.revoke_hook):
        with pytest.raises(NoSuchHookError):  # of another board
            await done(ada, FIRST_BOARD, made.id)
    with pytest.raises(OutdatedError):
        await storage.hooks_on(ada, FIRST_BOARD, credential=99)
    kept = [MadeHook(made.id, made.account.id, hidden.id, made.created_at)]
    assert (await storage.notes_about(BOB.id)).hooks == kept
    await storage.give_board(hidden.id, ADA.id)
    await storage.uninvite(None, hidden.id, BOB.id)
    assert (await storage.notes_about(BOB.id)).hooks == [], "of a board that he may not read any more"


async def test_a_hook_is_renamed_as_a_member_is(storage):
    """Old messages say by which username they are its own; and it takes no moderator's name."""
    ada, hook = await with_hook(storage)
    before = await post(storage, hook, digest="1")
    renamed = await storage.set_hook(ada, FIRST_BOARD, hook.id, name="Prometheus", drops_repeats=False)
    assert (renamed.account.name, renamed.drops_repeats) == ("Prometheus", False)
    assert (await post(storage, hook, digest="2")).author.name == "Prometheus"
    old = await storage.message(before.id, GUEST)
    assert old.author == Author(hook.account.id, "Grafana", "webhook_grafana", is_bot=True)
    [present] = await storage.presents([hook.account.id])
    assert present.as_author("Grafana") == old.author
    for taken in ("Ada", "Guest"):
        with pytest.raises(NameReservedError):
            await storage.set_hook(ada, FIRST_BOARD, hook.id, name=taken)
        with pytest.raises(NameReservedError):
            await with_hook(storage, name=taken)
    assert not await storage._read(has_unseen) and len(await storage.hooks_on(ada, FIRST_BOARD)) == 1


async def test_there_are_only_so_many_hooks(storage, monkeypatch):
    """On a board, on the boards of one owner, and on the site, which does not bind moderators; one that is revoked makes room."""
    ada, first = await with_hook(storage)
    for number in range(HOOKS_EACH - 1):
        await storage.make_hook(ada, FIRST_BOARD, f"Gauge {number}", [f"gauge_{number}"], HASH)
    with pytest.raises(TooManyHooksError):
        await with_hook(storage)
    await storage.revoke_hook(ada, FIRST_BOARD, first.id)
    assert await with_hook(storage)
    own = await storage.create_board(None, "bobs", "Bob's", owner_id=BOB.id)
    bob = await storage.account_of(BOB.id)
    monkeypatch.setattr("storage.hooks.MOST_HOOKS", HOOKS_EACH)
    with pytest.raises(TooManyHooksError):
        await storage.make_hook(bob, own.id, "Bell", ["bell"], HASH)
    other = await storage.create_board(None, "rowing", "Rowing")
    assert (await storage.make_hook(ada, other.id, "Oar", ["oar"], HASH)).board_id == other.id, "a moderator"
    monkeypatch.setattr("storage.hooks.HOOKS_OWNED", 2)
    monkeypatch.setattr("storage.hooks.MOST_HOOKS", HOOKS_EACH + 9)
    await storage.make_hook(bob, own.id, "Bell", ["bell"], HASH)
    second = await storage.create_board(None, "bobs2", "Bob's other", owner_id=BOB.id)
    await storage.make_hook(bob, second.id, "Bell", ["bell_2"], HASH)
    with pytest.raises(TooManyHooksError):  # his share
        await storage.make_hook(bob, own.id, "Bell", ["bell_3"], HASH)


async def test_what_nodes_of_the_last_release_do_with_a_bot_s_account_opens_no_way_into_it(storage):
    """Their promotion and their new password are refused by the database; a link that they have made leads nowhere."""
    _, hook = await with_hook(storage)
    for change in ("role = 'moderator'", "password = 'a hash'"):
        with pytest.raises((sqlite3.IntegrityError, asyncpg.CheckViolationError, StorageError)):
            await storage._write(lambda tx, change=change: tx.run(f"UPDATE accounts SET {change} WHERE bot"))
    link = "INSERT INTO links (hash, kind, account_id, expires_at, account_role) VALUES ($1, $2, $3, $4, $5)"
    values = b"l" * 32, "password", hook.account.id, 10**14, "member"
    await storage._write(lambda tx: tx.run(link, *values))
    for opening in (storage.link("password", b"l" * 32), storage.use_password_link(b"l" * 32, Password("a hash"))):
        with pytest.raises(LinkGoneError):
            await opening
    await storage.set_role(None, hook.account.username, "member")
    assert await storage.account_of(hook.account.id) == hook.account
    assert await post(storage, hook), "and it goes on"


async def test_the_account_of_a_revoked_hook_ends_with_its_last_message(storage):
    """Whether the message or the hook goes first; so nobody keeps accounts of which nothing is left to see."""
    ada, first = await with_hook(storage)
    _, second = await with_hook(storage, name="Other")
    deleted = await post(storage, first, digest="1")
    await storage.delete(deleted.id)
    await storage.revoke_hook(ada, FIRST_BOARD, first.id)
    later, kept = [await post(storage, second, digest=digest) for digest in "23"]
    await storage.revoke_hook(ada, FIRST_BOARD, second.id)
    await storage.delete(later.id)
    await storage.forget(0, 0, 0)
    assert (await storage.account_of(second.account.id)).is_bot, "a message is left"
    await storage.delete(kept.id)
    _, unused = await with_hook(storage, name="Third")
    await storage.forget(0, 0, 0)
    for gone in (first, second):
        with pytest.raises(NotFoundError):
            await storage.account_of(gone.account.id)
    assert await storage.account_of(unused.account.id) == unused.account


async def test_the_log_says_what_was_changed_of_a_hook(storage):
    """Nothing, if nothing was; and a name beside a new secret."""
    ada, hook = await with_hook(storage)
    await storage.set_hook(ada, FIRST_BOARD, hook.id)
    await storage.set_hook(ada, FIRST_BOARD, hook.id, name="Grafana", drops_repeats=True)
    assert (await storage.audit(None, 1, OPERATOR))[0].action == "make"
    await storage.set_hook(ada, FIRST_BOARD, hook.id, name="Prometheus", hash=OTHER)
    assert [one.action for one in await storage.audit(None, 3, OPERATOR)] == ["new secret", "change", "make"]


async def test_moderators_remove_what_a_hook_posted_as_they_do_with_anybody(storage):
    """And nothing of it can be found any more."""
    ada, hook = await with_hook(storage)
    first = await post(storage, hook, "regrettable", digest="1")
    await post(storage, hook, "regrettable", digest="2")
    assert await storage.remove_all(ada, first.id) == 2
    assert (await storage.search("regrettable", None, 9)).messages == []
    assert isinstance(await post(storage, hook, digest="3"), Message)


async def test_an_export_has_the_accounts_of_hooks_as_bots_and_no_secret(url, tmp_path):
    """In the format that older versions refuse; after an import, messages have their badge, and no address posts."""
    storage = await open_storage(url)
    await storage.create_account("ada", "Ada", Password("$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNo"))
    _, hook = await with_hook(storage)
    message = await post(storage, hook)
    await storage.close()
    file, there = tmp_path / "board.jsonl", f"sqlite:///{tmp_path}/other.db"
    admin(f"--database-url={url}", "export", str(file))
    head, *rows = [json.loads(line) for line in file.read_text().splitlines()]
    bots = [row["accounts"]["bot"] for row in rows if "accounts" in row]
    assert (head["longboard"], bots) == (3, [False, True]) and "hooks" not in file.read_text().replace("webhook", "")
    admin(f"--database-url={there}", "import", str(file))
    storage = await open_storage(there)
    assert (await storage.message(message.id, GUEST)).author == message.author
    with pytest.raises(NoSuchHookError):
        await post(storage, hook)
    await storage.close()
