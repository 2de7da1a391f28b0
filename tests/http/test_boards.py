"""Boards beside the first, through the API: who may do what with them, and what each refusal is."""

import concurrent.futures
import contextlib
import json
import re
import secrets
import sqlite3

import pytest

from board.slugs import ABOUT_MAX, NAME_MAX, RULES_MAX
from tests.support.admin import admin
from tests.support.people import PASSWORD, Person, client, refused
from tests.support.server import Server, until

BOARDS = "/api/v1/boards"
FILL_INVITATIONS = """
    WITH RECURSIVE n (i) AS (SELECT 1001 UNION ALL SELECT i + 1 FROM n WHERE i < 1200)
    INSERT INTO boards (id, slug, name, about, rules, read_by, write_by, created_at, floor, changed)
    SELECT i, 'board-' || i, 'Board', '', '', 'invited', 'guests', 1, 0, 0 FROM n;
    INSERT INTO invitations (board_id, account_id, at)
    SELECT boards.id, accounts.id, 1 FROM boards, accounts WHERE boards.id > 1000 AND username IN ('{0}')"""


@pytest.fixture
def site(url, start):
    """On each engine in turn."""
    return start(database_url=url)


def promoted(server, **options):
    person = Person(server, **options)
    admin(f"--database-url={server.settings['database_url']}", "promote", person.username)
    until(lambda: person.api.get("/api/v1/me").json()["account"]["role"] == "moderator")
    return person


@contextlib.contextmanager
def with_rowing(folder, **settings):
    """A server with a second board and a moderator, for all tests of a file."""
    server = Server(folder, **settings)
    server.owner = promoted(server)
    make(server.owner)
    yield server
    assert server.stop() == 0 and "Traceback" not in server.log.read_text()


@pytest.fixture
def moderator(site):
    return promoted(site)


def make(person, slug="rowing", **fields):
    response = person.api.post(BOARDS, json={"slug": slug, "name": "Rowing", **fields})
    assert response.status_code == 201, response.text
    assert response.headers["Location"] == f"{BOARDS}/{response.json()['slug']}"
    return response.json()


def hidden(person, **fields):
    response = person.api.post(BOARDS, json={"name": "Hidden", "read_by": "invited", **fields})
    assert response.status_code == 201, response.text
    return response.json()["slug"]


def bot_of(person, **more):
    fields = {"name": "bot", "password": PASSWORD, **more}
    return client(person.server, person.api.post("/api/v1/tokens", json=fields).json()["token"])


def post(who, slug, body="words", status=201, **fields):
    response = who.post(f"{BOARDS}/{slug}/messages", json={"body": body, **fields})
    assert response.status_code == status, response.text
    return response.json()


def bodies(who, slug, query=""):
    return [message.get("body") for message in who.get(f"{BOARDS}/{slug}/messages{query}").json()["messages"]]


# --- one beside the other


def test_what_is_posted_on_a_board_is_there_and_nowhere_else(site, moderator):
    """Read, found and listed there; the first board stays as it was, and so does its cursor."""
    site.post("on the first")
    before = site.get("/api/v1/messages").content
    made = make(moderator, about="Boats.", rules="Be kind.\nAlways.")
    assert made.pop("created_at") and made == {
        "slug": "rowing", "name": "Rowing", "about": "Boats.", "read_by": "everyone", "write_by": "guests", "order": "newest",
        "archived_at": None, "newest": None, "read": None, "unread": 0, "mentions": 0,
        "rules": "Be kind.\nAlways.", "manages": True,
    }  # fmt: skip
    message = post(site.client, "rowing", "Low tide at noon")
    assert "board" not in message and bodies(site.client, "rowing") == ["Low tide at noon"]
    assert site.get(f"{BOARDS}/rowing/search?q=tide").json() == {"messages": [message], "older": False}
    assert site.get("/api/v1/search?q=tide").json() == {"messages": [], "older": False}
    assert site.get(f"{BOARDS}/first/search?q=first").json()["messages"][0]["body"] == "on the first"
    assert site.get("/api/v1/messages").content == before == site.get(f"{BOARDS}/first/messages").content
    listed = site.get(BOARDS).json()
    assert [(one["slug"], one["newest"]) for one in listed["boards"]] == [("first", 1), ("rowing", message["id"])]
    assert listed["more"] is False and "read" not in listed["boards"][1] and "rules" not in listed["boards"][1]
    assert "manages" not in site.get(f"{BOARDS}/rowing").json()


def test_a_message_named_by_its_id_says_of_which_board_it_is(site, moderator):
    """Its author changes and deletes it as any other; of the first board's messages nothing is said."""
    author = Person(site)
    make(moderator)
    message = post(author.api, "rowing", "one")
    path = f"/api/v1/messages/{message['id']}"
    assert site.get(path).json() == message | {"board": "rowing"}
    edited = author.api.patch(path, json={"body": "two"}).json()
    assert (edited["body"], edited["board"]) == ("two", "rowing") and bodies(site.client, "rowing") == ["two"]
    refused(site.client.patch(path, json={"body": "x"}), 401, "sign_in_first")
    refused(Person(site).api.delete(path), 403, "not_yours")
    assert author.api.delete(path).status_code == 204
    refused(site.get(path), 404, "not_found")
    assert "board" not in site.get(f"/api/v1/messages/{site.post('first').json()['id']}").json()


def test_the_page_of_a_message_shows_its_own_board(site, moderator):
    """What is around it there, and no way to where it is not; changed there, it is shown there again."""
    make(moderator)
    for n in range(6):
        site.post(f"first {n}")
        post(moderator.api, "rowing", f"rowing {n}")
    browser, id = moderator.browser(), moderator.api.get(f"{BOARDS}/rowing/messages").json()["messages"][0]["id"]
    page = browser.get(f"/m/{id}").text
    assert "rowing 4" in page and "first 4" not in page and "rowing 5" not in page
    assert f'href="/#m{id}"' not in page and 'href="/?after=' not in page and 'href="/b/rowing/?after=' in page
    edited = browser.post(f"/m/{id}/edit", data={"s": "better", "as": moderator.username})
    assert (edited.status_code, edited.headers["Location"]) == (303, f"/m/{id}")


def test_a_board_has_cursors_of_its_own(site, moderator):
    """What comes after one is told once; a cursor of another board, or one that never was, gets a reset."""
    make(moderator)
    first, second = (post(site.client, "rowing", word) for word in ("one", "two"))
    read = f"{BOARDS}/rowing/messages"
    cursor = site.get(read).json()["cursor"]
    nothing = site.get(f"{read}?after={cursor}&wait=0").json()
    assert nothing == {"messages": [], "cursor": cursor, "watching": nothing["watching"]}
    moderator.api.delete(f"/api/v1/messages/{first['id']}")
    site.post("elsewhere")
    news = site.get(f"{read}?after={cursor}&wait=0").json()
    assert news["messages"] == [{"id": first["id"], "deleted": True}] and "reset" not in news
    again = site.get(f"{read}?after={news['cursor']}&wait=0").json()
    assert again["messages"] == [] and again["cursor"] == news["cursor"]
    epoch = cursor.partition("-")[0]
    for other in (site.cursor, f"{epoch}-999999999", "k3f9x2mq-0"):
        reset = site.get(f"{read}?after={other}&wait=0").json()
        assert reset["reset"] is True and reset["messages"] == [second]
    assert site.news(cursor)["reset"] is True, "and on the first board likewise"
    assert bodies(site.client, "rowing", f"?before={second['id']}") == []
    refused(site.get(f"{read}?after={cursor}&limit=5"), 400, "bad_field")
    refused(site.get(f"{read}?after=nonsense"), 400, "bad_cursor")


def test_a_program_that_is_far_behind_pages_forward(site, moderator):
    """Nothing is missed, and nothing comes twice."""
    make(moderator)
    cursor = site.get(f"{BOARDS}/rowing/messages").json()["cursor"]
    for n in range(205):
        post(site.client, "rowing", f"{n}")
    seen, more = [], True
    while more:
        reply = site.get(f"{BOARDS}/rowing/messages?after={cursor}").json()
        seen, cursor, more = seen + [one["body"] for one in reply["messages"]], reply["cursor"], reply.get("more")
    assert seen == [f"{n}" for n in range(205)]
    assert len(bodies(site.client, "rowing")) == 50 and bodies(site.client, "rowing", "?limit=2") == ["203", "204"]


# --- who may do what


def test_who_reads_and_writes_is_the_board_s_own_affair(site, moderator):
    """Each refusal says which rule it is; and the outer limits are the site's."""
    member = Person(site)
    make(moderator, "news", write_by="moderators")
    make(moderator, "club", read_by="members", write_by="guests")
    make(moderator, "talk", write_by="members")
    refused(site.client.post(f"{BOARDS}/talk/messages", json={"body": "x"}), 401, "sign_in_first")
    refused(site.client.post(f"{BOARDS}/news/messages", json={"body": "x"}), 403, "read_only")  # signing in won't help
    refused(member.api.post(f"{BOARDS}/news/messages", json={"body": "x"}), 403, "read_only")
    refused(site.get(f"{BOARDS}/club"), 404, "no_such_board")
    refused(site.client.post(f"{BOARDS}/club/messages", json={"body": "x"}), 404, "no_such_board")
    for who, slug in ((member.api, "talk"), (member.api, "club"), (moderator.api, "news"), (bot_of(moderator), "news")):
        post(who, slug)
    assert [one["slug"] for one in site.get(BOARDS).json()["boards"]] == ["first", "news", "talk"]
    assert [one["slug"] for one in member.api.get(BOARDS).json()["boards"]] == ["first", "club", "news", "talk"]


def test_on_a_members_site_a_guest_is_told_to_sign_in_before_any_look(start):
    """Whether the board is there or not."""
    server = start(reading="members", posting="members")
    make(promoted(server))
    for slug in ("rowing", "never", "first"):
        refused(server.get(f"{BOARDS}/{slug}"), 401, "sign_in_first")
        refused(server.client.post(f"{BOARDS}/{slug}/messages", json={"body": "x"}), 401, "sign_in_first")
    refused(server.get(BOARDS), 401, "sign_in_first")
    assert Person(server).api.get(BOARDS).json()["boards"][0]["read_by"] == "members"


def test_only_the_owner_and_moderators_change_a_board_and_no_bot_does(site, moderator):
    """All others are told so, and nothing has changed."""
    member, bot, board = Person(site), bot_of(moderator), make(moderator)
    path = f"{BOARDS}/rowing"
    attempts = [("PATCH", path, {"name": "Mine"}), ("DELETE", f"{path}?name=Rowing", None),
                ("GET", f"{path}/members", None), ("PUT", f"{path}/members/{member.username}", None)]  # fmt: skip
    for who, status, code in (
        (site.client, 401, "sign_in_first"), (bot, 403, "bot_token"), (member.api, 403, "owner_only"),
    ):  # fmt: skip
        for method, target, fields in attempts:
            refused(who.request(method, target, json=fields), status, code)
        refused(
            who.post(BOARDS, json={"slug": "x", "name": "X"}),
            status,
            code if who is not member.api else "moderators_only",
        )
    assert moderator.api.get(path).json() == board
    refused(moderator.api.patch(f"{BOARDS}/first", json={"name": "Mine"}), 403, "first_board")
    refused(member.api.delete(f"{BOARDS}/first/members/{member.username}"), 403, "first_board")
    assert member.browser().post("/b/first/leave").status_code == 403
    assert promoted(site).api.patch(path, json={"name": "Ours"}).json()["name"] == "Ours"


def test_members_make_boards_where_the_site_lets_them_up_to_a_number(start):
    """Each owns and manages their own; one that is deleted makes room."""
    server = start(board_making="members", boards_each=2)
    member, other = Person(server), Person(server)
    make(member, "one"), make(member, "two")
    full = member.api.post(BOARDS, json={"slug": "three", "name": "X"})
    assert refused(full, 422, "too_many_boards") and "You own" in full.json()["error"]["message"]
    refused(server.client.post(BOARDS, json={"slug": "three", "name": "X"}), 401, "sign_in_first")
    refused(other.api.patch(f"{BOARDS}/one", json={"name": "X"}), 403, "owner_only")
    message = post(other.api, "one")
    assert member.api.delete(f"/api/v1/messages/{message['id']}").status_code == 204, "an owner moderates"
    refused(bot_of(member).delete(f"/api/v1/messages/{post(other.api, 'one')['id']}"), 403, "not_yours")
    refused(member.api.delete(f"/api/v1/messages/{other.post('on the first')['id']}"), 403, "not_yours")
    assert member.api.delete(f"{BOARDS}/one?name=Rowing").status_code == 204
    make(member, "three")


def test_changes_are_bounded_for_each_account(start):
    """A board's change is told to all who look at it: nobody makes more than some at once."""
    server = start(limits="on")
    moderator = promoted(server)
    make(moderator)
    answers = [moderator.api.patch(f"{BOARDS}/rowing", json={"name": f"{n}"}) for n in range(70)]
    assert refused(answers[-1], 429, "too_many_tries") and int(answers[-1].headers["Retry-After"]) >= 1
    marks = [moderator.api.put(f"{BOARDS}/first/read", json={"id": 1}) for _ in range(70)]
    assert marks[0].status_code == 202 and refused(marks[-1], 429, "too_many_tries")


def test_nobody_is_invited_by_the_same_all_the_time(start):
    """Each time, their pages read the list of boards. Others may go on to invite them, and the owner, to invite others."""
    server = start(limits="on", board_making="members")
    owner, other, friend, guest = Person(server), Person(server), Person(server), Person(server)
    slugs = [hidden(person) for person in (owner, other)]
    path = f"{BOARDS}/{slugs[0]}/members/{friend.username}"
    for _ in range(20):
        assert owner.api.put(path).status_code == 200 and owner.api.delete(path).status_code == 204
    assert refused(owner.api.put(path), 429, "too_many_tries")
    assert owner.api.put(f"{BOARDS}/{slugs[0]}/members/{guest.username}").status_code == 200
    assert other.api.put(f"{BOARDS}/{slugs[1]}/members/{friend.username}").status_code == 200


def test_the_form_counts_all_whom_it_invites(start):
    """By who is invited, as programs are counted; if one was invited too often, nobody is."""
    server = start(limits="on", board_making="members")
    owner, friend, guest = Person(server), Person(server), Person(server)
    slug, browser = hidden(owner), owner.browser()
    for _ in range(20):
        assert browser.post(f"/b/{slug}/invite", data={"username": friend.username}).status_code == 303
    for names in (friend.username, f"{guest.username}, {friend.username}"):
        assert browser.post(f"/b/{slug}/invite", data={"username": names}).status_code == 429
    members = owner.api.get(f"{BOARDS}/{slug}/members").json()["members"]
    assert [one["username"] for one in members] == [friend.username]
    refused(owner.api.put(f"{BOARDS}/{slug}/members/{friend.username}"), 429, "too_many_tries")
    assert browser.post(f"/b/{slug}/invite", data={"username": guest.username}).status_code == 303


def test_names_to_invite_are_counted(start):
    """Each is looked for among all members: many in a form are no way to have it done more often."""
    server = start(limits="on", board_making="members")
    owner = Person(server)
    slug, browser = hidden(owner), owner.browser()
    names = ", ".join(f"nobody {n}" for n in range(10))
    tries = [browser.post(f"/b/{slug}/invite", data={"username": names}).status_code for _ in range(7)]
    assert tries == [404] * 6 + [429]


def test_who_can_be_invited_to_no_more_boards_is_named(start):
    """In the form and to programs. What is refused so takes no invitation from the others."""
    server = start(limits="on", board_making="members")
    owner, friend, full = Person(server), Person(server), Person(server)
    slug, browser = hidden(owner), owner.browser()
    with contextlib.closing(sqlite3.connect(server.settings["database_url"].removeprefix("sqlite:///"))) as db, db:
        db.executescript(FILL_INVITATIONS.format(full.username))
    words = f"@{full.username} is invited to as many boards as one may be."
    for _ in range(20):
        answer = browser.post(f"/b/{slug}/invite", data={"username": f"{friend.username}, {full.username}"})
        assert answer.status_code == 422 and words in answer.text
    answer = owner.api.put(f"{BOARDS}/{slug}/members/{full.username}")
    assert refused(answer, 422, "too_many_boards") and answer.json()["error"]["message"] == words
    assert browser.post(f"/b/{slug}/invite", data={"username": friend.username}).status_code == 303


def test_what_is_refused_takes_nothing_from_an_address(start):
    """A form with errors in it, or somebody who has as many boards as they may, locks nobody else out there."""
    server = start(limits="on", board_making="members", boards_each=1)
    full, member = Person(server), Person(server)
    make(full, "one")
    for _ in range(25):
        refused(full.api.post(BOARDS, json={"name": "X"}), 422, "too_many_boards")
    for n in range(25):
        fields = {"name": "", "slug": "x"} if n % 2 else {"name": "X", "slug": "bad slug"}
        assert member.api.post(BOARDS, json=fields).status_code == 422
    refused(member.api.post(BOARDS, json={"name": "X", "slug": "one"}), 409, "slug_taken")
    make(member, "two")


def test_making_boards_is_bounded_for_each_address_too(start):
    """However many accounts somebody has there; moderators make theirs all the same."""
    server = start(limits="on", board_making="members", boards_each=1000)
    people, moderator = [Person(server), Person(server)], promoted(server)
    answers = [people[n % 2].api.post(BOARDS, json={"slug": f"b{n}", "name": "X"}) for n in range(21)]
    assert [answer.status_code for answer in answers[:20]] == [201] * 20
    assert refused(answers[20], 429, "too_many_tries") and "boards" in answers[20].json()["error"]["message"]
    make(moderator)


# --- names


@pytest.mark.parametrize(
    "slug",
    ["", "-", "rowing-", "r" * 41, "row ing", "..", "row\0", "ｒowing", "\u212aite", "all", "FIRST", "new", "a/b"],
)
def test_a_slug_that_no_board_may_have_is_refused(server, slug):
    """And in an address it is a board that never was."""
    moderator = promoted(server)
    refused(moderator.api.post(BOARDS, json={"slug": slug, "name": "X"}), 422, "bad_slug")
    if slug not in ("", "FIRST", "a/b", ".."):
        refused(server.client.get(f"{BOARDS}/{slug}".replace("\0", "%00")), 404, "no_such_board")


def test_a_slug_is_one_board_s_for_ever(site, moderator):
    """In any case of its letters; an old one leads on, and nobody else gets it."""
    make(moderator, "Rowing")
    assert site.get(f"{BOARDS}/ROWING").json()["slug"] == "rowing"
    refused(moderator.api.post(BOARDS, json={"slug": "rowing", "name": "X"}), 409, "slug_taken")
    make(moderator, "r" * 40), make(moderator, "7")
    assert moderator.api.patch(f"{BOARDS}/rowing", json={"slug": "Boats"}).json()["slug"] == "boats"
    assert site.get(f"{BOARDS}/rowing").json()["slug"] == "boats"
    refused(moderator.api.patch(f"{BOARDS}/7", json={"slug": "rowing"}), 409, "slug_taken")
    refused(moderator.api.patch(f"{BOARDS}/7", json={"slug": "boats"}), 409, "slug_taken")
    assert moderator.api.patch(f"{BOARDS}/boats", json={"slug": "rowing"}).json()["slug"] == "rowing"
    assert post(site.client, "boats", "by its old name") and bodies(site.client, "rowing") == ["by its old name"]


def test_without_a_slug_one_is_made_of_the_name_that_is_free(site, moderator):
    """Whatever the name: taken, in another script, a word that no board may have, or of the form of random ones."""

    def made(name):
        response = moderator.api.post(BOARDS, json={"name": name})
        assert response.status_code == 201, response.text
        return response.json()["slug"]

    assert [made("Kitchen") for _ in range(9)] == ["kitchen", *(f"kitchen-{n}" for n in range(2, 10))]
    more = {made("KITCHEN!") for _ in range(4)}
    assert len(more) == 4 and all(re.fullmatch("kitchen-[0-9a-f]{8}", slug) for slug in more)
    for name, slug in [
        ("دار", "board"), ("Straße 7", "strasse-7"), ("First", "first-2"), ("ALL", "all-2"), ("new", "new-2"),
        ("deadbeef" * 2 + "dead", "deadbeef" * 2 + "dead-2"), ("w" * 80, "w" * 40), ("W" * 80, "w" * 38 + "-2"),
        ("-" * 9 + "a" + "-" * 60, "a"), ("🙂", "board-2"),
    ]:  # fmt: skip
        assert made(name) == slug
    refused(moderator.api.post(BOARDS, json={"name": "Kitchen", "slug": "kitchen"}), 409, "slug_taken")


def test_of_many_who_make_a_board_of_one_name_at_once_all_do(site, moderator):
    """Each gets another slug."""
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        tries = [pool.submit(moderator.api.post, BOARDS, json={"name": "Kitchen"}) for _ in range(12)]
    answers = [one.result() for one in tries]
    assert [answer.status_code for answer in answers] == [201] * 12
    assert len({answer.json()["slug"] for answer in answers}) == 12


def test_of_many_who_make_one_slug_at_once_one_does(site, moderator):
    """The others are told, and have made nothing."""
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        tries = [pool.submit(moderator.api.post, BOARDS, json={"slug": "rowing", "name": f"{n}"}) for n in range(16)]
    answers = [one.result() for one in tries]
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 15
    assert len(site.get(BOARDS).json()["boards"]) == 2


def test_a_name_has_nothing_in_it_that_nobody_sees(server):
    """Or it would look like another one. What scripts and emoji need stays."""
    moderator = promoted(server)
    scotland = "\U0001f3f4" + "".join(chr(0xE0000 + ord(letter)) for letter in "gbsct") + "\U000e007f"
    for name, kept in [
        ("Pub\u200blic\u2060 Bo\u00adard\U000e0041", "Public Board"), ("\u200fdesk\ufeff\ufdd0", "desk"),
        ("می\u200cخواهم", "می\u200cخواهم"), ("👩\u200d🚀 ❤\ufe0f", "👩\u200d🚀 ❤\ufe0f"), (scotland, scotland),
    ]:  # fmt: skip
        slug = make(moderator, f"s{secrets.token_hex(8)}", name=name)["slug"]
        assert moderator.api.get(f"{BOARDS}/{slug}").json()["name"] == kept
        assert moderator.api.delete(f"{BOARDS}/{slug}", params={"name": kept}).status_code == 204


def test_no_other_board_has_the_site_s_name(start):
    """Nor one that looks the same; a board that had it before the site may keep it."""
    server = start(title="Riverside Club")
    moderator, names = promoted(server), ("Riverside Club", "RIVERSIDE  club", "River\u200dside Ｃlub")
    for name in names:
        refused(moderator.api.post(BOARDS, json={"name": name}), 422, "name_reserved")
    make(moderator)
    for name in names:
        refused(moderator.api.patch(f"{BOARDS}/rowing", json={"name": name}), 422, "name_reserved")
    assert server.stop() == 0
    server.settings["title"] = "Rowing"
    server.start()
    moderator.api = client(server, moderator.sign_in())
    assert moderator.api.patch(f"{BOARDS}/rowing", json={"name": "Rowing", "about": "x"}).json()["about"] == "x"


def test_no_board_is_made_archived(server):
    """That is said, and nothing is made; what says no more than a new board is, is no error."""
    moderator, slug = promoted(server), f"s{secrets.token_hex(8)}"
    for archived in (True, "true"):
        refused(moderator.api.post(BOARDS, json={"slug": slug, "name": "X", "archived": archived}), 400, "bad_field")
    refused(server.get(f"{BOARDS}/{slug}"), 404, "no_such_board")
    make(moderator, slug, archived=False)
    moderator.api.delete(f"{BOARDS}/{slug}?name=Rowing")


@pytest.mark.parametrize(
    ("fields", "status", "code"),
    [
        ({"name": " "}, 422, "bad_name"), ({"name": "x" * (NAME_MAX + 1)}, 422, "bad_name"), ({"name": 5}, 400, "bad_field"),
        ({"name": "x\0"}, 400, "body_not_text"), ({"about": "x" * (ABOUT_MAX + 1)}, 422, "about_too_long"),
        ({"rules": "x" * (RULES_MAX + 1)}, 422, "rules_too_long"), ({"read_by": "all"}, 400, "bad_field"),
        ({"write_by": "everyone"}, 400, "bad_field"), ({"order": "random"}, 400, "bad_field"), ({"archived": "yes"}, 400, "bad_field"), ({"archived": 1}, 400, "bad_field"),
        ({"archived": []}, 400, "bad_field"), ({"read_by": ["members"]}, 400, "bad_field"),
        ({"read_by": "invited", "slug": "x"}, 422, "random_slug"),
    ],
)  # fmt: skip
def test_what_can_not_be_said_of_a_board_is_refused_in_the_same_way_when_made_and_changed(server, fields, status, code):
    """Nothing is made then."""
    moderator, before = promoted(server), server.get(BOARDS).content
    unused = {"slug": f"s{secrets.token_hex(8)}"} if fields.get("read_by") != "invited" else {}
    refused(moderator.api.post(BOARDS, json={"name": "X", **unused, **fields}), status, code)
    assert server.get(BOARDS).content == before
    slug = make(moderator, f"s{secrets.token_hex(8)}")["slug"]
    refused(moderator.api.patch(f"{BOARDS}/{slug}", json=fields), status, code)
    assert moderator.api.delete(f"{BOARDS}/{slug}?name=Rowing").status_code == 204


def test_a_change_leaves_what_it_does_not_name(site, moderator):
    """Also as a form, where all is text; an empty change changes nothing."""
    board = make(moderator, about="Boats.")
    changed = moderator.api.patch(f"{BOARDS}/rowing", data={"name": " All \n boats "}).json()
    assert changed == board | {"name": "All boats"}
    assert moderator.api.patch(f"{BOARDS}/rowing", json={"about": None}).json() == changed
    assert moderator.api.patch(f"{BOARDS}/rowing", json={"about": ""}).json() == changed | {"about": ""}


# --- its end


def test_nothing_new_is_written_on_an_archived_board(site, moderator):
    """What was sent before and is sent again gets its answer; its author still deletes; it can be opened again."""
    author, key = Person(site), "k" * 22
    make(moderator)
    message = post(author.api, "rowing", key=key)
    archived = moderator.api.patch(f"{BOARDS}/rowing", json={"archived": True}).json()
    assert (
        archived["archived_at"] and archived == moderator.api.patch(f"{BOARDS}/rowing", json={"archived": True}).json()
    )
    refused(author.api.post(f"{BOARDS}/rowing/messages", json={"body": "x"}), 403, "archived")
    refused(site.client.post(f"{BOARDS}/rowing/messages", json={"body": "x"}), 403, "archived")
    assert post(author.api, "rowing", status=200, key=key) == message
    refused(author.api.patch(f"/api/v1/messages/{message['id']}", json={"body": "x"}), 403, "archived")
    assert author.api.delete(f"/api/v1/messages/{message['id']}").status_code == 204
    assert moderator.api.patch(f"{BOARDS}/rowing", json={"archived": False}).json()["archived_at"] is None
    post(author.api, "rowing")


def test_a_board_is_deleted_only_by_its_name_and_then_is_gone(site, moderator):
    """With its messages; its slug stays taken."""
    make(moderator, "rowing"), make(moderator, "diving")
    message = post(site.client, "rowing")
    refused(moderator.api.delete(f"{BOARDS}/rowing"), 400, "bad_field")
    for name in ("", "rowing", "Diving"):
        refused(moderator.api.delete(f"{BOARDS}/rowing", params={"name": name}), 422, "name_differs")
    assert moderator.api.delete(f"{BOARDS}/rowing?name=Rowing").status_code == 204
    for path in (f"{BOARDS}/rowing", f"{BOARDS}/rowing/messages", f"{BOARDS}/rowing/search?q=words"):
        refused(moderator.api.get(path), 404, "no_such_board")
    refused(moderator.api.get(f"/api/v1/messages/{message['id']}"), 404, "not_found")
    refused(moderator.api.post(BOARDS, json={"slug": "rowing", "name": "X"}), 409, "slug_taken")
    assert [one["slug"] for one in site.get(BOARDS).json()["boards"]] == ["first", "diving"]


def test_who_types_the_name_that_they_see_deletes_the_board(server):
    """However the keyboard makes its letters, and whatever has come along from where it was copied."""
    moderator = promoted(server)
    for name, typed in [
        ("Cafe\u0301", "Caf\u00e9"), ("Caf\u00e9", "Cafe\u0301"), ("می\u200cخواهم", "می\u200cخواهم"), ("a\u200db", "ab"),
        ("a b", " a \u202e\u200b b\n"), ("Members\u2019 \u201cLounge\u201d", "Members' \"Lounge\""), ("２日", "2日"),
    ]:  # fmt: skip
        slug = make(moderator, f"s{secrets.token_hex(8)}", name=name)["slug"]
        for wrong in (f"{typed}s", typed.swapcase() if typed.swapcase() != typed else "", "\u200b"):
            answer = moderator.api.delete(f"{BOARDS}/{slug}", params={"name": wrong})
            assert refused(answer, 422, "name_differs") and name in answer.json()["error"]["message"]
        assert moderator.api.delete(f"{BOARDS}/{slug}", params={"name": typed}).status_code == 204


# --- the invited


def test_an_invitation_opens_a_board_and_its_end_closes_it(site, moderator):
    """At once, for its past, too; nobody else learns of the board."""
    guest, member = Person(site), Person(site)
    slug = hidden(moderator)
    message = post(moderator.api, slug, "secret")
    assert len(slug) == 20 and guest.api.get(f"{BOARDS}/{slug}").status_code == 404
    invited = moderator.api.put(f"{BOARDS}/{slug}/members/{guest.username.upper()}")
    assert invited.json() == {"id": guest.id, "username": guest.username, "name": guest.username}
    assert moderator.api.put(f"{BOARDS}/{slug}/members/{guest.username}").status_code == 200, "once more does no harm"
    assert bodies(guest.api, slug) == ["secret"] and post(guest.api, slug)
    assert guest.api.get(f"/api/v1/messages/{message['id']}").json()["board"] == slug
    assert moderator.api.get(f"{BOARDS}/{slug}/members").json() == {"members": [invited.json()], "more": False}
    refused(guest.api.get(f"{BOARDS}/{slug}/members"), 403, "owner_only")
    refused(guest.api.put(f"{BOARDS}/{slug}/members/{member.username}"), 403, "owner_only")
    refused(moderator.api.put(f"{BOARDS}/{slug}/members/nobody_here"), 404, "no_such_account")
    for who in (site.client, member.api, promoted(site).api, bot_of(moderator), bot_of(guest)):
        refused(who.get(f"{BOARDS}/{slug}"), 404, "no_such_board")
    assert moderator.api.delete(f"{BOARDS}/{slug}/members/{guest.username}").status_code == 204
    refused(guest.api.get(f"{BOARDS}/{slug}"), 404, "no_such_board")
    moderator.api.put(f"{BOARDS}/{slug}/members/{guest.username}")
    assert guest.api.delete(f"{BOARDS}/{slug}/members/{guest.username}").status_code == 204, "one's own"
    refused(guest.api.get(f"{BOARDS}/{slug}"), 404, "no_such_board")


def test_a_bot_reaches_a_board_of_the_invited_only_if_its_token_was_made_for_it(site, moderator):
    """It reads and posts there, as long as its member may; it manages nothing, and reaches no other one."""
    member = Person(site)
    slug, other = hidden(moderator), hidden(moderator)
    for board in (slug, other):
        moderator.api.put(f"{BOARDS}/{board}/members/{member.username}")
    bot = bot_of(member, board=slug)
    post(bot, slug, "by a bot")
    assert bodies(bot, slug) == ["by a bot"] and [one["slug"] for one in bot.get(BOARDS).json()["boards"]] == [
        "first",
        slug,
    ]
    assert bot.get(f"{BOARDS}/{slug}/search?q=bot").json()["messages"][0]["body"] == "by a bot"
    refused(bot.get(f"{BOARDS}/{other}"), 404, "no_such_board")
    refused(bot.post(f"{BOARDS}/{other}/messages", json={"body": "x"}), 404, "no_such_board")
    refused(bot.delete(f"{BOARDS}/{slug}/members/{member.username}"), 403, "bot_token")
    assert [one["board"] for one in member.api.get("/api/v1/tokens").json()["tokens"]] == [slug]
    for board in (hidden(promoted(site)), "never", "x\0"):
        fields = {"name": "bot", "password": PASSWORD, "board": board}
        refused(member.api.post("/api/v1/tokens", json=fields), 404, "no_such_board")
    moderator.api.delete(f"{BOARDS}/{slug}/members/{member.username}")
    refused(bot.get(f"{BOARDS}/{slug}"), 404, "no_such_board")
    refused(bot.post(f"{BOARDS}/{slug}/messages", json={"body": "x"}), 404, "no_such_board")
    assert "board" not in member.api.get("/api/v1/tokens").json()["tokens"][0]


def test_a_board_that_becomes_one_of_the_invited_is_gone_for_all_others(site, moderator):
    """Its old short names too, also for those who are invited; one that is opened again may be given a slug."""
    make(moderator)
    member = Person(site)
    post(member.api, "rowing", key="k" * 22)
    slug = moderator.api.patch(f"{BOARDS}/rowing", json={"read_by": "invited"}).json()["slug"]
    for who in (member.api, moderator.api):
        refused(who.get(f"{BOARDS}/rowing"), 404, "no_such_board")
    refused(member.api.post(f"{BOARDS}/{slug}/messages", json={"body": "words", "key": "k" * 22}), 404, "no_such_board")
    refused(moderator.api.patch(f"{BOARDS}/{slug}", json={"slug": "boats"}), 422, "random_slug")
    opened = moderator.api.patch(f"{BOARDS}/{slug}", json={"read_by": "members", "slug": "rowing"}).json()
    assert opened["slug"] == "rowing" and bodies(member.api, "rowing") == ["words"]


def test_a_moderator_who_closes_somebody_else_s_board_is_outside_then(start):
    """And is not told its new short name."""
    server = start(board_making="members")
    owner, moderator = Person(server), promoted(server)
    make(owner)
    closed = moderator.api.patch(f"{BOARDS}/rowing", json={"read_by": "invited"})
    assert (closed.status_code, closed.content) == (204, b"")
    [slug] = [one["slug"] for one in owner.api.get(BOARDS).json()["boards"] if one["slug"] != "first"]
    assert len(slug) == 20
    refused(moderator.api.get(f"{BOARDS}/{slug}"), 404, "no_such_board")


def test_a_board_is_made_or_changed_with_its_members_and_its_owner_at_once(site, moderator):
    """All or none, and what is wrong with any of the usernames is said together. Names are not taken here."""
    ada, joe = Person(site, name="Ada"), Person(site, name="Joe")
    make(moderator)

    def problems(response, status):
        error = response.json()["error"]
        assert response.status_code == status and error["message"] == " ".join(
            dict.fromkeys(one["message"] for one in error["problems"])
        )
        assert error["code"] == error["problems"][0]["code"]
        return [(one["name"], one["code"]) for one in error["problems"]]

    wrong = [ada.username, "nobody_1", "Joe", moderator.username]
    expected = [("nobody_1", "no_such_account"), ("Joe", "no_such_account"), (moderator.username, "owns_board")]
    fields = {"name": "Crew", "read_by": "invited"}
    assert problems(moderator.api.post(BOARDS, json={**fields, "invite": wrong}), 404) == expected
    assert problems(moderator.api.patch(f"{BOARDS}/rowing", json={**fields, "invite": wrong}), 404) == expected
    for invite in (5, ["x", 5], {"x": 1}):
        refused(moderator.api.post(BOARDS, json={**fields, "invite": invite}), 400, "bad_field")
    refused(moderator.api.patch(f"{BOARDS}/rowing", json={**fields, "invite": ["x"] * 11}), 422, "too_many_names")
    for text in ("x\0", "\ud800"):
        for name, value in (("invite", [text]), ("owner", text)):
            body = json.dumps({**fields, name: value})
            answer = moderator.api.patch(f"{BOARDS}/rowing", content=body, headers={"Content-Type": "application/json"})
            refused(answer, 400, "body_not_text")
    assert [one["slug"] for one in site.get(BOARDS).json()["boards"]] == ["first", "rowing"], "nothing was done"
    assert site.get(f"{BOARDS}/rowing").json()["name"] == "Rowing"
    crew = hidden(moderator, invite=[ada.username.upper(), joe.username, joe.username])
    assert all(who.api.get(f"{BOARDS}/{crew}").status_code == 200 for who in (ada, joe))
    closed = moderator.api.patch(f"{BOARDS}/rowing", json={**fields, "invite": [ada.username], "owner": joe.username})
    slug = closed.json()["slug"]
    assert closed.status_code == 200 and closed.json()["name"] == "Crew"
    assert joe.api.get(f"{BOARDS}/{slug}").json()["manages"] and "manages" not in ada.api.get(f"{BOARDS}/{slug}").json()
    members = [one["username"] for one in joe.api.get(f"{BOARDS}/{slug}/members").json()["members"]]
    assert members == [moderator.username, ada.username]
    refused(ada.api.patch(f"{BOARDS}/{slug}", json={"owner": ada.username}), 403, "owner_only")
    assert problems(joe.api.patch(f"{BOARDS}/{slug}", json={"owner": "nobody_1"}), 404) == [expected[0]]
    assert (
        joe.api.patch(f"{BOARDS}/{slug}", data={"invite": f"{moderator.username}, {ada.username}"}).status_code == 200
    )


def test_an_owner_can_not_be_given_more_boards_than_one_may_own(start):
    """Where members make boards, that is; and nobody more invitations than one may have, all of whom are named."""
    server = start(board_making="members", boards_each="1")
    ada, joe, mia = (Person(server) for _ in range(3))
    make(ada)
    make(joe, "joes")
    full = ada.api.patch(f"{BOARDS}/rowing", json={"name": "Else", "owner": joe.username})
    refused(full, 422, "too_many_boards")
    assert full.json()["error"]["message"] == f"@{joe.username} owns as many boards as a member may here."
    with contextlib.closing(sqlite3.connect(server.settings["database_url"].removeprefix("sqlite:///"))) as db, db:
        db.executescript(FILL_INVITATIONS.format(f"{joe.username}', '{mia.username}"))
    full = ada.api.patch(f"{BOARDS}/rowing", json={"name": "Else", "invite": [joe.username, mia.username]})
    assert [one["name"] for one in full.json()["error"]["problems"]] == [joe.username, mia.username]
    assert server.get(f"{BOARDS}/rowing").json()["name"] == "Rowing"


def test_what_was_done_with_a_board_is_in_the_log_for_those_who_read_it(site, moderator):
    """In words; of a board for the invited, nobody else finds a line."""
    member, other = Person(site), promoted(site)
    make(moderator)
    slug = hidden(moderator)
    moderator.api.put(f"{BOARDS}/{slug}/members/{member.username}")
    moderator.api.delete(f"{BOARDS}/{slug}/members/{member.username}")
    mine, theirs = (who.browser().get("/audit").text for who in (moderator, other))
    assert re.findall('made <a href="/b/([^/]+)/">', mine) == [slug, "rowing"] and theirs.count("made <a") == 1
    for words in (f"invited {member.username} to", f"took back the invitation of {member.username} to"):
        assert words in mine and words not in theirs
    refused(member.api.get("/audit", headers={"Accept": "application/json"}), 403, "moderators_only")


def test_a_key_belongs_to_one_board(site, moderator):
    """Used on another one, it never brings a message from there."""
    make(moderator, "one"), make(moderator, "two")
    there = post(site.client, "one", key="k" * 22)
    here = post(site.client, "two", key="k" * 22)
    assert here["id"] != there["id"] and post(site.client, "one", status=200, key="k" * 22) == there
    refused(site.client.post(f"{BOARDS}/one/messages", json={"body": "other", "key": "k" * 22}), 422, "key_reused")


# --- what is read


def test_a_read_mark_says_what_is_unread_and_never_goes_back(site, moderator):
    """Nor beyond the newest message; guests have none; it outlives the server."""
    member = Person(site)
    make(moderator)
    ids = [post(moderator.api, "rowing", f"{n}")["id"] for n in range(3)]
    read = f"{BOARDS}/rowing/read"

    def standing():
        listed = {one["slug"]: one for one in member.api.get(BOARDS).json()["boards"]}["rowing"]
        assert listed["unread"] == member.api.get(f"{BOARDS}/rowing").json()["unread"]
        return listed["read"], listed["unread"]

    assert standing() == (None, 3)
    for sent, mark, unread in (
        (0, 0, 3),
        (ids[0], ids[0], 2),
        (ids[1], ids[1], 1),
        (0, ids[1], 1),
        (10**18, ids[2], 0),
        (10**40, ids[2], 0),
    ):
        answer = member.api.put(read, json={"id": sent})
        assert (answer.status_code, answer.json()) == (202, {"read": mark}) and standing() == (mark, unread)
    post(moderator.api, "rowing")
    assert member.api.put(read, data={"id": str(ids[0])}).json() == {"read": ids[2]} and standing() == (ids[2], 1)
    own = post(member.api, "rowing")["id"]
    assert standing() == (own, 0), "one's own post moves it"
    bot = bot_of(member)
    post(bot, "rowing", "by a bot")
    refused(bot.put(read, json={"id": own + 1}), 403, "bot_token")
    assert standing() == (own, 1), "a bot's does not"
    for id in (-1, 1.5, True, None, "x", [1], "9" * 31):
        refused(member.api.put(read, json={"id": id}), 400, "bad_field")
    refused(site.client.put(read, json={"id": 1}), 401, "sign_in_first")
    refused(member.api.put(f"{BOARDS}/never/read", json={"id": 1}), 404, "no_such_board")
    assert site.stop() == 0
    site.start()
    member.api = client(site, member.sign_in())
    assert standing() == (own, 1)


def test_a_page_marks_nothing_for_somebody_else(site, moderator):
    """It says whose it is: in another tab, somebody else has signed in, or signed out."""
    ada, bob = Person(site), Person(site)
    make(moderator)
    id, read = post(moderator.api, "rowing")["id"], f"{BOARDS}/rowing/read"
    refused(bob.api.put(read, json={"id": id, "as": ada.username}), 409, "someone_else")
    refused(site.client.put(read, json={"id": id, "as": ada.username}), 401, "signed_out")
    refused(bob.api.put(read, json={"id": id, "as": 1}), 400, "bad_field")
    assert bob.api.get(f"{BOARDS}/rowing").json()["read"] is None
    assert bob.api.put(read, json={"id": id, "as": bob.username}).json() == {"read": id}


def test_the_first_board_has_a_mark_too(site, moderator):
    """`first` stands for its short name; and whom a message mentions is said of each board."""
    member = Person(site)
    make(moderator)
    ids = [site.post(f"{n} @{member.username}").json()["id"] for n in range(3)]
    assert member.api.put(f"{BOARDS}/first/read", json={"id": ids[0]}).json() == {"read": ids[0]}
    first, rowing = member.api.get(BOARDS).json()["boards"]
    assert (first["slug"], first["read"], first["unread"], first["mentions"]) == ("first", ids[0], 2, 2)
    assert (first["newest"], rowing["slug"], rowing["mentions"]) == (ids[2], "rowing", 0)
    browser = member.browser()
    for send in (
        lambda: member.api.post("/api/v1/messages", json={"body": "by its own address"}).json()["id"],
        lambda: post(member.api, "first", "by its name")["id"],
        lambda: browser.post("/add", data={"s": "by the form"}, headers={"Accept": "application/json"}).json()["id"],
    ):
        site.post("by a guest")
        own = send()
        first = member.api.get(BOARDS).json()["boards"][0]
        assert (first["read"], first["unread"]) == (own, 0), "one's own post moves it, whatever the address"


def test_many_boards_are_listed_page_by_page(server):
    """A hundred at a time, each once, by their short names."""
    moderator = promoted(server)
    mine = sorted(make(moderator, f"many-{n:03}")["slug"] for n in range(101))
    seen, page = [], server.get(BOARDS).json()
    assert page["more"] is True and page["boards"][0]["slug"] == "first" and len(page["boards"]) == 100
    seen += page["boards"][1:]
    while page["more"]:
        page = server.get(BOARDS, params={"after": seen[-1]["slug"]}).json()
        seen += page["boards"]
    slugs = [one["slug"] for one in seen]
    assert len(set(slugs)) == len(slugs) and [slug for slug in slugs if slug.startswith("many-")] == mine
    for who, limit in ((server.client, 1), (moderator.api, 50)):
        few, after = [], {}
        while after is not None:
            page = who.get(BOARDS, params={"limit": limit} | after).json()
            assert len(page["boards"]) == limit or not page["more"]
            few += [one["slug"] for one in page["boards"]]
            after = {"after": few[-1]} if page["more"] else None
        assert few == ["first", *slugs]
    refused(server.get(f"{BOARDS}?limit=0"), 400, "bad_number")
    refused(server.get(f"{BOARDS}?after=%ff"), 400, "not_utf8")
    refused(server.get(f"{BOARDS}?after=%00"), 400, "bad_field")
    for slug in mine:
        moderator.api.delete(f"{BOARDS}/{slug}?name=Rowing")


def test_boards_take_put_and_say_so(server):
    """A method that an address does not take is refused with those that it does."""
    response = server.client.put(BOARDS, json={})
    assert refused(response, 405, "method_not_allowed") and response.headers["Allow"] == "GET, HEAD, POST, OPTIONS"
    assert server.client.options(f"{BOARDS}/x/read").headers["Allow"] == "PUT, OPTIONS"
    moderator = promoted(server)
    browser = moderator.browser()
    make(moderator, slug := f"s{secrets.token_hex(8)}")
    for of_board in (
        "",
        "get",
        "add",
        "search",
        "feed.atom",
        "settings",
        "invite",
        "uninvite",
        "archive",
        "delete",
        "leave",
    ):
        for board in (slug, "never"):
            assert browser.patch(f"/b/{board}/{of_board}").status_code == 405, (board, of_board)
    moderator.api.delete(f"{BOARDS}/{slug}?name=Rowing")


def test_polls_of_other_boards_are_told_to_monitors_only(start):
    """How many watch a board may tell that it exists."""
    token = "a-token-of-the-monitor"
    site = start(metrics_token=token)
    moderator = promoted(site)
    slug, monitor = hidden(moderator), {"Authorization": f"Bearer {token}"}
    path = f"{BOARDS}/{slug}/messages"
    cursor = moderator.api.get(path).json()["cursor"]
    with concurrent.futures.ThreadPoolExecutor() as pool:
        poll = pool.submit(moderator.api.get, f"{path}?after={cursor}")
        until(lambda: site.get("/healthz", headers=monitor).json()["parked"] == 1)
        assert site.health()["parked"] == 0
        assert "longboard_boards_now 2.0" in site.get("/metrics", headers=monitor).text
        post(moderator.api, slug)
        assert len(poll.result().json()["messages"]) == 1
