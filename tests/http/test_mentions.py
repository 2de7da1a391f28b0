"""Mentions over HTTP: whom a message mentions, who may mention whom, and what a page says of it to its reader."""

import pytest
from tornado.httpclient import AsyncHTTPClient

from board.markup import usernames_in
from tests.http.test_boards import BOARDS, bot_of, hidden, post, with_rowing
from tests.support.in_process import running
from tests.support.people import Person, refused

MESSAGES = "/api/v1/messages"
FIELDS = {"id", "body", "author", "created_at", "edited_at"}


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    with with_rowing(tmp_path_factory.mktemp("mentions")) as server:
        yield server


@pytest.mark.parametrize("path", [MESSAGES, f"{BOARDS}/rowing/messages"])
def test_a_message_has_the_ids_of_whom_it_mentions_and_others_say_nothing(site, path):
    """Read in history, by its id, from a poll and found by a search; after an edit, those of the edit."""
    ada, bob = Person(site), Person(site)
    cursor = site.get(path).json()["cursor"]
    texts = (
        f"Dear @{bob.username.upper()}, and @{ada.username} & @nobody",
        "@nobody @no `@ada`",
        f"mail@{bob.username}",
    )
    both, none, other = there = [ada.api.post(path, json={"body": text}).json() for text in texts]
    assert both["mentions"] == [ada.id, bob.id] and both.keys() == FIELDS | {"mentions"}
    assert none.keys() == other.keys() == FIELDS
    assert site.get(f"{path}?after={cursor}&wait=0").json()["messages"] == there
    assert site.get(f"{path}?limit=3").json()["messages"] == there
    found = site.get(path.replace("messages", "search"), params={"q": both["body"]}).json()["messages"]
    assert found[0] == both
    one = f"{MESSAGES}/{both['id']}"
    assert ada.api.patch(one, json={"body": f"@{bob.username}"}).json()["mentions"] == [bob.id]
    assert "mentions" not in ada.api.patch(one, json={"body": "nobody"}).json()
    assert site.client.post(path, json={"body": f"@{bob.username}"}).json()["mentions"] == [bob.id], "by a guest"


@pytest.mark.parametrize("path", [MESSAGES, f"{BOARDS}/rowing/messages"])
def test_a_key_is_good_for_a_message_that_mentions_somebody_too(site, path):
    ada = Person(site)
    letter = {"body": f"@{ada.username}", "key": "k" * 22}
    first, again = (ada.api.post(path, json=letter) for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json() and first.json()["mentions"] == [ada.id]


def test_everybody_is_mentioned_by_moderators_in_person_only(site):
    """An owner is one on their own board. For others, and for bots, @all is text, and so it says nothing."""
    member, owner = Person(site), site.owner
    made = post(owner.api, "rowing", "@all")
    assert made["mentions"] == [0]
    for who in (member.api, site.client, bot_of(owner)):
        posted = who.post(MESSAGES, json={"body": f"@all and @{member.username}"}).json()
        assert posted["mentions"] == [member.id]
    assert post(member.api, "rowing", "@all").keys() == FIELDS
    assert "mentions" not in bot_of(owner).patch(f"{MESSAGES}/{made['id']}", json={"body": "@all!"}).json()


def test_a_thousand_mentions_are_twenty_and_signs_alone_are_none(site):
    """A message is taken, however it is made to cost; each username counts once."""
    people = [Person(site) for _ in range(3)]
    ada = people[0]
    assert "mentions" not in site.post(f"@{ada.username}" * 300).json(), "without spaces between them"
    spaced = (" ".join(f"@{person.username}" for person in people) + " ") * 60
    assert site.post(spaced).json()["mentions"] == [person.id for person in people]
    nobodies = " ".join(f"@n{n}x" for n in range(600))
    assert "mentions" not in site.post(f"{nobodies} @{ada.username}").json(), "it is not among the first"
    for text in ("@" * 4000, "@ " * 1000, "@@" + ada.username, "@" + "a" * 3999, "@\u202e" + ada.username + "é"):
        assert "mentions" not in site.post(text).json(), text[:20]
    assert len(usernames_in("@abc " * 20_000)) == 1 and len(usernames_in(nobodies)) == 100


def test_a_hidden_board_says_the_same_of_all_whom_it_mentions(site):
    """Whether they are invited is not to be seen; and who is not, hears nothing of it."""
    ada, bob, slug = site.owner, Person(site), hidden(site.owner)
    lists = bob.api.get(BOARDS).content
    for _ in range(2):
        assert post(ada.api, slug, f"@{bob.username}")["mentions"] == [bob.id]
        assert bob.api.get(BOARDS).content == lists
        ada.api.put(f"{BOARDS}/{slug}/members/{bob.username}")
        [board] = [one for one in bob.api.get(BOARDS).json()["boards"] if one["slug"] == slug]
        assert board["mentions"] >= 1
        ada.api.delete(f"{BOARDS}/{slug}/members/{bob.username}")
        assert bob.api.get(BOARDS).content == lists


@pytest.mark.parametrize("place", ["", "b/rowing/"])
def test_a_page_says_to_its_reader_that_a_message_mentions_them(site, place):
    """To nobody else: to others and to guests it has the same HTML as any that mentions somebody."""
    ada, bob = Person(site), Person(site)
    slug = place.split("/")[1] if place else "first"
    id = post(ada.api, slug, f"Hello @{bob.username} and @nobody")["id"]
    pages = (f"/{place}", f"/{place}?before={id + 1}", f"/m/{id}")
    shown = f'<span class="mention">@{bob.username}</span>'
    sign = '<span class="to-you"> mentions you</span></header>'
    for reader, is_told in ((bob, True), (ada, False), (None, False)):
        client = reader.browser() if reader else site.open()
        for page in pages:
            text = client.get(page).text
            article = text.partition(f'id="m{id}"')[2].partition("</article>")[0]
            assert shown in article and "/mentions.css" in text, page
            assert (sign in article, "mentions mentioned" in text) == (is_told, is_told), page
    ada.api.patch(f"{MESSAGES}/{id}", json={"body": "Hello"})
    assert sign not in bob.browser().get(f"/m/{id}").text


@pytest.mark.parametrize(("signup", "is_told"), [("open", True), ("invite", False), ("closed", False)])
async def test_a_guest_learns_no_username_where_signing_up_would_not_tell_it(tmp_path, signup, is_told):
    """Members mention whom they like: who is mentioned is seen by all who read the message."""
    async with running(tmp_path, f"--signup={signup}") as house:
        from storage.records import Password

        await house.storage.create_account("ada", "Ada", Password("a hash"))
        url = f"http://127.0.0.1:{house.port}{MESSAGES}"
        answer = await AsyncHTTPClient().fetch(url, method="POST", body="body=Hello @ada")
        assert (b'"mentions":[1]' in answer.body) is is_told


def test_members_find_whom_to_mention_and_guests_do_not(site):
    """In any case, at most twenty, in order; `_` stands for itself only, and with what no name begins is refused."""
    people = [Person(site, f"zz{letter}x") for letter in "abcdefghijklmnopqrstuv"] + [
        Person(site, "zz_x", name="Zoë Đ")
    ]
    members, zoe = "/api/v1/members?", {"id": people[-1].id, "username": "zz_x", "name": "Zoë Đ"}

    def found(query):
        return people[0].api.get(members + query).json()["members"]

    assert (
        found("prefix=ZZ_") == found("prefix=zoe") == found("prefix=%C4%91") == found(f"ids={zoe['id']},99999") == [zoe]
    )
    assert [one["username"] for one in found("prefix=zzb")] == ["zzbx"] and found("prefix=zzbxx") == []
    names = [one["username"] for one in found("prefix=zz")]
    assert len(names) == 20 and names == sorted(names)
    wrong = ("", "%", "zz%25", "%CC%81", "z" * 33, "zz x", "z%00", "@zz", "zz&ids=1")
    for query in (*(f"prefix={prefix}" for prefix in wrong), "", "ids=", "ids=zz", "ids=" + ",".join("1" * 101)):
        assert refused(people[0].api.get(members + query), 400, "bad_field"), query
    assert refused(people[0].api.get(members + "prefix=%FF"), 400, "not_utf8")
    for query in ("prefix=zz", "ids=1"):
        assert refused(site.open().get(members + query), 401, "sign_in_first")
