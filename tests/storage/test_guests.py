"""Guests in storage: the name that one gives, and the secret by which one edits and deletes for ten minutes."""

# ruff: noqa: F811 (the fixture of the suite for storage)
import asyncio

import pytest

from board.credentials import hash_secret
from storage import open_storage
from storage.board_ends import clear_deleted
from storage.boards import BoardChange
from storage.errors import (
    ArchivedError,
    EditConflictError,
    KeyReusedError,
    MembersOnlyError,
    NameReservedError,
    NoSuchMessageError,
    NotAllowedError,
    NotAuthorError,
    NotFoundError,
    TooLateError,
)
from storage.records import FIRST_BOARD, GUEST, GUEST_MS, Guest
from tests.storage.test_boards import made
from tests.storage.test_import_rows import exported, import_into
from tests.storage.test_replies import on
from tests.storage.test_storage import ADA, KEY, storage  # noqa: F401 (a fixture)

SECRET, OTHER = hash_secret("s" * 22), hash_secret("o" * 22)
ZOE = Guest("Zoe", SECRET)
HERE, THERE = "192.0.2.1", "192.0.2.2"


async def posted(storage, board_id=FIRST_BOARD, guest=ZOE, author=None, body="words", **more):
    message, _ = await storage.append(
        author, body, board_id=board_id, address=HERE, guest=guest, **{"key": None} | more
    )
    return message


async def age(storage, message, ms):
    """Lets so much time pass since the message was posted."""
    table = "messages" if message.board_id == FIRST_BOARD else "posts"
    await storage._write(
        lambda tx: tx.run(f"UPDATE {table} SET created_at = created_at - $1 WHERE id = $2", ms, message.id)
    )
    await storage._write(lambda tx: tx.run("UPDATE guest_secrets SET until = until - $1", ms))


async def rows(storage):
    async def read(tx):
        return await tx.all("SELECT hash, until FROM guest_secrets ORDER BY message_id")

    return [(bytes(hash), until) for hash, until in await storage._read(read)]


async def hashes(storage):
    return [hash for hash, _ in await rows(storage)]


async def test_of_many_at_once_each_has_their_own_name_and_secret(storage):
    """They are posted together; some say nothing, some are retries, some reply, and some are on another board."""
    board, first = await made(storage), await posted(storage)
    known = await posted(storage, guest=Guest("Ann", hash_secret("a" * 22)), key=KEY)

    def secret_of(number):
        return hash_secret(f"{number:022}")

    def one(number):
        guest = Guest(f"Guest {number}" if number % 3 else None, secret_of(number) if number % 4 else None)
        more = {"reply_to": first.id} if number % 10 == 1 else {"board_id": board.id} if number % 10 == 2 else {}
        return posted(storage, guest=guest, **more | ({"key": KEY} if number % 10 == 3 else {}))

    for number, message in enumerate(await asyncio.gather(*map(one, range(60)))):
        again = await storage.message(message.id, GUEST)
        assert message.guest_name == again.guest_name
        if number % 10 == 3:
            assert (message.id, message.guest_name) == (known.id, "Ann")
            assert not await storage.is_own(message.id, secret_of(number))
        else:
            assert message.guest_name == (f"Guest {number}" if number % 3 else None)
            assert await storage.is_own(message.id, secret_of(number)) == (number % 4 > 0)


@pytest.mark.parametrize("slug", [None, "rowing"])
async def test_a_guest_s_name_is_in_each_read_and_is_never_an_author(storage, slug):
    """In each way of reading, in a reply and after an edit; of a member nothing is kept that a guest would say. It goes
    with the words.
    """
    board_id = await on(storage, slug)
    first = await posted(storage, board_id)
    reply = await posted(storage, board_id, Guest("好 Zoë"), reply_to=first.id)
    nameless = await posted(storage, board_id, Guest(None, SECRET))
    member = await posted(storage, board_id, author=ADA)
    assert [one.guest_name for one in (first, reply, nameless, member)] == ["Zoe", "好 Zoë", None, None]
    assert [one.author for one in (first, reply, nameless, member)] == [None, None, None, ADA]
    edited = await storage.edit_by_guest(first.id, "words, edited", SECRET, HERE, board_id=board_id)
    assert (edited.guest_name, edited.author, edited.edited_at is None) == ("Zoe", None, False)
    there = [edited, reply, nameless, member]
    assert (await storage.before(None, 9, board_id)).messages == there
    assert (await storage.search("words", None, 9, board_id)).messages == there[::-1]
    assert [await storage.message(one.id, GUEST) for one in there] == there
    assert {one.id: one for one in (await storage.log_after(0, 9)).messages} == {one.id: one for one in there}
    deleted = await storage.delete(reply.id, board_id=board_id)
    assert (deleted.guest_name, deleted.body) == (None, None)
    assert len(await hashes(storage)) == 2, "of the first and the nameless; a member has none"


@pytest.mark.parametrize("slug", [None, "rowing"])
async def test_the_secret_edits_and_deletes_and_no_other_does(storage, slug):
    """Storage has its hash only, which goes with the message."""
    board_id = await on(storage, slug)
    message, other = await posted(storage, board_id), await posted(storage, board_id, Guest(None, OTHER))
    by_member, without = await posted(storage, board_id, author=ADA), await posted(storage, board_id, Guest("Zoe"))
    assert await rows(storage) == [
        (secret, one.created_at + GUEST_MS) for one, secret in ((message, SECRET), (other, OTHER))
    ]
    for id, secret in [(message.id, OTHER), (other.id, SECRET), (by_member.id, SECRET), (without.id, SECRET)]:
        with pytest.raises(NotAuthorError):
            await storage.edit_by_guest(id, "mine", secret, HERE, board_id=board_id)
        with pytest.raises(NotAuthorError):
            await storage.delete_by_guest(id, secret, HERE, board_id=board_id)
    edited = await storage.edit_by_guest(message.id, "better", SECRET, THERE, message.created_at, board_id)
    assert (edited.body, await storage.message(message.id, GUEST)) == ("better", edited)
    with pytest.raises(EditConflictError):
        await storage.edit_by_guest(message.id, "late", SECRET, HERE, message.created_at - 1, board_id)
    again = await storage.edit_by_guest(message.id, "better", SECRET, HERE, message.created_at, board_id)
    assert again == edited
    assert (await storage.search("better", None, 9, board_id)).messages == [edited]
    assert (await storage.delete_by_guest(message.id, SECRET, HERE, board_id)).deleted
    assert await hashes(storage) == [OTHER]
    for gone in (message.id, 10**6):
        with pytest.raises(NotFoundError):
            await storage.edit_by_guest(gone, "again", SECRET, HERE, board_id=board_id)
        with pytest.raises(NotFoundError):
            await storage.delete_by_guest(gone, SECRET, HERE, board_id)
    assert (await storage.message(other.id, GUEST)) == other


@pytest.mark.parametrize("ms", [GUEST_MS, -GUEST_MS - 60_000, 10**12])
async def test_after_ten_minutes_it_is_over_also_when_the_clock_goes_back(storage, ms):
    """Also when the clock has been set back that far. A wrong secret then gets the same answer, and so does the right one
    when housekeeping has forgotten it.
    """
    message, young = await posted(storage), await posted(storage, guest=Guest(None, OTHER))
    await age(storage, young, GUEST_MS - 60_000)
    await storage.edit_by_guest(young.id, "in time", OTHER, HERE)
    await age(storage, message, ms)
    for forgets in (False, True):
        for secret in (SECRET, OTHER):
            with pytest.raises(TooLateError):
                await storage.edit_by_guest(message.id, "late", secret, HERE)
            with pytest.raises(TooLateError):
                await storage.delete_by_guest(message.id, secret, HERE)
        if not forgets:
            await storage.forget(0, 0)
    assert len(await hashes(storage)) == (2 if ms < 0 else 0)
    assert (await storage.message(message.id, GUEST)).body == "words"


async def test_whom_a_moderator_has_blocked_changes_nothing(storage):
    """The address counts, not the one from which it was posted."""
    message = await posted(storage)
    await storage.block_address(None, message.id, 10**14)
    for verb in (
        storage.edit_by_guest(message.id, "x", SECRET, HERE),
        storage.delete_by_guest(message.id, SECRET, HERE),
    ):
        with pytest.raises(NotAllowedError):
            await verb
    assert (await storage.edit_by_guest(message.id, "from elsewhere", SECRET, THERE)).body == "from elsewhere"


async def test_a_board_on_which_guests_may_no_longer_write_takes_no_edit(storage):
    """What they wrote there may still be taken back. On a board that they may not read, there is nothing."""
    board = await made(storage)
    closed, hidden = [await posted(storage, board.id) for _ in range(2)]
    for rights, error in [
        (BoardChange(is_archived=True), ArchivedError),
        (BoardChange(is_archived=False, write_by="members"), MembersOnlyError),
    ]:
        await storage.set_board(None, board.id, rights)
        with pytest.raises(error):
            await storage.edit_by_guest(closed.id, "x", SECRET, HERE, board_id=board.id)
    assert (await storage.delete_by_guest(closed.id, SECRET, HERE, board.id)).deleted
    await storage.set_board(None, board.id, BoardChange(read_by="members"))
    for verb in (
        storage.edit_by_guest(hidden.id, "x", SECRET, HERE, board_id=board.id),
        storage.delete_by_guest(hidden.id, SECRET, HERE, board.id),
    ):
        with pytest.raises(NotFoundError):
            await verb


@pytest.mark.parametrize("slug", [None, "rowing"])
async def test_a_retry_changes_neither_name_nor_secret(storage, slug):
    """So who knows a key and its words gets no right by them. What is refused leaves nothing."""
    board_id = await on(storage, slug)
    message = await posted(storage, board_id, key=KEY)
    again = await storage.append(None, "words", KEY, board_id=board_id, guest=Guest("Eve", OTHER))
    assert again == (message, False)
    with pytest.raises(KeyReusedError):
        await posted(storage, board_id, key=KEY, body="others")
    with pytest.raises(NoSuchMessageError):
        await posted(storage, board_id, reply_to=10**6)
    assert await hashes(storage) == [SECRET]
    plain = await posted(storage, board_id, Guest(), key=KEY[::-1] + "2", body="plain")
    assert await storage.append(None, "plain", KEY[::-1] + "2", board_id=board_id, guest=ZOE) == (plain, False)
    assert await hashes(storage) == [SECRET]
    refused = Guest(None, OTHER, is_refused=True)
    assert await storage.append(None, "words", KEY, board_id=board_id, guest=refused) == (message, False)
    before = (await storage.log_after(0, 99)).head.seq
    for key in (None, KEY + "3"):
        with pytest.raises(NameReservedError):
            await posted(storage, board_id, guest=refused, key=key)
    assert (await storage.log_after(0, 99)).head.seq == before and await hashes(storage) == [SECRET]


async def test_a_secret_goes_with_its_message(storage):
    """Also where a moderator removes all from an address, and with a deleted board."""
    board = await made(storage)
    ended = await made(storage, "ended")
    for id in (FIRST_BOARD, board.id, ended.id):
        await posted(storage, id)
    message = await posted(storage)
    await posted(storage, guest=Guest("Eve", OTHER), author=None)
    await storage.delete_board(None, ended.id)
    await storage.scrub()
    await storage._write(lambda tx: clear_deleted(tx, ended.id))
    assert len(await rows(storage)) == 4
    await storage.remove_all(None, message.id)
    assert await rows(storage) == []


async def test_an_export_has_the_name_and_no_secret(storage, url, tmp_path):
    """In the format that it would have without names: older versions take it, and keep them."""
    message = await posted(storage)
    await storage._write(lambda tx: tx.run("UPDATE accounts SET password = NULL"))  # those of the suite are no hashes
    text = await exported(url, tmp_path)
    assert '"author_name": "Zoe"' in text and text.startswith('{"longboard": 1,') and "secret" not in text
    await import_into(f"sqlite:///{tmp_path}/other.db", text, tmp_path)
    other = await open_storage(f"sqlite:///{tmp_path}/other.db")
    brought = await other.message(message.id, GUEST)
    with pytest.raises(NotAuthorError):
        await other.edit_by_guest(message.id, "x", SECRET, HERE)
    await other.close()
    assert (brought.guest_name, brought.author) == ("Zoe", None)
