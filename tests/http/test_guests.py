"""Guests over HTTP: the name that one gives, and what one does with one's own messages for ten minutes."""

import datetime
import json
import xml.etree.ElementTree

import pytest

from tests.http.test_boards import BOARDS, make, promoted
from tests.support.people import Person, refused

MESSAGES = "/api/v1/messages"
JSON_ONLY = {"Accept": "application/json"}
AS_JSON = {"Content-Type": "application/json"}
SECRET, OTHER = {"Guest-Secret": "s" * 22}, {"Guest-Secret": "o" * 22}


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A server with a second board and a moderator, for all tests here."""
    from tests.support.server import Server

    server = Server(tmp_path_factory.mktemp("guests"), title="Our Board")
    server.owner = promoted(server, name="Grace Hopper")
    make(server.owner, "rowing")
    yield server
    assert server.stop() == 0 and "Traceback" not in server.log.read_text()


def post(site, path=MESSAGES, headers=SECRET, **fields):
    response = site.client.post(path, json={"body": "words", "guest_name": "Zoe"} | fields, headers=headers)
    assert response.status_code == 201, response.text
    return response.json()


@pytest.mark.parametrize("path", [MESSAGES, f"{BOARDS}/rowing/messages"])
def test_a_guest_s_name_is_a_field_beside_an_author_who_is_null(site, path):
    """So a client that doesn't know it sees a guest. The answer to the post alone says until when it may be changed."""
    before = site.get(path).json()["cursor"]
    posted = post(site, path)
    until = datetime.datetime.fromisoformat(posted.pop("editable_until"))
    assert until - datetime.datetime.fromisoformat(posted["created_at"]) == datetime.timedelta(minutes=10)
    assert (posted["author"], posted["guest_name"]) == (None, "Zoe")
    nameless = post(site, path, {}, guest_name=None)
    assert not {"guest_name", "editable_until"} & nameless.keys()
    there = [posted, nameless]
    assert site.get(f"{path}?after={before}&wait=0").json()["messages"] == there
    assert site.get(f"{path}?limit=2").json()["messages"] == there
    found = site.get(path.replace("messages", "search"), params={"q": "words"}).json()["messages"]
    assert found[:2] == there[::-1]


def test_a_retry_is_told_what_the_first_post_has_said(site):
    """So who knows a key and its words gets no right by them; nor does one whose post went to a node that knew none."""
    key = {"key": "a-number-that-one-can-guess"}
    posted = post(site, **key)
    again = site.client.post(MESSAGES, json={"body": "words", "guest_name": "Zoe"} | key, headers=SECRET)
    assert (again.status_code, again.json()) == (200, posted)
    eve = site.client.post(MESSAGES, json={"body": "words", "guest_name": "Eve"} | key, headers=OTHER)
    assert (eve.status_code, eve.json()) == (200, {name: posted[name] for name in posted if name != "editable_until"})
    own = f"{MESSAGES}/{posted['id']}"
    refused(site.client.delete(own, headers=OTHER), 403, "not_yours")
    assert site.client.delete(own, headers=SECRET).status_code == 204
    gone = site.client.post(MESSAGES, json={"body": "words"} | key, headers=SECRET)
    assert (gone.status_code, gone.json()) == (200, {"id": posted["id"], "deleted": True})


def test_each_page_and_the_feed_say_that_it_is_a_guest(site):
    """Where there is markup, outside of the name; where there is only text, behind it."""
    name = "<b>Zoe</b> & co"
    first = post(site, guest_name=name, body="tides")
    post(site, guest_name="", body="yes", reply_to=first["id"])
    shown = "&lt;b&gt;Zoe&lt;/b&gt; &amp; co"
    for page in ("/", "/search?q=tides", f"/m/{first['id']}"):
        assert f'<bdi class="author guest" lang="">{shown}</bdi> <bdi>(guest)</bdi> <a' in site.get(page).text
    page = site.get("/").text
    assert f'In reply to </span><bdi lang="">{shown}</bdi> <bdi>(guest)</bdi>' in page
    assert f"<title>{shown} (guest): tides" in site.get(f"/m/{first['id']}").text
    entry = [
        one
        for one in xml.etree.ElementTree.fromstring(site.get("/feed.atom").content).iter()
        if one.text == f"{name} (guest)"
    ]
    assert [one.tag for one in entry] == ["{http://www.w3.org/2005/Atom}name"]


@pytest.mark.parametrize(
    ("name", "stored"),
    [
        ("  Zoe \n\t Ann ", "Zoe Ann"), ("Зоя", "Зоя"), ("好", "好"), ("زويا", "زويا"), ("🦊", "🦊"), ("a" * 50, "a" * 50),
        ("Zoe\u202e\x07", "Zoe"), ("Ada (guest)", "Ada (guest)"), ("   ", None), ("", None),
    ],
)  # fmt: skip
def test_a_name_is_one_line_in_any_script(site, name, stored):
    """As a member's is tidied. An empty field is no name."""
    assert post(site, guest_name=name).get("guest_name") == stored
    form = {"s": "words", "as": "", "guest_name": name}
    assert site.client.post("/add", data=form, headers=JSON_ONLY).json().get("guest_name") == stored


def test_a_name_that_is_none_or_another_s_is_refused(site):
    """Nothing is posted. Reserved are those that the site uses, and a moderator's, in any case and width."""
    before = site.cursor
    for name, status, code in [
        ("a" * 51, 422, "bad_name"), ("\u200b\u3164", 422, "bad_name"), ("\0", 400, "body_not_text"), ("\ud800", 400, None),
        ("Guest", 422, "name_reserved"), ("ＧＵＥＳＴ", 422, "name_reserved"), ("our board", 422, "name_reserved"),
        ("Grace ＨOPPER", 422, "name_reserved"), ("deleted account", 422, "name_reserved"), ("Zoe @home", 422, "bad_name"),
        (7, 400, "bad_field"), (["Zoe"], 400, "bad_field"), (True, 400, "bad_field"), ({}, 400, "bad_field"),
    ]:  # fmt: skip
        answer = site.client.post(MESSAGES, content=json.dumps({"body": "words", "guest_name": name}), headers=AS_JSON)
        assert answer.status_code == status and (code is None or answer.json()["error"]["code"] == code), (
            name,
            answer.text,
        )
    page = site.client.post("/add", data={"s": "my <words>", "as": "", "guest_name": "Guest"})
    assert page.status_code == 422 and 'value="Guest"' in page.text and "my &lt;words&gt;" in page.text
    assert site.cursor == before


def test_a_guest_learns_no_username(site):
    """A moderator's is a name like others. Whether a name is refused says only what moderators are called."""
    username = site.owner.username
    assert post(site, guest_name=username.upper())["guest_name"] == username.upper()


def test_a_post_that_is_sent_again_is_answered_although_its_name_is_refused_by_now(site):
    """With the key and the words of the first time; on this board only. It keeps its first name."""
    key = {"key": "sent-before-that-name-was-refused"}
    posted = {path: post(site, path, **key) for path in (MESSAGES, f"{BOARDS}/rowing/messages")}
    for path, message in posted.items():
        again = site.client.post(path, json={"body": "words", "guest_name": "Moderator"} | key, headers=SECRET)
        assert (again.status_code, again.json()) == (200, message)
        others = site.client.post(path, json={"body": "other words", "guest_name": "Moderator"} | key)
        refused(others, 422, "key_reused")
        new = site.client.post(
            path, json={"body": "words", "guest_name": "Moderator", "key": "a-key-that-nobody-has-used"}
        )
        refused(new, 422, "name_reserved")
    only = post(site, key="only-on-the-first-board-so-far")
    there = {"body": "words", "guest_name": "Moderator", "key": "only-on-the-first-board-so-far"}
    assert site.client.post(MESSAGES, json=there).json()["id"] == only["id"]
    refused(site.client.post(f"{BOARDS}/rowing/messages", json=there), 422, "name_reserved")


def test_a_member_has_neither_a_guest_s_name_nor_a_secret(site):
    """What is sent does not count: a member's name stands, and only the account edits."""
    member = Person(site)
    posted = member.api.post(MESSAGES, json={"body": "mine", "guest_name": "Guest"}, headers=SECRET)
    assert posted.status_code == 201 and not {"guest_name", "editable_until"} & posted.json().keys()
    path = f"{MESSAGES}/{posted.json()['id']}"
    refused(site.client.patch(path, json={"body": "x"}, headers=SECRET), 403, "not_yours")
    refused(site.client.delete(path, headers=SECRET), 403, "not_yours")
    guests = f"{MESSAGES}/{post(site)['id']}"
    refused(member.api.patch(guests, json={"body": "x"}, headers=SECRET), 403, "not_yours")
    refused(member.api.delete(guests, headers=SECRET), 403, "not_yours")


@pytest.mark.parametrize("path", [MESSAGES, f"{BOARDS}/rowing/messages"])
def test_a_guest_edits_and_deletes_by_the_secret_alone(site, path):
    """Each open page hears of it, as of all changes. Without the secret it is what it was before there was one."""
    posted = post(site, path)
    cursor, own = site.get(path).json()["cursor"], f"{MESSAGES}/{posted['id']}"
    for headers, status, code in [({}, 401, "sign_in_first"), (OTHER, 403, "not_yours")]:
        refused(site.client.patch(own, json={"body": "x"}, headers=headers), status, code)
        refused(site.client.delete(own, headers=headers), status, code)
    edited = site.client.patch(
        f"{own}?as=", json={"body": "better", "began_from": posted["created_at"]}, headers=SECRET
    )
    assert (edited.status_code, edited.json()["body"], edited.json()["guest_name"]) == (200, "better", "Zoe")
    late = site.client.patch(own, json={"body": "worse", "began_from": posted["created_at"]}, headers=SECRET)
    refused(late, 409, "edited_meanwhile")
    refused(site.client.patch(f"{own}?as=ada", json={"body": "x"}, headers=SECRET), 401, "signed_out")
    refused(site.client.patch(own, json={"body": " "}, headers=SECRET), 422, "body_empty")
    heard = site.get(f"{path}?after={cursor}&wait=0").json()["messages"]
    assert [(one["body"], one["author"], one["guest_name"]) for one in heard] == [("better", None, "Zoe")]
    answer = site.client.delete(own, headers=SECRET)
    assert (answer.status_code, answer.content) == (204, b"") and "Set-Cookie" not in answer.headers
    for gone in (own, f"{MESSAGES}/999999"):
        refused(site.client.patch(gone, json={"body": "x"}, headers=SECRET), 404, "not_found")
        refused(site.client.delete(gone, headers=SECRET), 404, "not_found")


BAD_SECRETS = ["", "s" * 21, "s" * 101, "s" * 11 + "\t" + "s" * 11, "s" * 21 + "\xe9"]


@pytest.mark.parametrize("secrets", [*([one] for one in BAD_SECRETS), ["s" * 22, "s" * 22]])
def test_what_is_no_secret_is_refused(site, secrets):
    """To a guest and to a member, on each path that takes one."""
    owns = {site.client: post(site)["id"], site.owner.api: site.owner.post("a moderator's")["id"]}
    headers = [("Guest-Secret", secret.encode("latin-1")) for secret in secrets]
    before = site.cursor
    for client, id in owns.items():
        own = f"{MESSAGES}/{id}"
        refused(client.post(MESSAGES, json={"body": "words"}, headers=headers), 400, "bad_secret")
        refused(client.patch(own, json={"body": "words"}, headers=headers), 400, "bad_secret")
        refused(client.delete(own, headers=headers), 400, "bad_secret")
    form = [*headers, *JSON_ONLY.items()]
    refused(site.client.post("/add", data={"s": "words"}, headers=form), 400, "bad_secret")
    assert site.cursor == before


def test_the_secret_is_nowhere_that_others_read(site):
    """Not in the log, nor in any answer; the page as it is kept for all guests has no name in its field."""
    headers = {"Guest-Secret": "a-secret-that-nobody-sees"}
    posted = post(site, headers=headers, guest_name="Nobody Else")
    edited = site.client.patch(f"{MESSAGES}/{posted['id']}", json={"body": "x"}, headers=headers)
    texts = [edited.text, site.get("/").text, site.get(f"/m/{posted['id']}").text, site.log.read_text(), str(posted)]
    assert not [text for text in texts if headers["Guest-Secret"] in text]
    assert (
        '<input name="guest_name" maxlength="50"' in texts[1]
        and " value=" not in texts[1].partition('"guest_name"')[2][:200]
    )
    poisoned = site.client.request(
        "GET", "/", content="guest_name=Eve", headers={"Content-Type": "application/x-www-form-urlencoded"}
    )
    assert "Eve" not in poisoned.text and "Eve" not in site.get("/").text


def test_edits_count_as_posts_from_their_address(start):
    """As many as one may post at once; deletions count by themselves."""
    site = start(limits="on")
    own = f"{MESSAGES}/{post(site)['id']}"
    answers = [site.client.patch(own, json={"body": f"{n}"}, headers=SECRET) for n in range(70)]
    first = next(at for at, answer in enumerate(answers) if answer.status_code != 200)
    assert 55 <= first <= 69
    refused(answers[first], 429, "too_many_posts")
    refused(site.client.post(MESSAGES, json={"body": "words"}), 429, "too_many_posts")
    assert site.client.delete(own, headers=SECRET).status_code == 204


def test_where_only_members_post_a_guest_can_only_take_back(start, tmp_path):
    """The setting ends the right at the next start."""
    site = start()
    own = f"{MESSAGES}/{post(site)['id']}"
    url = site.settings["database_url"]
    assert site.stop() == 0
    closed = start(posting="members", database_url=url)
    refused(closed.client.patch(own, json={"body": "x"}, headers=SECRET), 401, "sign_in_first")
    refused(closed.client.post(MESSAGES, json={"body": "x", "guest_name": "Zoe"}, headers=SECRET), 401, "sign_in_first")
    assert closed.client.delete(own, headers=SECRET).status_code == 204
