"""A second provider of logins: a class with two methods, and no change to the flow, the pages or storage.

It is a minimal server of OAuth 2 in the test's process (RFC 6749, 4.1, with the proof key of RFC 7636), which says itself
where it asks for consent (RFC 8414).
"""

import base64
import contextlib
import dataclasses
import hashlib
import json
import re
import secrets
import urllib.parse

import httpx
import pytest
import tornado.web
from tornado.httpserver import HTTPServer
from tornado.httputil import url_concat
from tornado.netutil import bind_sockets

import handlers
from board.account_names import name_from_elsewhere
from board.audit import in_words
from board.credentials import hash_secret
from board.site import Site
from handlers.http.context import rules_of
from handlers.login.provider import Person, Provider
from handlers.login.providers import routes_of
from net.outgoing import AT_ONCE
from settings import read_settings
from storage import open_storage
from storage.records import OPERATOR, Password
from storage.skeletons import skeleton
from tests.support.patience import PATIENCE
from tests.support.people import PASSWORD
from tests.support.ports import free_port


class Example(Provider):
    """The whole of what a provider needs."""

    name = "example"
    app_id = "the-board"
    site = ""

    async def way_there(self, state, proof):
        with self.outgoing.visit() as visit:
            about = json.loads((await visit.fetch(f"{self.site}/.well-known/oauth-authorization-server")).body)
        digest = hashlib.sha256(proof.encode()).digest()
        asked = {"response_type": "code", "client_id": self.app_id, "redirect_uri": self.redirect_uri, "state": state,
                 "code_challenge": base64.urlsafe_b64encode(digest).decode().rstrip("=")}  # fmt: skip
        return url_concat(about["authorization_endpoint"], asked)

    async def person(self, visit, code, proof):
        form = {"grant_type": "authorization_code", "code": code, "code_verifier": proof}
        token = await visit.fetch(f"{self.site}/token", method="POST", body=urllib.parse.urlencode(form))
        bearer = {"Authorization": f"Bearer {json.loads(token.body)['access_token']}"}
        user = json.loads((await visit.fetch(f"{self.site}/me", headers=bearer)).body)
        return Person(user["sub"], name_from_elsewhere(user["name"]), user.get("picture"))


class ItsSite:
    """The provider's own side. `who` is the person at the browser; None says no."""

    def __init__(self):
        self.is_down = False
        self.who = {"sub": "ada@example", "name": "Ada Lovelace"}
        self.codes, self.tokens = {}, {}

    def application(self):
        site = self

        class Authorize(tornado.web.RequestHandler):
            def get(self):
                asked = {name: self.get_query_argument(name) for name in ("redirect_uri", "state", "code_challenge")}
                if site.who is None:
                    said = {"error": "access_denied"}
                else:
                    said = {"code": secrets.token_hex(8)}
                    site.codes[said["code"]] = (asked["code_challenge"], site.who)
                self.redirect(url_concat(asked["redirect_uri"], {**said, "state": asked["state"]}))

        class Token(tornado.web.RequestHandler):
            def post(self):
                challenge, who = site.codes.pop(self.get_body_argument("code"))
                digest = hashlib.sha256(self.get_body_argument("code_verifier").encode()).digest()
                assert base64.urlsafe_b64encode(digest).decode().rstrip("=") == challenge
                token = secrets.token_hex(8)
                site.tokens[f"Bearer {token}"] = who
                self.write({"access_token": token, "token_type": "Bearer"})

        class Me(tornado.web.RequestHandler):
            def get(self):
                self.write(site.tokens[self.request.headers["Authorization"]])

        class About(tornado.web.RequestHandler):
            def get(self):
                if site.is_down:
                    raise tornado.web.HTTPError(503)
                self.write({"authorization_endpoint": f"{self.request.protocol}://{self.request.host}/authorize"})

        return tornado.web.Application(
            [
                ("/.well-known/oauth-authorization-server", About),
                ("/authorize", Authorize),
                ("/token", Token),
                ("/me", Me),
            ]
        )


class House:
    def __init__(self, storage, site, port):
        self.storage, self.site, self.url = storage, site, f"http://localhost:{port}"
        self._clients = []

    def browser(self):
        client = httpx.AsyncClient(base_url=self.url, timeout=PATIENCE)
        self._clients.append(client)
        return client

    async def close(self):
        for client in self._clients:
            await client.aclose()

    async def member(self, name):
        """A browser of a new member with a password."""
        browser = self.browser()
        form = {"username": name, "password": PASSWORD}
        assert (await browser.post("/signup", data=form)).status_code == 303
        return browser, await self.storage.account(name)

    async def there_and_back(self, browser, path="/example/start"):
        asked = await browser.get(path)
        assert asked.status_code == 302, asked.text
        back = await browser.get(asked.headers["Location"])
        return await browser.get(back.headers["Location"])

    async def link(self, browser):
        page = await browser.post("/account/example/link", data={"password": PASSWORD})
        assert 'href="/example/continue">Continue to Example' in page.text
        return await self.there_and_back(browser, "/example/continue")


@pytest.fixture
async def house(tmp_path, monkeypatch):
    storage, site, port = await open_storage(f"sqlite:///{tmp_path}/board.db"), ItsSite(), free_port()
    [at_site] = bind_sockets(0, "127.0.0.1")
    provider = HTTPServer(site.application())
    provider.add_sockets([at_site])
    monkeypatch.setattr(Example, "site", f"http://127.0.0.1:{at_site.getsockname()[1]}")
    monkeypatch.setattr(handlers, "PROVIDERS", (*handlers.PROVIDERS, Example))
    monkeypatch.setattr(handlers, "ROUTES", [*handlers.ROUTES, *routes_of(Example)])
    settings = read_settings([f"--port={port}", "--facebook-app-id=1234567890"], {"FACEBOOK_APP_SECRET": "s" * 32})
    rules = dataclasses.replace(rules_of(settings), app_ids={"facebook": "1234567890", "example": Example.app_id})
    board = await Site.open(storage, max_parked=10, limits=False, rules=rules)
    application = handlers.Application(board, settings)
    server = HTTPServer(application)
    server.add_sockets(bind_sockets(port, "127.0.0.1"))
    house = House(storage, site, port)
    house.outgoing = application.settings["context"].providers["example"].outgoing
    yield house
    await house.close()
    for each in (server, provider):
        each.stop()
        await each.close_all_connections()
    await board.close()
    await storage.close()


async def test_sign_in_by_a_second_provider(house):
    """A new account at first, the same one later; the button is beside the other provider's."""
    browser = house.browser()
    assert re.findall("Continue with (\\w+)", (await browser.get("/signin")).text) == ["Facebook", "Example"]
    response = await house.there_and_back(browser)
    assert (response.status_code, response.headers["Location"]) == (303, "/example/welcome?next=%2F#")
    me = (await browser.get("/api/v1/me")).json()["account"]
    assert (me["username"], me["name"]) == ("ada_lovelace", "Ada Lovelace")
    form = {"username": "countess", "name": "Ada", "next": "/account"}
    assert (await browser.post("/example/welcome", data=form)).headers["Location"] == "/account?done=username"
    page = (await browser.get("/account")).text
    assert "You sign in with Example" in page and "You sign in with Facebook" not in page
    again = house.browser()
    assert (await house.there_and_back(again)).headers["Location"] == "/#"
    assert (await again.get("/api/v1/me")).json()["account"]["id"] == me["id"]


async def test_a_second_provider_that_says_no_or_nonsense(house):
    """Codes and words have its name, and nothing is done."""
    house.site.who = None
    response = await house.there_and_back(house.browser())
    assert response.status_code == 403 and "You cancelled at Example" in response.text
    house.site.who = {"name": "Nobody"}
    response = await house.there_and_back(house.browser())
    assert response.status_code == 502 and "Example doesn't answer as it should" in response.text
    browser = house.browser()
    house.site.is_down = True
    response = await browser.get("/example/start")
    assert response.status_code == 502 and "Example doesn't answer as it should" in response.text
    house.site.is_down = False
    assert (await browser.get("/example/start")).status_code == 302
    response = await browser.get("/example/callback?code=x&state=another", headers={"Accept": "application/json"})
    error = response.json()["error"]
    assert (response.status_code, error["code"]) == (400, "example_state")
    assert error["message"].startswith("This way back from Example was used already")
    assert (await house.storage.stats()).accounts == 0


async def test_a_name_that_is_withheld_once_stays(house):
    """The member is not renamed to what is shown for want of a name."""
    await house.there_and_back(house.browser())
    for withheld in (None, " ", {"a": 1}):
        house.site.who = {"sub": "ada@example", "name": withheld}
        browser = house.browser()
        await house.there_and_back(browser)
        assert (await browser.get("/api/v1/me")).json()["account"]["name"] == "Ada Lovelace"


async def test_the_question_whether_to_switch_fits_into_a_cookie(house):
    """Browsers drop one of more than 4,096 bytes, name and value, without a word. Quotes take twice their room."""
    browser, _ = await house.member("quinn")
    house.site.who = {"sub": "x" * 255, "name": "\U0001f600" * 50, "picture": '"' * 999}
    invite, there = urllib.parse.quote("\U0001f600" * 100), urllib.parse.quote("/" + '"' * 499)
    question = await house.there_and_back(browser, f"/example/start?next={there}&invite={invite}")
    assert question.status_code == 200 and "Go on as" in question.text
    assert max(len(text.partition(";")[0]) for text in question.headers.get_list("Set-Cookie")) <= 4096
    answer = await browser.post("/example/switch", data={"as": "quinn"})
    assert answer.status_code == 410 and "This link was used already" in answer.text  # what stood for an invitation


async def test_who_finds_no_place_can_try_again(house):
    """As many wait for the provider as may: 503, and neither the way back nor the answer to the question is used up."""
    browser, _ = await house.member("quinn")
    asked = await browser.get("/example/start")
    back = (await browser.get(asked.headers["Location"])).headers["Location"]
    with contextlib.ExitStack() as all_places:
        for _ in range(AT_ONCE):
            all_places.enter_context(house.outgoing.visit())
        assert (await browser.get(back)).status_code == 503
    question = await browser.get(back)
    assert question.status_code == 200 and "Go on as" in question.text
    with contextlib.ExitStack() as all_places:
        for _ in range(AT_ONCE):
            all_places.enter_context(house.outgoing.visit())
        assert (await browser.post("/example/switch", data={"as": "quinn"})).status_code == 503
    assert (await browser.post("/example/switch", data={"as": "quinn"})).status_code == 303


async def test_link_and_unlink_beside_another_identity(house):
    """Each provider has its part of the account page, its line in the logs and its part of the download."""
    browser, ada = await house.member("ada")
    await house.storage.create_identity(ada.id, "facebook", "1234567890", "42", "Ada at Facebook")
    assert (await house.link(browser)).headers["Location"] == "/account#"
    page = (await browser.get("/account")).text
    for words in ("Unlink Facebook</button>", "Unlink Example</button>", "Facebook and Example stay linked.",
                  "A Facebook account, <bdi", "An Example account, <bdi"):  # fmt: skip
        assert words in page, words
    both = 'Unlink Facebook, too, where you are <bdi lang="">Ada at Facebook</bdi>, and Example, too'
    assert both in " ".join(page.split())
    assert [in_words(entry) for entry in await house.storage.audit(None, 1, OPERATOR)] == ["linked Example to ada"]
    data = (await browser.get("/account/download")).json()
    assert (data["facebook"]["id"], data["example"]["id"]) == ("42", "ada@example")
    assert (await browser.post("/account/example/seen")).status_code == 303
    notices = re.findall(r"An? (\w+) account, <bdi", (await browser.get("/account")).text)
    assert notices == ["Facebook"]
    by_example = house.browser()
    await house.there_and_back(by_example)
    assert (await by_example.get("/api/v1/me")).json()["account"]["id"] == ada.id
    gone = await browser.post("/account/example/unlink", data={"password": PASSWORD})
    assert "Example is unlinked from your account." in (await browser.get(gone.headers["Location"])).text
    assert (await by_example.get("/api/v1/me")).status_code == 401
    assert [one.provider for one in await house.storage.identities_of(ada.id)] == ["facebook"]


async def test_an_identity_of_a_second_provider_is_linked_to_one_account(house):
    """The refusal names the provider."""
    for name in ("ada", "grace"):
        browser, _ = await house.member(name)
        response = await house.link(browser)
    assert response.status_code == 409 and "This Example account belongs to another member" in response.text
    browser = house.browser()
    house.site.who = {"sub": "lee", "name": "Lee"}
    await house.there_and_back(browser)
    refused = await browser.post("/account/example/unlink")
    assert refused.status_code == 409 and "Example is the only way into your account" in refused.text


async def test_recovery_keeps_the_identities_that_are_ticked(house):
    """One box for each provider: somebody else may have linked the other."""
    browser, ada = await house.member("ada")
    await house.storage.create_identity(ada.id, "facebook", "1234567890", "42", "Ada at Facebook")
    await house.link(browser)
    page = (await browser.get("/password")).text
    assert re.findall(r'name="(\w+)" value="keep"', page) == ["facebook", "example"]
    await house.storage.create_link("password", hash_secret("link"), ada.id, 10**14)
    form = {"link": "link", "password": "a new password of mine", "example": "keep"}
    assert (await browser.post("/password", data=form)).status_code == 303
    assert [one.provider for one in await house.storage.identities_of(ada.id)] == ["example"]


@pytest.mark.parametrize("name", ["Olga", "ＯＬＧＡ", "Оlgа", "Longboard", "guest", "Olga @boss"])
async def test_a_name_that_nobody_could_take_comes_in_with_the_username_beside_it(house, name):
    """A moderator's, or the board's own: no sign-in fails for it, neither the first one nor a later one."""
    account = await house.storage.create_account("boss", "Olga", Password("hash"))
    await house.storage.set_role(None, account.username, "moderator")
    house.site.who = {"sub": "eve", "name": name}
    for _ in range(2):
        browser = house.browser()
        await house.there_and_back(browser)
        me = (await browser.get("/api/v1/me")).json()["account"]
        assert me["name"] == name and skeleton(me["username"]) not in map(skeleton, (name, "boss"))
        [present] = await house.storage.presents([me["id"]])
        assert present.is_apart and not present.is_moderator
        assert me["id"] != account.id
