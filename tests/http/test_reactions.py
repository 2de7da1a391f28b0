"""Reactions over HTTP: who may react, what everybody sees of it, and what stays as it was."""

import asyncio
import concurrent.futures
import json
import re
import urllib.parse

import pytest
from tornado.httpclient import AsyncHTTPClient

from board.credentials import hash_secret, new_secret
from board.reactions import EMOJI, in_words, kind_of
from storage.records import REACTIONS, Asker, Author, Password
from tests.http.test_boards import BOARDS, bot_of, hidden, make, post, promoted
from tests.support.in_process import running
from tests.support.people import Person, refused
from tests.support.server import until

HEART = urllib.parse.quote("❤️")


def react(person, id, kind="heart", method="PUT"):
    return person.api.request(method, f"/api/v1/messages/{id}/reactions/{kind}")


def test_a_reaction_is_seen_by_all_and_leaves_all_else_as_it_was(start):
    """Polls, history, search and pages have the counts; a message without any is the same bytes as ever."""
    server = start()
    ada, bob = Person(server), Person(server)
    plain = ada.post("low tide at six")
    id, path = plain["id"], f"/api/v1/messages/{plain['id']}"
    before, feed, cursor = server.get(path).content, server.get("/feed.atom"), server.cursor
    assert b"reactions" not in before and "reactions" not in server.get("/").text
    for method, kind in (("PUT", "heart"), ("PUT", HEART), ("PUT", urllib.parse.quote("❤"))):
        assert react(ada, id, kind, method).json() == plain | {"reactions": {"❤️": 1}}, "three names of one"
    react(bob, id)
    both = plain | {"reactions": {"👍": 1, "❤️": 2}}
    assert react(bob, id, "thumbs_up").json() == both, "in the order of the row"
    assert server.news(cursor)["messages"] == [both] == [server.get(path).json()]
    assert int(server.cursor.partition("-")[2]) == int(cursor.partition("-")[2]) + 3, (
        "what changed nothing is no change"
    )
    assert server.get("/api/v1/messages?limit=1").json()["messages"] == [both]
    assert server.get("/api/v1/search", params={"q": "low tide at six"}).json()["messages"][0] == both
    shown = '<span role="img" aria-label="1 thumbs up">👍 1</span> <span role="img" aria-label="2 hearts">❤️ 2</span>'
    for page in ("/", f"/m/{id}", f"/?before={id + 1}", "/search?q=tide"):
        text = server.get(page).text.replace("\n", "")
        assert shown in text and "/reactions.js" in text, page
    assert (
        server.get("/feed.atom").content == feed.content
        and server.get("/feed.atom").headers["Etag"] == feed.headers["Etag"]
    )
    for person, kind in ((ada, "heart"), (bob, "heart"), (bob, "thumbs_up"), (bob, "thumbs_up")):
        assert react(person, id, kind, "DELETE").status_code == 200
    assert server.get(path).content == before and f'id="m{id}"' in server.get("/").text
    assert (
        "reactions"
        not in server.get(f"/?before={id + 1}&limit=1").text.partition(f'id="m{id}"')[2].partition("</article>")[0]
    )


def test_what_is_no_reaction_or_nobody_s_is_refused(server):
    """Guests are told to sign in, for each message; kinds outside the row, deleted and missing messages."""
    ada = Person(server)
    id = ada.post("words")["id"]
    gone = ada.post("to go")["id"]
    ada.api.delete(f"/api/v1/messages/{gone}")
    for method in ("PUT", "DELETE"):
        for message in (id, gone, 10**17):
            refused(server.client.request(method, f"/api/v1/messages/{message}/reactions/heart"), 401, "sign_in_first")
        for kind in ("hearts", "HEART", "%F0%9F%92%A9", "%00", "x" * 5000, "%ff"):
            assert react(ada, id, kind, method).status_code in (400, 422), kind
        refused(react(ada, id, "%F0%9F%92%A9", method), 422, "bad_reaction")
        for message in (gone, 10**17, "x", -1):
            refused(react(ada, message, "heart", method), 404, "not_found")
    refused(server.client.post(f"/api/v1/messages/{id}/reactions/heart"), 405, "method_not_allowed")
    assert "reactions" not in server.get(f"/api/v1/messages/{id}").json()
    assert [kind_of(kind) for kind in REACTIONS] == list(REACTIONS) and len(REACTIONS) == 8
    assert [in_words(kind, 2) for kind in REACTIONS[:3]] == ["2 thumbs up", "2 hearts", "2 laughs"]


def test_rights_on_boards_hold_for_reactions(url, start):
    """Who may not read a board finds nothing; an archived one takes none; a suspended member has no say; bots may."""
    server = start(database_url=url)
    owner, bob = promoted(server), Person(server)
    make(owner, write_by="moderators")
    id, there = post(owner.api, "rowing", "words")["id"], hidden(owner)
    secret = post(owner.api, there, "secret")["id"]
    assert react(bob, id).json()["board"] == "rowing", "who may only read may react"
    bot = bot_of(bob).put(f"/api/v1/messages/{id}/reactions/eyes")
    assert bot.json()["reactions"] == {"❤️": 1, "👀": 1}
    for attempt in (lambda: react(bob, secret), lambda: react(bob, secret, "heart", "DELETE"),
                    lambda: bob.api.get(f"/api/v1/messages/{secret}/reactions")):  # fmt: skip
        refused(attempt(), 404, "not_found")
    assert react(owner, secret).status_code == 200
    own = owner.api.get("/api/v1/reactions", params={"ids": f"{id},{secret},99"}).json()
    assert own == {"messages": [{"id": secret, "reactions": ["❤️"]}]}
    assert bob.api.get("/api/v1/reactions", params={"ids": f"{id},{secret}"}).json() == {
        "messages": [{"id": id, "reactions": ["❤️", "👀"]}]
    }
    owner.api.patch(f"{BOARDS}/rowing", json={"archived": True})
    for method in ("PUT", "DELETE"):
        refused(react(bob, id, "heart", method), 403, "archived")
    assert 'id="reactions"' not in bob.browser().get(f"/m/{id}").text
    assert bob.browser().post(f"/m/{id}/react", data={"add": "heart"}).status_code == 403


def test_nothing_counts_as_new_by_a_reaction(start):
    """Marks, the list of boards and the word of other boards: as before, but the message is delivered once more."""
    server = start()
    owner, bob = promoted(server), Person(server)
    make(owner)
    id = post(owner.api, "rowing", "words")["id"]

    def seen():
        listed = bob.api.get(BOARDS).json()
        word = bob.api.get(f"/get?after={server.cursor}&others=0&wait=0").json()
        return listed, {name: value for name, value in word.items() if name != "watching"}

    until(lambda: "boards" in seen()[1])  # the post is told with a tick
    before = seen()
    assert before[1]["boards"] == {"rowing": [id, owner.id]} and before[0]["boards"][1]["unread"] == 1
    cursor = bob.api.get(f"{BOARDS}/rowing/messages").json()["cursor"]
    assert react(owner, id).status_code == 200
    assert seen() == before
    changed = bob.api.get(f"{BOARDS}/rowing/messages", params={"after": cursor, "wait": 0}).json()["messages"]
    assert [(one["id"], one["reactions"], one["edited_at"]) for one in changed] == [(id, {"❤️": 1}, None)]


def test_who_reacted_and_what_is_one_s_own(server):
    """By the ids of members, a part at a time; own ones in one request, for members only."""
    people = [Person(server, name=f"Rower {n}") for n in range(3)]
    id = people[0].post("words")["id"]
    for person in people:
        react(person, id, "eyes")
    react(people[1], id, "heart")
    path = f"/api/v1/messages/{id}/reactions"
    first = server.get(path, params={"limit": 2}).json()
    assert first == {"more": True, "members": [
        {"id": people[0].id, "name": "Rower 0", "reactions": ["👀"]}, {"id": people[1].id, "name": "Rower 1", "reactions": ["👀", "❤️"]},
    ]}  # fmt: skip
    rest = server.get(path, params={"after": people[1].id}).json()
    assert rest == {"more": False, "members": [{"id": people[2].id, "name": "Rower 2", "reactions": ["👀"]}]}
    refused(server.get("/api/v1/reactions", params={"ids": id}), 401, "sign_in_first")
    many = ",".join(map(str, [id, *range(10**6, 10**6 + 99)]))
    assert people[1].api.get("/api/v1/reactions", params={"ids": many}).json() == {
        "messages": [{"id": id, "reactions": ["👀", "❤️"]}]
    }
    for ids in ("", "x", f"{id},", f"{id},x", f"{many},7", str(10**18), "9" * 5000):
        refused(people[1].api.get("/api/v1/reactions", params={"ids": ids}), 400, "bad_field")
    data = people[1].browser().get("/account/download").json()["reactions"]
    assert [(one["message_id"], one["kind"]) for one in data] == [(id, "eyes"), (id, "heart")]


def test_the_form_on_the_page_of_a_message_works_without_scripts(server):
    """A button for each kind, pressed where it is one's own; not from another site, nor as somebody else."""
    ada = Person(server)
    id, browser = ada.post("words")["id"], ada.browser()
    assert 'id="reactions"' not in server.get(f"/m/{id}").text, "guests have none"
    page = browser.get(f"/m/{id}").text
    assert len(re.findall(r'name="add" value="\w+" aria-pressed="false"', page)) == 8
    done = browser.post(f"/m/{id}/react", data={"as": ada.username, "add": "heart"})
    assert (done.status_code, done.headers["Location"]) == (303, f"/m/{id}#reactions")
    page = browser.get(f"/m/{id}").text
    assert re.search(r'name="remove" value="heart" aria-pressed="true" aria-label="1 heart">❤️ 1<', page)
    foreign = browser.post(f"/m/{id}/react", data={"add": "eyes"}, headers={"Origin": "https://evil.example"})
    assert foreign.status_code == 403
    assert browser.post(f"/m/{id}/react", data={"as": "other", "add": "eyes"}).status_code == 409
    assert browser.post(f"/m/{id}/react", data={}).status_code == 400
    assert server.get(f"/api/v1/messages/{id}").json()["reactions"] == {"❤️": 1}
    browser.post(f"/m/{id}/react", data={"remove": "heart"})
    assert "reactions" not in server.get(f"/api/v1/messages/{id}").json()


def test_too_many_at_once_are_refused_and_others_are_not(start):
    """By account: sixty at once."""
    server = start(limits="on")
    ada, bob = Person(server), Person(server)
    id = ada.post("words")["id"]
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = [answer.status_code for answer in pool.map(lambda n: react(ada, id, REACTIONS[n % 8]), range(80))]
    assert set(answers) == {200, 429} and 60 <= answers.count(200) < 80
    refused(react(ada, id), 429, "too_many_tries")
    assert react(bob, id).status_code == 200 and ada.post("more")


@pytest.mark.parametrize("repeats", ["on", "off"])
async def test_a_thousand_reactions_reach_a_poll_as_the_latest_state(tmp_path, repeats):
    """A client that polls gets the message once in each reply, of a few hundred bytes, and all counts in the end."""
    async with running(tmp_path, f"--repeats={repeats}") as house:
        storage, client = house.storage, AsyncHTTPClient(force_instance=True)
        await storage._write(lambda tx: tx.run_many(
            "INSERT INTO accounts (id, username, name, role, created_at) VALUES ($1, $2, 'x', 'member', 0)",
            [(id, f"member_{id}") for id in range(1, 126)],
        ))  # fmt: skip
        message, _ = await storage.append(Author(1, "x"), "words", None)
        url, cursor, replies = f"http://127.0.0.1:{house.port}/get", house.board.waiters.recent.cursor, []
        tries = asyncio.gather(*(storage.react(message.id, kind, Asker(id)) for id in range(1, 126) for kind in EMOJI))
        while not replies or set(replies[-1]) != {125} or len(replies[-1]) != 8:
            answer = await client.fetch(f"{url}?after={cursor}&wait=25")
            reply = json.loads(answer.body)
            cursor = reply["cursor"]
            assert [one["id"] for one in reply["messages"]] == [message.id] and len(answer.body) < 500
            replies.append(list(reply["messages"][0]["reactions"].values()))
        assert len({one.seq for one in await tries}) == 1000
        assert [sum(counts) for counts in replies] == sorted(sum(counts) for counts in replies), "it never goes back"
        client.close()


async def test_a_reaction_that_is_withdrawn_while_a_poll_is_parked_ends_as_none(tmp_path):
    """The poll hears of both, or only of the end of it; and a stopped account's reaction is refused in the transaction."""
    async with running(tmp_path) as house:
        storage, client = house.storage, AsyncHTTPClient(force_instance=True)
        account = await storage.create_account("ada", "Ada", Password(None))
        secret = new_secret("lb_")
        await storage.create_credential(account.id, "token", hash_secret(secret), "test")
        message, _ = await storage.append(None, "words", None)
        url = f"http://127.0.0.1:{house.port}"
        parked = asyncio.ensure_future(client.fetch(f"{url}/get?after={house.board.waiters.recent.cursor}&wait=25"))
        address, headers = f"{url}/api/v1/messages/{message.id}/reactions/heart", {"Authorization": f"Bearer {secret}"}
        await client.fetch(address, method="PUT", body="", headers=headers)
        first = json.loads((await parked).body)
        await client.fetch(address, method="DELETE", headers=headers)
        last = json.loads((await client.fetch(f"{url}/get?after={first['cursor']}&wait=25")).body)
        assert first["messages"][0]["reactions"] == {"❤️": 1} and "reactions" not in last["messages"][0]
        await storage.suspend(None, "ada")
        answer = await client.fetch(address, method="PUT", body="", headers=headers, raise_error=False)
        assert answer.code == 401 and (await storage.message(message.id, Asker())).reactions == ()
        client.close()
