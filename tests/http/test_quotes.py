"""What a page says of the message that a reply is to: it is right on each page, and kept nowhere."""

import html as markup
import re
from xml.etree import ElementTree

import pytest
from tornado.httpclient import AsyncHTTPClient

from board.recent import PAGE
from storage import open_storage
from storage.errors import UnavailableError
from storage.records import FIRST_BOARD, Author, Password
from tests.support.in_process import running

ADA = Author(1, "Ada <b>")
THREAD = "{http://purl.org/syndication/thread/1.0}in-reply-to"


@pytest.fixture
async def house(tmp_path):
    """A server in the test, with a second board, on which there are messages enough for pages of history."""
    async with running(tmp_path) as house:
        await house.storage.create_account("ada", ADA.name, Password("a hash"))
        house.boards = {"/": FIRST_BOARD, "/b/rowing/": (await house.storage.create_board(None, "rowing", "Rowing")).id}
        house.url = f"sqlite:///{tmp_path}/board.db"
        await house.board.waiters.deliver()
        yield house


async def post(house, place, body, author=None, reply_to=None):
    message, _ = await house.storage.append(author, body, None, board_id=house.boards[place], reply_to=reply_to)
    return message


async def fetch(house, path):
    answer = await AsyncHTTPClient().fetch(f"http://127.0.0.1:{house.port}{path}")
    return answer.body.decode()


async def quotes(house, path):
    """The lines of all replies on a page as text, by the id of the reply."""
    page = await fetch(house, path)
    found = re.findall(r'id="m(\d+)"[^>]* data-reply-to.*?<p class="quote[^"]*">(.*?)</p><div', page, re.DOTALL)
    return {int(id): " ".join(markup.unescape(re.sub(r"<[^>]+>", "", line)).split()) for id, line in found}


@pytest.mark.parametrize("place", ["/", "/b/rowing/"])
async def test_each_page_has_the_first_words_as_they_are_now(house, place):
    """On the board, among older messages and on a message's page: also of a message far back, after each edit, and when
    it is deleted by another process. Another author's words are never in what is kept of a reply."""
    where = {"board_id": house.boards[place]}
    first = await post(house, place, "who `rows` <i>\n on Sunday? " + "x" * 200, ADA)
    for number in range(PAGE):
        await post(house, place, f"number {number}")
    reply = await post(house, place, "I do", None, first.id)
    second = await post(house, place, "good", ADA, reply.id)
    pages = [place, f"{place}?before={second.id + 1}", f"/m/{reply.id}"]
    assert "first words" not in await fetch(house, place)
    begins = f"In reply to {ADA.name} who rows <i> on Sunday? "
    for path in pages:
        found = await quotes(house, path)
        assert found[second.id] == "In reply to Guest I do", path
        assert found[reply.id].startswith(begins) and found[reply.id].endswith("x…") and len(found[reply.id]) < 160, (
            path
        )
    await house.storage.edit(first.id, "tomorrow?", ADA.id, **where)
    for path in pages:
        assert (await quotes(house, path))[reply.id] == f"In reply to {ADA.name} tomorrow?", path
    kept = {message.id: page for message, page in house.application.context.making.articles._kept.values()}
    assert b"tomorrow" not in kept[reply.id] and b"I do" not in kept[second.id]
    other = await open_storage(house.url)
    await other.delete(first.id, **where)
    await other.close()
    await house.board.waiters.deliver()
    for path in pages:
        assert (await quotes(house, path))[reply.id] == "In reply to a deleted message", path
        assert "tomorrow" not in await fetch(house, path)


async def test_a_message_that_was_removed_is_quoted_as_a_deleted_one(house):
    """With all that its author wrote: its row is gone, and the page begins again."""
    first = await post(house, "/", "spam", ADA)
    reply = await post(house, "/", "what is this?", None, first.id)
    assert await quotes(house, "/") == {reply.id: f"In reply to {ADA.name} spam"}
    await house.storage.delete_account(ADA.id, keep_messages=False)
    await house.board.waiters.deliver()
    assert await quotes(house, "/") == {reply.id: "In reply to a deleted message"}


async def test_storage_is_read_only_for_what_is_neither_on_the_page_nor_in_memory(house, monkeypatch):
    """Once for all of them. While it can't be read, the page is there, with a link in place of the quote."""
    asked, named = [], type(house.storage).named

    async def counting(self, ids, *rest):
        asked.append(ids)
        return await named(self, ids, *rest)

    monkeypatch.setattr(type(house.storage), "named", counting)
    first = await post(house, "/", "long ago", ADA)
    reply = await post(house, "/", "yes", None, first.id)
    await fetch(house, "/")
    assert asked == [], "it is on the page"
    for number in range(PAGE - 1):
        await post(house, "/", f"number {number}")
    assert (await quotes(house, "/"))[reply.id] == f"In reply to {ADA.name} long ago"
    assert asked == [], "it is in memory"
    house.board.waiters.recent.shrink_to(0)
    await post(house, "/", "no", None, first.id)
    page = await quotes(house, "/")
    assert asked == [[first.id]] and list(page.values()) == [f"In reply to {ADA.name} long ago"]

    async def failing(self, ids, *rest):
        raise UnavailableError("it is away")

    with monkeypatch.context() as away:
        away.setattr(type(house.storage), "named", failing)
        await post(house, "/", "news")
        page = await fetch(house, "/")
    assert f'<p class="quote place"><a href="/m/{first.id}">In reply to a message</a></p>' in page and "news" in page
    assert "In reply to a message" not in await fetch(house, "/")  # such a page is not kept


async def test_a_feed_names_the_message_and_nothing_else(house):
    """RFC 4685: by the id of its entry, also after it was deleted; an entry that is no reply has what it always had."""
    first = await post(house, "/", "first words", ADA)
    assert "thr" not in await fetch(house, "/feed.atom")
    await post(house, "/", "yes", None, first.id)
    await house.storage.delete(first.id)
    feed = ElementTree.fromstring(await fetch(house, "/feed.atom"))
    [link] = [entry.find(THREAD) for entry in feed.iter("{http://www.w3.org/2005/Atom}entry")]
    url = f"http://127.0.0.1:{house.port}/m/{first.id}"
    assert link.attrib == {"ref": url, "href": url, "type": "text/html"}
    assert "first words" not in await fetch(house, "/feed.atom")
