"""The board's page as guests get it: kept until the next change, and right for each of them."""

import gzip
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.boards.kept import KEY_HOLE, MESSAGES_HOLE, Body, Kept, cut_page
from tests.http.test_polls import raw
from tests.support.patience import PATIENCE
from tests.support.people import Person
from tests.support.server import until


def page(client, **headers):
    """The page, and the key in its form."""
    response = client.get("/", headers={"Accept-Encoding": "identity"} | headers)
    assert response.status_code == 200 and response.headers["Content-Type"].startswith("text/html")
    return re.sub(r'(name="key" value=")([^"]+)', r"\1KEY", response.text), re.search(
        r'"key" value="([^"]+)', response.text
    )[1]


@given(st.text(), st.lists(st.text()), st.text(), st.text(max_size=50))
def test_what_is_kept_and_its_end_are_one_page(before, messages, after, key):
    """Compressed or not, byte for byte, whatever the page and the key."""
    hole = MESSAGES_HOLE.decode()
    head, rest, end = cut_page(f'{before}{hole}{after}<input value="{KEY_HOLE}">{after}'.encode())
    kept = Kept.make("", 0.0, 0, head, Body.make([message.encode() for message in messages], rest), end)
    whole = f'{before}{"".join(messages)}{after}<input value="{key}">{after}'.encode()
    assert kept.whole(key) == whole == gzip.decompress(kept.gzipped(key))


def test_compressed_it_is_the_same_page(server):
    """As every browser asks for it, and much smaller; each visitor has a key of their own."""
    plain, key = page(server.client)
    small, other = page(server.client, **{"Accept-Encoding": "gzip, br"})
    raw_size = int(server.client.get("/", headers={"Accept-Encoding": "gzip"}).headers["Content-Length"])
    assert plain == small and key != other and raw_size < len(plain) / 2
    response = server.get("/")
    assert response.headers["Content-Encoding"] == "gzip" and response.headers["Vary"] == "Accept-Encoding"
    assert "Content-Encoding" not in server.client.get("/", headers={"Accept-Encoding": "identity"}).headers


def test_a_guest_who_comes_first_gets_what_a_guest_with_a_cookie_gets(server):
    """The quick way says the same as the handler: the same headers, but for the date, and the same page."""
    server.get("/")
    for encoding in ("gzip", "identity"):
        answers = [server.open(headers={"Accept-Encoding": encoding}, cookies=c).get("/") for c in ({}, {"other": "x"})]
        quick, slow = (dict(answer.headers) for answer in answers)
        assert {**quick, "date": ""} == {**slow, "date": ""}
        assert re.sub('name="key".*', "", answers[0].text) == re.sub('name="key".*', "", answers[1].text)


def test_every_change_is_on_the_next_page(start):
    """A post, an edit, a deletion, a removal: nothing stale is shown, and nothing deleted."""
    server = start()
    ada = Person(server)
    assert "It is quiet here" in page(server.client)[0]
    message = ada.post("first words")
    assert "first words" in page(server.client)[0] and server.cursor in page(server.client)[0]
    ada.api.patch(f"/api/v1/messages/{message['id']}", json={"body": "better words"})
    assert "better words" in page(server.client)[0] and "first words" not in page(server.client)[0]
    ada.api.delete(f"/api/v1/messages/{message['id']}")
    assert "better words" not in page(server.client)[0]


def test_nobody_sees_another_s_page(start):
    """A member's name is on no guest's page, whoever comes first, and a key is nobody else's."""
    server = start(posting="members")
    ada = Person(server, name="Ada Visible")
    browser = ada.browser()
    pages = [page(client)[0] for client in (browser, server.client, browser, server.open())]
    assert ["Ada Visible" in text for text in pages] == [True, False, True, False]
    assert ["Members write here" in text for text in pages] == [False, True, False, True]
    ada.browser().post("/account/everywhere")
    ended = browser.get("/")
    assert ended.status_code == 200 and "Members write here" in ended.text and "expires" in ended.headers["Set-Cookie"]


def test_the_count_on_the_page_is_of_this_moment(start):
    """Within about a second."""
    server = start()
    assert 'data-watching="0"' in page(server.client)[0]
    polls = [raw(server, f"GET /get?after={server.cursor}") for _ in range(3)]
    server.until_parked(3)
    until(lambda: 'data-watching="3"' in page(server.client)[0])
    for poll in polls:
        poll.close()


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [("/", {"Authorization": "Bearer lb_wrong"}, 401), ("/?before=x", {}, 400), ("/?", {}, 200), ("/?x=1", {}, 200),
     ("/", {"X-Forwarded-For": "1.2.3.4"}, 200)],
)  # fmt: skip
def test_what_is_not_the_plain_page_is_looked_at(server, path, headers, status):
    """A token, a query: those are read, not answered from what is kept."""
    assert server.client.get(path, headers=headers).status_code == status


def test_head_and_old_clients_get_what_they_ask_for(server):
    """HEAD has no body; HTTP/1.0 gets its page and a closed connection."""
    head = server.client.head("/")
    assert head.status_code == 200 and not head.content
    with raw_request(server, b"GET / HTTP/1.0\r\nHost: x\r\n\r\n") as connection:
        received = b""
        while data := connection.recv(65536):
            received += data
    assert b" 200 OK\r\n" in received[:20] and received.endswith(b"</html>\n")


def raw_request(server, data):
    import socket

    connection = socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE)
    connection.sendall(data)
    return connection
