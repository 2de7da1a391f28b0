"""What comes in Authorization and is not ours: a proxy's password, a gateway's token. And ours, where it doesn't belong."""

import base64

import pytest

from handlers import ROUTES
from tests.support.people import PASSWORD, Person, client, refused


def basic(name, password):
    return "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()


OTHERS = [
    basic("user", "pass"), "Basic !!", "Basic", "Negotiate YII=", "Digest username=x", "Bearer eyJhbGciOi.J9.x", "Bearer",
    "Bearer null", "Bearer undefined", "Bearer code", "Bearer eyJhbGciOi.lb_J9.lb_x", "Bearer x-lb_x", "", "AWS4-HMAC-SHA256 Credential=x",
]  # fmt: skip


@pytest.mark.parametrize("header", OTHERS)
def test_what_is_not_ours_is_nobody_s_token(server, header):
    """A password dialog of a proxy's, or a gateway with tokens of its own, shuts nothing: guests and members go on."""
    ada = Person(server)
    browser, headers = ada.browser(), {"Authorization": header}
    for path in ("/", "/signin", "/static/000000000000/main.js", "/healthz", "/readyz", "/robots.txt", "/feed.atom", "/get",
                 "/api/v1/messages", "/search?q=x", "/api", "/favicon.ico", "/manifest.webmanifest"):  # fmt: skip
        assert server.get(path, headers=headers).status_code == 200, path
        assert browser.get(path, headers=headers).status_code == 200, path
    assert browser.get("/api/v1/me", headers=headers).json()["account"]["id"] == ada.id
    assert f">{ada.username}</bdi>" in browser.get("/", headers=headers).text
    made = browser.post("/api/v1/messages", json={"body": "mine"}, headers=headers)
    assert made.status_code == 201 and made.json()["author"]["id"] == ada.id
    assert server.client.post("/api/v1/messages", json={"body": "x"}, headers=headers).json()["author"] is None
    refused(server.get("/api/v1/me", headers=headers), 401, "sign_in_first")


def test_a_stale_token_is_no_reason_not_to_sign_in(server):
    """Programs send what they have with every call: signing in and up never look at it."""
    ada = Person(server)
    for header in ("Bearer lb_dead", "Bearer", f"token lb_{'x' * 43}", basic("lb_x", "")):
        stale = server.open(headers={"Authorization": header})
        form = {"username": ada.username, "password": PASSWORD}
        assert stale.post("/api/v1/signin", json=form).status_code == 200
        assert stale.post("/api/v1/signup", json={"username": "x", "password": PASSWORD}).status_code == 422
        assert stale.post("/signin", data=form).status_code == 303
        for path in (
            "/signin",
            "/signup",
            "/healthz",
            "/readyz",
            "/robots.txt",
            "/api/v1/openapi.json",
            "/favicon.ico",
        ):
            assert stale.get(path).status_code == 200, path
        assert stale.get("/nothing").status_code == 404


@pytest.mark.parametrize("header", ["Bearer lb_dead", "bearer lb_", "Bearer   lb_x y", "BEARER lb_" + "x" * 43])
def test_what_looks_like_ours_and_is_wrong_stays_refused(server, header):
    """Never a guest's, also beside a good cookie, and wherever it stands among other headers."""
    browser = Person(server).browser()
    for headers in ({"Authorization": header}, [("Authorization", basic("user", "pass")), ("Authorization", header)]):
        refused(server.get("/api/v1/messages", headers=headers), 401, "invalid_token")
        refused(browser.post("/api/v1/messages", json={"body": "x"}, headers=headers), 401, "invalid_token")


def test_a_token_beside_a_proxy_s_header_counts(server):
    """Where two come, ours is the one that is ours."""
    ada = Person(server)
    headers = [("Authorization", basic("user", "pass")), ("Authorization", ada.api.headers["Authorization"])]
    assert server.get("/api/v1/me", headers=headers).json()["account"]["id"] == ada.id


def test_a_token_that_is_sent_in_another_way_is_told_so(server):
    """It would be overlooked, and the bot would post as a guest."""
    token = Person(server).sign_in()
    ways = [
        {"headers": {"Authorization": value}}
        for value in (f"token {token}", token, f"Basic {token}", basic("x", token), basic(token, ""), f"Token  {token}")
    ]
    wrapped = (
        f'"{token}"',
        f"'{token}'",
        f"<{token}>",
        f"token={token}",
        f"Bearer {token}",
        f'{{"token":"{token}","a":1}}',
    )
    ways += [{"headers": {"Authorization": f"Bearer {value}"}} for value in wrapped]
    ways += [{"headers": {name: token}} for name in ("X-Api-Key", "PRIVATE-TOKEN", "X-Auth-Token")]
    ways += [{"params": {name: token}} for name in ("access_token", "token")]
    for way in ways:
        for response in (
            server.get("/api/v1/messages", **way),
            server.client.post("/api/v1/messages", json={"body": "x"}, **way),
        ):
            assert refused(response, 401, "invalid_token") and "Authorization: Bearer" in response.text, way


@pytest.mark.parametrize("name", ["X-Api-Key", "X-Auth-Token", "Private-Token"])
def test_the_front_page_looks_at_tokens_too(server, name):
    """Whether it is kept ready or not."""
    assert server.get("/").status_code == server.get("/").status_code == 200
    refused(server.get("/", headers={name: "lb_x", "Accept": "application/json"}), 401, "invalid_token")


def test_no_address_is_shut_by_a_proxy_s_password(server):
    """All that there are: whatever a guest gets without the header, they get with it. A stream has no end."""

    def status(method, path, **options):
        with server.client.stream(method, path, **options) as response:
            return response.status_code

    for pattern, *_ in ROUTES:
        path = pattern.replace("([0-9a-f]{12})/(.+)", "000000000000/board.css").replace("([0-9]{1,18})", "1")
        path = path.replace("([^/]+)", "1").replace("\\", "")
        for method in ("GET", "POST"):
            behind = status(method, path, headers={"Authorization": basic("user", "pass")})
            assert status(method, path) == behind, (method, path)


def test_tokens_of_today_and_of_before_go_on_working(server):
    """They all begin alike, since the first that was made."""
    ada = Person(server)
    made = ada.api.post("/api/v1/tokens", json={"name": "bot", "password": PASSWORD}).json()["token"]
    for token in (made, ada.sign_in()):
        assert token.startswith("lb_") and client(server, token).get("/api/v1/me").status_code == 200
        for scheme in ("bearer", "BEARER", "Bearer "):
            assert server.get("/api/v1/me", headers={"Authorization": f"{scheme} {token}"}).status_code == 200
