"""The servers with which Longboard is compared still start and answer."""

import urllib.request

import pytest

from bench.process import server


@pytest.mark.parametrize("name", ["server_no_database", "server_one_commit", "server_timed"])
def test_one_that_is_longboard_but_for_one_thing_takes_a_post_and_shows_it(tmp_path, name):
    with server(tmp_path, ("-m", f"bench.{name}")) as started:
        url = f"http://127.0.0.1:{started.port}"
        with urllib.request.urlopen(f"{url}/api/v1/messages", b"body=measured") as answer:
            assert answer.status == 201
        with urllib.request.urlopen(url) as page:
            assert b"measured" in page.read()


def test_one_of_tornado_alone_says_hello(tmp_path):
    with (
        server(tmp_path, ("-m", "bench.server_hello")) as started,
        urllib.request.urlopen(f"http://127.0.0.1:{started.port}/") as page,
    ):
        assert page.read() == b"Hello, world"
