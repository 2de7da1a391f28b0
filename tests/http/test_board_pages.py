"""The pages of boards beside the first, the list of them, and their forms, as a browser without JavaScript uses them."""

import re
from concurrent.futures import ThreadPoolExecutor
from unicodedata import normalize

import pytest

from tests.support.admin import admin
from tests.support.boards import invite, make_board, make_club, post_on, promote
from tests.support.people import PASSWORD, Person


@pytest.fixture
def club(start):
    return make_club(start)


def listed(page):
    """The boards in the list beside the messages."""
    return re.findall(r'data-slug="([^"]+)" data-for', page.text)


def without_key(page):
    return re.sub(r'(name="key" value=")([^"]+)', r"\1KEY", page.text)


def test_a_board_s_page_is_as_the_first_one_s(club):
    """Its name, the line about it, its messages, its form, its history."""
    server, owner, *_ = club
    page = server.get("/b/rowing/")
    assert page.status_code == 200 and "<title>Rowing · Riverside</title>" in page.text
    assert "When we row" in page.text and "words on rowing" in page.text and 'action="/b/rowing/add"' in page.text
    assert "words on rowing" not in server.get("/").text
    ids = [post_on(owner.api, "rowing", f"number {number}")["id"] for number in range(60)]
    assert "number 59" in server.get("/b/rowing/").text
    older = server.get(f"/b/rowing/?before={ids[10]}")
    assert "words on rowing" in older.text and "number 10<" not in older.text and "/b/rowing/?after=" in older.text
    assert "number 11<" in server.get(f"/b/rowing/?after={ids[10]}").text


def test_each_sees_the_boards_that_are_open_to_them(club):
    """The list beside the messages and the page of all boards have the boards that one may read, and no word of others."""
    server, owner, friend, hidden = club
    stranger = Person(server)
    for who, slugs in [
        (server.client, ["first", "rowing"]), (stranger.browser(), ["first", "lounge", "rowing"]),
        (friend.browser(), ["first", hidden, "lounge", "rowing"]), (owner.browser(), ["first", hidden, "lounge", "rowing"]),
    ]:  # fmt: skip
        assert sorted(listed(who.get("/"))) == sorted(slugs)
        page = who.get("/boards").text
        assert ["first", *re.findall('"/b/([^/]+)/"', page)] == listed(who.get("/"))
        assert ("Committee" in page) == (hidden in slugs)


def test_the_list_is_beside_pages_that_are_not_live_too(club):
    """For each reader the boards that they may read. Where there is one board, these pages load nothing for it."""
    server, owner, friend, hidden = club
    id = server.post("low tide").json()["id"]
    paths = ("/?before=99999", f"/m/{id}", "/search?q=tide", "/search")
    for who, slugs in ((server.client, ["first", "rowing"]), (friend.browser(), ["first", hidden, "lounge", "rowing"])):
        for path in paths:
            page = who.get(path)
            assert sorted(listed(page)) == sorted(slugs) and ("several" if "/m/" in path else "beside") in page.text, (
                path
            )
    assert listed(friend.browser().get(f"/b/{hidden}/?before=99999")) == listed(friend.browser().get("/"))
    browser = owner.browser()
    for slug, name in (("rowing", "Rowing"), ("lounge", "Lounge"), (hidden, "Committee")):
        assert owner.api.delete(f"/api/v1/boards/{slug}", params={"name": name}).status_code == 204
    for path in paths:
        page = browser.get(path)
        assert page.status_code == 200 and not listed(page)
        assert not re.search(r"boards\.css|boards/|open-boards", page.text), path


@pytest.mark.parametrize("path", ["", "add", "settings", "invite", "archive", "delete", "leave"])
def test_a_hidden_board_is_as_one_that_never_was(club, path):
    """For a guest, and for a member who is not invited, moderator or not: status, words and headers."""
    server, owner, _, hidden = club
    stranger = promote(server, Person(server)).browser()
    for who in (server.client, stranger):
        for method, fields in (("GET", {}), ("POST", {"s": "words", "name": "x", "username": owner.username})):
            there, nowhere = (who.request(method, f"/b/{slug}/{path}", data=fields) for slug in (hidden, "0" * 20))
            assert there.status_code == nowhere.status_code and (path == "leave" or there.status_code >= 400)
            assert without_key(there).replace(hidden, "0" * 20) == without_key(nowhere)
            said = [{**answer.headers, "date": "", "location": ""} for answer in (there, nowhere)]
            assert said[0] == said[1]


def test_an_old_address_leads_to_the_new_one(club):
    """An old address of a board is redirected to the new one, with its query."""
    server, owner, *_ = club
    assert owner.api.patch("/api/v1/boards/rowing", json={"slug": "rowers"}).status_code == 200
    for path in ("/b/rowing/?before=9", "/b/ROWERS/?before=9", "/b/rowers?before=9", "/b/Rowing?before=9"):
        moved = server.get(path)
        assert (moved.status_code, moved.headers["Location"]) == (302, "/b/rowers/?before=9")


def test_a_board_s_page_has_one_address(club):
    """Without the slash at its end, in capitals, or by the word for the first board, one is led there."""
    server, *_ = club
    for path, home in [
        ("/b/rowing", "/b/rowing/"), ("/b/ROWING", "/b/rowing/"), ("/b/first/", "/"), ("/b/first", "/"),
        ("/b/FIRST/?before=9", "/?before=9"),
    ]:  # fmt: skip
        moved = server.get(path)
        assert (moved.status_code, moved.headers["Location"]) == (302, home)
    assert server.get("/b/nowhere").status_code == 404
    assert server.client.post("/b/rowing", data={"s": "words"}).status_code == 405


def test_who_is_not_signed_in_is_told_that_it_may_help(club):
    """Where there is no board, and where there is one for others: the same words, and a way in that leads back here."""
    server, _, friend, hidden = club
    for slug in (hidden, "lounge", "nowhere"):
        page = server.get(f"/b/{slug}/?before=9")
        assert page.status_code == 404 and "or you have to sign in to see it" in page.text
        assert page.text.count(f'href="/signin?next=%2Fb%2F{slug}%2F%3Fbefore%3D9"') == 2
        assert '<a href="/boards">All boards</a>' in page.text and "Or look for it" not in page.text
        refused = server.client.post(f"/b/{slug}/add", data={"s": "thought over"})
        assert refused.status_code == 404 and "thought over" in refused.text and 'href="/signin" target' in refused.text
    page = friend.browser().get("/b/nowhere/").text
    assert "There is no such board</h1>" in page and "/signin" not in page and "All boards" in page
    assert server.get("/m/999").text.count('href="/signin?next=%2Fm%2F999"') == 1
    assert server.get("/nowhere").text.count('href="/signin"') == 1


def test_the_form_posts_on_its_board(club):
    """A form that is sent twice posts one message, and nobody posts as somebody who has signed out since."""
    server, _owner, friend, hidden = club
    browser = friend.browser()
    for _ in range(2):
        fields = {"s": "by the form", "key": "k" * 22, "as": friend.username}
        answer = browser.post(f"/b/{hidden}/add", data=fields)
        assert (answer.status_code, answer.headers["Location"]) == (303, f"/b/{hidden}/")
    assert browser.get(f"/b/{hidden}/").text.count("by the form") == 1 and "by the form" not in browser.get("/").text
    refused = server.client.post("/b/rowing/add", data={"s": "long thought over", "as": friend.username})
    assert refused.status_code == 401 and "long thought over</textarea>" in refused.text


def test_words_that_are_refused_are_never_in_a_form_for_another_board(club):
    """Not when the board is gone, not when the message that they change is: sent again, they go where they were meant."""
    _server, owner, friend, hidden = club
    browser, mine = friend.browser(), post_on(friend.api, hidden, "good mornign")
    form = browser.get(f"/m/{mine['id']}").text
    fields = {name: re.search(f'name="{name}"\\s+value="([^"]*)"', form)[1] for name in ("as", "began_from", "board")}
    owner.api.delete(f"/api/v1/messages/{mine['id']}")
    gone = browser.post(f"/m/{mine['id']}/edit", data=fields | {"s": "for few"})
    assert gone.status_code == 404 and f'action="/b/{hidden}/add"' in gone.text and "for few</textarea>" in gone.text
    owner.api.delete(f"/api/v1/boards/{hidden}/members/{friend.username}")
    gone = browser.post(f"/b/{hidden}/add", data={"s": "for few"})
    assert gone.status_code == 404 and f'action="/b/{hidden}/add"' in gone.text and "for few</textarea>" in gone.text


def test_where_one_may_not_write_there_is_a_word_and_no_form(club):
    """A board that is archived, or for moderators or members only, says so in the place of the form."""
    server, owner, friend, _ = club
    make_board(owner, "News", "news", write_by="moderators")
    make_board(owner, "Open", "open", write_by="members")
    guest, member = server.client, friend.browser()
    assert "Only moderators and the board's owner write here." in member.get("/b/news/").text
    assert 'action="/b/news/add"' not in member.get("/b/news/").text
    assert 'action="/b/news/add"' in owner.browser().get("/b/news/").text
    assert "Members write here." in guest.get("/b/open/").text and 'action="/b/open/add"' in member.get("/b/open/").text
    assert owner.api.patch("/api/v1/boards/open", json={"archived": True}).status_code == 200
    for who in (guest, member, owner.browser()):
        page = who.get("/b/open/").text
        assert "This board is archived." in page and 'action="/b/open/add"' not in page


def test_the_kept_page_is_right_after_every_change(club):
    """A message, an edit, a deletion, another name for the board, another right to read it: at once, for each origin."""
    server, owner, *_ = club

    def page():
        plain = server.client.get("/b/rowing/", headers={"Accept-Encoding": "identity"})
        small = server.client.get("/b/rowing/", headers={"Accept-Encoding": "gzip"})
        assert small.headers.get("Content-Encoding") == "gzip" or small.status_code != 200
        assert without_key(plain) == without_key(small)
        return plain

    first = page()
    assert without_key(first) == without_key(page()) and first.text != page().text  # each visitor has another key
    message = post_on(owner.api, "rowing", "first words")
    assert "first words" in page().text
    owner.api.patch(f"/api/v1/messages/{message['id']}", json={"body": "better words"})
    assert "better words" in page().text and "first words" not in page().text
    owner.api.delete(f"/api/v1/messages/{message['id']}")
    assert "better words" not in page().text
    owner.api.patch("/api/v1/boards/rowing", json={"name": "Rowers"})
    assert "<title>Rowers" in page().text
    owner.api.patch("/api/v1/boards/rowing", json={"read_by": "members"})
    assert page().status_code == 404 and listed(server.get("/")) in ([], ["first"])


def test_nothing_of_a_member_is_on_a_guest_s_page(club):
    """The page that is kept for guests has no name or word of a member, also if a member opens it first."""
    server, owner, friend, _ = club
    for who, is_member in (
        (owner.browser(), True),
        (server.client, False),
        (friend.browser(), True),
        (server.open(), False),
    ):
        page = who.get("/b/rowing/").text
        assert ('data-me="0"' in page) != is_member and ("Lounge" in page) == is_member


def test_one_board_has_none_of_it(start):
    """No list, no style sheet for it, no script from another address; the moderator finds the way to make one."""
    server = start()
    owner = promote(server, Person(server))
    for who in (server.client, owner.browser()):
        page = who.get("/").text
        assert not re.search("popover|boards|data-slug|data-board", page)
    assert 'href="/boards/new"' in owner.browser().get("/account").text
    assert '"/boards/new"' not in Person(server).browser().get("/account").text


def test_one_makes_a_board_by_the_form(club):
    """Its address is made from its name; a refusal says why, and has what was typed."""
    server, owner, friend, _ = club
    browser = owner.browser()
    assert browser.get("/boards/new").status_code == 200
    made = browser.post("/boards/new", data={"name": " Café & Küche!", "about": "Tea", "read_by": "members"})
    assert (made.status_code, made.headers["Location"]) == (303, "/b/cafe-kuche/")
    for fields, status, words in [
        ({"name": "x", "slug": "cafe-kuche", "about": "typed"}, 409, "Another board has this short name"),
        ({"name": "  ", "about": "typed"}, 422, "name has 1 to"),
        ({"name": "x", "slug": "all", "about": "typed"}, 422, "short name"),
        ({"name": "x", "about": "typed", "rules": "r" * 1001}, 422, "rules"),
    ]:  # fmt: skip
        refused = browser.post("/boards/new", data=fields)
        assert refused.status_code == status and words in refused.text and 'value="typed"' in refused.text
    for name, slug in (("café küche", "cafe-kuche-2"), ("会議", "board"), ("مجلس الأصدقاء", "board-2")):
        assert browser.post("/boards/new", data={"name": name}).headers["Location"] == f"/b/{slug}/"
    hidden = browser.post("/boards/new", data={"name": "Secret", "slug": "secret", "read_by": "invited"})
    assert hidden.status_code == 303 and "secret" not in hidden.headers["Location"]
    for who, status in ((friend.browser(), 403), (server.client, 401)):
        assert who.get("/boards/new").status_code == status
        assert who.post("/boards/new", data={"name": "No"}).status_code == status
    bot = server.open(headers={"Authorization": f"Bearer {bot_of(owner)}"})
    assert bot.post("/boards/new", data={"name": "No"}).status_code == 403


@pytest.mark.parametrize("fields", [{}, {"slug": "twice"}, {"read_by": "invited"}])
def test_the_form_sent_twice_makes_one_board(club, fields):
    """As by a double click; both lead to it. Another one is made if anything in the form differs."""
    _, owner, _, _ = club
    browser = owner.browser()

    def send(**more):
        return browser.post("/boards/new", data={"name": "Twice", "about": "Tea"} | fields | more)

    with ThreadPoolExecutor() as threads:
        answers = list(threads.map(lambda _: send(), range(2)))
    assert [answer.status_code for answer in answers] == [303, 303]
    assert answers[0].headers["Location"] == answers[1].headers["Location"]
    assert send(about="Coffee").headers.get("Location") != answers[0].headers["Location"]
    if fields.get("read_by") != "invited":
        assert send(slug="thrice").headers["Location"] == "/b/thrice/"
    names = [board["name"] for board in owner.api.get("/api/v1/boards").json()["boards"]]
    assert names.count("Twice") == {"slug": 2, "read_by": 2}.get("".join(fields), 3)


def test_settings_that_others_have_changed_since_are_not_overwritten_unseen(club):
    """As with the words of a message: a refusal first, with what was typed; sent again, it is saved."""
    _, owner, _, _ = club
    browser = owner.browser()

    def token(page):
        return re.search('name="began_from" value="([0-9]+)"', page.text)[1]

    form = {
        "name": "Rowing",
        "slug": "rowing",
        "rules": "typed",
        "began_from": token(browser.get("/b/rowing/settings")),
    }
    assert owner.api.patch("/api/v1/boards/rowing", json={"about": "Theirs"}).status_code == 200
    refused = browser.post("/b/rowing/settings", data=form)
    assert (
        refused.status_code == 409
        and "Somebody else has changed" in refused.text
        and "typed</textarea>" in refused.text
    )
    assert owner.api.get("/api/v1/boards/rowing").json()["rules"] == "Be kind"
    assert browser.post("/b/rowing/settings", data=form | {"began_from": token(refused)}).status_code == 303
    assert owner.api.get("/api/v1/boards/rowing").json()["rules"] == "typed"
    for odd in ("", "x", "9" * 30):  # as from a page without it
        assert browser.post("/b/rowing/settings", data=form | {"began_from": odd}).status_code == 303


def test_typed_rules_come_back_to_whom_the_page_can_t_be_shown(club):
    """Signed out by another tab: what was typed is all that there is on the page."""
    _, owner, _, hidden = club
    browser = owner.browser()
    browser.cookies.jar.clear()
    refused = browser.post(f"/b/{hidden}/settings", data={"name": "Typed name", "rules": "long thought over"})
    assert refused.status_code == 401 and "long thought over</textarea>" in refused.text
    assert "Committee" not in refused.text and f'action="/b/{hidden}/settings"' in refused.text
    assert "long thought over" not in owner.browser().get(f"/b/{hidden}/settings").text


def test_robots_and_the_privacy_page_know_of_boards_where_there_are_some(start):
    """Not for whom there is only one: a board for the invited is told to nobody else."""
    server = start(title="Riverside")
    owner, friend = promote(server, Person(server)), Person(server)
    one = server.get("/robots.txt").text, server.get("/privacy").text
    assert "Everyone can read it" in one[1] and "Boards." not in one[1] and "/b/" not in one[0]
    hidden = make_board(owner, "Committee", read_by="invited")
    assert (server.get("/robots.txt").text, server.get("/privacy").text) == one
    assert "Boards." not in friend.browser().get("/privacy").text
    invite(owner, hidden, friend.username)
    mine = " ".join(friend.browser().get("/privacy").text.split())
    assert "only people who are invited" in mine and "which message on each board was the newest" in mine
    assert "Everyone can read it" not in mine
    make_board(owner, "Rowing", "rowing")
    closed = set(server.get("/robots.txt").text.splitlines()) - set(one[0].splitlines())
    assert closed == {f"Disallow: {path}" for path in ("/boards/new", "/b/*/search", "/b/*/get", "/b/*/add")}
    assert "Boards." in server.get("/privacy").text


def bot_of(person):
    from tests.support.people import PASSWORD

    return person.api.post("/api/v1/tokens", json={"name": "bot", "password": PASSWORD}).json()["token"]


def test_one_sets_a_board_up_by_forms(club):
    """Name, address and rights; invitations; the archive; and its end, which asks for the name and says what goes."""
    server, owner, _friend, hidden = club
    browser, stranger = owner.browser(), Person(server)

    def send(board, form, **fields):
        return browser.post(f"/b/{board}/{form}", data=fields)

    said = {"name": "Rowers", "about": "On the water", "slug": "rowers", "rules": "Be kind", "read_by": "everyone"}
    moved = send("rowing", "settings", **said)
    assert moved.headers["Location"] == "/b/rowers/settings?done=setup"
    assert "Saved." in browser.get(moved.headers["Location"]).text and "Be kind" in server.get("/b/rowers/").text
    assert send(hidden, "invite", username=stranger.username.upper()).status_code == 303
    assert "words on" in stranger.browser().get(f"/b/{hidden}/").text
    nobody = send(hidden, "invite", username="nobody_here")
    assert nobody.status_code == 404 and "No member has the username or the name" in nobody.text
    assert send(hidden, "uninvite", username=stranger.username).status_code == 303
    assert stranger.browser().get(f"/b/{hidden}/").status_code == 404
    assert send(hidden, "archive").status_code == 303 and "archived" in browser.get(f"/b/{hidden}/").text
    assert send(hidden, "archive", archived="no").status_code == 303
    wrong = send(hidden, "delete", name="Comittee")
    assert wrong.status_code == 422 and 'value="Comittee"' in wrong.text and "1 message" in wrong.text
    assert send(hidden, "delete", name="Committee").headers["Location"] == "/boards?done=delete"
    assert browser.get(f"/b/{hidden}/").status_code == 404 and "is deleted" in browser.get("/boards?done=delete").text


def test_to_open_or_close_a_board_asks_first(club):
    """Because its past opens, and the page says how much that is; because others find it no more. Not where it is empty."""
    server, owner, friend, hidden = club
    browser = owner.browser()
    assert "what was written before: 1 message." in browser.get(f"/b/{hidden}/settings").text
    fields = {"name": "Committee", "slug": "committee", "read_by": "everyone", "write_by": "guests"}
    asked = browser.post(f"/b/{hidden}/settings", data=fields)
    assert asked.status_code == 422 and 'name="opens"' in asked.text and "read all older messages, too" in asked.text
    assert server.get("/b/committee/").status_code == 404
    assert browser.post(f"/b/{hidden}/settings", data=fields | {"opens": "yes"}).status_code == 303
    assert f"words on {hidden}" in server.get("/b/committee/").text
    invite(owner, "committee", friend.username)
    fields = {"name": "Committee", "slug": "committee", "about": "typed", "read_by": "invited"}
    asked = browser.post("/b/committee/settings", data=fields)
    assert asked.status_code == 422 and 'name="closes"' in asked.text and "Invited so far: 1." in asked.text
    assert 'value="typed"' in asked.text and server.get("/b/committee/").status_code == 200
    closed = browser.post("/b/committee/settings", data=fields | {"closes": "yes"})
    again = re.fullmatch(r"/b/([0-9a-f]{20})/settings\?done=setup", closed.headers["Location"])
    assert again and again[1] != hidden and server.get("/b/committee/").status_code == 404
    make_board(owner, "Empty", "empty")
    assert browser.post("/b/empty/settings", data={"name": "Empty", "read_by": "invited"}).status_code == 303


def test_people_are_invited_in_the_step_that_makes_or_closes_a_board(club):
    """All or none: with a name that nobody has, nothing is made, and nobody is shut out. Names count only for the invited."""
    server, owner, friend, _ = club
    browser, zoe = owner.browser(), Person(server, name="Zoë")
    fields = {"name": "Crew", "read_by": "invited", "write_by": "guests", "invite": f"Zoë, nobody, {friend.username}"}
    refused = browser.post("/boards/new", data=fields)
    assert (
        refused.status_code == 404 and "“\u2068nobody\u2069”" in refused.text and 'value="Zoë, nobody, ' in refused.text
    )
    assert (
        re.search('<input id="invite"[^>]* aria-invalid="true"', refused.text)
        and "Crew" not in browser.get("/boards").text
    )
    fields["invite"] = f"Zoë, {friend.username}"
    crew = browser.post("/boards/new", data=fields).headers["Location"]
    moe = Person(server, name="Moe")
    for names in (fields["invite"], "Moe"):
        assert browser.post("/boards/new", data={**fields, "invite": names}).headers["Location"] == crew, "sent twice"
    assert all(who.browser().get(crew).status_code == 200 for who in (zoe, friend, moe))
    closing = {"name": "Rowing", "slug": "rowing", "read_by": "invited", "invite": "@nobody"}
    asked = browser.post("/b/rowing/settings", data=closing)
    assert asked.status_code == 422 and "so far: nobody, besides those named below" in asked.text
    assert browser.post("/b/rowing/settings", data=closing | {"closes": "yes"}).status_code == 404
    assert server.get("/b/rowing/").status_code == 200
    closed = browser.post("/b/rowing/settings", data=closing | {"closes": "yes", "invite": "Zoë"}).headers["Location"]
    home = closed.partition("settings")[0]
    assert zoe.browser().get(home).status_code == 200 and friend.browser().get(home).status_code == 404
    opened = {"name": "Lounge", "slug": "lounge", "read_by": "members", "invite": "nobody"}
    assert browser.post("/b/lounge/settings", data=opened).headers["Location"] == "/b/lounge/settings?done=setup"
    assert 'name="invite"' in browser.get("/b/lounge/settings").text and 'name="invite"' not in browser.get(closed).text


def test_a_board_is_handed_over_by_a_form(club):
    """To one member, by name. Who had one for the invited stays invited; its settings are for the new owner then."""
    server, _, friend, _ = club
    ada, ben = promote(server, Person(server, name="Ann")), Person(server, name="Ben")
    browser, club_of_ann = ada.browser(), make_board(ada, "Crew", read_by="invited")
    admin(f"--database-url={server.settings['database_url']}", "demote", ada.username)
    page = f"/b/{club_of_ann}/settings"
    assert f'<bdi lang="">Ann</bdi> (@{ada.username}).' in browser.get(page).text
    for names, status, words in (("nobody", 404, "No member has"), ("Ben, Joe", 422, "A board has one owner"), ("", 404, "No member has")):  # fmt: skip
        refused = browser.post(f"/b/{club_of_ann}/owner", data={"owner": names})
        assert refused.status_code == status and words in refused.text and "Who is invited" in refused.text
    done = browser.post(f"/b/{club_of_ann}/owner", data={"owner": "Ben"})
    assert (done.status_code, done.headers["Location"]) == (303, "/boards?done=owner")
    assert "has another owner now" in browser.get(done.headers["Location"]).text
    assert browser.get(page).status_code == 403 and browser.get(f"/b/{club_of_ann}/").status_code == 200
    theirs = ben.browser().get(page).text
    assert f'<bdi lang="">Ben</bdi> (@{ben.username}).' in theirs and f"<small>@{ada.username}</small>" in theirs
    assert friend.browser().post(f"/b/{club_of_ann}/owner", data={"owner": "Joe"}).status_code == 404


def test_who_deletes_an_account_is_told_what_becomes_of_its_boards(club):
    """On the page, before; and so it comes. Moderators can give an owner to a board that has none."""
    server, owner, friend, hidden = club
    alone = make_board(owner, "Diary", read_by="invited")
    browser, told = owner.browser(), " ".join(owner.browser().get("/account").text.split())
    for words in (
        'Rowing</bdi><small>stays, without an owner: moderators look after it</small>',
        f'Committee</bdi><small>1 invited: goes to <bdi lang="">Joe</bdi> (@{friend.username})</small>',
        'Diary</bdi><small>nobody is invited: is deleted with all that is on it</small>',
        f'href="/b/{hidden}/settings#owner"',
    ):  # fmt: skip
        assert words in told
    assert "What becomes of your" not in friend.browser().get("/account").text
    assert browser.post("/account/delete", data={"password": PASSWORD}).status_code == 303
    theirs = friend.browser().get(f"/b/{hidden}/settings").text
    assert f"(@{friend.username})." in theirs and "Nobody yet" in theirs
    other = promote(server, Person(server, name="Eve")).browser()
    assert other.get(f"/b/{hidden}/").status_code == other.get(f"/b/{alone}/").status_code == 404
    assert "It has no owner: moderators look after it." in other.get("/b/rowing/settings").text
    assert other.post("/b/rowing/owner", data={"owner": "Joe"}).status_code == 303
    log = " ".join(other.get("/audit").text.split())
    assert (
        'left <a href="/b/rowing/"><bdi lang="">Rowing</bdi></a> to the moderators, as the account was deleted' in log
    )
    assert f'gave <a href="/b/rowing/"><bdi lang="">Rowing</bdi></a> to {friend.username}<' in log


def test_who_is_invited_is_named_and_the_next_can_be_typed(club):
    """The name is that of somebody who is invited, whatever the address says."""
    _, owner, _, hidden = club
    browser, page = owner.browser(), f"/b/{hidden}/settings"
    person = Person(club[0], name="عمر الفاروق")
    led = browser.post(f"/b/{hidden}/invite", data={"username": f" {person.username} "}).headers["Location"]
    assert led == f"{page}?done=invite&who={person.username}"
    shown = browser.get(led).text
    assert f'<bdi lang="">عمر الفاروق</bdi> (@{person.username}) is invited.' in " ".join(shown.split())
    assert re.search('<input id="username"[^>]* autofocus', shown)
    forged = browser.get(f"{page}?done=invite&who=Your+password").text
    assert "Your password" not in forged and 'role="status">Invited.' in forged
    led = browser.post(f"/b/{hidden}/invite", data={"username": person.username.upper()}).headers["Location"]
    again = " ".join(browser.get(led).text.split())
    assert f"(@{person.username}) is invited already." in again and "is invited." not in again
    nobody = browser.get(f"{page}?done=invite").text
    assert 'role="status"' not in nobody
    led = browser.post(f"/b/{hidden}/uninvite", data={"username": person.username}).headers["Location"]
    assert "The invitation is withdrawn." in browser.get(led).text
    assert " autofocus" not in browser.get(page).text


def test_those_who_are_invited_on_another_page_of_the_list_are_told_of_without_names(club):
    """It says whether somebody was invited by this, or all were before; some names alone would leave out the others."""
    server, owner, friend, hidden = club
    browser, page = owner.browser(), f"/b/{hidden}/settings?done=invite"
    after = owner.api.get(f"/api/v1/boards/{hidden}/members").json()["members"][0]["id"]
    late = Person(server).username
    invite(owner, hidden, late)

    def told(query):
        shown = browser.get(f"{page}&after={after}&{query}").text
        return " ".join(re.sub("<[^>]+>", "", re.search('role="status">(.*?)</p>', shown, re.DOTALL)[1]).split())

    for query, words in [
        (f"who={friend.username}", "Invited."), (f"had={friend.username}", "Invited already."), (f"who={friend.username},{late}", "Invited."),
        (f"who={late}&had={friend.username}", f"{late} (@{late}) is invited. Invited already."),
    ]:  # fmt: skip
        assert told(query) == words


def invited_by(browser, hidden, text):
    """Types this into the form: the usernames that are told as invited, or the refusal's status and words."""
    answer = browser.post(f"/b/{hidden}/invite", data={"username": text})
    if answer.status_code == 303:
        return re.search("who=([^&]*)", answer.headers["Location"])[1].split("%2C")
    words = re.search('id="refused" role="alert">([^<]*)<', answer.text)[1]
    return answer.status_code, re.sub("[\u2068\u2069]", "", words)


def test_people_are_invited_by_the_name_that_others_see(club):
    """Or by the username, with @ or without; several at once, with any script's comma, also where a name has one."""
    server, owner, friend, hidden = club
    browser = owner.browser()
    names = ("عمر الفاروق", "Smith, John", "Zoë", "Yu", "Xi", "Wu")
    omar, john, zoe, yu, xi, wu = (Person(server, name=name).username for name in names)
    assert invited_by(browser, hidden, " عمر  الفاروق ") == [omar]
    assert invited_by(browser, hidden, "Smith, John") == [john]
    assert invited_by(browser, hidden, "smith, john")[0] == invited_by(browser, hidden, "عمر الفارو")[0] == 404
    assert invited_by(browser, hidden, f"@{zoe.upper()}, Yu،@{xi}、{wu}\n, Yu,") == [zoe, yu, xi, wu]
    members = {one["username"] for one in owner.api.get(f"/api/v1/boards/{hidden}/members").json()["members"]}
    assert members == {friend.username, omar, john, zoe, yu, xi, wu}


@pytest.mark.parametrize("has, typed", [("NFC", "NFD"), ("NFD", "NFC"), ("NFC", "NFC")])
def test_a_name_is_the_same_however_its_accents_are_encoded(club, has, typed):
    """Keyboards differ in that. Letters must be typed as they are, as no two engines fold the same ones."""
    person, browser = Person(club[0], name=normalize(has, "Ólafur é")), club[1].browser()
    assert invited_by(browser, club[3], normalize(typed, "ólafur é"))[0] == 404
    assert invited_by(browser, club[3], normalize(typed, "Ólafur é")) == [person.username]


@pytest.mark.parametrize("between", [", ", "\n", "،"])
def test_a_name_that_is_a_list_of_others_takes_nobody_s_invitation(club, between):
    """Names are free to choose. With @ before each, it is clear who is meant."""
    server, owner, friend, hidden = club
    browser = owner.browser()
    alice, bobby = (Person(server, name=name).username for name in ("Alice", "Bobby"))
    evil = [Person(server, name=" ".join(f"{a}{between}{b}".split())) for a, b in ((alice, bobby), (alice, "Bobby"))]
    for (a, b), one in zip([(alice, bobby), (alice, "Bobby")], evil, strict=True):
        status, words = invited_by(browser, hidden, f"{a}{between}{b}")
        assert status == 422 and f"may be @{alice} (Alice), @{bobby} (Bobby), @{one.username} (" in words
        assert words.endswith("Type the username with the @ before it.")
    members = owner.api.get(f"/api/v1/boards/{hidden}/members").json()["members"]
    assert [one["username"] for one in members] == [friend.username]
    assert invited_by(browser, hidden, f"@{alice}{between}@{bobby}") == [alice, bobby]
    assert "A username with @ before it" in browser.get(f"/b/{hidden}/settings").text


def test_an_invitation_that_may_be_for_another_is_refused_with_their_usernames(club):
    """Two of one name, or one whose name is another's username: nobody is invited before it is clear who is meant."""
    server, owner, friend, hidden = club
    browser = owner.browser()
    bob, other = Person(server, "bob_the_first", name="Bobby"), Person(server, "robert_b", name="Bob_the_First")
    eve, eva = Person(server, name="Eve"), Person(server, name="Eve")
    assert invited_by(browser, hidden, "Bob_the_First") == (
        422, f"“Bob_the_First” may be @bob_the_first (Bobby), @{other.username} (Bob_the_First). Type the username with the @ before it.",
    )  # fmt: skip
    status, words = invited_by(browser, hidden, "zzz, Eve, Ada, @yyy, zzz")
    assert status == 404 and [words.count(one) for one in ("“zzz”", "“Eve” may", "Ada owns", "“@yyy”")] == [1, 1, 1, 1]
    status, words = invited_by(browser, hidden, f"{friend.username}, Eve")
    assert status == 422 and f"“Eve” may be @{eve.username} (Eve), @{eva.username} (Eve)." in words
    for _ in range(4):
        Person(server, name="Eve")
    status, words = invited_by(browser, hidden, "Eve")
    assert words.count("@person") == 5 and "and others." in words
    for text, expected in [
        ("Joe, @eve", (404, "No member has the username or the name “@eve”.")), ("@", (404, "No member has the username or the name “@”.")),
        ("x" * 99, (404, f"No member has the username or the name “{'x' * 50}”.")), (" , ", (404, "No member has the username or the name “,”.")),
        ("Ada", (422, "Ada owns this board, and needs no invitation.")), (", ".join("abcdefghijk"), (422, "Invite at most 10 members at once.")),
    ]:  # fmt: skip
        assert invited_by(browser, hidden, text) == expected
    members = owner.api.get(f"/api/v1/boards/{hidden}/members").json()["members"]
    assert [one["username"] for one in members] == [friend.username]
    assert invited_by(browser, hidden, f"@bob_the_first,@{eva.username}") == [bob.username, eva.username]


def test_an_empty_board_of_the_invited_says_what_comes_next(club):
    """Those who may invite are told to; others see what any empty board says."""
    _, owner, friend, _ = club
    slug = make_board(owner, "Empty", read_by="invited")
    invite(owner, slug, friend.username)
    link = f'<a href="/b/{slug}/settings#invited">Invite people</a>'
    assert link in owner.browser().get(f"/b/{slug}/").text and link not in friend.browser().get(f"/b/{slug}/").text
    assert "Write the first message" in friend.browser().get(f"/b/{slug}/").text
    assert "Invite people" not in owner.browser().get(f"/b/{make_board(owner, 'Open', 'open')}/").text


def test_boards_of_one_name_are_told_apart_by_those_who_see_both(club):
    """In titles, headings, links, the list of all boards and the log; a name like that of a hidden board stands alone."""
    server, owner, friend, hidden = club
    make_board(owner, "RÓWING", "rowing-2"), make_board(owner, "Committee", "committee")
    id = post_on(owner.api, "rowing", "again")["id"]

    def shown(who, path):
        page = " ".join(who.get(path).text.split())
        return [re.sub("<[^>]+>", "", words) for words in re.findall("<(?:title|h1)[^>]*>.*?</(?:title|h1)>", page)]

    for who in (server.client, friend.browser()):
        assert shown(who, "/b/rowing/") == ["Rowing (rowing) · Riverside", "Rowing (rowing)"]
        assert shown(who, "/b/rowing-2/")[1] == "RÓWING (rowing-2)"
        assert shown(who, "/b/rowing/?before=99") == [
            "Older messages · Rowing (rowing) · Riverside",
            "Older messages · Rowing (rowing)",
        ]
        assert shown(who, "/b/rowing/search?q=x")[1] == "Search in Rowing (rowing)"
        assert "again · Rowing (rowing) · Riverside" in shown(who, f"/m/{id}")[0]
        page = who.get("/boards").text
        assert 'lang="">Rowing</bdi><small>rowing</small>' in page and "<small>rowing-2</small>" in page
        assert '<bdi lang="">Rowing</bdi> (rowing)</a>' in who.get("/search?q=again&board=*").text
        assert 'Go to <bdi lang="">Rowing</bdi> (rowing)</a>' in who.get(f"/m/{id}").text
    assert shown(owner.browser(), "/b/rowing-2/settings")[1] == "RÓWING (rowing-2)"
    log = " ".join(promote(server, Person(server)).browser().get("/audit").text.split())
    assert '<bdi lang="">RÓWING</bdi> (rowing-2)</a>' in log and '<bdi lang="">Committee</bdi></a>' in log
    assert f"Committee</bdi> ({hidden})</a>" in owner.browser().get("/audit").text
    for who, heading in ((server.client, "Committee"), (friend.browser(), "Committee (committee)")):
        assert shown(who, "/b/committee/") == [f"{heading} · Riverside", heading]
    assert shown(friend.browser(), "/b/lounge/")[1] == "Lounge"
    assert owner.api.patch("/api/v1/boards/rowing-2", json={"name": "Diving"}).status_code == 200
    assert shown(server.client, "/b/rowing/") == ["Rowing · Riverside", "Rowing"], "the kept page, too"


def test_where_a_message_is_gone_the_page_leads_to_all_boards(club, start):
    """A message's id says nothing of its board: no link leads to what is before it on the first one, and the form looks
    for it on all.
    """
    server, *_ = club
    for who, words in (
        (server.client, "or you have to sign in to see it."), (Person(server).browser(), "or is on a board that you can't read."),
    ):  # fmt: skip
        for path in ("/m/999", "/nothing"):
            page = who.get(path).text
            assert '<a href="/boards">All boards</a>' in page and "Go to the board" not in page
            assert '<input type="hidden" name="board" value="*">' in page
            assert "?before=" not in page and (words in page) == (path == "/m/999")
    for settings, read_by, several in [
        ({}, "invited", (False, False)), ({}, "members", (False, True)), ({"reading": "members"}, "everyone", (False, True)),
    ]:  # fmt: skip
        server = start(**settings)
        make_board(promote(server, Person(server)), "Committee", read_by=read_by)
        for who, has_others in zip((server.client, Person(server).browser()), several, strict=True):
            assert ("All boards" in who.get("/nothing").text) == has_others
            gone = who.get("/m/999")
            assert ('name="board"' in gone.text) == has_others
            assert ('href="/?before=999"' in gone.text) == (gone.status_code == 404 and not has_others)


def test_the_account_page_leads_to_all_boards_where_there_are_several(start):
    """Also who can make none; and says where one's own are marked."""
    server = start(board_making="members")
    member, moderator = Person(server), promote(server, Person(server))
    for who in (member, moderator):
        assert 'href="/boards"' not in who.browser().get("/account").text
    make_board(member, "Tea", "tea")
    link = 'See <a href="/boards">all boards</a>'
    assert f"{link}, where yours are marked." in member.browser().get("/account").text
    assert f"{link}, where yours are marked." in moderator.browser().get("/account").text
    club = start()
    make_board(promote(club, Person(club)), "Tea", "tea")
    page = Person(club).browser().get("/account").text
    assert f"{link}." in page and "/boards/new" not in page


def test_the_magnifier_leads_to_the_board_s_search_or_to_that_in_all(club, start):
    """From pages that are about no board, where there are several that their reader may read. Moderators' boards are marked
    as theirs, too.
    """
    server, owner, friend, _ = club

    def leads(who, path):
        return re.search('<a class="find" href="([^"]+)"', who.get(path).text)[1]

    for who, path, there in (
        (friend.browser(), "/account", "/search?board=*"), (server.client, "/boards", "/search?board=*"),
        (friend.browser(), "/", "/search"), (server.client, "/b/rowing/", "/b/rowing/search"),
        (owner.browser(), "/b/rowing/settings", "/b/rowing/search"),
    ):  # fmt: skip
        assert leads(who, path) == there
    assert 'value="*" checked' in friend.browser().get("/search?board=*").text
    assert leads(start().client, "/boards") == "/search"
    assert (
        owner.browser().get("/boards").text.count("Yours") == 3 and "Yours" not in friend.browser().get("/boards").text
    )


def test_pages_end_with_links_that_their_reader_may_follow(club, start):
    """And with the version, which /healthz tells anybody. The board's own page, which grows at its end, has none of it."""
    server, owner, friend, hidden = club
    version = server.get("/healthz").json()["version"]

    def foot(who, path):
        page = who.get(path).text
        assert page.count("<footer") == page.count(f'<span lang="" dir="ltr">{version}</span></footer>') <= 1
        return re.findall('<a href="([^"]*)">([^<]*)</a>', page.partition("<footer")[2])

    site = [("/privacy", "Privacy"), ("/feed.atom", "Feed"), ("/api", "API")]
    for path in ("/signin", "/signup", "/privacy", "/api", "/search", "/nothing", "/?before=9", "/boards"):
        assert foot(server.client, path) == site, path
    rowing = [("/b/rowing/#about", "About"), site[0], ("/b/rowing/feed.atom", "Feed"), site[2]]
    assert foot(server.client, "/b/rowing/search") == foot(owner.browser(), "/b/rowing/settings") == rowing
    assert foot(friend.browser(), f"/b/{hidden}/search") == [site[0], (f"/b/{hidden}/feed.atom", "Feed"), site[2]]
    assert foot(server.client, "/") == foot(owner.browser(), "/b/rowing/") == []
    assert 'id="about"' in server.get("/b/rowing/").text
    closed = start(reading="members")
    assert foot(closed.client, "/signin") == [site[0], site[2]]
    assert foot(Person(closed).browser(), "/account") == site
    for path, _ in [*site, *rowing]:
        assert server.get(path).status_code == 200, path


def test_the_first_board_has_the_site_s_name_once(club):
    """The site's name stands at the head of each page: the first board's heading is for screen readers, if it has no other name."""
    server, *_ = club
    page = server.get("/").text
    assert '<h1 class="unseen">Riverside</h1>' in page and page.count("<h1") == 1


def test_the_first_board_has_a_heading_and_may_have_a_name_among_others(start):
    """Where there is one board, it has neither: the heading is the site's name, for screen readers."""
    server = start(title="Riverside", first_board="General")
    owner = promote(server, Person(server))
    assert '<h1 class="unseen">Riverside</h1>' in server.get("/").text and "General" not in server.get("/").text
    assert "<h1>Search</h1>" in server.get("/search?q=x").text
    make_board(owner, "Rowing", "rowing")
    for who in (server.client, owner.browser()):
        page = who.get("/").text
        assert '<h1><bdi lang="">General</bdi></h1>' in page and "<title>General · Riverside</title>" in page
        assert re.search('data-slug="first"[^>]*><bdi lang="">General</bdi>', page)
        assert "General" in who.get("/boards").text and 'Search in <bdi lang="">General' in who.get("/search?q=x").text
    for name in ("general", "Riverside"):
        assert owner.browser().post("/boards/new", data={"name": name}).status_code == 422
    assert server.get("/api/v1/boards/first").json()["name"] == "General"


def test_ways_back_from_a_message_name_its_board(club):
    """The page of a message, and a search, on another board link to that board, and not to the first one, which has its
    name, too.
    """
    server, owner, friend, hidden = club
    for path in (f"/m/{server.post('low tide').json()['id']}", "/search?q=nothing", "/?before=1"):
        assert 'Go to <bdi lang="">Riverside</bdi></a>' in server.get(path).text
    id = post_on(owner.api, hidden, "here")["id"]
    browser = friend.browser()
    for path in (f"/m/{id}", f"/b/{hidden}/search?q=nothing"):
        assert re.search(f'<a href="/b/{hidden}/[^"]*">Go to <bdi lang="">Committee</bdi></a>', browser.get(path).text)


def test_the_audit_log_says_which_board_and_what_was_done_to_it(club):
    """The log names the board by a link while the reader can read it, and by the name that it had then; once deleted, by that
    alone, and its old address. Nothing names one for the invited to others, nor when it is gone.
    """
    server, owner, friend, hidden = club
    other, browser = promote(server, Person(server)), owner.browser()

    def change(slug, **fields):
        assert owner.api.patch(f"/api/v1/boards/{slug}", json=fields).status_code == 200

    change("rowing", archived=True)
    change("rowing", archived=False, name="Rowers")
    change("rowing", read_by="members", rules="Be kind and quick")
    change("rowing", read_by="members")
    link = '<a href="/b/rowing/"><bdi lang="">Rowers</bdi></a>'
    before = '<a href="/b/rowing/"><bdi lang="">Rowing</bdi></a> (now <bdi lang="">Rowers</bdi>)'
    log = other.browser().get("/audit").text
    for words in (
        f"archived {before}<", f"opened {link} again, which was archived", f"gave another name or address to {link}, which was Rowing<",
        f"made {link} one for members", f"changed {link}", f"made {before}<",
    ):  # fmt: skip
        assert words in log
    assert log.count("changed <a") == 2 and "Committee" not in log and "Committee" in browser.get("/audit").text
    message = post_on(owner.api, "rowing", "rude")
    assert other.browser().post(f"/m/{message['id']}/delete").status_code == 303
    assert f"deleted message {message['id']} by {owner.username} on {link}" in other.browser().get("/audit").text
    for slug, name in (("rowing", "Rowers"), (hidden, "Committee")):
        assert browser.post(f"/b/{slug}/delete", data={"name": name}).status_code == 303
    log = browser.get("/audit").text
    assert 'deleted <bdi lang="">Rowers</bdi> (/b/rowing/)<' in log and 'made <bdi lang="">Rowing</bdi><' in log
    assert 'href="/b/rowing/' not in log and hidden not in log and "Committee" not in log
    assert re.search(r"deleted board \d+<", log) and re.search(rf"invited {friend.username} to board \d+<", log)
    theirs = other.browser().get("/audit").text
    assert "(/b/rowing/)" in theirs and friend.username not in theirs, "only who did it reads of the hidden one"


def test_one_leaves_a_board(club):
    """Who gives back an invitation is led to the list of boards, and does not see the board again."""
    _server, _, friend, hidden = club
    browser = friend.browser()
    assert f'action="/b/{hidden}/leave"' in browser.get(f"/b/{hidden}/").text
    assert browser.post(f"/b/{hidden}/leave").headers["Location"] == "/boards?done=leave"
    assert browser.get(f"/b/{hidden}/").status_code == 404


def test_a_moderator_who_takes_back_their_own_invitation_is_not_led_to_what_they_can_t_see(club):
    """They are led to the list of boards; an owner, who still sees the board, stays on its settings."""
    server, owner, _, hidden = club
    moderator = promote(server, Person(server))
    for who, leads_to in ((moderator, "/boards?done=leave"), (owner, f"/b/{hidden}/settings?done=uninvite")):
        invite(owner, hidden, who.username)
        answer = who.browser().post(f"/b/{hidden}/uninvite", data={"username": who.username.upper()})
        assert (answer.status_code, answer.headers["Location"]) == (303, leads_to)


def test_who_does_not_own_a_board_does_not_set_it_up(club):
    """Members and guests get neither the settings nor what its forms do, also if they send a form without its page."""
    server, _owner, friend, hidden = club
    for form, fields in [
        ("settings", {"name": "Mine"}), ("invite", {"username": friend.username}), ("archive", {}), ("delete", {"name": "Committee"}),
    ]:  # fmt: skip
        assert friend.browser().post(f"/b/{hidden}/{form}", data=fields).status_code == 403
        assert friend.browser().get(f"/b/{hidden}/{form}").status_code == 403
        assert server.client.post(f"/b/rowing/{form}", data=fields).status_code == 401


def test_the_list_has_a_hundred_boards_at_a_time(start):
    """The first page of the list has the first board, and each page links on and back."""
    server = start()
    owner = promote(server, Person(server))
    for number in range(101):
        make_board(owner, f"Board {number:03}", f"board-{number:03}")
    page = server.get("/boards").text
    assert page.count("<li>") == 100 and "Board 098" in page and "Board 099" not in page
    more = server.get(re.search(r'href="(/boards\?after=[^"]+)"', page)[1]).text
    assert more.count("<li>") == 2 and "Board 099" in more and "Board 100" in more and 'href="/boards"' in more
    assert len(listed(server.get("/"))) == 100


def test_who_owns_as_many_boards_as_one_may_is_told_before_the_form(start):
    """With links to the settings of these boards, where one is deleted. A moderator may own more."""
    server = start(board_making="members", boards_each=2)
    member, other, moderator = Person(server), Person(server), promote(server, Person(server))
    make_board(member, "Tea", "tea", read_by="everyone")
    hidden = make_board(member, "Secret", read_by="invited")
    make_board(other, "Coffee", "coffee")
    browser = member.browser()
    page = browser.get("/boards/new").text
    assert "own as many boards as a member may here: 2." in " ".join(page.split()) and 'name="rules"' not in page
    assert re.findall('"(/b/[^/]+/settings)"', page) == [f"/b/{hidden}/settings", "/b/tea/settings"]
    assert browser.post("/boards/new", data={"name": "Third", "about": "typed"}).status_code == 422
    assert [name in browser.get("/boards").text for name in ("Yours", "Yours · invited only")] == [True, True]
    for who in (other, moderator):
        assert 'name="rules"' in who.browser().get("/boards/new").text
    assert (
        other.browser().get("/boards").text.count("Yours") == 1
        and "Yours" not in moderator.browser().get("/boards").text
    )
    assert browser.post("/b/tea/delete", data={"name": "Tea"}).status_code == 303
    assert 'name="rules"' in browser.get("/boards/new").text


@pytest.mark.parametrize(
    ("settings", "read_by", "write_by", "others"),
    [
        ({"reading": "members"}, ["members", "invited"], ["members", "moderators"], ["everyone", "guests"]),
        ({"posting": "members"}, ["everyone", "members", "invited"], ["members", "moderators"], ["members", "guests"]),
        ({}, ["everyone", "members", "invited"], ["guests", "members", "moderators"], ["everyone", "guests"]),
    ],
)
def test_no_choice_is_offered_twice(start, settings, read_by, write_by, others):
    """Where all who read are members, or only members post: what another board has is what stays."""
    server = start(**settings)
    owner = promote(server, Person(server))
    make_board(owner, "Tea", "tea", read_by=others[0], write_by=others[1])
    browser = owner.browser()

    def choices(path, name):
        found = re.findall(f'name="{name}" value="([a-z]+)"( checked)?', browser.get(path).text)
        return [value for value, _ in found], [value for value, checked in found if checked]

    assert choices("/boards/new", "read_by") == (read_by, read_by[:1])
    assert choices("/boards/new", "write_by") == (write_by, write_by[:1])
    was = choices("/b/tea/settings", "read_by"), choices("/b/tea/settings", "write_by")
    assert [(len(offered), checked) for offered, checked in was] == [
        (len(read_by), others[:1]),
        (len(write_by), others[1:]),
    ]


def test_a_list_says_who_writes_where_not_all_do(club):
    """In words that are no name of a board."""
    server, owner, *_ = club
    make_board(owner, "Announcements", "announcements", write_by="moderators")
    assert '<p class="facts">Only moderators write</p>' in server.get("/boards").text


def test_a_board_that_was_just_closed_offers_to_invite(club):
    """Beside the word that it is saved, as the form for that is far below."""
    _, owner, _, _ = club
    browser = owner.browser()
    fields = {"name": "Rowing", "read_by": "members"}
    led = browser.post("/b/rowing/settings", data=fields).headers["Location"]
    assert "Saved.</p>" in browser.get(led).text
    led = browser.post("/b/rowing/settings", data=fields | {"read_by": "invited", "closes": "yes"}).headers["Location"]
    assert 'Saved. <a href="#invited">Invite people</a>' in browser.get(led).text


def test_an_account_whose_name_is_its_username_is_named_once(server):
    """Its page says who is signed in."""
    for name, words in (
        (None, "You are signed in as <b>{}</b>"),
        ("Ada", 'You are <bdi lang="">Ada</bdi>, signed in as <b>{}</b>'),
    ):
        person = Person(server, name=name)
        assert words.format(person.username) in " ".join(person.browser().get("/account").text.split())
