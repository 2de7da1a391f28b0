"""A search in all boards: for programs, and on the page as a browser without JavaScript uses it."""

import json
import re

import pytest

from board.limits import Limit
from storage.boards import BoardChange
from tests.hostile.test_reading import board_of
from tests.support.boards import make_board, make_club, post_on
from tests.support.people import Person, refused
from tests.support.results import pages_of_results

ALL = "/api/v1/search?board=*&q="


@pytest.fixture
def club(start):
    return make_club(start)


def found(who, query):
    response = who.get(ALL + query)
    assert response.status_code == 200, response.text
    return response.json()


def checked(page):
    """Which choice of the form is taken."""
    return re.findall(r'<input type="radio" name="board" value="([^"]+)" checked>', page)


# --- for programs


def test_a_program_finds_what_is_on_all_boards_that_it_may_read(club):
    """The newest first; each message says on which board it is, also on the first."""
    server, owner, friend, hidden = club
    first = server.post("words on the first").json() | {"board": "first"}
    stranger = Person(server)
    for who, slugs in [
        (server.client, ["rowing"]), (stranger.api, ["lounge", "rowing"]), (friend.api, [hidden, "lounge", "rowing"]),
        (owner.api, [hidden, "lounge", "rowing"]),
    ]:  # fmt: skip
        answer = found(who, "words")
        assert answer["messages"][0] == first and answer.keys() == {"messages", "older"} and answer["older"] is False
        assert [one["board"] for one in answer["messages"]] == ["first", *slugs]
        assert [one["body"] for one in answer["messages"][1:]] == [f"words on {slug}" for slug in slugs]
        page = found(who, f"words&limit=1&before={first['id']}")
        assert [one["board"] for one in page["messages"]] == slugs[:1] and page["older"] is (len(slugs) > 1)
    assert server.get("/api/v1/search?q=words+on").json()["messages"] == [
        {name: value for name, value in first.items() if name != "board"}
    ]


def test_a_board_is_found_by_what_it_is_now(club):
    """Renamed, archived, closed to some, deleted."""
    server, owner, *_ = club

    def change(**fields):
        response = owner.api.patch(f"/api/v1/boards/{boards()[0]}", json=fields)
        assert response.status_code in (200, 204), response.text

    def boards(who=owner.api):
        return [one["board"] for one in found(who, "words")["messages"] if one["body"] == "words on rowing"]

    change(slug="boats", archived=True)
    assert boards() == ["boats"] == boards(server.client)
    change(read_by="members")
    assert boards() == ["boats"] and boards(server.client) == []
    change(read_by="invited")
    [slug] = boards()
    assert re.fullmatch("[0-9a-f]{20}", slug) and boards(server.client) == []
    assert owner.api.delete(f"/api/v1/boards/{slug}?name=Rowing").status_code == 204
    assert boards() == []


@pytest.mark.parametrize("board", ["", "first", "rowing", "**", "%2A%2A"])
def test_what_names_one_board_is_no_search_in_all(club, board):
    """A slug is in the path: an older server would ignore it here, and look elsewhere."""
    assert refused(club[0].get(f"/api/v1/search?q=words&board={board}"), 400, "bad_field")


def test_a_site_with_one_board_is_searched_as_before(start):
    """Only that a program is told where its messages are. The page is the same, also if the address names boards."""
    server = start(title="Riverside")
    message = server.post("words").json()
    assert found(server, "words") == {"messages": [message | {"board": "first"}], "older": False}
    pages = {server.get(f"/search?q=words{more}").text for more in ("", "&board=*", "&board=this")}
    assert len(pages) == 1 and "<h1>Search</h1>" in pages.pop()
    for path in ("/search", "/search?q=nothing"):
        assert "board=*" not in server.get(path).text and checked(server.get(path).text) == []


# --- on the page


def test_the_form_offers_this_board_and_all_and_the_address_keeps_it(club):
    """Also from another board's search, which stays the one that “this board” means."""
    server, _, friend, hidden = club
    for home, name in (("/", "Riverside"), ("/b/rowing/", "Rowing"), (f"/b/{hidden}/", "Committee")):
        who = friend.browser()
        for path in ("search", "search?q=words", "search?q=words&board=this", "search?q=words&board=x"):
            page = who.get(home + path).text
            assert checked(page) == ["this"] and 'aria-current="true"' in page
            assert f'<h1>Search in <bdi lang="">{name}</bdi></h1>' in page
            assert f'<form class="search" action="{home}search"' in page and 'class="on"' not in page
            in_all = f'<a href="{home}search?q=words&amp;board=*">Look for it on all boards</a>'
            assert (in_all in page) == ("words" in path and home == "/"), "where nothing is found"
        page = who.get(f"{home}search?q=words&board=*").text
        assert checked(page) == ["*"] and "<h1>Search in all boards</h1>" in page and "aria-current" not in page
        assert f'This board: <bdi lang="">{name}</bdi>' in page and "Look for it on all boards" not in page
        places = re.findall(
            r'href="/m/(\d+)".*?<a class="on" href="([^"]+)"><bdi lang="">(.*?)</bdi></a>', page, re.DOTALL
        )
        named = [(place, name) for _, place, name in places]
        assert named == [(f"/b/{hidden}/", "Committee"), ("/b/lounge/", "Lounge"), ("/b/rowing/", "Rowing")]
    assert "Look for it" not in server.get("/search").text and "Look for it" not in server.get("/search?q=%22").text


def test_older_results_of_all_boards_are_read_on(club):
    """Each once, under links that keep the choice; and the way back from beyond the last."""
    server, owner, *_ = club
    for number in range(45):
        post_on(owner.api, ("first", "rowing")[number % 2], f"walrus & {number}")
    pages = pages_of_results(server, "/b/rowing/search?q=walrus+%26&board=*")
    seen = [number for page in pages for number in re.findall(r"<mark>walrus</mark> &amp; (\d+)", page)]
    assert [int(number) for number in seen] == list(range(45))[::-1]
    beyond = server.get("/b/rowing/search?q=walrus&board=*&before=1").text
    assert '<a href="/b/rowing/search?q=walrus&amp;board=*">Back to the newest results</a>' in beyond


def test_boards_that_look_the_same_are_told_apart_by_their_addresses(club):
    """As in the list of boards."""
    server, owner, *_ = club
    make_board(owner, "Rowing", "other")
    post_on(owner.api, "other", "words elsewhere")
    page = server.get("/search?q=words&board=*").text
    assert re.findall(r'class="on" href="[^"]+"><bdi lang="">Rowing</bdi> \((\w+)\)</a>', page) == ["other", "rowing"]
    assert 'This board: <bdi lang="">Rowing</bdi> (other)</span>' in server.get("/b/other/search?q=x&board=*").text


# --- within bounds, and as rights are when it is sent


async def test_of_many_boards_those_with_the_newest_posts_are_searched(tmp_path, monkeypatch):
    """And the first one. That there are more is said, and only of boards that the asker may read."""
    monkeypatch.setattr("board.site.board_messages.BOARDS_SEARCHED", 3)
    async with board_of(tmp_path, ["words"]) as house:
        boards = [await house.storage.create_board(None, f"b{number}", "Board") for number in range(2)]
        hidden = await house.storage.create_board(None, "", "Hidden", read_by="invited")
        for number in (1, 0, 1):
            await house.storage.append(None, "words", None, board_id=boards[number].id)

        async def look():
            await house.board.waiters.deliver()
            page = (await house.get("/search?q=words&board=*")).body.decode()
            return json.loads((await house.get(ALL + "words")).body), page

        answer, page = await look()
        assert [one["board"] for one in answer["messages"]] == ["b1", "b0", "b1", "first"]
        assert "more_boards" not in answer and "one by one" not in page and hidden.slug not in page
        await house.storage.create_board(None, "b2", "Board")
        answer, page = await look()
        assert [one["board"] for one in answer["messages"]] == ["b1", "b1", "first"] and answer["more_boards"] is True
        assert 'the 3 boards with the newest posts. Search <a href="/boards">the others one by one</a>.' in " ".join(
            page.split()
        )


@pytest.mark.parametrize(
    "query, tries",
    [
        ("words", 1),
        ("words+from:ada", 3),
        ("has:link+words+from:ada", 5),
        ("from:ada", 6),
        ("from:ada+before:2040-01-01", 11),
    ],
)
async def test_a_condition_counts_as_what_it_may_read(tmp_path, monkeypatch, query, tries):
    """As it looks at messages that it does not find."""
    async with board_of(tmp_path, ["words"]) as house:
        counted = []
        monkeypatch.setattr(house.board.limits.searching, "check", lambda key, times: counted.append(times))
        for path in ("/search?q=", "/api/v1/search?q="):
            await house.get(path + query)
    assert counted == [tries, tries]


async def test_a_search_in_many_boards_counts_as_several(tmp_path, monkeypatch):
    """By the boards in which it looks, times the words; too long a query counts as none."""
    monkeypatch.setattr("board.site.messages.LOOKS_A_TRY", 2)
    async with board_of(tmp_path, ["words"]) as house:
        counted = []
        monkeypatch.setattr(house.board.limits.searching, "check", lambda key, times: counted.append(times))
        paths = (
            "/search?q=words",
            "/search?q=words&board=*",
            ALL + "words",
            ALL + "x" * 201,
            ALL + '"low+tide"+!+at',
            ALL,
        )
        for number in range(4):
            for path in paths:
                await house.get(path)
            await house.storage.create_board(None, f"b{number}", "Board")
            await house.storage.create_board(None, "", "Hidden", read_by="invited")
            await house.board.waiters.deliver()
    of_one_board = [1, 1, 1, 2, 1]
    assert counted == [*of_one_board, 1, 1, 1, 3, 1, 1, 2, 2, 5, 1, 1, 2, 2, 6, 1]


async def test_a_search_that_took_too_long_says_so(tmp_path, monkeypatch):
    """And not that storage is away: to programs and on the page."""
    monkeypatch.setattr("storage.sqlite.search.SEARCH_SECONDS", -1)
    async with board_of(tmp_path, ["words"]) as house:
        reply = await house.get(ALL + "words")
        assert (reply.code, json.loads(reply.body)["error"]["code"]) == (503, "busy") and reply.headers["Retry-After"]
        for path in (ALL + "words", "/search?q=words", "/search?q=words&board=*"):
            assert b"took too long. Please try fewer or rarer words" in (await house.get(path)).body


def test_what_counts_as_several_tries_begins_at_once_and_makes_the_next_wait():
    """So that nobody waits for a whole bucket before a search that counts as half of one."""
    now = [0.0]
    limit = Limit(10, 1, lambda: now[0])
    assert [limit.take("a", 4) for _ in range(4)] == [0, 0, 0, 3] and limit.take("b", 99) == 0
    now[0] = 3.0
    assert limit.take("a") == 0 and limit.take("a") == 1
    assert Limit(1, 0).take("a", 5) == 0


@pytest.mark.parametrize("end", ["close", "delete"])
@pytest.mark.parametrize("path", ["/search?q=secret&board=*", "/b/diving/search?q=secret&board=*", ALL + "secret"])
async def test_what_is_found_on_a_board_that_ends_before_it_is_sent_is_not_sent(tmp_path, monkeypatch, path, end):
    """Storage has given it, while everybody could read it; when it is ready to be sent, guests can't."""
    async with board_of(tmp_path, ["words"]) as house:
        board, _ = [await house.storage.create_board(None, slug, "Rowing") for slug in ("rowing", "diving")]
        await house.storage.append(None, "secret", None, board_id=board.id)
        await house.board.waiters.deliver()
        shown = b'<a class="on" href="/b/rowing/">' if "/api" not in path else b'"board":"rowing"'
        reply = await house.get(path)
        assert reply.code == 200 and shown in reply.body
        real = house.storage.search_in

        async def closing(*arguments):
            given = await real(*arguments)
            if end == "close":
                await house.storage.set_board(None, board.id, BoardChange(read_by="members"))
            else:
                await house.storage.delete_board(None, board.id)
            await house.board.waiters.deliver()
            return given

        monkeypatch.setattr(house.storage, "search_in", closing)
        reply = await house.get(path)
        assert reply.code == 503 and int(reply.headers["Retry-After"]) == 1 and shown not in reply.body
        assert b"rowing" not in reply.body and b"Rowing" not in reply.body
        monkeypatch.undo()
        reply = await house.get(path)
        assert reply.code == 200 and shown not in reply.body


async def test_a_board_that_closes_while_it_is_looked_for_is_not_looked_into(tmp_path, monkeypatch):
    """Memory has not heard of it yet; storage judges in the transaction that reads."""
    async with board_of(tmp_path, ["secret on the first"]) as house:
        board = await house.storage.create_board(None, "rowing", "Rowing")
        await house.storage.append(None, "secret", None, board_id=board.id)
        await house.board.waiters.deliver()
        assert len(json.loads((await house.get(ALL + "secret")).body)["messages"]) == 2
        monkeypatch.setattr(house.storage, "on_commit", None)
        monkeypatch.setattr(house.board.waiters, "deliver", no_news)
        await house.storage.set_board(None, board.id, BoardChange(read_by="members"))
        answer = json.loads((await house.get(ALL + "secret")).body)
        assert house.board.waiters.directory.of(board.id).read_by == "everyone"
    assert [one["board"] for one in answer["messages"]] == ["first"]


async def no_news():
    return True
