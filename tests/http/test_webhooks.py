"""Outgoing webhooks: what is made by the API and on the page, and what a receiver gets from a real server."""

import asyncio
import datetime
import json
import re
import shutil
import subprocess
import sys
from collections import Counter

import pytest
from standardwebhooks import Webhook

from net.webhook_task import send_webhooks
from tests.support.boards import invite, make_board, post_on, promote
from tests.support.in_process import running, settled
from tests.support.people import Person, refused
from tests.support.receiver import receiving
from tests.support.server import ROOT, until

BOARDS = "/api/v1/boards"
FIRST = f"{BOARDS}/first/webhooks"


@pytest.fixture
def receiver():
    with receiving() as one:
        yield one


def made(person, url, hooks=FIRST, **fields):
    response = person.api.post(hooks, json={"url": url, **fields})
    assert response.status_code == 201, response.text
    return response.json()


def state(person, id, hooks=FIRST):
    return person.api.get(f"{hooks}/{id}").json()


def test_a_receiver_gets_each_change_signed_and_in_order(start, receiver):
    server = start(webhooks_to_loopback="on")
    ada = Person(server, "ada", name="Ada")
    promote(server, ada)
    before = server.post("from before").json()
    hook = made(ada, f"{receiver.url}/a?token=x#part")
    assert hook["url"] == f"{receiver.url}/a?token=x" and hook["state"] == "on" and hook["behind"] == 0
    first = ada.post("one & <two>")
    [created] = receiver.events("/a?token=x", 1)
    assert created == {"type": "message.created", "timestamp": first["created_at"], "data": first}
    edited = ada.api.patch(f"/api/v1/messages/{first['id']}", json={"body": "edited"}).json()
    until(lambda: state(ada, hook["id"])["behind"] == 0)
    reacted = ada.api.put(f"/api/v1/messages/{before['id']}/reactions/heart").json()
    ada.api.put(f"/api/v1/messages/{before['id']}/pin")
    until(lambda: state(ada, hook["id"])["behind"] == 0)
    ada.api.delete(f"/api/v1/messages/{first['id']}")
    events = receiver.events("/a?token=x", 5)
    assert [event["type"] for event in events] == [
        "message.created", "message.edited", "message.changed", "message.changed", "message.deleted"]  # fmt: skip
    assert events[1]["data"] == edited and events[1]["timestamp"] == edited["edited_at"]
    assert events[2]["data"]["reactions"] == reacted["reactions"] and events[3]["data"]["pinned"] is True
    assert events[4]["data"] == {"id": first["id"], "deleted": True}
    got, verifier = receiver.at("/a?token=x"), Webhook(hook["secret"])
    assert hook["secret"].startswith("whsec_") and [verifier.verify(one.body, one.headers) for one in got] == events
    assert len({one.id for one in got}) == 5 and all(re.fullmatch(r"[0-9a-z]+-\d+", one.id) for one in got)
    assert server.news(got[3].id)["messages"] == [events[4]["data"]], "an id is the cursor behind the change"
    assert {one.headers["content-type"] for one in got} == {"application/json"} and "secret" not in state(
        ada, hook["id"]
    )
    now = state(ada, hook["id"])
    assert (
        now["succeeded_at"]
        and now["error"] is now["next_at"] is None
        and now["failures"] == 0
        and now["owner"] == "ada"
    )


def test_a_webhook_is_paused_and_goes_on_with_all_or_without_what_was_written(start, receiver):
    server = start(webhooks_to_loopback="on")
    ada = Person(server, "ada")
    promote(server, ada)
    path = f"{FIRST}/{made(ada, f'{receiver.url}/a')['id']}"
    assert ada.api.patch(path, json={"paused": True}).json()["state"] == "paused"
    for n in range(3):
        server.post(f"{n}")
    paused = ada.api.get(path).json()
    made(ada, f"{receiver.url}/clock")  # what goes on beside it shows that the sender has had its turn
    server.post("3")
    assert receiver.events("/clock", 1)[0]["data"]["body"] == "3" and not receiver.at("/a")
    assert paused["behind"] == 3 and paused["paused_at"]
    assert ada.api.patch(path, json={"paused": False}).json()["state"] == "on"
    assert [event["data"]["body"] for event in receiver.events("/a", 4)] == ["0", "1", "2", "3"]
    ada.api.patch(path, json={"paused": True})
    server.post("left out")
    assert ada.api.patch(path, json={"paused": False, "skip": True}).json()["behind"] == 0
    server.post("after")
    assert receiver.events("/a", 5)[4]["data"]["body"] == "after"


def test_a_new_secret_signs_beside_the_old_one_and_an_address_changes(start, receiver):
    server = start(webhooks_to_loopback="on")
    ada = Person(server, "ada")
    promote(server, ada)
    hook = made(ada, f"{receiver.url}/a")
    path = f"{FIRST}/{hook['id']}"
    new = ada.api.post(f"{path}/secret").json()["secret"]
    assert new.startswith("whsec_") and new != hook["secret"]
    server.post("with two")
    receiver.events("/a", 1)
    [got] = receiver.at("/a")
    assert [Webhook(secret).verify(got.body, got.headers)["type"] for secret in (new, hook["secret"])] == [
        "message.created"
    ] * 2
    assert len(got.headers["webhook-signature"].split(" ")) == 2
    assert ada.api.patch(path, json={"url": f"{receiver.url}/b"}).json()["url"] == f"{receiver.url}/b"
    server.post("elsewhere")
    assert receiver.events("/b", 1)[0]["data"]["body"] == "elsewhere" and len(receiver.at("/a")) == 1
    assert ada.api.post(f"{path}/test").json() == {"error": None}
    assert receiver.events("/b", 2)[1]["type"] == "test" and receiver.at("/b")[1].id.startswith("test-")
    assert len(receiver.at("/b")[1].headers["webhook-signature"].split(" ")) == 2, "as each event of that day"
    receiver.answer = lambda got, handler: 500
    assert ada.api.post(f"{path}/test").json() == {"error": "500"} and ada.api.get(path).json()["failures"] == 0
    assert ada.api.delete(path).status_code == 204
    assert refused(ada.api.get(path), 404, "no_such_webhook")


def test_a_channel_gets_what_is_written_and_calls_nobody(start, receiver):
    server = start(webhooks_to_loopback="on", public_url="http://localhost:1")
    server.client.headers["Host"] = "localhost:1"
    ada = Person(server, "ada", name="Ada <b>")
    ada.api.headers["Host"] = "localhost:1"
    promote(server, ada)
    hook = made(ada, f"{receiver.url}/s", shape="slack")
    posted = ada.post("hi @all <!channel> & co")
    [event] = receiver.events("/s", 1)
    link = f"<http://localhost:1/m/{posted['id']}|#{posted['id']}>"
    assert event == {"text": f"Ada &lt;b&gt;: hi @\u200ball &lt;!channel&gt; &amp; co {link}"}
    until(lambda: state(ada, hook["id"])["behind"] == 0)
    ada.api.put(f"/api/v1/messages/{posted['id']}/reactions/heart")
    ada.api.patch(f"/api/v1/messages/{posted['id']}", json={"body": "x" * 3500})
    events = receiver.events("/s", 2)
    assert events[1]["text"].startswith("Ada &lt;b&gt; (edited): xxx") and "x… <" in events[1]["text"]
    ada.api.delete(f"/api/v1/messages/{posted['id']}")
    until(lambda: state(ada, hook["id"])["behind"] == 0)
    assert len(receiver.got) == 2


def test_it_sends_what_its_owner_may_read_at_that_moment(start, receiver):
    """A board of the invited; the owner of the webhook is suspended, loses the board, and deletes the account."""
    server = start(webhooks_to_loopback="on", board_making="members")
    boss, owner, friend = (Person(server, name) for name in ("boss", "owner", "friend"))
    promote(server, boss)
    slug = make_board(owner, "Club", read_by="invited")
    hooks = f"{BOARDS}/{slug}/webhooks"
    hook = made(owner, f"{receiver.url}/club", hooks)
    everywhere = made(boss, f"{receiver.url}/first")
    post_on(owner.api, slug, "inside")
    assert receiver.events("/club", 1)[0]["data"]["body"] == "inside"
    invite(owner, slug, "boss")
    invite(owner, slug, "friend")
    mark = owner.post("marker")["id"]
    until(lambda: receiver.at("/first"))
    boss.api.patch(f"{BOARDS}/{slug}", json={"owner": "friend"})
    assert owner.api.delete(f"{BOARDS}/{slug}/members/owner").status_code == 204, "and gives the invitation back"
    post_on(friend.api, slug, "not for the one who left")
    until(lambda: state(boss, hook["id"], hooks)["state"] == "no_right")
    assert len(receiver.at("/club")) == 1 and refused(owner.api.get(hooks), 404, "no_such_board")
    assert friend.api.patch(f"{hooks}/{hook['id']}", json={"paused": False}).json()["owner"] == "friend"
    assert receiver.events("/club", 2)[1]["data"]["body"] == "not for the one who left"
    assert boss.browser().post(f"/m/{mark}/moderate", data={"act": "suspend"}).status_code == 303
    server.post("the first board's goes on")
    assert receiver.events("/first", 2)[1]["data"]["body"] == "the first board's goes on"
    assert "switched off outgoing webhook" in boss.browser().get("/audit").text
    assert friend.api.delete(f"{BOARDS}/{slug}?name=Club").status_code == 204
    assert state(boss, everywhere["id"])["state"] == "on" and "club" not in server.log.read_text()


def test_who_may_not_moderate_a_board_sees_and_makes_none(start, receiver):
    server = start(webhooks_to_loopback="on", board_making="members")
    boss, owner, other = (Person(server, name) for name in ("boss", "owner", "other"))
    promote(server, boss)
    slug = make_board(owner, "Open", read_by="everyone")
    hidden = f"{BOARDS}/{make_board(owner, 'Club', read_by='invited')}/webhooks"
    hooks, url = f"{BOARDS}/{slug}/webhooks", {"url": f"{receiver.url}/x"}
    path = f"{hooks}/{made(owner, **url, hooks=hooks)['id']}"
    calls = [("GET", hooks, None), ("POST", hooks, url), ("GET", path, None), ("PATCH", path, {"paused": True}),
             ("DELETE", path, None), ("POST", f"{path}/secret", None), ("POST", f"{path}/test", None)]  # fmt: skip
    for method, at, body in calls:
        assert refused(other.api.request(method, at, json=body), 403, "owner_only")
        assert refused(server.client.request(method, at, json=body), 401, "sign_in_first")
        assert refused(other.api.request(method, at.replace(hooks, hidden), json=body), 404, "no_such_board")
        assert refused(owner.api.request(method, at.replace(hooks, FIRST), json=body), 403, "owner_only")
    assert boss.api.get(path).json()["url"] == url["url"], "moderators too"
    assert refused(boss.api.get(f"{FIRST}/{path.rpartition('/')[2]}"), 404, "no_such_webhook"), "of another board"
    assert refused(boss.api.get(f"{FIRST}/{'9' * 30}"), 404, "no_such_webhook")
    for n in range(9):
        made(owner, f"{receiver.url}/{n}", hooks)
    assert refused(owner.api.post(hooks, json=url), 422, "too_many_webhooks")
    assert refused(owner.api.post(hooks, json={**url, "shape": "xml"}), 400, "bad_field")


def test_a_bulk_removal_is_a_reset_and_what_was_written_follows(start, receiver):
    server = start(webhooks_to_loopback="on")
    boss, spammer, ada = (Person(server, name) for name in ("boss", "spammer", "ada"))
    promote(server, boss)
    path = f"{FIRST}/{made(boss, f'{receiver.url}/a')['id']}"
    boss.api.patch(path, json={"paused": True})
    spam = spammer.post("spam")
    ada.post("written in between")
    assert boss.browser().post(f"/m/{spam['id']}/moderate", data={"act": "remove"}).status_code == 303
    ada.post("after")
    boss.api.patch(path, json={"paused": False})
    events = receiver.events("/a", 3)
    assert [event["type"] for event in events] == ["reset", "message.created", "message.created"]
    assert events[0]["data"] == {} and [event["data"]["body"] for event in events[1:]] == [
        "written in between",
        "after",
    ]
    assert Counter(got.id for got in receiver.got).most_common(1)[0][1] == 1
    assert datetime.datetime.fromisoformat(events[0]["timestamp"]).tzinfo == datetime.UTC


async def test_a_site_without_webhooks_loads_and_does_nothing_for_them(tmp_path):
    """Its task waits for an event that nobody sets, and no module of the sender is in memory after a start."""
    loaded = "import server, sys; print([name for name in sys.modules if name.startswith('net.webhooks')])"
    assert subprocess.run([sys.executable, "-c", loaded], cwd=ROOT, capture_output=True, text=True).stdout == "[]\n"
    async with running(tmp_path) as at:
        task = asyncio.create_task(send_webhooks(at.board, to_loopback=False, link=""))
        keeping = asyncio.create_task(at.board.housekeeping())
        looks = []
        has_webhooks = at.storage.has_webhooks

        async def looked():
            looks.append(await has_webhooks())
            return looks[-1]

        at.storage.has_webhooks = looked
        await settled(lambda: looks)
        await at.storage.append(None, "words", None)
        assert looks == [False] and not at.board.webhook_news.is_set() and at.board.waiters.on_news is None
        assert not task.done() and not (tmp_path / "board.db-webhooks").exists()
        for one in (task, keeping):
            one.cancel()
        await asyncio.gather(task, keeping, return_exceptions=True)


@pytest.mark.clients
def test_the_library_for_node_finds_the_signature_right(start, receiver):
    """By the new secret as by the one before; and finds it wrong for another body."""
    server = start(webhooks_to_loopback="on")
    ada = promote(server, Person(server, "ada"))
    hook = made(ada, f"{receiver.url}/a")
    new = ada.api.post(f"{FIRST}/{hook['id']}/secret").json()["secret"]
    server.post("signed, with 😀")
    receiver.events("/a", 1)
    [got] = receiver.got
    node = shutil.which("node")
    assert node, "bin/test --clients needs Node"
    for secret, body, is_right in (
        (new, got.body, True),
        (hook["secret"], got.body, True),
        (new, got.body + b" ", False),
    ):
        given = json.dumps({"secret": secret, "body": body.decode(), "headers": got.headers})
        run = subprocess.run(
            [node, "webhooks.mjs"], input=given, capture_output=True, text=True, cwd=ROOT / "tests" / "node"
        )
        assert (run.returncode == 0 and run.stdout == "message.created\n") is is_right, run.stderr
