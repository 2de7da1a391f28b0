"""Accounts: signing up, in and out, in the browser and through the API."""

import asyncio
import concurrent.futures
import html
import json
import re
import sqlite3
import threading

import httpx
import pytest

from board.passwords import Passwords
from board.turns import ANYBODY, WAITING_MAX, BusyError
from tests.support.admin import admin
from tests.support.patience import PATIENCE
from tests.support.people import PASSWORD, Person, client, new_username, refused, session_of


def sign_up(server, **fields):
    body = json.dumps({"username": new_username(), "password": PASSWORD} | fields)
    return server.client.post("/api/v1/signup", content=body, **with_json({}))


def sign_in(server, username, password, **options):
    body = json.dumps({"username": username, "password": password})
    return server.client.post("/api/v1/signin", content=body, **with_json(options))


def with_json(options):
    return {**options, "headers": {"Content-Type": "application/json"} | options.get("headers", {})}


def test_the_life_of_a_token(server):
    """Sign up, sign in, use the token, sign out, and it is dead."""
    username = new_username()
    response = sign_up(server, username=username, name="Ada Lovelace")
    account = response.json()["account"]
    assert response.status_code == 201 and "set-cookie" not in response.headers
    assert (account["username"], account["name"], account["role"]) == (username, "Ada Lovelace", "member")
    signed_in = sign_in(server, username, PASSWORD).json()
    assert re.fullmatch(r"lb_[\w-]{43}", signed_in["token"]) and signed_in["expires_in"] == 14_400
    with client(server, signed_in["token"]) as me:
        assert me.get("/api/v1/me").json() == {"account": account}
        message = me.post("/api/v1/messages", data={"body": "mine"}).json()
        assert message["author"] == {"id": account["id"], "name": "Ada Lovelace"}
        assert me.post("/api/v1/signout").status_code == 204
        response = me.get("/api/v1/me")
        assert refused(response, 401, "invalid_token") and "Bearer" in response.headers["WWW-Authenticate"]
        refused(me.post("/api/v1/messages", json={"body": "never a guest"}), 401, "invalid_token")
        refused(me.get("/api/v1/messages"), 401, "invalid_token")


# --- in the browser, without JavaScript


def test_signing_up_and_in_by_form(server):
    """A form, a cookie with all its flags, and back to the board."""
    with server.open() as browser:
        username = new_username()
        response = browser.post("/signup", data={"username": username, "password": PASSWORD, "name": "", "invite": ""})
        assert (response.status_code, response.headers["Location"]) == (303, "/")
        (cookie,) = [
            one for one in response.headers.get_list("Set-Cookie") if one.startswith(f"longboard-{server.port}=")
        ]
        assert {"HttpOnly", "Path=/", "SameSite=Lax", "Max-Age=604800"} <= set(cookie.split("; "))
        assert f">{username}</bdi>" in browser.get("/").text
        first = session_of(browser)
        browser.post("/signin", data={"username": username, "password": PASSWORD})
        second = session_of(browser)
        assert first != second
        refused(
            server.client.get("/api/v1/me", headers={"Cookie": f"longboard-{server.port}={first}"}), 401, "signed_out"
        )
        assert browser.get("/lo").status_code in (301, 302)
        assert browser.get("/signout").status_code == 200 and browser.get("/api/v1/me").status_code == 200
        assert browser.post("/signout").status_code == 303
        refused(
            server.client.get("/api/v1/me", headers={"Cookie": f"longboard-{server.port}={second}"}), 401, "signed_out"
        )


def test_on_https_the_cookie_is_bound_to_the_host(start):
    """`__Host-` and Secure, where the public address says https."""
    server = start(public_url="https://board.example.org")
    Person(server, "ada_l")
    response = server.client.post("/signin", data={"username": "ada_l", "password": PASSWORD})
    cookie = response.headers["Set-Cookie"]
    assert cookie.startswith("__Host-longboard=") and "Secure" in cookie.split("; ")


def test_a_refused_form_keeps_what_was_typed_but_no_password(server):
    """The reason stands above the form; the password has to be typed again."""
    for path, password, status in (("/signup", "short", 422), ("/signin", "wrong password", 401)):
        response = server.client.post(path, data={"username": 'x"><b>', "password": password, "next": "/account"})
        assert response.status_code in (status, 422) and 'role="alert"' in response.text
        assert "x&quot;&gt;&lt;b&gt;" in response.text and password not in response.text


def test_next_leads_back(server):
    """Whoever was asked to sign in goes on where they were."""
    person = Person(server)
    form = {"username": person.username, "password": PASSWORD, "next": "/account?x=1"}
    assert server.client.post("/signin", data=form).headers["Location"] == "/account?x=1"
    server.client.cookies.clear()


def test_whoever_was_signed_out_is_never_taken_for_a_guest(server):
    """Pages still open, but a post by a dead session is refused, with the text kept."""
    person = Person(server)
    browser = person.browser()
    secret = session_of(browser)
    browser.post("/account/everywhere")
    other = person.browser()
    other.post("/account/everywhere")
    dead = {"Cookie": f"longboard={secret}"}
    page = server.client.get("/", headers=dead)
    assert page.status_code == 200 and 'longboard="";' in page.headers["Set-Cookie"]
    response = server.client.post("/add", data={"s": "as whom?"}, headers=dead)
    assert response.status_code == 401 and "as whom?" in response.text
    refused(server.client.post("/api/v1/messages", json={"body": "x"}, headers=dead), 401, "signed_out")


# --- one's own messages


def test_only_its_author_edits_a_message_and_everyone_sees_it(server):
    """The change comes through the same cursor; the edited one says so."""
    ada, bob = Person(server), Person(server)
    message = ada.post("first words")
    path, cursor = f"/api/v1/messages/{message['id']}", server.cursor
    refused(server.client.patch(path, json={"body": "x"}), 401, "sign_in_first")
    refused(bob.api.patch(path, json={"body": "x"}), 403, "not_yours")
    refused(bob.api.delete(path), 403, "not_yours")
    refused(ada.api.patch(path, json={"body": " "}), 422, "body_empty")
    edited = ada.api.patch(path, json={"body": "better words"}).json()
    assert edited["body"] == "better words" and edited["edited_at"]
    assert server.news(cursor)["messages"] == [edited]
    assert ada.api.delete(path).status_code == 204
    assert server.news(cursor)["messages"] == [{"id": message["id"], "deleted": True}]
    refused(ada.api.delete(path), 404, "not_found")


def test_a_guest_s_message_belongs_to_nobody(server):
    """No member can change it."""
    message = server.post("by a guest").json()
    refused(Person(server).api.patch(f"/api/v1/messages/{message['id']}", json={"body": "x"}), 403, "not_yours")


def test_an_edit_may_say_what_it_began_from(server):
    """The time of the last change that one knows: other words by then are 409, as are times that it never had; without it all is as it was."""
    ada = Person(server)
    message = ada.post("first words")
    path = f"/api/v1/messages/{message['id']}"
    edited = ada.api.patch(path, json={"body": "second words", "began_from": message["created_at"]})
    assert edited.status_code == 200
    refused(
        ada.api.patch(path, json={"body": "other words", "began_from": "2026-11-23T18:27:03.123Z"}),
        409,
        "edited_meanwhile",
    )
    again = ada.api.patch(path, json={"body": "second words", "began_from": message["created_at"]})
    assert again.json() == edited.json()
    third = {"body": "third words", "began_from": edited.json()["edited_at"]}
    assert ada.api.patch(path, json=third).json()["body"] == "third words"
    for odd in ("0001-01-01T00:00:00.0+23:59", "9999-12-31T23:59:59.9-23:59"):
        refused(ada.api.patch(path, json={"body": "x", "began_from": odd}), 409, "edited_meanwhile")
    for odd in (1, "yesterday", "1", "2026-11-23", "2026-11-23T18:27:03.123", "2026-13-23T18:27:03.123Z"):
        refused(ada.api.patch(path, json={"body": "x", "began_from": odd}), 400, "bad_field")
    seen_at = ada.api.get(path).json()["edited_at"].replace("Z", "000+00:00")  # as libraries write it
    assert ada.api.patch(path, json={"body": "fourth words", "began_from": seen_at}).status_code == 200
    assert ada.api.patch(path, json={"body": "without"}).json()["body"] == "without"


def test_editing_and_deleting_by_form(server):
    """A message has a page of its own; its author finds the forms there, others don't."""
    person = Person(server)
    browser = person.browser()
    id = person.post("by form")["id"]
    assert ">Edit<" in browser.get(f"/m/{id}").text and ">Edit<" not in server.get(f"/m/{id}").text
    assert browser.post(f"/m/{id}/edit", data={"s": "changed by form"}).status_code == 303
    assert "changed by form" in server.get(f"/m/{id}").text
    assert Person(server).browser().post(f"/m/{id}/edit", data={"s": "x"}).status_code == 403
    assert browser.post(f"/m/{id}/delete").status_code == 303
    assert server.get(f"/m/{id}").status_code == 404
    assert server.get("/m/99999999").status_code == 404


def test_keys_belong_to_their_author(server):
    """Two members and a guest may use the same key."""
    key = "the-same-key-for-all-of-them"
    people = [Person(server).api, Person(server).api, server.client]
    posted = [c.post("/api/v1/messages", json={"body": "words", "key": key}).json()["id"] for c in people]
    assert len(set(posted)) == 3
    assert people[0].post("/api/v1/messages", json={"body": "words", "key": key}).json()["id"] == posted[0]


# --- bots


def test_a_named_token_for_a_bot(server):
    """It posts as its owner, can't manage tokens, and is dead once revoked."""
    person = Person(server)
    made = person.api.post("/api/v1/tokens", json={"name": "weather bot", "password": PASSWORD})
    assert made.status_code == 201 and made.json()["token"].startswith("lb_")
    with client(server, made.json()["token"]) as bot:
        assert bot.post("/api/v1/messages", json={"body": "sunny"}).json()["author"]["id"] == person.id
        refused(bot.post("/api/v1/tokens", json={"name": "child"}), 403, "bot_token")
        refused(bot.get("/api/v1/tokens"), 403, "bot_token")
        refused(bot.delete(f"/api/v1/tokens/{made.json()['id']}"), 403, "bot_token")
        listed = person.api.get("/api/v1/tokens").json()["tokens"]
        assert [token["name"] for token in listed] == ["weather bot"] and "token" not in listed[0]
        refused(Person(server).api.delete(f"/api/v1/tokens/{made.json()['id']}"), 404, "not_found")
        assert person.api.delete(f"/api/v1/tokens/{made.json()['id']}").status_code == 204
        refused(person.api.delete(f"/api/v1/tokens/{made.json()['id']}"), 404, "not_found")
        refused(bot.get("/api/v1/me"), 401, "invalid_token")
    refused(person.api.post("/api/v1/tokens", json={"name": " ", "password": PASSWORD}), 422, "bad_name")


def test_only_what_is_listed_can_be_revoked_by_number(server):
    """One's own sign-in tokens and browser sessions are no named tokens: 404, and they live on."""
    person = Person(server)
    browser = person.browser()
    last = person.api.post("/api/v1/tokens", json={"name": "bot", "password": PASSWORD}).json()["id"]
    statuses = [person.api.delete(f"/api/v1/tokens/{id}").status_code for id in range(max(last - 3, 1), last + 2)]
    assert statuses.count(204) == 1 and set(statuses) == {204, 404}
    assert person.api.get("/api/v1/me").status_code == browser.get("/account").status_code == 200


# --- the account page


def test_every_button_of_the_account_page(server):
    """Name, password, tokens, sign out elsewhere: each does what it says, by plain form."""
    person = Person(server)
    browser, elsewhere = person.browser(), person.browser()
    browser.headers["User-Agent"] = "Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101 Firefox/140.0"
    assert browser.post("/account/name", data={"name": " Ada \n L. "}).status_code == 303
    assert ">Ada L.</bdi>" in browser.get("/account").text
    assert browser.post("/account/name", data={"name": ""}).status_code == 422
    page = browser.post("/account/tokens", data={"name": "my bot", "password": PASSWORD}).text
    token = re.search(r"<code>(lb_[\w-]+)</code>", page)[1]
    assert token not in browser.get("/account").text and "my bot" in page
    assert client(server, token).get("/api/v1/me").json()["account"]["name"] == "Ada L."
    wrong = browser.post("/account/password", data={"password": "wrong one", "new": "a new password"})
    assert wrong.status_code == 401
    assert browser.post("/account/password", data={"password": PASSWORD, "new": "a new password"}).status_code == 303
    assert browser.get("/account").status_code == 200
    assert elsewhere.get("/account").status_code == 401
    refused(client(server, token).get("/api/v1/me"), 401, "invalid_token")
    refused(person.api.get("/api/v1/me"), 401, "invalid_token")
    refused(sign_in(server, person.username, PASSWORD), 401, "wrong_password")
    assert sign_in(server, person.username, "a new password").status_code == 200
    ways = re.findall(r'action="(/account/revoke/\d+)"', browser.get("/account").text)
    assert len(ways) == 2
    for path in ways:
        browser.post(path)
    assert browser.get("/account").status_code == 401


@pytest.mark.parametrize(
    ("path", "form", "words"),
    [
        ("name", {"name": "Ada"}, "Your name is changed."),
        ("password", {"password": PASSWORD, "new": "a new password"}, "Your password is changed."),
        ("everywhere", {}, "Everything else that was signed in to your account is signed out."),
        ("revoke", {}, "That browser, program or bot is signed out."),
        ("delete", {"password": PASSWORD, "messages": "keep"}, "Your messages stay"),
        ("delete", {"password": PASSWORD, "messages": "delete"}, "Your messages are deleted, too."),
    ],
)
def test_the_page_says_that_it_worked(server, path, form, words):
    """In words, and only then."""
    person = Person(server)
    browser = person.browser()
    before = browser.get("/account").text
    if path == "revoke":
        path = f"revoke/{re.findall(r'/account/revoke/([0-9]+)', before)[-1]}"
    answer = browser.post(f"/account/{path}", data=form)
    assert answer.status_code == 303, answer.text
    after = browser.get(answer.headers["Location"]).text
    assert words in after and words not in before
    assert words not in browser.get("/account").text and words not in browser.get("/signout").text


@pytest.mark.parametrize("path", ["/signin", "/signup"])
def test_who_is_signed_in_already_is_told(server, path):
    """So that nobody takes the empty form for a sign that they are not."""
    person, words = Person(server), "You are signed in already, as <b>"
    assert f"{words}{person.username}</b>" in person.browser().get(path).text
    assert words not in server.open().get(path).text


def test_my_data_can_be_downloaded(server):
    """Account, ways in and all messages, as one JSON document, and nobody else's."""
    person, other = Person(server), Person(server)
    other.post("not mine")
    posted = [person.post(f"mine {n} 😀") for n in range(5)]
    response = person.browser().get("/account/download")
    data = response.json()
    assert "attachment" in response.headers["Content-Disposition"]
    assert data["account"]["username"] == person.username
    assert data["messages"] == [message | {"key": None, "address": "127.0.0.1"} for message in posted]
    assert {way["kind"] for way in data["sessions_and_tokens"]} == {"session", "token"}
    assert "not mine" not in response.text and "argon2" not in response.text


def test_a_download_that_is_broken_off_is_no_fault(start):
    """A closed laptop in the middle of a long download leaves no traceback, and holds nothing up."""
    server = start()
    person = Person(server)
    person.post("the first of many")
    db = sqlite3.connect(server.database)
    db.execute(
        "WITH RECURSIVE n (i) AS (SELECT 1000 UNION ALL SELECT i + 1 FROM n WHERE i < 4000) "
        "INSERT INTO messages (id, seq, author_id, author_name, body, created_at) "
        "SELECT i, i, ?, 'x', hex(zeroblob(4000)), 0 FROM n",
        (person.id,),
    )
    db.commit()
    db.close()
    with person.browser().stream("GET", "/account/download") as response:
        next(response.iter_raw(100))
    assert server.stop() == 0  # the drain has waited for it
    assert "failed" not in server.log.read_text() and "Traceback" not in server.log.read_text()


@pytest.mark.parametrize("choice", ["keep", "delete"])
def test_deleting_the_account(server, choice):
    """The account and its ways in go; its messages stay under another name or go, and every open page learns it."""
    person = Person(server)
    browser = person.browser()
    id = person.post("what I said")["id"]
    cursor = server.cursor
    assert browser.post("/account/delete", data={"password": "wrong", "messages": choice}).status_code == 401
    form = {"password": PASSWORD, "messages": choice}
    with concurrent.futures.ThreadPoolExecutor() as pool:
        poll = pool.submit(server.news, cursor, 25)
        server.until_parked(1)
        assert browser.post("/account/delete", data=form).status_code == 303
        reply = poll.result()
    assert reply["reset"]
    kept = [m for m in reply["messages"] if m["id"] == id]
    assert [m["author"]["name"] for m in kept] == (["deleted account"] if choice == "keep" else [])
    refused(person.api.get("/api/v1/me"), 401, "invalid_token")
    refused(sign_in(server, person.username, PASSWORD), 401, "wrong_password")


# --- invitations, lost passwords, tutorials


def link_of(run):
    return re.search(r"https?://[^/]+(/\S+)", run.stdout)[1]


def test_an_invitation_lets_one_person_in(start):
    """SIGNUP=invite: a link works once; without one nobody gets in; closed means closed."""
    server = start(signup="invite")
    url = f"--database-url={server.settings['database_url']}"
    refused(sign_up(server), 403, "invite_needed")
    assert "Invitation</label>" in server.get("/signup").text
    path = link_of(admin(url, "invite"))
    secret = path.removeprefix("/signup#")
    assert secret != path and server.get(path).status_code == 200
    old_link = f"/signup?invite={secret}"
    assert f'value="{secret}"' in server.get(old_link).text
    form = {"username": "invited", "password": PASSWORD, "invite": secret}
    assert server.client.post("/signup", data=form).status_code == 303
    server.client.cookies.clear()
    again = server.client.post("/signup", data=form | {"username": "second"})
    assert again.status_code == 410 and 'value="second"' in again.text, "a code that was mistyped can be mended"
    assert server.get(old_link).status_code == 410
    refused(sign_up(server, invite="nonsense"), 410, "link_gone")
    refused(sign_up(start(signup="closed"), invite="nonsense"), 403, "signup_closed")


def test_a_lost_password_is_replaced_by_a_one_time_link(start):
    """bin/admin password prints it; it works once and signs everything else out."""
    server = start()
    person = Person(server)
    url = f"--database-url={server.settings['database_url']}"
    path, _, secret = link_of(admin(url, "password", person.username)).partition("#")
    assert server.get(path).status_code == server.get(f"{path}?link={secret}").status_code == 200
    form = {"link": secret, "password": "password"}
    assert server.client.post("/password", data=form).status_code == 422
    done = server.client.post("/password", data=form | {"password": "quite new words"})
    assert done.status_code == 303 and "Your password is changed." in server.get(done.headers["Location"]).text
    server.client.cookies.clear()
    assert server.client.post("/password", data=form | {"password": "again new words"}).status_code == 410
    assert server.get(f"{path}?link={secret}").status_code == 410
    assert sign_in(server, person.username, "quite new words").status_code == 200
    refused(person.api.get("/api/v1/me"), 401, "invalid_token")
    assert "no account" in admin(url, "password", "nobody", check=1).stderr


def test_a_tutorial_s_users_come_along(start, tmp_path):
    """They sign in with the password they had; the old hash is replaced then. Names that had to change are said."""
    import hashlib

    path = tmp_path / "database.db"
    db = sqlite3.connect(path)
    db.execute("CREATE TABLE users (uid INTEGER PRIMARY KEY, uusr TEXT NOT NULL, upwd TEXT NOT NULL, utme, utkn)")
    for user in ("Ada", "ada", "Zoë Müller", "x", "broken"):
        sha1 = hashlib.sha1(f"{user}:secret of {user}".encode()).hexdigest() if user != "broken" else "plain"
        db.execute("INSERT INTO users (uusr, upwd) VALUES (?, ?)", (user, sha1))
    db.commit()
    db.close()
    server = start()
    url = f"--database-url={server.settings['database_url']}"
    said = admin(url, "import-tutorial", path).stdout
    assert "'ada' signs in as ada_2" in said and "'Zoë Müller' signs in as zoe_muller" in said
    assert "'broken' is left out" in said and "4 users brought in, of 5" in said
    assert "0 users brought in" in admin(url, "import-tutorial", path).stdout
    for username, user in (("ada", "Ada"), ("ada_2", "ada"), ("zoe_muller", "Zoë Müller"), ("user_x", "x")):
        for _ in range(2):  # the second time with the new hash
            assert sign_in(server, username, f"secret of {user}").status_code == 200, username
        refused(sign_in(server, username, "secret of else"), 401, "wrong_password")
    db = sqlite3.connect(server.database)
    hashes = [hash for (hash,) in db.execute("SELECT password FROM accounts")]
    db.close()
    assert len(hashes) == 4 and all(hash.startswith("$argon2id$v=19$") for hash in hashes)
    assert "0 users brought in" in admin(url, "import-tutorial", path).stdout


def test_nothing_secret_is_written_down(start):
    """Neither the database nor the log has a password, a token or a session in it."""
    server = start(log_requests="on")
    person = Person(server)
    browser = person.browser()
    browser.get("/account?password=in-the-url-by-mistake")
    secrets = [PASSWORD, person.api.headers["Authorization"].split()[1], session_of(browser), "in-the-url"]
    server.stop()
    for file in server.database.parent.iterdir():
        content = file.read_bytes()
        assert not [secret for secret in secrets if secret.encode() in content], file


def test_many_sign_ins_at_once_are_refused_rather_than_queued_for_ever(start):
    """The hashing thread has a bounded queue: 503 with a time to come back, and the board goes on."""
    server = start()
    person = Person(server)
    with concurrent.futures.ThreadPoolExecutor(150) as pool:
        tries = [pool.submit(sign_in, server, person.username, PASSWORD) for _ in range(150)]
        assert server.post("meanwhile").status_code == 201
        statuses = [one.result().status_code for one in tries]
    assert set(statuses) <= {200, 503} and 200 in statuses


async def test_the_queue_of_passwords_is_bounded():
    """Of 150 at once, a hundred wait and the others are asked to come back."""
    passwords, go_on = Passwords(), threading.Event()
    held = asyncio.create_task(passwords._run(ANYBODY, go_on.wait, PATIENCE))
    await asyncio.sleep(0)
    tries = [asyncio.create_task(passwords.hash("some words")) for _ in range(150)]
    await asyncio.sleep(0)
    assert passwords.waiting == WAITING_MAX
    refused = [one for one in tries if one.done() and isinstance(one.exception(), BusyError)]
    assert len(refused) == 150 - WAITING_MAX + 1  # the one that is held waits, too
    for one in tries:
        one.cancel()
    go_on.set()
    await asyncio.gather(held, *tries, return_exceptions=True)
    passwords.close()


def test_threads_end_with_the_server(start):
    """No thread that hashes or writes keeps the process alive."""
    server = start()
    person = Person(server)
    stop = threading.Event()

    def busy():
        while not stop.is_set():
            try:
                sign_in(server, person.username, "wrong password")
            except httpx.TransportError:
                return

    thread = threading.Thread(target=busy, daemon=True)
    thread.start()
    assert server.stop() == 0
    stop.set()
    thread.join()
    assert "Traceback" not in html.unescape(server.log.read_text())


def test_a_form_that_is_not_utf8_is_answered_on_its_page(server):
    """Bytes that are no text are refused in words, not with an empty answer or a fault in the log."""
    browser = Person(server).browser()
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    for path, body in (
        ("/signup", b"username=%ff&password=abc"),
        ("/signin", b"username=%ff"),
        ("/account/name", b"name=%ff"),
    ):
        response = browser.post(path, content=body, headers=form)
        assert response.status_code == 400 and "is not UTF-8 text" in response.text


def test_the_account_page_says_what_is_wrong_in_place(server):
    """The page is still there, with the reason at the form that it is about."""
    browser = Person(server).browser()
    for path, form in (
        ("/account/name", {"name": ""}),
        ("/account/password", {"password": "not it", "new": "some other words"}),
        ("/account/tokens", {"name": ""}),
        ("/account/revoke/999999", {}),
        ("/account/delete", {"password": "not it"}),
    ):
        response = browser.post(path, data=form)
        assert response.status_code in (401, 404, 422)
        assert "Your account" in response.text and response.text.count('role="alert"') == 1


def test_a_form_says_as_whom_it_posts_and_means_it(server):
    """A page from before somebody signed out, or in as another, posts nothing under the wrong name."""
    ada, bob = Person(server), Person(server)
    guest, his = server.open(), bob.browser()
    for browser, status in ((guest, 401), (his, 409)):
        assert browser.post("/add", data={"s": "as Ada", "as": ada.username}).status_code == status
    assert ada.browser().post("/add", data={"s": "as Ada", "as": ada.username}).status_code == 303
    assert guest.post("/add", data={"s": "as a guest", "as": ""}).status_code == 303


def test_a_link_s_secret_goes_nowhere_else(start):
    """Not to other sites, and not into the log: what opens an account stays behind the #."""
    server = start(log_requests="on")
    url = f"--database-url={server.settings['database_url']}"
    for path in (link_of(admin(url, "password", Person(server).username)), link_of(admin(url, "invite"))):
        assert re.fullmatch(r"/(password|signup)#[\w-]{43}", path)
    for page in ("/password", "/signup?invite=nonsense", "/signup"):
        assert server.get(page).headers["Referrer-Policy"] == "no-referrer"
    server.get("/password?link=a-secret-of-before")
    server.stop()
    assert "a-secret-of-before" not in server.log.read_text() and "GET /password" in server.log.read_text()
