"""How many watch the board: cheap, steady, and in the replies that go out anyway."""

import concurrent.futures

import pytest

from board.watching import SEEN_SECONDS, Watching
from tests.http.test_polls import raw
from tests.support.people import Person
from tests.support.server import until


@pytest.fixture(params=["on", "off"])
def repeats(request):
    return request.param


def test_the_count_is_steady_while_pages_poll_again():
    """Between a reply and the next poll a page still counts; who has left is gone after two windows."""
    parked, now = 0, 1000.0
    watching = Watching(lambda: parked, lambda: now)
    assert watching.count() == 0
    parked = 12
    assert watching.count() == 12
    parked = 0  # all were just answered
    assert watching.count() == 12
    now += SEEN_SECONDS
    assert watching.count() == 12
    parked = 5
    now += SEEN_SECONDS
    assert watching.count() == 5
    parked = 3
    assert watching.count() == 5
    now += 100 * SEEN_SECONDS
    assert watching.count() == 3


def test_news_bring_the_count_and_wake_nobody(start):
    """Everyone gets the same number with the message; that others come and go is told with the next reply."""
    server = start()
    cursor = server.cursor
    assert 'data-watching="0"' in server.get("/").text
    polls = [raw(server, f"GET /get?after={cursor}") for _ in range(7)]
    server.until_parked(7)
    until(lambda: 'data-watching="7"' in server.get("/").text)  # what is kept may be a second old
    server.post("news")
    replies = [poll.recv(65536) for poll in polls]
    assert all(b'"watching":7}' in reply for reply in replies)
    for poll in polls:
        poll.close()


def test_an_empty_reply_and_a_reset_have_it_too(start):
    """A quiet board tells it when a poll ends."""
    server = start()
    server.post("one")
    cursor = server.cursor
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        poll = pool.submit(server.get, f"/get?after={cursor}&wait=1")
        assert poll.result().json() == {"messages": [], "cursor": cursor, "watching": 1}
    assert server.get("/get?after=zzzzzzzz-9").json()["watching"] == 1
    assert "watching" not in server.get("/get").json()


def test_a_members_board_tells_members_only(start):
    """Guests don't learn how many there are."""
    server = start(reading="members")
    ada = Person(server)
    for path in ("/", "/get", "/healthz"):
        assert "watching" not in server.get(path).text
    assert "data-watching" in ada.browser().get("/").text


@pytest.mark.parametrize(("count", "older"), [(50, False), (51, True)])
def test_a_reply_that_replaces_everything_says_whether_there_is_more(start, count, older):
    """With exactly a page of messages there is nothing older to lead to."""
    server = start()
    for number in range(count):
        server.post(str(number))
    for path in ("/get", "/api/v1/messages", "/get?after=zzzzzzzz-9"):
        assert server.get(path).json().get("older", False) is older, path
    assert "older" not in server.get(f"/get?after={server.cursor}&wait=0").json()
