"""Pages that stand still: history by link, and a message among those around it."""

import html
import re
import sqlite3

import pytest

from tests.support.admin import admin
from tests.support.people import Person

DAY_MS = 86_400_000


@pytest.fixture(scope="module")
def board(tmp_path_factory):
    """130 messages, ten a day; some are deleted."""
    from tests.support.server import Server

    server = Server(tmp_path_factory.mktemp("history"))
    server.stop()
    with sqlite3.connect(server.database) as db:
        db.executemany(
            "INSERT INTO messages (id, seq, body, created_at) VALUES (?, ?, ?, ?)",
            [
                (n, n, None if n % 13 == 0 else f"number {n}", 1_767_225_600_000 + n // 10 * DAY_MS)
                for n in range(1, 131)
            ],
        )
        db.execute("UPDATE board SET seq = 130")
    db.close()
    server.start()
    yield server
    assert server.stop() == 0
    assert "Traceback" not in server.log.read_text()


def numbers(page):
    return [int(n) for n in re.findall(r">number (\d+)</div>", page.partition("<template")[0])]


def link(page, words):
    found = re.search(rf'<a href="([^"]+)">{words}</a>', re.sub(r"<p[^>]* hidden>.*?</p>", "", page))
    return found and html.unescape(found[1])


THERE = [n for n in range(130, 0, -1) if n % 13]


def test_links_lead_back_and_forth_through_all_history(board):
    """By links alone, each message is met once on the way back, and once on the way forward."""
    back, path = [], "/"
    while path:
        page = board.get(path).text
        back += numbers(page)
        last, path = path, link(page, "Older messages")
    assert back == THERE
    forth, path = numbers(page)[::-1], link(page, "Newer messages")
    while path:
        page = board.get(path).text
        forth += numbers(page)[::-1]
        path = link(page, "Newer messages")
    assert forth == THERE[::-1] and last != "/"


def test_a_line_stands_above_each_day(board):
    """In UTC, from the server: without JavaScript one sees where a day begins."""
    page = board.get("/?before=35").text
    days = re.findall(r'<h2 class="day">([^<]+)</h2>', page)
    assert days == [f"{day} January 2026, UTC" for day in (4, 3, 2, 1)]
    assert page.index("number 30<") < page.index("3 January 2026") < page.index("number 29<")


def test_a_permalink_shows_the_message_among_its_neighbours(board):
    """Highlighted, with some before and after, and ways on in both directions."""
    page = board.get("/m/60").text
    assert numbers(page) == [64, 63, 62, 61, 60, 59, 58, 57, 56, 55, 54, 53, 51, 50, 49]
    assert re.findall(r'<article class="message this" id="m(\d+)"[^>]* aria-current="true">', page) == ["60"]
    assert link(page, "Newer messages") == "/?after=64" and link(page, "Older messages") == "/?before=49"
    assert link(page, "Go to the board") == "/" and link(board.get("/m/100").text, "Go to the board") == "/#m100"
    assert numbers(board.get("/?after=64").text)[-1] == 66
    newest, oldest = board.get("/m/129").text, board.get("/m/1").text
    assert link(newest, "Newer messages") is None and link(oldest, "Older messages") is None


def test_a_link_to_a_deleted_message_helps(board):
    """404, with the messages that stood around it, a search and the way home."""
    response = board.get("/m/65")
    assert response.status_code == 404 and 'action="/search"' in response.text and 'href="/"' in response.text
    near = link(response.text, "the messages before it")
    assert numbers(board.get(near).text)[0] == 64
    assert "the messages before it" not in board.get("/m/x").text and board.get("/m/x").status_code == 404


def test_any_unknown_address_helps(board):
    """There is a search and the way home; on a members' board a guest is offered no search."""
    response = board.get("/nothing/here")
    assert response.status_code == 404 and 'action="/search"' in response.text and 'href="/"' in response.text


def test_an_empty_history_says_where_to_go(start):
    """Before the first message and after the last."""
    server = start()
    for path, words in {"/?before=5": "nothing older", "/?after=5": "nothing newer"}.items():
        page = server.get(path).text
        assert words in page and 'href="/"' in page and 'href="/search"' in page


def test_after_an_edit_one_is_where_the_message_is(start):
    """On the board, if it is there; else at its permalink."""
    server = start()
    ada = Person(server)
    id = ada.post("first")["id"]
    browser = ada.browser()
    assert browser.post(f"/m/{id}/edit", data={"s": "better"}).headers["Location"] == f"/#m{id}"
    for number in range(50):
        server.post(str(number))
    assert browser.post(f"/m/{id}/edit", data={"s": "best"}).headers["Location"] == f"/m/{id}"
    page = browser.get(f"/m/{id}").text
    assert page.index("best</div>") < page.index('action="/m/1/edit"') and "number" not in page


def test_a_permalink_previews_its_message(start):
    """Whoever gets the link sees who wrote what; markup and long texts come to no harm."""
    server = start(public_url="https://board.example.org", title="A <b> board")
    id = server.post('"quoted" <script>\n\n' + "long " * 100).json()["id"]
    page = server.get(f"/m/{id}").text
    tags = dict(re.findall(r'<meta (?:property|name)="([^"]+)" content="([^"]*)">', page))
    assert tags["og:url"] == f"https://board.example.org/m/{id}" and tags["og:type"] == "article"
    assert html.unescape(tags["og:title"]) == "Guest · A <b> board"
    text = html.unescape(tags["og:description"])
    assert text.startswith('"quoted" <script> long') and text.endswith("…") and len(text) <= 200
    image = tags["og:image"].removeprefix("https://board.example.org")
    assert server.get(image).content.startswith(b"\x89PNG")


def test_empty_pages_say_what_to_do(start):
    """Where there is nothing yet, one reads how there could be something."""
    server = start()
    ada = Person(server)
    assert "make one here" in ada.browser().get("/account").text
    admin(f"--database-url={server.settings['database_url']}", "promote", ada.username)
    browser = ada.browser()
    assert "There is nothing older" in browser.get("/audit?before=1").text
    with sqlite3.connect(server.database) as db:
        db.execute("DELETE FROM audit")
    db.close()
    assert "open the message by its time" in browser.get("/audit").text
