"""Logging in with OpenID Connect, against providers that nobody here wrote, and one that does what a test wants."""

import base64
import contextlib
import hashlib
import html
import re
import sqlite3
import urllib.parse

import pytest

from tests.http.test_accounts import link_of
from tests.http.test_facebook import location, problem
from tests.http.test_owner import said
from tests.support.admin import admin, at, run_in
from tests.support.facebook import begin, query_of, signed_in_as
from tests.support.openid import CLIENT, SECRET, Liar, log_in, provider_mock, start_board
from tests.support.people import PASSWORD, Person
from tests.support.server import Server, until

ADA = {"sub": "ada@example.org", "name": "Ada Lovelace", "preferred_username": "countess"}
GRACE = {"sub": "0042", "preferred_username": "grace@navy.example"}


@pytest.fixture(scope="module")
def mock(tmp_path_factory):
    with provider_mock(tmp_path_factory.mktemp("provider"), ADA, GRACE) as mock:
        yield mock


@pytest.fixture
def board(start, monkeypatch, mock):
    yield from quiet(start_board(start, monkeypatch, f"mock {mock.url} {CLIENT} {SECRET} Mock of ours"))


@pytest.fixture
def liar():
    with_lies = Liar()
    yield with_lies
    with_lies.close()


def quiet(board):
    """The log has no fault and no secret afterwards."""
    yield board
    log = board.log.read_text()
    assert "Traceback" not in log and "ERROR" not in log and SECRET not in log, log


def title(response):
    return html.unescape(re.search("<h1>(.*?)</h1>", response.text)[1])


def test_without_the_setting_there_is_no_button_and_no_way_in(server):
    """Nobody is let in by a provider that is not set."""
    assert "oidc" not in server.get("/signin").text
    for path in ("/oidc_mock/start", "/oidc_mock/callback?code=x&state=y", "/account/oidc_mock/link"):
        assert server.get(path).status_code == 404


def test_the_first_sign_in_makes_an_account_and_later_ones_find_it(board, mock):
    """With the name there and a free username, which may be changed; the session is marked as the provider's."""
    for path in ("/signin", "/signup"):
        assert 'href="/oidc_mock/start?next=%2F">Continue with Mock of ours' in board.get(path).text
    assert f"a <b>fake Mock of ours</b> at {mock.url}" in board.get("/").text
    browser = board.open()
    assert location(log_in(browser, mock, ADA["sub"])) == "/oidc_mock/welcome?next=%2F#"
    account = signed_in_as(browser)
    assert (account["username"], account["name"]) == ("ada_lovelace", "Ada Lovelace")
    form = {"name": "Ada", "username": "countess", "next": "/account"}
    assert location(browser.post("/oidc_mock/welcome", data=form)) == "/account?done=username"
    data = browser.get("/account/download").json()
    identity = data["oidc_mock"]
    assert (identity["app_id"], identity["id"], identity["picture"]) == (mock.url, ADA["sub"], None)
    assert [one["by_oidc_mock"] for one in data["sessions_and_tokens"]] == [True]
    other = board.open()
    assert location(log_in(other, mock, ADA["sub"], "/oidc_mock/start?next=/account")) == "/account#"
    assert signed_in_as(other)["id"] == account["id"]
    assert "signed in: oidc_mock" in board.log.read_text()


def test_what_the_board_asks_of_the_provider(board, mock):
    """No e-mail, no more than the name; state, nonce and challenge are new each time, and none gives another away."""
    urls = [begin(board.open(), "/oidc_mock/start") for _ in range(2)]
    asked = [query_of(url) for url in urls]
    assert urls[0].startswith(f"{mock.url}/oauth2/authorize?")
    for one in asked:
        assert (one["scope"], one["response_type"], one["client_id"]) == ("openid profile", "code", CLIENT)
        assert one["redirect_uri"] == f"{board.url}/oidc_mock/callback" and one["code_challenge_method"] == "S256"
        assert len(set(one.values())) == len(one)
    for name in ("state", "nonce", "code_challenge"):
        assert asked[0][name] != asked[1][name] and len(asked[0][name]) == 43


@pytest.mark.parametrize("methods", [None, ["client_secret_basic"], ["client_secret_post"], "nonsense"])
def test_code_verifier_and_secret_go_to_the_token_endpoint(start, monkeypatch, liar, methods):
    """The verifier fits the challenge (RFC 7636); the secret is where the provider wants it, and never in an address."""
    secret = "a+secret/with:signs%&"
    board = start_board(start, monkeypatch, f"liar {liar.url} {CLIENT} {secret}")
    liar.about = {"token_endpoint_auth_methods_supported": methods} if methods else {}
    browser = board.open()
    asked = query_of(begin(browser, "/oidc_liar/start"))
    liar.nonce = asked["nonce"]
    sent = []

    def token(to):  # the body may come after the head
        to.setblocking(True)
        head, _, body = liar.asked[-1].partition("\r\n\r\n")
        length = int(re.search(r"Content-Length: (\d+)", head)[1])
        while len(body) < length:
            body += to.recv(65536).decode()
        sent.append((head, {name: value for name, [value] in urllib.parse.parse_qs(body).items()}))
        answer(to)

    answer, liar.answers["/token"] = liar.answers["/token"], token
    response = browser.get(f"/oidc_liar/callback?code=code-of-mine&state={asked['state']}")
    assert location(response).startswith("/oidc_liar/welcome")
    [(head, form)] = sent
    digest = hashlib.sha256(form["code_verifier"].encode()).digest()
    assert base64.urlsafe_b64encode(digest).decode().rstrip("=") == asked["code_challenge"]
    assert (form["code"], form["grant_type"]) == ("code-of-mine", "authorization_code")
    assert form["redirect_uri"] == asked["redirect_uri"] and form["code_verifier"] != asked["nonce"]
    if methods == ["client_secret_post"]:
        assert (form["client_id"], form["client_secret"]) == (CLIENT, secret) and "Authorization" not in head
    else:
        pair = base64.b64decode(re.search("Authorization: Basic (.*)\r", head)[1]).decode().partition(":")
        assert urllib.parse.unquote_plus(pair[2]) == secret and "client_secret" not in form
    assert secret not in "".join(text.partition("\r\n\r\n")[0] for text in liar.asked)


def test_a_provider_that_knows_only_this_board(start, monkeypatch, mock):
    """The registered address and secret are used: with another secret, nobody gets in, and the log says why."""
    board = start_board(start, monkeypatch, f"mock {mock.url} x y")
    port = board.port
    board.stop()
    setting = mock.register(f"http://localhost:{port}", "mock")
    board = start_board(start, monkeypatch, setting, port=port)
    assert location(log_in(board.open(), mock, ADA["sub"])).startswith("/oidc_mock/welcome")
    board.stop()
    board = start_board(start, monkeypatch, f"{setting}-wrong", port=port)
    problem(log_in(board.open(), mock, ADA["sub"]), 502)
    assert "Mock did not answer as it should: HTTP 401 error=invalid_client" in board.log.read_text()


def test_somebody_says_no(board, mock):
    """Nothing is done, and the page says so."""
    browser = board.open()
    response = log_in(browser, mock, None)
    # This provider leaves the state out of its refusal, so the flow is not known.
    assert "error=access_denied" in str(response.url) and response.status_code == 400
    asked = query_of(begin(browser, "/oidc_mock/start"))
    response = browser.get(f"/oidc_mock/callback?error=access_denied&state={asked['state']}")
    assert problem(response, 403) == "You cancelled at Mock of ours, so nothing was done."
    assert signed_in_as(browser) is None


@pytest.mark.parametrize(
    ("claims", "user_info", "name", "username"),
    [
        ({}, {}, "Ada Lovelace", "ada_lovelace"),
        ({"name": None, "preferred_username": "ada"}, {}, "ada", "ada"),
        ({"name": None, "preferred_username": "ada@mail.example"}, {}, "ada", "ada"),
        ({"name": None}, {"name": "Augusta"}, "Augusta", "augusta"),
        ({"name": "  \u200b "}, {"preferred_username": "gus"}, "gus", "gus"),
        ({"name": None}, {}, "Member", "member"),
        ({"name": ["Ada"], "preferred_username": 5}, {"name": {}}, "Member", "member"),
        ({"name": "x" * 5000}, {}, "x" * 50, "x" * 28),
        ({"name": "Ada\u202e\x00\ud800\nL"}, {}, None, None),
    ],
)
def test_the_name_comes_from_the_token_or_from_user_info(start, monkeypatch, liar, claims, user_info, name, username):
    """By the rules for names here. An e-mail address that is a username loses its end: others see the name."""
    board = start_board(start, monkeypatch, liar.setting())
    liar.claims, liar.user_info = claims, user_info
    browser = board.open()
    assert location(liar.come_back(browser)).startswith("/oidc_liar/welcome")
    account = signed_in_as(browser)
    if name is not None:
        assert (account["name"], account["username"]) == (name, username)
    assert account["name"].isprintable() and len(account["name"]) <= 50
    asked = [text for text in liar.asked if text.startswith("GET /me")]
    assert len(asked) == (name not in ("Ada Lovelace", "ada", "x" * 50, None))
    assert all("Authorization: Bearer an-access-token" in text for text in asked)


def test_a_new_name_there_is_a_new_name_here(start, monkeypatch, liar):
    """Unless the member took another. Beside a moderator's name is the username: nobody is mistaken for one."""
    board = start_board(start, monkeypatch, liar.setting())
    Person(board, "olga")
    admin(at(board.database), "promote", "olga")
    browser = board.open()
    liar.come_back(browser)
    liar.claims = {"name": "Ada King"}
    liar.come_back(board.open())
    assert signed_in_as(browser)["name"] == "Ada King"
    for withheld in (None, {"a": 1}, " \u200b"):
        liar.claims = {"name": withheld}
        liar.come_back(board.open())
        assert signed_in_as(browser)["name"] == "Ada King"
    liar.claims = {"name": "ＯＬＧＡ"}
    liar.come_back(board.open())
    account = signed_in_as(browser)
    assert account["name"] == "ＯＬＧＡ"
    author = browser.post("/api/v1/messages", json={"body": "words"}).json()["author"]
    assert author == {"id": account["id"], "name": "ＯＬＧＡ", "username": account["username"]}
    liar.claims = {"name": "Olga", "sub": "another"}
    other = board.open()
    liar.come_back(other)
    account = signed_in_as(other)
    assert account["name"] == "Olga" and account["username"] != "olga" and account["role"] == "member"


def test_the_same_subject_or_address_elsewhere_is_somebody_else(start, monkeypatch, mock, liar):
    """People are known by issuer and subject; an e-mail address links nobody. Each provider has its button."""
    app = {"facebook_app_id": "1234567890123456", "facebook_app_secret": "s" * 32}
    two = f"mock {mock.url} {CLIENT} {SECRET}, liar {liar.url} {CLIENT} {SECRET} Liar & Sons"
    board = start_board(start, monkeypatch, two, **app)
    buttons = re.findall("Continue with (.*?)</a>", board.get("/signin").text)
    assert buttons == ["Facebook", "Mock", "Liar &amp; Sons"]
    one, other = board.open(), board.open()
    log_in(one, mock, ADA["sub"])
    liar.claims = {"sub": ADA["sub"], "email": ADA["sub"], "email_verified": True}
    liar.come_back(other)
    assert signed_in_as(one)["id"] != signed_in_as(other)["id"]
    privacy = board.get("/privacy").text
    assert "<b>Liar &amp; Sons.</b>" in privacy and "and your name. Nothing is posted to Liar" in privacy


def test_a_live_session_is_not_swapped_without_a_click(board, mock):
    """Somebody who is signed in as another member is asked first, and a link from elsewhere leads to a page with a button."""
    olga = Person(board, "olga").browser()
    asked = log_in(olga, mock, ADA["sub"])
    assert asked.status_code == 200 and title(asked).endswith("Ada Lovelace</bdi>?")
    assert signed_in_as(olga)["username"] == "olga"
    assert location(olga.post("/oidc_mock/switch", data={"as": "olga"})).startswith("/oidc_mock/welcome")
    assert signed_in_as(olga)["name"] == "Ada Lovelace"
    page = board.open().get("/oidc_mock/start", headers={"Sec-Fetch-Site": "cross-site"})
    assert page.status_code == 200 and "Mock of ours may sign you in at once" in " ".join(page.text.split())


def test_a_way_back_is_good_once_and_in_one_browser(board, mock):
    """A state of another browser's, a used one, or one of another provider's flow signs nobody in."""
    browser, other = board.open(), board.open()
    back = mock.answer(begin(browser, "/oidc_mock/start"), ADA["sub"])
    assert problem(other.get(back), 400).startswith("This way back from Mock of ours was used already")
    assert location(browser.get(back)).startswith("/oidc_mock/welcome")
    assert browser.get(back).status_code == 400


def test_link_and_unlink(board, mock):
    """With the password each time; the notice, the log and the list of ways in name the provider by its label."""
    browser = Person(board, "olga").browser()
    page = browser.get("/account").text
    assert '<h2 id="oidc_mock-title">Mock of ours</h2>' in page and "Link Mock of ours</button>" in page
    assert browser.post("/account/oidc_mock/link", data={"password": "wrong"}).status_code == 401
    leads = browser.post("/account/oidc_mock/link", data={"password": PASSWORD})
    assert 'href="/oidc_mock/continue">Continue to Mock of ours' in leads.text and "your name. Nothing" in leads.text
    assert location(log_in(browser, mock, ADA["sub"], "/oidc_mock/continue")) == "/account#"
    page = browser.get("/account").text
    assert "A Mock of ours account, <bdi" in page and "Unlink Mock of ours</button>" in page
    assert "Your picture goes" not in page and "Mock of ours stays linked." in page
    assert signed_in_as(browser)["name"] == "olga"
    assert "linked Mock of ours to olga" in admin(at(board.database), "audit").stdout
    by_mock = board.open()
    log_in(by_mock, mock, ADA["sub"])
    assert signed_in_as(by_mock)["username"] == "olga"
    taken = Person(board, "eve").browser()
    taken.post("/account/oidc_mock/link", data={"password": PASSWORD})
    refused = log_in(taken, mock, ADA["sub"], "/oidc_mock/continue")
    assert refused.status_code == 409 and "This Mock of ours account belongs to another member" in refused.text
    gone = location(browser.post("/account/oidc_mock/unlink", data={"password": PASSWORD}))
    assert "Mock of ours is unlinked from your account." in browser.get(gone).text
    assert signed_in_as(by_mock) is None


def test_a_recovery_ends_it_unless_the_owner_keeps_it(board, mock):
    """Somebody else may have linked it. What was signed in by it ends, too."""
    for kept in (False, True):
        person = Person(board, f"olga_{kept}".lower())
        browser = person.browser()
        browser.post("/account/oidc_mock/link", data={"password": PASSWORD})
        log_in(browser, mock, f"sub-{kept}", "/oidc_mock/continue")
        by_mock = board.open()
        log_in(by_mock, mock, f"sub-{kept}")
        assert signed_in_as(by_mock)["username"] == person.username
        link = link_of(admin(at(board.database), "password", person.username))
        form = {"link": link.partition("#")[2], "password": "a new password of mine"}
        assert "Mock of ours stays linked: it was me" in board.get("/password").text
        board.open().post("/password", data=form | ({"oidc_mock": "keep"} if kept else {}))
        assert signed_in_as(by_mock) is None
        again = board.open()
        log_in(again, mock, f"sub-{kept}")
        assert (signed_in_as(again)["username"] == person.username) is kept


def test_the_only_way_in_stays_and_confirms_what_a_password_would(board, mock):
    """Who came by it a moment ago may make a token; unlinking takes a password first."""
    browser = board.open()
    log_in(browser, mock, GRACE["sub"])
    assert signed_in_as(browser)["name"] == "grace"
    page = browser.get("/account").text
    assert "You sign in with Mock of ours, as" in page and "To unlink it, set a" in page
    refused = browser.post("/account/oidc_mock/unlink")
    assert refused.status_code == 409 and "Mock of ours is the only way into your account" in refused.text
    assert "Here is the new token" in browser.post("/account/tokens", data={"name": "bot"}).text


def test_an_invitation_goes_along(start, monkeypatch, mock):
    """In the cookie that the script sets; without one, nobody new comes in."""
    board = start_board(start, monkeypatch, f"mock {mock.url} {CLIENT} {SECRET}", signup="invite")
    assert log_in(board.open(), mock, "new").status_code == 403
    invite = link_of(admin(at(board.database), "invite")).partition("#")[2]
    browser = board.open()
    browser.cookies.set("longboard-invite", invite, path="/oidc_mock/start")
    assert location(log_in(browser, mock, "new")).startswith("/oidc_mock/welcome")
    other = board.open()
    other.cookies.set("longboard-invite", invite, path="/oidc_mock/start")
    assert log_in(other, mock, "newer").status_code == 410


def test_a_provider_under_another_name_gives_nobody_a_second_account(start, monkeypatch, mock):
    """The issuer is the same, so its people are refused until the name is as it was; nothing is made or lost."""
    board = start_board(start, monkeypatch, f"mock {mock.url} {CLIENT} {SECRET}")
    log_in(board.open(), mock, ADA["sub"])
    board.stop()
    for name, status in ("renamed", 409), ("mock", 303):
        monkeypatch.setenv("OIDC", f"{name} {mock.url}/ another {SECRET}")
        board.start()
        board.url = f"http://localhost:{board.port}"
        browser = board.open()
        assert log_in(browser, mock, ADA["sub"], f"/oidc_{name}/start").status_code == status
        assert (signed_in_as(browser) is not None) is (status == 303)
        board.stop()
    assert "accounts                1\n" in admin(at(board.database), "stats").stdout


def test_a_suspended_member_stays_out(board, mock):
    """Also by the provider."""
    browser = board.open()
    log_in(browser, mock, "sid")
    admin(at(board.database), "suspend", signed_in_as(browser)["username"])
    until(lambda: signed_in_as(browser) is None)
    assert log_in(board.open(), mock, "sid").status_code == 403


# --- without passwords


@pytest.fixture
def keyless(start, monkeypatch, mock):
    """A board with PASSWORDS=off, on which olga has one from before."""
    setting = f"mock {mock.url} {CLIENT} {SECRET}, other {mock.url.replace('localhost', '127.0.0.1')} {CLIENT} {SECRET}"
    board = start_board(start, monkeypatch, setting)
    browser = Person(board, "olga").browser()
    browser.post("/account/oidc_mock/link", data={"password": PASSWORD})
    log_in(browser, mock, ADA["sub"], "/oidc_mock/continue")
    board.stop()
    board.settings["passwords"] = "off"
    board.start()
    board.client.close()
    board.url = f"http://localhost:{board.port}"
    board.client = board.open()
    yield from quiet(board)


def test_without_passwords_no_password_lets_anybody_in(keyless):
    """Not on the pages, not by the API, not by a link; no page asks for one."""
    board, form = keyless, {"username": "olga", "password": PASSWORD}
    for path in ("/signin", "/signup"):
        page = board.get(path).text
        assert "password" not in page.lower() and "Continue with Mock" in page
        refused = board.client.post(path, data=form)
        assert refused.status_code == 403 and "This board takes no passwords." in refused.text
        assert 'type="password"' not in refused.text
    for path in ("/api/v1/signin", "/api/v1/signup"):
        refused = board.client.post(path, json=form)
        assert (refused.status_code, refused.json()["error"]["code"]) == (403, "passwords_off")
    assert "api/v1/signin -d" not in board.get("/api").text
    assert board.get("/password").status_code == 403
    oidc = f"mock https://id.example.org {CLIENT} {SECRET}"
    run = run_in(board.log.parent, "--passwords=off", at(board.database), "password", "olga", check=1, OIDC=oidc)
    assert "with PASSWORDS=off, no link for a new password works" in run.stderr
    assert board.client.post("/password", data={"link": "x", "password": "quite new words"}).status_code == 403


def test_without_passwords_the_provider_is_all_that_is_asked(keyless, mock):
    """Somebody with an old password needs it for nothing: the sign-in counts. The last way in stays."""
    browser = keyless.open()
    log_in(browser, mock, ADA["sub"])
    assert signed_in_as(browser)["username"] == "olga"
    page = browser.get("/account").text
    assert 'type="password"' not in page and "New password" not in page and "Link Other</button>" in page
    assert "Here is the new token" in browser.post("/account/tokens", data={"name": "bot"}).text
    refused = browser.post("/account/password", data={"new": "quite new words"})
    assert refused.status_code == 403 and "This board takes no passwords." in refused.text
    refused = browser.post("/account/oidc_mock/unlink")
    assert refused.status_code == 409 and "Mock is the only way" in refused.text
    assert location(browser.post("/account/delete", data={"messages": "keep"})) == "/signout?deleted=account"


def test_without_passwords_a_second_provider_can_be_linked(keyless, mock):
    """For who has just come by the first: so a board can go from one provider to another."""
    browser = keyless.open()
    log_in(browser, mock, ADA["sub"])
    leads = browser.post("/account/oidc_other/link")
    assert 'href="/oidc_other/continue">Continue to Other' in leads.text
    asked = begin(browser, "/oidc_other/continue")
    assert location(browser.get(mock.answer(asked, ADA["sub"]))) == "/account#"
    by_other = keyless.open()
    log_in(by_other, mock, ADA["sub"], "/oidc_other/start")
    assert signed_in_as(by_other)["username"] == "olga"


def test_without_passwords_the_owner_s_link_makes_the_first_moderator(start, monkeypatch, mock):
    """It goes along to the provider as an invitation does."""
    board = start_board(start, monkeypatch, f"mock {mock.url} {CLIENT} {SECRET}", passwords="off")
    (secret,) = said(board)
    page = board.get("/signup?owner").text
    assert "data-link" in page and "<button>" not in page and "Continue with Mock" in page
    browser = board.open()
    browser.cookies.set("longboard-invite", secret, path="/oidc_mock/start")
    log_in(browser, mock, ADA["sub"])
    assert signed_in_as(browser)["role"] == "moderator"


def test_without_passwords_a_way_in_that_a_thief_linked_can_be_unlinked(keyless, mock):
    """By who has just come by the one that stays, never by who has come by the one that goes; what came by it ends."""
    ada = keyless.open()
    log_in(ada, mock, ADA["sub"])
    ada.post("/account/oidc_other/link")
    log_in(ada, mock, "thief", "/oidc_other/continue")
    page = " ".join(ada.get("/account").text.split())
    assert "An Other account, <bdi" in page and "If that wasn't you, unlink it, and sign out everywhere else." in page
    assert "Unlink Other</button>" in page and "You can still sign in with Mock." in page
    assert "Unlink Mock</button>" not in page and ">Confirm with Other</a>" in page
    thief = keyless.open()
    log_in(thief, mock, "thief", "/oidc_other/start")
    thief.post("/account/tokens", data={"name": "bot"})
    refused = thief.post("/account/oidc_other/unlink")
    assert refused.status_code == 403 and "confirm with Mock, then try again" in refused.text
    gone = location(ada.post("/account/oidc_other/unlink"))
    assert "Other is unlinked from your account." in ada.get(gone).text
    assert signed_in_as(thief) is None and signed_in_as(ada)["username"] == "olga"
    assert '<bdi lang="">bot</bdi>' not in ada.get("/account").text
    log_in(thief, mock, "thief", "/oidc_other/start")
    assert signed_in_as(thief)["username"] != "olga"
    refused = ada.post("/account/oidc_mock/unlink")
    assert refused.status_code == 409 and "Mock is the only way into your account" in refused.text


def test_a_sign_in_of_long_ago_unlinks_and_links_nothing(keyless, mock):
    """The page has the button that helps first: Confirm, with what stays."""
    ada = keyless.open()
    log_in(ada, mock, ADA["sub"])
    ada.post("/account/oidc_other/link")
    log_in(ada, mock, ADA["sub"], "/oidc_other/continue")
    grown_old(keyless)
    ada = keyless.open(cookies=dict(ada.cookies))
    page = ada.get("/account").text
    assert "Unlink" not in page and page.count(">Confirm with Mock</a>") == page.count(">Confirm with Other</a>") == 2
    refused = ada.post("/account/oidc_other/unlink")
    assert refused.status_code == 403 and "confirm with Mock, then try again" in refused.text
    log_in(ada, mock, ADA["sub"], "/oidc_mock/start?next=/account")
    assert "Unlink Other</button>" in ada.get("/account").text
    assert ada.post("/account/oidc_other/unlink").status_code == 303


def grown_old(board):
    """Starts the board again eleven minutes after the last sign-in."""
    board.stop()
    with contextlib.closing(sqlite3.connect(board.database, isolation_level=None)) as db:
        db.execute("UPDATE credentials SET created_at = created_at - 700000")
    board.start()
    board.url = f"http://localhost:{board.port}"


def test_without_a_password_of_its_own_one_of_two_is_unlinked_where_passwords_are_on(start, monkeypatch, mock):
    """The same rule, and the only one left stays."""
    here = f"mock {mock.url} {CLIENT} {SECRET}, other {mock.url.replace('localhost', '127.0.0.1')} {CLIENT} {SECRET}"
    board = start_board(start, monkeypatch, here)
    browser = board.open()
    log_in(browser, mock, "both")
    browser.post("/account/oidc_other/link")
    log_in(browser, mock, "both", "/oidc_other/continue")
    assert location(browser.post("/account/oidc_other/unlink")).startswith("/account?done=unlink")
    assert browser.post("/account/oidc_mock/unlink").status_code == 409


@pytest.mark.parametrize("oidc", ["renamed {0} {1}", "mock {2} {1}"])
def test_the_account_page_speaks_of_what_is_linked_and_set_up(keyless, monkeypatch, mock, oidc):
    """After a provider was renamed, or has another issuer: nothing of it lets anybody in, or confirms, any more."""
    browser = keyless.open()
    log_in(browser, mock, ADA["sub"])
    keyless.stop()
    monkeypatch.setenv("OIDC", oidc.format(mock.url, f"{CLIENT} {SECRET}", mock.url.replace("localhost", "127.0.0.1")))
    keyless.start()
    keyless.url = f"http://localhost:{keyless.port}"
    browser = keyless.open(cookies=dict(browser.cookies))
    page = browser.get("/account").text
    assert signed_in_as(browser)["username"] == "olga"
    for words in ("You sign in with", ">Confirm with", "Change username", ">Link ", ">Unlink "):
        assert words not in page, words
    assert ("Not linked." in page) is oidc.startswith("renamed")
    assert ("Nobody can sign in with it now" in page) is oidc.startswith("mock")
    for path in ("tokens", f"{'oidc_renamed' if 'renamed' in oidc else 'oidc_mock'}/link", "delete"):
        refused = browser.post(f"/account/{path}", data={"name": "bot"})
        assert refused.status_code == 403 and "site that is linked to your account first" in refused.text


def test_a_session_by_password_is_told_what_is_linked_when_passwords_are_off(start, monkeypatch, mock):
    """A password doesn't count then; the page names no provider as the member's, and offers nothing that is refused."""
    board = start_board(start, monkeypatch, f"mock {mock.url} {CLIENT} {SECRET}")
    browser = Person(board, "bob").browser()
    board.stop()
    board.settings["passwords"] = "off"
    board.start()
    board.url = f"http://localhost:{board.port}"
    browser = board.open(cookies=dict(browser.cookies))
    page = browser.get("/account").text
    assert "You sign in with" not in page and "Confirm with" not in page and "Not linked." in page
    for path in ("/oidc_mock/welcome", "/facebook/welcome"):
        refused = browser.post(path, data={"username": "bobby", "name": "Bob"})
        assert refused.status_code == (403 if "mock" in path else 404), refused.text
    assert signed_in_as(browser)["username"] == "bob"


def test_a_username_with_a_password_stays_where_passwords_are_off(keyless, mock):
    """It is needed again when they are on; coming by a provider changes nothing about that."""
    browser = keyless.open()
    log_in(browser, mock, ADA["sub"])
    assert browser.get("/oidc_mock/welcome").headers["Location"] == "/account"
    assert "Change username" not in browser.get("/account").text
    refused = browser.post("/oidc_mock/welcome", data={"username": "olga2", "name": "Olga"})
    assert refused.status_code == 403 and "keeps its username" in refused.text
    log_in(other := keyless.open(), mock, "new")
    assert other.post("/oidc_other/welcome", data={"username": "newer", "name": "N"}).status_code == 403
    assert "once you set a password" not in other.get("/oidc_mock/welcome").text
    assert other.post("/oidc_mock/welcome", data={"username": "newer", "name": "N"}).status_code == 303
    assert signed_in_as(other)["username"] == "newer"


@pytest.mark.parametrize("signup", ["open", "closed"])
def test_the_owner_s_link_makes_a_moderator_of_who_was_there_before(start, monkeypatch, mock, signup):
    """The operator who has tried the sign-in first; once, and an invitation of a member's is not used up by one."""
    board = start_board(start, monkeypatch, f"mock {mock.url} {CLIENT} {SECRET}", passwords="off")
    browser = board.open()
    log_in(browser, mock, ADA["sub"])
    board.stop()
    board.settings["signup"] = signup
    board.start()
    board.url = f"http://localhost:{board.port}"
    invite = link_of(admin(at(board.database), "invite")).partition("#")[2]
    secret = said(board)[-1]
    for link, role in ((invite, "member"), (secret, "moderator"), (secret, "moderator")):
        browser = board.open()
        browser.cookies.set("longboard-invite", link, path="/oidc_mock/start")
        assert location(log_in(browser, mock, ADA["sub"])) == "/#"
        assert signed_in_as(browser)["role"] == role
    assert "ada_lovelace made ada_lovelace a moderator with the owner's link" in " ".join(
        admin(at(board.database), "audit").stdout.split()
    )
    other = board.open()
    other.cookies.set("longboard-invite", secret, path="/oidc_mock/start")
    assert log_in(other, mock, "other").status_code in (403, 410)


def test_ways_back_that_belong_to_no_flow_lock_nobody_out(start, monkeypatch, mock):
    """Any page can send its visitors here, as an image does, without the cookie: a whole network would pay for it."""
    board = start_board(start, monkeypatch, f"mock {mock.url} {CLIENT} {SECRET}", limits="on")
    person, stranger = Person(board, "olga"), board.open()
    for query in ("", "?code=x&state=y"):
        for _ in range(75):
            assert stranger.get(f"/oidc_mock/callback{query}").status_code == 400
    assert location(log_in(board.open(), mock, ADA["sub"])).startswith("/oidc_mock/welcome")
    assert signed_in_as(person.browser())["username"] == "olga"


def test_the_question_whether_to_switch_fits_into_a_cookie(start, monkeypatch, liar):
    """Browsers drop one of more than 4,096 bytes, name and value, without a word."""
    board = start_board(start, monkeypatch, liar.setting())
    browser = Person(board, "olga").browser()
    liar.claims = {"sub": '"' * 255, "name": "\U0001f600" * 50}
    invite, there = urllib.parse.quote("\U0001f600" * 100), urllib.parse.quote("/" + '"' * 499)
    asked = liar.come_back(browser, f"/oidc_liar/start?next={there}&invite={invite}")
    assert asked.status_code == 200 and "Go on as" in asked.text
    sizes = [len(text.partition(";")[0]) for text in asked.headers.get_list("Set-Cookie")]
    assert max(sizes) <= 4096, sizes
    answer = browser.post("/oidc_liar/switch", data={"as": "olga"})
    assert answer.status_code == 410 and "This link was used already" in answer.text  # what stood for an invitation


def test_the_library_is_loaded_only_with_the_setting(start, monkeypatch, mock):
    """A board without a provider has neither its memory nor its start."""
    monkeypatch.setattr(Server, "under", ())  # those that are forked have it loaded
    maps = [
        (start_board(start, monkeypatch, oidc).process.pid, oidc) for oidc in ("", f"mock {mock.url} {CLIENT} {SECRET}")
    ]
    for pid, oidc in maps:
        with open(f"/proc/{pid}/maps") as loaded:
            assert ("cryptography" in loaded.read()) is bool(oidc)
