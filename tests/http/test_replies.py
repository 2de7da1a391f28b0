"""Replies through the API and forms: what is taken, what is refused, and how messages are read by their ids."""

import json

import pytest

from handlers.http.fields import LIMIT_MAX
from tests.http.test_boards import BOARDS, post, with_rowing
from tests.support.people import Person, refused

MESSAGES = "/api/v1/messages"
FIELDS = {"id", "body", "author", "created_at", "edited_at"}
JSON_ONLY = {"Accept": "application/json"}


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    with with_rowing(tmp_path_factory.mktemp("replies")) as server:
        yield server


def named(site, *ids, path=MESSAGES):
    response = site.get(f"{path}?ids={','.join(map(str, ids))}")
    assert response.status_code == 200, response.text
    return response.json()


@pytest.mark.parametrize("path", [MESSAGES, f"{BOARDS}/rowing/messages"])
def test_a_reply_has_the_id_of_its_message_and_others_say_nothing(site, path):
    """Sent as JSON or as a form; read in history, by its id, from a poll and found by a search."""
    cursor = site.get(path).json()["cursor"]
    first = site.client.post(path, json={"body": "who rows?", "reply_to": None}).json()
    reply = site.client.post(path, json={"body": "I do", "reply_to": first["id"]}).json()
    second = site.client.post(path, data={"body": "I do, too", "reply_to": str(reply["id"])}).json()
    assert first.keys() == FIELDS and reply.keys() == FIELDS | {"reply_to"}
    assert (reply["reply_to"], second["reply_to"]) == (first["id"], reply["id"])
    third = site.client.post(path, json={"body": "we all do", "reply_to": float(reply["id"])}).json()
    assert json.dumps(third["reply_to"]) == str(reply["id"])
    there = [first, reply, second, third]
    assert site.get(f"{path}?after={cursor}&wait=0").json()["messages"] == there
    assert site.get(f"{path}?limit=4").json()["messages"] == there
    assert site.get(path).json()["messages"][-4:] == there
    without_board = {
        name: value for name, value in site.get(f"{MESSAGES}/{second['id']}").json().items() if name != "board"
    }
    assert without_board == second
    found = site.get(path.replace("messages", "search"), params={"q": "I do"}).json()["messages"]
    assert found[:2] == [second, reply]


@pytest.mark.parametrize("place", ["", "b/rowing/"])
def test_the_page_s_form_takes_a_reply(site, place):
    """As its outbox sends it. Without the field it is what it was, also to those who made their page by the tutorial."""
    site.client.cookies.clear()
    home, path = f"/{place}", f"{BOARDS}/rowing/messages" if place else MESSAGES
    form = {"s": "first", "as": "", "key": "k" * 22}
    first = site.client.post(f"{home}add", data=form, headers=JSON_ONLY).json()
    assert first.keys() == FIELDS
    reply = site.client.post(f"{home}add", data={**form, "s": "second", "reply_to": first["id"]}, headers=JSON_ONLY)
    assert (reply.status_code, reply.json()["reply_to"]) == (201, first["id"])
    again = site.client.post(f"{home}add", data={**form, "s": "second", "reply_to": first["id"]}, headers=JSON_ONLY)
    assert (again.status_code, again.json()) == (200, reply.json())
    for other in ({"reply_to": reply.json()["id"]}, {}):
        answer = site.client.post(f"{home}add", data={**form, "s": "second", **other}, headers=JSON_ONLY)
        refused(answer, 422, "key_reused")
    assert site.get(path).json()["messages"][-1] == reply.json()


@pytest.mark.parametrize(
    "value", ["1", "x", "", True, 1e18, 1.5, -1, [1], {"id": 1}, 10**18, 2**63, 10**30, "1" * 19, "１", " 1", False]
)
def test_what_is_no_id_is_refused_in_words(site, value):
    """In JSON a number, in a form its digits: anything else is not guessed at."""
    before = site.cursor
    refused(site.client.post(MESSAGES, json={"body": "words", "reply_to": value}), 400, "bad_field")
    if value != "1":
        text = value if isinstance(value, str) else json.dumps(value)
        refused(site.client.post(MESSAGES, data={"body": "words", "reply_to": text}), 400, "bad_field")
        refused(site.client.post("/add", data={"s": "words", "reply_to": text}, headers=JSON_ONLY), 400, "bad_field")
    assert site.cursor == before


def test_a_message_that_can_not_be_replied_to_is_refused_and_nothing_is_posted(site):
    """Deleted, on another board, itself or later, or a number that no message has: the same words for all."""
    gone = site.owner.post("to be deleted")["id"]
    site.owner.api.delete(f"{MESSAGES}/{gone}")
    first, elsewhere = site.post("here").json()["id"], post(site.client, "rowing", "there")["id"]
    before, texts = (site.cursor, site.get(f"{BOARDS}/rowing/messages").json()["cursor"]), set()
    for path, ids in ((MESSAGES, [elsewhere]), (f"{BOARDS}/rowing/messages", [first])):
        for id in [*ids, gone, elsewhere + 1, elsewhere + 2, 10**18 - 1, 0]:
            answer = site.client.post(path, json={"body": "words", "reply_to": id})
            refused(answer, 422, "no_such_message")
            texts.add(answer.text)
    assert len(texts) == 1 and str(gone) not in texts.pop()
    assert (site.cursor, site.get(f"{BOARDS}/rowing/messages").json()["cursor"]) == before


def test_a_refused_form_comes_back_and_can_be_sent_as_an_ordinary_message(site):
    """Without JavaScript: a message that is gone is left out of the form, with the words why; after another refusal the
    form still replies."""
    gone = site.owner.post("to be deleted")["id"]
    page = site.client.post("/add", data={"s": "my words", "as": "somebody", "reply_to": gone})
    assert page.status_code in (401, 409) and f'name="reply_to" value="{gone}"' in page.text
    site.owner.api.delete(f"{MESSAGES}/{gone}")
    page = site.client.post("/add", data={"s": "my words", "reply_to": gone})
    assert page.status_code == 422 and "my words" in page.text and "is gone" in page.text
    assert "reply_to" not in page.text
    page = site.client.post("/add", data={"s": "my words", "reply_to": '"><script>'})
    assert page.status_code == 400 and "my words" in page.text and "<script>" not in page.text.partition("<main>")[2]


def test_messages_are_read_by_their_ids(site):
    """In order of ids, each once, also deleted ones; what is on another board, or was never posted, is absent."""
    ids = [site.owner.post(f"number {n}")["id"] for n in range(3)]
    elsewhere = post(site.client, "rowing", "there")["id"]
    site.owner.api.delete(f"{MESSAGES}/{ids[1]}")
    whole = [site.get(f"{MESSAGES}/{id}").json() for id in (ids[0], ids[2])]
    asked = (*reversed(ids), ids[0], elsewhere, 10**18 - 1, 0)
    assert named(site, *asked) == {"messages": [whole[0], {"id": ids[1], "deleted": True}, whole[1]]}
    assert [one["id"] for one in named(site, *asked, path=f"{BOARDS}/rowing/messages")["messages"]] == [elsewhere]
    assert named(site, *[ids[0]] * LIMIT_MAX) == {"messages": [whole[0]]}


@pytest.mark.parametrize(
    "query",
    ["ids=", "ids=,", "ids=1,", "ids=1,,2", "ids=x", "ids=-1", "ids=1.0", "ids=1 2", "ids=%D9%A1", "ids=" + "1" * 19,
     "ids=" + ",".join(["1"] * 101), "ids=1&limit=2", "ids=1&before=2", "ids=1&after=k3f9x2mq-1", "ids=1&ids="],
)  # fmt: skip
def test_what_are_no_ids_is_refused(site, query):
    """As are too many of them, and parameters that say something else."""
    for path in (MESSAGES, f"{BOARDS}/rowing/messages"):
        refused(site.get(f"{path}?{query}"), 400, "bad_field")


def test_reading_by_ids_counts_as_reading(start):
    """It asks storage each time, so each client has as many as of pages of history."""
    server = start(limits="on")
    for _ in range(200):
        answer = server.get(f"{MESSAGES}?ids=1")
        if answer.status_code != 200:
            break
    refused(answer, 429, "too_many_requests")
    assert server.get(MESSAGES).status_code == 200, "what is in memory costs nothing"


def test_a_reply_stays_when_its_message_is_edited_or_deleted(site):
    """And the author's edit of the reply leaves what it is to."""
    grace = Person(site)
    first = site.owner.post("first")["id"]
    reply = grace.api.post(MESSAGES, json={"body": "yes", "reply_to": first}).json()["id"]
    edited = grace.api.patch(f"{MESSAGES}/{reply}", json={"body": "no", "reply_to": 1}).json()
    assert (edited["body"], edited["reply_to"]) == ("no", first)
    site.owner.api.delete(f"{MESSAGES}/{first}")
    assert named(site, first, reply)["messages"] == [{"id": first, "deleted": True}, edited]
    grace.api.delete(f"{MESSAGES}/{reply}")
    assert named(site, reply)["messages"] == [{"id": reply, "deleted": True}]
