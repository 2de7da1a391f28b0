"""The tutorial's own poll, `/get?t=`, for pages that were made by it."""

import concurrent.futures
import re
import time

import pytest


@pytest.fixture(params=["on", "off"])
def repeats(request):
    """Both ways: with repeated polls answered without parsing, and all through Tornado."""
    return request.param


def now():
    return time.time_ns() // 1_000_000


def poll(server, t, wait=0.0):
    return server.get(f"/get?t={t}&wait={wait}").json()


def test_messages_after_a_time_come_newest_first_and_escaped(server):
    """The shape is the tutorial's; its script writes the content as HTML, so it comes escaped."""
    before = now() - 1
    server.post("one <b>&"), server.post("two")
    msgs = poll(server, before)["msgs"]
    assert [m["content"] for m in msgs] == ["two", "one &lt;b&gt;&amp;"]
    assert all(set(m) == {"content", "time"} for m in msgs)
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d [AP]M", msgs[0]["time"])


def test_a_parked_one_gets_every_post_committed_after_it_parked(server):
    """Also when the client's clock is ahead: a time to come counts as now."""
    with concurrent.futures.ThreadPoolExecutor() as pool:
        parked = pool.submit(poll, server, now() + 10_000_000, 20)
        server.until_parked(1)
        server.post("for the tutorial")
        assert [m["content"] for m in parked.result()["msgs"]] == ["for the tutorial"]


def test_without_news_it_is_empty_after_its_wait(server):
    """Empty, but of the same shape."""
    assert poll(server, now() + 1, 0.3) == {"msgs": []}


@pytest.mark.parametrize("t", ["", "x", "-1", "1.5", "9" * 30, "%ff", "%D9%A1"])
def test_what_is_no_time_is_400(server, t):
    """Nonsense is refused in the board's own shape."""
    response = server.get(f"/get?t={t}")
    assert response.status_code == 400 and response.json()["error"]["code"] in ("bad_time", "not_utf8")


def test_when_no_more_may_be_parked_it_is_held_for_a_moment(start):
    """Its script asks again at once, so it is slowed down here."""
    server = start(max_parked=0, poll_seconds=600)
    began = time.monotonic()
    assert poll(server, now(), 10**6) == {"msgs": []}
    assert time.monotonic() - began > 0.9


def test_a_drain_answers_it_too(start):
    """At the end it gets an empty answer of its own shape."""
    server = start()
    with concurrent.futures.ThreadPoolExecutor() as pool:
        parked = pool.submit(poll, server, now(), 20)
        server.until_parked(1)
        assert server.stop() == 0
        assert parked.result() == {"msgs": []}
