"""What every storage engine does: one suite, run over each of them."""

import asyncio

import pytest

from storage import open_storage
from storage.errors import CannotOpenError, EditConflictError, KeyReusedError, NotFoundError
from storage.records import GUEST, Author, Import, Password
from tests.support.patience import PATIENCE

ADA, BOB = Author(1, "Ada"), Author(2, "Bob")
KEY = "k" * 22


@pytest.fixture
async def storage(url):
    storage = await open_with_people(url)
    yield storage
    await storage.close()


async def open_with_people(url):
    storage = await open_storage(url)
    for author in (ADA, BOB):
        account = await storage.create_account(author.name.lower(), author.name, Password("a hash"))
        assert account.id == author.id
    return storage


async def snapshot(storage):
    return await storage.snapshot(changes=1000, page=50)


def bodies(messages):
    return [message.body for message in messages]


async def test_a_posted_message_can_be_read_back_as_it_was(storage):
    """Author, words and time are kept."""
    message, is_new = await storage.append(ADA, "Hello\n😀", None)
    assert is_new and message.author == ADA and message.body == "Hello\n😀"
    assert abs(message.created_at - message.id) > 1_500_000_000_000  # milliseconds since 1970
    assert await storage.message(message.id, GUEST) == message


async def test_numbers_follow_each_other_in_the_order_of_commits(storage):
    """Posts, edits and deletions share one sequence, without gaps for a single writer."""
    first, _ = await storage.append(None, "one", None)
    second, _ = await storage.append(None, "two", None)
    edited = await storage.edit(first.id, "one!")
    deleted = await storage.delete(second.id)
    assert [first.seq, second.seq, edited.seq, deleted.seq] == [1, 2, 3, 4]
    assert (edited.id, edited.body, edited.created_at) == (first.id, "one!", first.created_at)
    assert edited.edited_at >= edited.created_at and deleted.deleted


async def test_an_edit_that_began_from_other_words_changes_nothing(storage):
    """Of two that began from one state, whoever comes second is told what it says now; the same words twice are no quarrel."""
    message, _ = await storage.append(ADA, "one", None)
    with pytest.raises(EditConflictError) as refused:
        await storage.edit(message.id, "two", ADA.id, message.created_at - 1)
    assert refused.value.args[0] == message
    edited = await storage.edit(message.id, "two", ADA.id, message.changed_at)
    assert await storage.edit(message.id, "two", ADA.id, message.changed_at) == edited
    assert (await storage.edit(message.id, "three", ADA.id, edited.changed_at)).body == "three"
    assert (await storage.edit(message.id, "four", ADA.id)).body == "four", "who doesn't say goes on as ever"


async def test_changes_come_once_each_in_their_latest_state_ordered_by_change(storage):
    """What changed twice since a cursor is there once, where its last change is."""
    for body in "abc":
        await storage.append(None, body, None)
    await storage.edit(1, "A")
    await storage.delete(2)
    changes = await storage.changes_after(0, 10)
    assert [(m.id, m.body) for m in changes.messages] == [(3, "c"), (1, "A"), (2, None)]
    assert (changes.head.seq, changes.more) == (5, False)
    cut = await storage.changes_after(0, 2)
    assert [m.id for m in cut.messages] == [3, 1] and cut.more
    assert [m.id for m in (await storage.changes_after(cut.messages[-1].seq, 2)).messages] == [2]


async def test_pages_go_back_through_history_without_what_was_deleted(storage):
    """Paging by `before` meets each message that is still there once."""
    for number in range(1, 8):
        await storage.append(None, str(number), None)
    await storage.delete(5)
    newest = await storage.before(None, 3)
    assert bodies(newest.messages) == ["4", "6", "7"] and newest.older
    oldest = await storage.before(newest.messages[0].id, 3)
    assert bodies(oldest.messages) == ["1", "2", "3"] and not oldest.older
    assert (await storage.before(1, 3)).messages == []
    onward = await storage.after(1, 3)
    assert bodies(onward.messages) == ["2", "3", "4"] and onward.newer
    last = await storage.after(onward.messages[-1].id, 3)
    assert bodies(last.messages) == ["6", "7"] and not last.newer
    assert (await storage.after(7, 3)).messages == []


async def test_a_retry_with_the_same_key_gives_the_first_message(storage):
    """A client that never got its answer may send again."""
    first, is_new = await storage.append(ADA, "once", KEY)
    again, is_new_again = await storage.append(ADA, "once", KEY)
    assert (is_new, is_new_again) == (True, False) and first == again
    assert len((await snapshot(storage)).changes) == 1


async def test_a_key_with_other_words_is_refused_and_nothing_is_written(storage):
    """A key names one message."""
    await storage.append(ADA, "once", KEY)
    with pytest.raises(KeyReusedError):
        await storage.append(ADA, "twice", KEY)
    assert (await snapshot(storage)).head.seq == 1


async def test_a_key_belongs_to_its_author(storage):
    """Two people may come upon the same key; all guests count as one."""
    ids = {(await storage.append(author, "words", KEY))[0].id for author in (ADA, BOB, None, None)}
    assert len(ids) == 3


async def test_a_retry_after_an_edit_or_a_deletion_does_not_post_again(storage):
    """What was taken away stays away, also when its author's phone retries late."""
    message, _ = await storage.append(ADA, "words", KEY)
    await storage.edit(message.id, "better words")
    assert (await storage.append(ADA, "words", KEY))[0].body == "better words"
    await storage.delete(message.id)
    again, is_new = await storage.append(ADA, "words", KEY)
    assert again.deleted and not is_new
    other, _ = await storage.append(BOB, "words", KEY)
    await storage.delete(other.id)  # the same key of another author, deleted as well


@pytest.mark.parametrize("id", [0, 99, -1])
async def test_what_is_not_there_is_not_found(storage, id):
    """Unknown and deleted messages are the same to everybody."""
    for call in (storage.message(id, GUEST), storage.edit(id, "x"), storage.delete(id)):
        with pytest.raises(NotFoundError):
            await call
    assert (await snapshot(storage)).head.seq == 0


async def test_a_deleted_message_can_be_neither_read_nor_changed(storage):
    """Deletion is final."""
    message, _ = await storage.append(None, "gone", None)
    await storage.delete(message.id)
    for call in (storage.message(message.id, GUEST), storage.edit(message.id, "x"), storage.delete(message.id)):
        with pytest.raises(NotFoundError):
            await call


async def test_many_at_once_get_numbers_of_their_own(storage):
    """A burst of posts loses none, doubles none, and leaves no gap."""
    posted = await asyncio.gather(*(storage.append(None, str(n), None) for n in range(300)))
    assert sorted(message.seq for message, _ in posted) == list(range(1, 301))
    assert {m.body for m in (await storage.changes_after(0, 1000)).messages} == {str(n) for n in range(300)}


async def test_a_failing_write_leaves_its_neighbours(storage):
    """Of writes that are committed together, one that is refused takes none with it."""
    await storage.append(ADA, "first", KEY)
    outcomes = await asyncio.gather(
        storage.append(None, "a", None),
        storage.append(ADA, "other words", KEY),
        storage.edit(99, "nothing"),
        storage.append(None, "b", None),
        return_exceptions=True,
    )
    assert [type(outcome) for outcome in outcomes] == [tuple, KeyReusedError, NotFoundError, tuple]
    assert bodies((await storage.changes_after(0, 10)).messages) == ["first", "a", "b"]


async def test_a_write_whose_caller_was_cancelled_is_whole(storage):
    """A cancelled request never leaves half a message or an open transaction behind."""
    task = asyncio.create_task(storage.append(None, "cancelled", None))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await storage.append(None, "after", None)
    assert bodies((await storage.changes_after(0, 10)).messages) == ["cancelled", "after"]


async def test_an_import_is_all_or_none_and_safe_to_repeat(storage):
    """Bringing the same messages in twice brings them once; their own times are kept."""
    messages = [Import(f"old {n}", 1_300_000_000_000 + n, f"{n:022}") for n in range(3)]
    assert await storage.import_messages(messages[:2]) == 2
    assert await storage.import_messages(messages) == 1
    kept = (await storage.changes_after(0, 10)).messages
    assert [(m.body, m.created_at) for m in kept] == [(m.body, m.created_at) for m in messages]
    with pytest.raises(KeyReusedError):
        await storage.import_messages([Import("new", 1, "x" * 22), Import("other", 1, f"{0:022}")])
    assert (await snapshot(storage)).head.seq == 3


async def test_a_snapshot_is_one_moment(storage):
    """The newest page and the recent changes belong to the same cursor."""
    for n in range(60):
        await storage.append(None, str(n), None)
    taken = await storage.snapshot(changes=10, page=50)
    assert [m.seq for m in taken.changes] == list(range(51, 61))
    assert len(taken.page.messages) == 50 and taken.page.older and taken.head.seq == 60


async def test_everything_is_still_there_after_closing(url):
    """The database is the same when it is opened again: words, numbers and epoch."""
    storage = await open_with_people(url)
    await storage.append(ADA, "stays", KEY)
    before = await snapshot(storage)
    await storage.close()
    storage = await open_storage(url)
    assert await snapshot(storage) == before
    assert not (await storage.append(ADA, "stays", KEY))[1]
    await storage.close()


@pytest.mark.parametrize("engine", ["sqlite", "postgres"])
async def test_every_new_database_has_an_epoch_of_its_own(tmp_path, engine, new_database):
    """A cursor of a database that was wiped can't be mistaken for one of its successor."""
    epochs = set()
    for name in ("a", "b"):
        storage = await open_storage(f"sqlite:///{tmp_path}/{name}.db" if engine == "sqlite" else new_database())
        epochs.add((await snapshot(storage)).head.epoch)
        await storage.close()
    assert len(epochs) == 2


async def test_another_process_s_commit_is_noticed(storage, url):
    """What bin/admin or an import writes comes to the board by itself."""
    seen, bodies = asyncio.Event(), []

    async def on_commit():
        bodies[:] = [message.body for message in (await storage.changes_after(0, 1)).messages]
        if bodies:
            seen.set()
        return True

    watching = asyncio.create_task(storage.watch(on_commit))
    other = await open_storage(url)
    await other.append(None, "from elsewhere", None)
    await asyncio.wait_for(seen.wait(), PATIENCE)
    assert bodies == ["from elsewhere"]
    await other.close()
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)


@pytest.mark.parametrize("url", ["sqlite:///", "mysql://x/y", "board.db"])
async def test_an_unknown_url_is_refused(url):
    """Nothing is guessed about where the messages should go."""
    with pytest.raises(CannotOpenError):
        await open_storage(url)
