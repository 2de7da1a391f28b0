"""Mentions in storage: whom a message mentions, who is told, and what exports and imports make of it."""

# ruff: noqa: F811 (the fixture of the suite for storage)
import json

import pytest

from storage import open_storage
from storage.boards import BoardChange
from storage.errors import KeyReusedError, NotAllowedError, NotFoundError, StorageError
from storage.mentions import MOST_MENTIONS
from storage.records import ALL, EVERYBODY, FIRST_BOARD, GUEST, Password
from tests.storage.test_boards import AS_ADA, AS_BOB, made
from tests.storage.test_import_rows import ROWS, exported, import_into, lines
from tests.storage.test_storage import ADA, BOB, KEY, storage  # noqa: F401 (a fixture)

BOARDS = pytest.mark.parametrize("slug", [None, "rowing"])


async def on(storage, slug, **options):
    return FIRST_BOARD if slug is None else (await made(storage, slug, **options)).id


async def posted(storage, mentioned, author=ADA, board_id=FIRST_BOARD, key=None, reply_to=None):
    words = " ".join(f"@{username}" for username in mentioned) or "words"
    message, _ = await storage.append(author, words, key, board_id=board_id, reply_to=reply_to, mentioned=mentioned)
    return message


@BOARDS
async def test_a_message_says_in_each_read_whom_it_mentions(storage, slug):
    """Accounts by their ids, each once, and nobody who has none; oneself, too. A guest and a reply as any other."""
    board_id = await on(storage, slug)
    both = await posted(storage, ["nobody", "bob", "ada", "bob"], board_id=board_id)
    none = await posted(storage, ["nobody", "ALL", "%"], BOB, board_id)
    reply = await posted(storage, ["bob"], None, board_id, reply_to=both.id)
    assert [one.mentions for one in (both, none, reply)] == [(ADA.id, BOB.id), (), (BOB.id,)]
    assert reply.reply_to == both.id
    there = [both, none, reply]
    assert (await storage.before(None, 9, board_id)).messages == there
    assert (await storage.search("bob", None, 9, board_id)).messages == [reply, both]
    assert [await storage.message(one.id, GUEST) for one in there] == there
    assert [one.message for one in await storage.posted_by(ADA.id, 0, 9)] == [both]
    assert (await storage.log_after(0, 9)).messages == there
    assert await storage.named([one.id for one in there], board_id) == there


@BOARDS
async def test_an_edit_changes_whom_a_message_mentions_and_a_deletion_ends_it(storage, slug):
    board_id = await on(storage, slug)
    message = await posted(storage, ["bob"], board_id=board_id)
    for mentioned, ids in ((["ada"], (ADA.id,)), ([], ()), (["bob"], (BOB.id,))):
        edited = await storage.edit(message.id, "edited", ADA.id, board_id=board_id, mentioned=mentioned)
        assert edited.mentions == ids and await storage.message(message.id, GUEST) == edited
    assert (await storage.delete(message.id, ADA.id, board_id=board_id)).mentions == ()
    table = "messages" if slug is None else "posts"
    assert list(map(tuple, await storage._read(lambda tx: tx.all(f"SELECT mentions FROM {table}")))) == [(None,)]


async def test_a_message_that_is_sent_again_mentions_whom_it_did(storage):
    """Also if the name is another account's by now; and other words are still refused."""
    first = await posted(storage, ["bob"], key=KEY)
    await storage._write(lambda tx: tx.run("UPDATE accounts SET username = 'eve' WHERE id = $1", BOB.id))
    assert await posted(storage, ["bob"], key=KEY) == first
    assert (await posted(storage, ["bob"])).mentions == () and (await posted(storage, ["eve"])).mentions == (BOB.id,)
    with pytest.raises(KeyReusedError):
        await posted(storage, ["ada"], key=KEY)


async def test_a_message_that_is_refused_mentions_nobody(storage):
    await storage._write(lambda tx: tx.run("UPDATE accounts SET suspended_at = 1 WHERE id = $1", BOB.id))
    hidden = await made(storage, actor=await storage.account("ada"), read_by="invited")
    with pytest.raises(NotAllowedError):
        await posted(storage, ["ada"], BOB)
    with pytest.raises(NotFoundError):
        await posted(storage, ["ada"], None, hidden.id)
    assert (await storage.log_after(0, 9)).messages == []
    assert (await posted(storage, ["bob"])).mentions == (BOB.id,), "who is suspended is no news for readers"


async def test_only_who_moderates_the_board_mentions_everybody(storage):
    """A moderator anywhere, an owner on their board: as it is at that moment, also in an edit."""
    own = await made(storage, actor=await storage.account("bob"))
    for author, board_id in (
        (ADA, FIRST_BOARD),
        (None, FIRST_BOARD),
        (BOB, FIRST_BOARD),
        (ADA, own.id),
        (None, own.id),
    ):
        assert (await posted(storage, [ALL], author, board_id)).mentions == ()
    there = await posted(storage, [ALL, "ada"], BOB, own.id)
    assert there.mentions == (EVERYBODY, ADA.id)
    message = await posted(storage, [ALL])
    await storage._write(lambda tx: tx.run("UPDATE accounts SET role = 'moderator' WHERE id = $1", ADA.id))
    assert (await storage.edit(message.id, "@all", ADA.id, mentioned=[ALL])).mentions == (EVERYBODY,)
    assert (await posted(storage, [ALL], ADA, own.id)).mentions == (EVERYBODY,)
    await storage._write(lambda tx: tx.run("UPDATE accounts SET username = 'all' WHERE id = $1", BOB.id))
    assert (await posted(storage, [ALL], BOB)).mentions == (), "nobody's username"


async def test_so_many_usernames_are_looked_up_and_no_more(storage):
    """In one statement, however many they are; a message that mentions nobody takes none."""
    nobodies = [f"nobody_{n}" for n in range(1000)]
    last = await posted(storage, [*nobodies[: MOST_MENTIONS - 1], "bob", "ada", *nobodies])
    assert last.mentions == (BOB.id,)
    await storage._write(lambda tx: tx.run_many(
        "INSERT INTO accounts (id, username, name, role, created_at) VALUES ($1, $2, 'x', 'member', 0)",
        [(100 + n, f"nobody_{n}") for n in range(1000)],
    ))  # fmt: skip
    many = await posted(storage, nobodies)
    assert many.mentions == tuple(range(100, 100 + MOST_MENTIONS))


@BOARDS
async def test_who_is_mentioned_is_told_where_they_may_read(storage, slug):
    """By the list of boards, until they have read it; nobody else is told. Everybody hears of @all."""
    board_id = await on(storage, slug, actor=await storage.account("ada"))
    other = await made(storage, "other")
    await storage.append(BOB, "words", None, board_id=other.id)
    begun = await posted(storage, ["bob"], board_id=board_id)
    for asker in (AS_ADA, AS_BOB):
        await storage.save_marks({(asker.account_id, board_id): begun.id})
    await posted(storage, ["bob", "ada"], board_id=board_id)
    await posted(storage, ["bob"], board_id=board_id)
    last = await posted(storage, [], board_id=board_id)

    async def mentions(asker):
        return (await storage.standing(board_id, asker, {})).mentions

    assert [await mentions(asker) for asker in (AS_ADA, AS_BOB, GUEST)] == [1, 2, 0]
    await storage._write(lambda tx: tx.run("UPDATE accounts SET role = 'moderator' WHERE id = $1", ADA.id))
    await posted(storage, [ALL], board_id=board_id)
    assert [await mentions(asker) for asker in (AS_ADA, AS_BOB, GUEST)] == [2, 3, 0]
    await storage.save_marks({(BOB.id, board_id): last.id + 1})
    assert await mentions(AS_BOB) == 0


async def test_who_may_not_read_the_board_is_mentioned_but_not_told(storage):
    """The message says the same whether they are invited, not yet, or no longer: else it would tell its readers that."""
    board = await made(storage, actor=await storage.account("ada"), read_by="invited")
    before = await posted(storage, ["bob"], board_id=board.id)
    with pytest.raises(NotFoundError):
        await storage.standing(board.id, AS_BOB, {})
    assert await storage.listed(AS_BOB, "", 9, {}) == []
    await storage.invite(await storage.account("ada"), board.id, BOB.id)
    during = await posted(storage, ["bob"], board_id=board.id)
    assert (await storage.standing(board.id, AS_BOB, {})).mentions == 2
    await storage.uninvite(await storage.account("ada"), board.id, BOB.id)
    after = await posted(storage, ["bob"], board_id=board.id)
    assert {one.mentions for one in (before, during, after)} == {(BOB.id,)}
    assert await storage.listed(AS_BOB, "", 9, {}) == []
    await storage.set_board(None, board.id, BoardChange(read_by="members"))
    assert [standing.mentions for _, standing in await storage.listed(AS_BOB, "", 9, {})] == [3]


@BOARDS
async def test_a_message_that_mentions_nobody_costs_what_it_did(storage, slug):
    """On SQLite the same statements, and one more for usernames; on PostgreSQL it is posted with the others."""
    board_id, seen = await on(storage, slug), []
    if not hasattr(storage, "_files"):

        async def write(unit):
            seen.append(unit)
            raise AssertionError("not in a batch")

        storage._writer.write = write
        await posted(storage, [], board_id=board_id)
        assert seen == []
        with pytest.raises(AssertionError, match="not in a batch"):
            await posted(storage, ["bob"], board_id=board_id)
        return
    counts = []
    await posted(storage, [], board_id=board_id)  # which makes a part of the index
    for mentioned in ([], ["bob"], ["bob", "ada", "nobody"]):
        await storage._writer.write(lambda db: db.set_trace_callback(seen.append))
        await posted(storage, mentioned, board_id=board_id)
        await storage._writer.write(lambda db: db.set_trace_callback(None))
        counts.append(sum("FROM accounts WHERE username IN" in one for one in seen) * 1000 + len(seen))
        seen.clear()
    assert counts[0] < 1000 and [count - counts[0] for count in counts[1:]] == [1001, 1001]


# --- exports and imports


async def test_a_site_with_mentions_exports_and_imports_them(url, tmp_path):
    """In format 3, which older versions refuse; and in the format of before when the last mention is gone."""
    row = {**ROWS["messages"], "key": None, "reply_to": None, "mentions": ";0;3;17;", "id": 5, "seq": 5}
    await import_into(url, lines(more=[{"messages": row}]), tmp_path)
    text = await exported(url, tmp_path)
    assert text.startswith('{"longboard": 3,') and '"mentions": ";0;3;17;"' in text
    await import_into(f"sqlite:///{tmp_path}/other.db", text, tmp_path)
    storage = await open_storage(f"sqlite:///{tmp_path}/other.db")
    assert (await storage.message(5, GUEST)).mentions == (0, 3, 17)
    for id, board_id in ((5, FIRST_BOARD), (8, 2)):  # to which somebody has reacted
        await storage.delete(id, board_id=board_id)
    await storage.close()
    (again := tmp_path / "again").mkdir()
    text = await exported(f"sqlite:///{tmp_path}/other.db", again)
    assert text.startswith('{"longboard": 2,') and "mentions" not in text


WRONG = ["", ";", ";;", "3", ";3", ";3;x;", ";-1;", ";3 ;", f";{10**18};", ";03;", ";1" * 22 + ";", 3]


@pytest.mark.parametrize("mentions", WRONG)
async def test_what_are_no_ids_is_refused_before_anything_is_imported(tmp_path, mentions):
    row = {"messages": {**ROWS["messages"], "key": None, "reply_to": None, "mentions": mentions, "id": 5, "seq": 5}}
    with pytest.raises(StorageError, match=f"line {len(lines().splitlines())}: mentions of messages"):
        await import_into(f"sqlite:///{tmp_path}/board.db", lines(more=[row]), tmp_path)
    assert json.loads(lines().splitlines()[0])["longboard"] and not list(tmp_path.glob("*.db"))


async def test_members_are_found_by_their_usernames_and_the_words_of_their_names(storage):
    """Without case and accents, as search does; what only looks alike is another name, and no sign stands for others."""
    people = {
        "zz_x": "José María Núñez", "zzlars": "Łukasz d'Ø", "zzig": "Ingrid Jean-Luc", "zzh": "דנה כהן", "zzc": "Чайка Ёж",
        "zzv": "Nguyễn%_", "zzmar": "Zoë", "zznuno": "Nuno",
    }  # fmt: skip
    for username, name in people.items():
        await storage.create_account(username, name, Password("a hash"))

    async def found(prefix, limit=9):
        return [one.username for one in await storage.members_beginning(prefix, limit) if one.username in people]

    cases = {
        "ZZ_": "zz_x", "zoe": "zzmar", "MARI": "zz_x", "maría": "zz_x", "nunez": "zz_x", "luk": "zzlars", "Łuk": "zzlars", "luc": "zzig",
        "ing": "zzig", "lng": "", "ria": "", "כה": "zzh", "чаи": "zzc", "ЁЖ": "zzc", "nguyen": "zzv", "ng%": "", "n_u": "", "\\": "", "zzm": "zzmar",
    }  # fmt: skip
    for prefix, usernames in cases.items():
        assert await found(prefix) == usernames.split(), prefix
    assert await found("nun") == ["zznuno", "zz_x"], "first those without accents"
    assert len(await storage.members_beginning("zz", 3)) == 3
    some = await storage.members_with([BOB.id, 99, ADA.id, BOB.id])
    assert [one.username for one in some] == ["ada", "bob"] and await storage.members_with([]) == []
