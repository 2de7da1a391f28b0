"""Searching over HTTP: the page without JavaScript, and the API."""

import asyncio
import html
import re
import threading
from urllib.parse import quote

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from board.highlights import EXCERPT, excerpt, highlighted
from handlers.messages.search import MOST_MARKED
from storage.words import phrases
from tests.support.browser import SCRIPTS
from tests.support.in_process import running
from tests.support.people import Person, refused
from tests.support.results import pages_of_results


@pytest.fixture(scope="module")
def board(shared_servers):
    """A server with messages in many scripts."""
    server = shared_servers("on")
    for script in SCRIPTS:
        server.post(script)
    return server


def found(server, query, **parameters):
    response = server.get("/api/v1/search", params={"q": query, **parameters})
    assert response.status_code == 200, response.text
    return response.json()


def marks(page):
    return [html.unescape(mark) for mark in re.findall("<mark>(.*?)</mark>", page)]


def test_a_program_finds_what_was_posted_at_once(server):
    """Whole messages as everywhere, newest first, by pages."""
    posted = [server.post(f"zebra crossing {number}").json() for number in range(3)]
    first = found(server, "ZEBRA", limit=2)
    assert first == {"messages": [posted[2], posted[1]], "older": True}
    assert found(server, "zebra", before=posted[1]["id"]) == {"messages": [posted[0]], "older": False}
    assert found(server, "zebra quagga") == {"messages": [], "older": False}


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [("", 400, "bad_field"), ("q=" + "x" * 201, 422, "query_too_long"), ("q=%ff", 400, "not_utf8"),
     ("q=x&before=y", 400, "bad_number"), ("q=x+before:noon", 422, "bad_date"), ("q=after:2026-02-30&board=*", 422, "bad_date"), ("q=x&limit=-1", 400, "bad_number")],
)  # fmt: skip
def test_what_is_no_search_is_refused(server, query, status, code):
    """A clear error, in the one shape."""
    assert refused(server.get(f"/api/v1/search?{query}"), status, code)


@pytest.mark.parametrize(
    "query",
    ['"', '""', "*", "-", "NOT", "a AND", "a OR (", "NEAR(a b)", "words : a", "^", "%00", "a%00b", "{}", "'; --",
     "%F0%9F%98%80", "a%0Ab", "%E5%A5%BD", "&amp;", "+", "%E2%80%8B"],
)  # fmt: skip
def test_whatever_is_typed_is_looked_for(server, query):
    """No sign means anything but the quotes, on the page as in the API."""
    assert server.get(f"/api/v1/search?q={query}").status_code == 200
    assert server.get(f"/search?q={query}").status_code == 200


@pytest.mark.parametrize(
    ("query", "marks_of"),
    [("GRUSSE koln", ["Grüße", "Köln"]), ("世界", ["世界"]), ("好", ["好"]), ("안녕", ["안녕"]), ('"שלום עולם"', ["שלום עולם"]),
     ("สวัส", ["สวัส"]), ("नमस्ते", ["नमस्ते"]), ("мягк", ["мягк"]), ("👧", ["👧"]), ("<script>", ["script", "script"]),
     ("example.org a", ["example.org", "a"])],
)  # fmt: skip
def test_the_page_marks_what_was_found(board, query, marks_of):
    """In every script, with nothing but the words themselves highlighted, and markup shown literally."""
    page = board.get("/search", params={"q": query}).text
    assert set(marks_of) <= set(marks(page)), marks(page)
    assert "<script>alert" not in page
    assert html.escape(query, quote=True)[:5] in page


def test_a_result_leads_to_its_message_and_to_older_ones(start):
    """Each result is a link, and all pages together have every message once."""
    server = start()
    ids = [server.post(f"walrus {number}").json()["id"] for number in range(45)]
    seen = [id for page in pages_of_results(server, "/search?q=walrus") for id in re.findall(r'href="/m/(\d+)"', page)]
    assert [int(id) for id in seen] == ids[::-1]
    assert server.get(f"/m/{seen[0]}").status_code == 200


def test_an_empty_page_says_what_to_do(server):
    """Nothing typed, nothing that could be found, nothing found, nothing older: each says what helps."""
    for path, words in {
        "/search": "in any order",
        "/search?q=!!!": "type a word",
        "/search?q=nonesuchword": "only its beginning",
        "/search?q=none+such+words": "fewer words",
        '/search?q="none such"': "leave out the quotes",
        "/search?q=nonesuchword&before=1": "Back to the newest results",
    }.items():
        page = server.get(path).text
        assert words in page and 'role="search"' in page and 'href="/"' in page


def test_a_search_too_long_for_the_page_keeps_its_head(server):
    """It is refused in words, on a page."""
    response = server.get("/search?q=" + "x" * 300)
    assert response.status_code == 422 and "200 characters" in response.text


def test_one_address_can_not_keep_the_board_searching(start):
    """Beyond a burst, searches are 429 with a time to come back; polls and pages go on."""
    server = start(limits="on")
    answers = [server.get("/api/v1/search?q=x") for _ in range(80)]
    assert [answer.status_code for answer in answers[:30]] == [200] * 30
    late = next(answer for answer in answers if answer.status_code == 429)
    assert refused(late, 429, "too_many_searches") and int(late.headers["Retry-After"]) >= 1
    assert server.get("/").status_code == 200 and server.news(server.cursor)["messages"] == []


def test_search_is_closed_where_reading_is(start):
    """Guests of a members' board find nothing, by neither way."""
    server = start(reading="members")
    assert refused(server.get("/api/v1/search?q=x"), 401, "sign_in_first")
    response = server.get("/search?q=x")
    assert response.status_code == 401 and 'href="/search"' not in response.text


# --- marks and excerpts


async def test_marks_are_looked_for_off_the_loop_and_not_for_ever(tmp_path, monkeypatch):
    """Twenty long messages and many words hold up nobody else: no poll and no post."""
    seen = []

    def noting(text, wanted):
        seen.append((threading.current_thread(), len(wanted)))
        return excerpt(text, wanted)

    monkeypatch.setattr("handlers.messages.search.excerpt", noting)
    async with running(tmp_path) as house:
        for number in range(20):
            await house.storage.append(None, f"{number} " + "word " * 500, None)
        query = " ".join(["word"] * 20 + ["wor"])
        reply = await asyncio.to_thread(httpx.get, f"http://127.0.0.1:{house.port}/search", params={"q": query})
    assert reply.status_code == 200 and reply.text.count("<mark>") >= 20
    assert len(seen) == 20 and all(count <= MOST_MARKED for _, count in seen)
    assert all(thread is not threading.main_thread() for thread, _ in seen)


@given(st.text(), st.text(max_size=8), st.text(max_size=8))
def test_marks_change_no_letter(text, before, after):
    """The pieces together are the text, and a text that was found has a mark in it."""
    whole = f"{before} {text} {after}"
    wanted = phrases(f'"{text}"')
    pieces = highlighted(whole, wanted)
    assert "".join(piece for piece, _ in pieces) == whole
    if wanted and len(wanted) == 1 and text.isascii():
        assert any(is_marked for _, is_marked in pieces)


@given(st.text(min_size=EXCERPT + 1, max_size=EXCERPT + 300), st.text(max_size=4))
def test_an_excerpt_is_a_part_of_the_text(text, query):
    """Of a long message a bounded part is shown, just as it is."""
    pieces = excerpt(text, phrases(query))
    shown = "".join(piece for piece, _ in pieces)
    part = shown.removeprefix("… " if not text.startswith("… ") else "").removesuffix(" …")
    assert len(shown) <= EXCERPT + 4 and part in text


def test_an_excerpt_shows_the_first_mark():
    """What was found far down in a long message is seen."""
    text = "word " * 500 + "needle " + "more " * 500
    pieces = excerpt(text, phrases("needle"))
    assert ("needle", True) in pieces and pieces[0] == ("… ", False) and pieces[-1] == (" …", False)
    assert sum(len(piece) for piece, _ in pieces) <= EXCERPT + 4


def test_conditions_narrow_a_search_on_pages_and_in_the_api(server):
    """Beside words or alone, on one board and on all; only the words are highlighted. In quotes they are words."""
    ada = Person(server)
    mine, other = ada.post("quokka at https://example.org"), server.post("quokka, seen from:afar").json()
    day = mine["created_at"][:10]
    for query, ids in (
        (f"quokka from:{ada.username}", [mine]), ("quokka from:guests", [other]), ("quokka has:link", [mine]),
        (f"quokka before:{day}", []), (f"quokka after:{day}", []), ("quokka after:2020-01-01", [other, mine]),
        ('quokka "from:afar"', [other]), (f"from:{ada.username}", [mine]), ("from:nobody_at_all", []),
    ):  # fmt: skip
        for where in ({}, {"board": "*"}):
            messages = found(server, query, **where)["messages"]
            assert [message["id"] for message in messages] == [message["id"] for message in ids], query
            page = server.get("/search", params={"q": query, **where}).text
            assert re.findall(r'<article[^>]* id="m(\d+)"', page.replace("\n", "")) == [
                str(one["id"]) for one in ids
            ], query
    page = server.get("/search", params={"q": f"quokka from:{ada.username} has:link"}).text
    assert marks(page) == ["quokka"]
    assert "from:ada" in server.get("/search").text, "what there is to know is said where one asks"


@pytest.mark.parametrize("where", ["", "&board=*"])
def test_a_query_that_is_refused_is_there_to_be_mended(server, where):
    """With the reason beside it, and with the status of the refusal; what is typed is no markup."""
    for query, words in (
        ("quokka before:yesterday", "write a day, such as 2026-11-01"), ("after:01.11.2026", "write a day"),
        ('"<b>" before:x', "write a day"), ("x" * 201, "A search may have 200 characters; this one has 201."),
    ):  # fmt: skip
        answer = server.get(f"/search?q={quote(query)}{where}")
        assert answer.status_code == 422
        [value] = re.findall(r'name="q" type="search" value="([^"]*)"', answer.text)
        assert html.unescape(value) == query
        reason = answer.text.partition('id="refused"')[2].partition("</p>")[0]
        assert words in reason and 'aria-describedby="refused"' in answer.text
        assert "has:link" in answer.text and "<b>" not in answer.text


def test_who_looks_for_a_name_is_told_what_from_takes(server):
    """A name in quotes is words, as everything in quotes is."""
    ada = Person(server, name="Joe Bloggs")
    ada.post("low tide")
    says = "Behind <code>from:</code> stands a username"
    for query, is_told in (('from:"Joe Bloggs"', True), ('tide FROM:"Joe"', True), ('"from:joe" "tide', False)):
        page = server.get("/search", params={"q": query}).text
        assert (says in page) is is_told and "low tide" not in page, query
    ada.post("he said: from: Joe Bloggs")
    assert says not in server.get("/search", params={"q": 'from:"Joe Bloggs"'}).text


def test_members_are_told_that_nobody_has_a_username(server):
    """Guests learn of no username in this way, as anybody else's is answered alike."""
    member = Person(server).browser()
    for client, is_told in ((member, True), (server.open(), False)):
        for query in (
            "from:nobody_here",
            f"from:{Person(server).username}",
            "from:guests nonesuchword",
            "nonesuchword",
        ):
            page = client.get("/search", params={"q": query}).text
            says = "Nobody has the username <bdi>nobody_here</bdi>." in page
            assert says is (is_told and "nobody" in query), query
            assert "has:link" in page and ("No results" in page) is not says
