"""Replies in storage: what may be replied to, what stays of it, and what exports and imports make of it."""

# ruff: noqa: F811 (the fixture of the suite for storage)
import asyncio
import hashlib
import json

import pytest

from storage import open_storage
from storage.asking import IDS_TOGETHER
from storage.errors import KeyReusedError, NoSuchMessageError, NotFoundError, StorageError
from storage.keys import fingerprint_of
from storage.records import FIRST_BOARD, GUEST, Asker
from tests.storage.test_import_rows import ROWS, exported, import_into, lines
from tests.storage.test_mentions import on
from tests.storage.test_storage import ADA, BOB, KEY, storage  # noqa: F401 (a fixture)


async def posted(storage, board_id, reply_to=None, body="words", author=ADA, key=None):
    message, _ = await storage.append(author, body, key, board_id=board_id, reply_to=reply_to)
    return message


@pytest.mark.parametrize("slug", [None, "rowing"])
async def test_a_reply_says_in_each_read_what_it_replies_to(storage, slug):
    """In each way of reading; after an edit, too. A reply to a reply is one; other messages say nothing."""
    board_id = await on(storage, slug)
    first = await posted(storage, board_id)
    reply = await posted(storage, board_id, first.id, author=None)
    second = await posted(storage, board_id, reply.id)
    assert [one.reply_to for one in (first, reply, second)] == [None, first.id, reply.id]
    edited = await storage.edit(second.id, "words, edited", ADA.id, board_id=board_id)
    assert edited.reply_to == reply.id
    there = [first, reply, edited]
    assert (await storage.before(None, 9, board_id)).messages == there
    assert (await storage.after(0, 9, board_id)).messages == there
    assert (await storage.search("words", None, 9, board_id)).messages == there[::-1]
    assert [await storage.message(one.id, GUEST) for one in there] == there
    assert [one.message for one in await storage.posted_by(ADA.id, 0, 9)] == [first, edited]
    assert (await storage.log_after(0, 9)).messages == there
    if board_id == FIRST_BOARD:
        changes = (await storage.changes_after(0, 9)).messages, (await storage.snapshot(changes=9, page=9)).changes
    else:
        snapshot = await storage.snapshot_on(board_id, GUEST, changes=9, page=9)
        changes = (await storage.changes_on(board_id, GUEST, 0, 9)).messages, snapshot.changes
    assert changes == (there, there)


@pytest.mark.parametrize("slug", [None, "rowing"])
async def test_a_reply_needs_a_message_on_its_board_at_that_moment(storage, slug):
    """Not a deleted one, one of another board, itself, a later one, or what is no id: each with the same error, and
    nothing is posted; what is posted at the same time is."""
    elsewhere = await posted(storage, await on(storage, "diving"))
    board_id = await on(storage, slug)
    if board_id != FIRST_BOARD:
        elsewhere = await posted(storage, FIRST_BOARD)
    there, gone = await posted(storage, board_id), await posted(storage, board_id)
    seq = (await storage.delete(gone.id, board_id=board_id)).seq
    never = (gone.id, elsewhere.id, seq, 10**17, 10**18, 2**63 - 1, 0, -1)
    not_yet = await asyncio.gather(
        *(posted(storage, board_id, seq + more) for more in range(1, 5)), return_exceptions=True
    )
    assert {type(one) for one in not_yet} == {NoSuchMessageError}
    outcomes = await asyncio.gather(
        *(posted(storage, board_id, id) for id in never),
        *(posted(storage, board_id, there.id) for _ in range(2)),
        posted(storage, board_id),
        return_exceptions=True,
    )
    refusals, messages = outcomes[: len(never)], outcomes[len(never) :]
    assert {type(one) for one in refusals} == {NoSuchMessageError}
    assert sorted(one.id for one in messages) == [seq + 1, seq + 2, seq + 3], "no number is lost"
    assert [one.reply_to for one in messages] == [there.id, there.id, None]


async def test_a_reply_stays_when_its_message_goes(storage):
    """Deleted, or removed with all that its author wrote. A deleted reply says nothing any more."""
    ids = [(await posted(storage, FIRST_BOARD)).id for _ in range(2)]
    replies = [await posted(storage, FIRST_BOARD, id, author=BOB) for id in ids]
    await storage.delete(ids[0])
    assert await storage.named([ids[0], replies[0].id]) == [(await storage.log_after(0, 9)).messages[-1], replies[0]]
    await storage.delete_account(ADA.id, keep_messages=False)
    assert [one.id for one in await storage.named([*ids, *(one.id for one in replies)])] == [one.id for one in replies]
    deleted = await storage.delete(replies[1].id)
    assert (deleted.reply_to, deleted.body) == (None, None)
    assert (await storage.message(replies[0].id, GUEST)).reply_to == ids[0]


@pytest.mark.parametrize("slug", [None, "rowing"])
async def test_a_retry_is_the_reply_that_it_was(storage, slug):
    """Also when its message is gone by then. With another message, or with none, it is no retry."""
    board_id = await on(storage, slug)
    first, other = await posted(storage, board_id), await posted(storage, board_id)
    reply = await posted(storage, board_id, first.id, "yes", key=KEY)
    await storage.delete(first.id, board_id=board_id)
    again = await storage.append(ADA, "yes", KEY, board_id=board_id, reply_to=first.id)
    assert again == (reply, False)
    for another in (other.id, None):
        with pytest.raises(KeyReusedError):
            await posted(storage, board_id, another, "yes", key=KEY)
    await posted(storage, board_id, None, "no", key=KEY[::-1] + "2")
    with pytest.raises(KeyReusedError):
        await posted(storage, board_id, other.id, "no", key=KEY[::-1] + "2")


def test_the_fingerprint_of_a_message_that_is_no_reply_is_that_of_the_last_release():
    """So its retry is known over an update. No key and words of one are those of the other."""
    assert fingerprint_of(KEY, "words") == hashlib.sha256(f"{KEY}\0words".encode()).digest()
    all_made = {fingerprint_of(KEY, "words", reply_to) for reply_to in (None, 1, 11)} | {fingerprint_of(KEY, "1words")}
    assert len(all_made) == 4 and fingerprint_of(None, "words", 1) is None


async def test_messages_are_read_by_their_ids_where_the_asker_may_read(storage):
    """Those of this board only, also deleted ones; of a board of others nothing, as of one that never was."""
    hidden = await storage.create_board(None, "hidden", "Hidden", read_by="invited", most_owned=9)
    await storage.invite(None, hidden.id, ADA.id)
    ids = [(await posted(storage, FIRST_BOARD)).id for _ in range(3)]
    secret = await posted(storage, hidden.id)
    gone = await storage.delete(ids[1])
    found = await storage.named([*ids, secret.id, 77, 10**18, *range(100, 100 + IDS_TOGETHER)])
    assert [one.id for one in found] == ids and found[1] == gone
    assert await storage.named([secret.id, *ids], hidden.id, Asker(ADA.id)) == [secret]
    assert await storage.named([ids[0]], hidden.id, Asker(ADA.id)) == []
    for board_id in (hidden.id, 77):
        with pytest.raises(NotFoundError):
            await storage.named([secret.id], board_id, Asker(BOB.id))


async def test_two_nodes_agree_whether_there_is_a_message_to_reply_to(storage, url):
    """One deletes it while the other replies: either the reply was first, or it is refused."""
    other = await open_storage(url)
    for _ in range(5):
        target = await posted(storage, FIRST_BOARD)
        replied, deleted = await asyncio.gather(
            posted(other, FIRST_BOARD, target.id), storage.delete(target.id), return_exceptions=True
        )
        is_first = not isinstance(replied, NoSuchMessageError)
        assert deleted.deleted and (not is_first or target.id < replied.id < deleted.seq)
    await other.close()


# --- exports and imports


def replying(table, reply_to, **changes):
    return {table: {**ROWS[table], "key": None, "reply_to": reply_to, **changes}}


async def test_a_site_with_replies_exports_and_imports_them(url, tmp_path):
    """In format 3, which older versions refuse; without replies, it is the format of before."""
    more = [replying("messages", 1, id=5, seq=5), replying("posts", 8, id=9, seq=9)]
    await import_into(url, lines(more=more), tmp_path)
    text = await exported(url, tmp_path)
    assert text.startswith('{"longboard": 3,')
    rows = [row for line in text.splitlines() for row in json.loads(line).items() if row[0] in ("messages", "posts")]
    assert [(table, row["id"], row["reply_to"]) for table, row in rows] == [
        ("messages", 1, None), ("messages", 5, 1), ("posts", 8, None), ("posts", 9, 8),
    ]  # fmt: skip
    await import_into(f"sqlite:///{tmp_path}/other.db", text, tmp_path)
    storage = await open_storage(f"sqlite:///{tmp_path}/other.db")
    assert (await storage.message(5, GUEST)).reply_to == 1
    await storage.delete(5)
    await storage.delete(9, board_id=2)
    await storage.delete(8, board_id=2)  # to which somebody has reacted
    await storage.close()
    (again := tmp_path / "again").mkdir()
    text = await exported(f"sqlite:///{tmp_path}/other.db", again)
    assert text.startswith('{"longboard": 2,') and "reply_to" not in text


WRONG = [
    *((replying("messages", value, id=5, seq=5), "reply_to of messages") for value in (5, 6, 0, -1, 10**18, "1", True)),
    (replying("messages", 8, id=9, seq=9), "it replies to a message of another board"),
    (replying("posts", 1, id=9, seq=9), "it replies to a message of another board"),
]  # fmt: skip


@pytest.mark.parametrize(("row", "words"), WRONG)
async def test_a_reply_that_could_not_have_been_posted_is_refused_before_anything_is_imported(tmp_path, row, words):
    """To itself, to a later message, to one of another board, or to no number. One to a message that is gone is fine."""
    with pytest.raises(StorageError, match=f"line {len(lines().splitlines())}: {words}"):
        await import_into(f"sqlite:///{tmp_path}/board.db", lines(more=[row]), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["export.jsonl"]
    gone = [replying("messages", 4, id=5, seq=5)]
    await import_into(f"sqlite:///{tmp_path}/board.db", lines(more=gone), tmp_path)


async def test_a_reply_to_a_message_of_another_board_that_is_here_already_is_refused(url, tmp_path):
    """The export itself does not say where that message is."""
    await import_into(url, lines(), tmp_path)
    rows = [replying("messages", 8, id=9, seq=9)]
    head = {"longboard": 3, "seq": 9, "floor": 0, "last": {}, "counts": {}}
    text = "".join(json.dumps(line) + "\n" for line in [head, *rows, {"end": 1}])
    with pytest.raises(StorageError, match="line 2: row 9 in messages replies to a message of another board"):
        await import_into(url, text, tmp_path)
