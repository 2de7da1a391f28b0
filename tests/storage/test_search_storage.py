"""Finding messages: what every storage engine does."""

import asyncio

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from storage import open_storage
from storage.words import phrases
from tests.storage import test_storage
from tests.storage.test_storage import ADA, bodies
from tests.support.browser import SCRIPTS

storage = test_storage.storage


async def find(storage, query, before=None, limit=50):
    return bodies((await storage.search(query, before, limit)).messages)


async def test_all_words_must_be_there_newest_first(storage):
    """Words in any order and case; in quotes, one after the other; the last may go on."""
    for body in ("High tide at six", "Low tide at seven", "The tide was low", "Tidy up at seven"):
        await storage.append(None, body, None)
    assert await find(storage, "LOW tide") == ["The tide was low", "Low tide at seven"]
    assert await find(storage, '"low tide"') == ["Low tide at seven"]
    assert await find(storage, "seven tid") == ["Tidy up at seven", "Low tide at seven"]
    assert await find(storage, '"tid"') == []
    assert await find(storage, "tide ebb") == await find(storage, "") == await find(storage, "?!") == []


@pytest.mark.parametrize("script", SCRIPTS)
async def test_every_script_is_found_by_its_parts(storage, script):
    """What a message says is found by each of its words and by the whole, in whatever script."""
    for body in ("q", script, "qz"):
        await storage.append(None, body, None)
    for part in [script, *script.split()]:
        if phrases(part):
            assert await find(storage, part) == [script], part


async def test_scripts_without_spaces_are_found_by_any_part(storage):
    """Two characters, or one, from wherever they stand."""
    for body in ("明天见！你好，世界。", "今日は良い天気です", "안녕하세요 여러분", "สวัสดีครับ"):
        await storage.append(None, body, None)
    for query in ("世界", "你好", "好", "界", "见"):
        assert await find(storage, query) == ["明天见！你好，世界。"], query
    assert await find(storage, "天") == ["今日は良い天気です", "明天见！你好，世界。"]
    assert await find(storage, "天気") == ["今日は良い天気です"] and await find(storage, "好世") == []
    assert await find(storage, "하세") == ["안녕하세요 여러분"] and await find(storage, "ดี") == ["สวัสดีครับ"]


async def test_pages_meet_each_found_message_once(storage):
    """`before` goes on where the last page ended."""
    for number in range(7):
        await storage.append(None, f"found {number}", None)
        await storage.append(None, "other", None)
    seen, before, older = [], None, True
    while older:
        page = await storage.search("found", before, 3)
        assert page.is_complete
        seen += bodies(page.messages)
        before, older = page.messages[-1].id, page.older
    assert seen == [f"found {number}" for number in reversed(range(7))]


async def test_an_edit_and_a_deletion_are_found_at_once(storage):
    """What a message no longer says does not find it."""
    first, _ = await storage.append(ADA, "yellow submarine", None)
    second, _ = await storage.append(None, "yellow bicycle", None)
    await storage.edit(first.id, "green submarine")
    await storage.delete(second.id)
    assert await find(storage, "yellow") == await find(storage, "bicycle") == []
    assert await find(storage, "green submarine") == ["green submarine"]


async def test_bulk_removals_leave_nothing_to_find(storage):
    """A spammer's messages, and those of somebody who leaves with all they wrote."""
    spam = [(await storage.append(None, f"spam {n}", None, "192.0.2.1"))[0] for n in range(3)]
    await storage.append(ADA, "spam is what Ada eats", None)
    await storage.append(None, "spam from elsewhere", None, "192.0.2.2")
    assert await storage.remove_all(None, spam[0].id) == 3
    assert len(await find(storage, "spam")) == 2
    await storage.delete_account(ADA.id, keep_messages=False)
    assert await find(storage, "spam") == ["spam from elsewhere"]


async def test_what_was_refused_is_not_found(storage):
    """A write that was undone leaves nothing in the index."""
    await storage.append(ADA, "first", "k" * 22)
    outcomes = await asyncio.gather(
        storage.append(None, "neighbour", None), storage.append(ADA, "refused", "k" * 22), return_exceptions=True
    )
    assert isinstance(outcomes[1], Exception)
    assert await find(storage, "refused") == [] and await find(storage, "neighbour") == ["neighbour"]


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def board(request, tmp_path_factory):
    """A storage on a loop of its own, for many small examples."""
    is_sqlite = request.param == "sqlite"
    file = f"sqlite:///{tmp_path_factory.mktemp('search')}/board.db"
    with asyncio.Runner() as runner:
        storage = runner.run(open_storage(file if is_sqlite else request.config.databases.create()))
        yield lambda work: runner.run(work(storage))
        runner.run(storage.close())


signs = st.text(st.sampled_from("\"*()^:+-{}~ANDORT'%_;\\ a好") | st.characters())


@given(signs)
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_query_is_an_error(board, query):
    """Whatever anybody types is looked for."""
    board(lambda storage: storage.search(query, None, 5))


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=80), st.data())
@settings(max_examples=150, deadline=None)
def test_a_message_is_found_by_its_own_text(board, text, data):
    """Any text finds the message that it is, and once more after an edit; the old text finds it no more."""
    other = data.draw(st.sampled_from(SCRIPTS))

    async def work(storage):
        message, _ = await storage.append(None, text, None)
        whole = f'"{text}"' if not set(text) & set('"“”„«»') else text
        if phrases(whole):
            assert message.id in [m.id for m in (await storage.search(whole, None, 1)).messages]
        await storage.edit(message.id, other)
        assert (await storage.search(other, None, 1)).messages[0].id == message.id
        await storage.delete(message.id)
        assert message.id not in [m.id for m in (await storage.search(whole, None, 50)).messages]

    board(work)
