"""Providers of OpenID Connect: one that nobody here wrote, in a separate process, and one that lies as a test tells it to."""

import base64
import contextlib
import functools
import json
import subprocess
import sys
import time

import httpx
import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.support.facebook import Canned, begin, query_of, reply
from tests.support.patience import PATIENCE
from tests.support.ports import free_port
from tests.support.server import PLAIN, until

CLIENT, SECRET = "the-board", "a-secret-of-the-board-0123456789"


@contextlib.contextmanager
def provider_mock(folder, *people):
    """oidc-provider-mock, as a process. People are their claims; it makes others up as they come."""
    port = free_port()
    flags = [f"--port={port}", "--require-nonce=true", *(f"--user-claims={json.dumps(one)}" for one in people)]
    with (folder / "provider.log").open("w+") as log:
        command = [sys.executable, "-m", "oidc_provider_mock", *flags]
        process = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            url = f"http://localhost:{port}"
            until(lambda: process.poll() is not None or answers(f"{url}/.well-known/openid-configuration"))
            assert process.poll() is None, (folder / "provider.log").read_text()
            with httpx.Client(base_url=url, timeout=PATIENCE, verify=PLAIN) as client:
                yield Mock(url, client)
        finally:
            process.terminate()
            process.wait(PATIENCE)


def answers(url):
    with contextlib.suppress(httpx.TransportError):
        return httpx.get(url, verify=PLAIN).is_success


class Mock:
    """What people do at the provider."""

    def __init__(self, url, client):
        self.url, self.client = url, client

    def register(self, board, name, method="client_secret_basic"):
        """Registers the board; returns its setting OIDC. The provider then takes no other address and secret."""
        back = f"{board}/oidc_{name}/callback"
        asked = {"redirect_uris": [back], "token_endpoint_auth_method": method}
        client = self.client.post("/oauth2/clients", json=asked).json()
        return f"{name} {self.url} {client['client_id']} {client['client_secret']}"

    def answer(self, dialog, sub):
        """Says yes as this person, or no for None; returns where that leads back to."""
        page = self.client.get(dialog)
        assert page.status_code == 200, page.text
        back = self.client.post(dialog, data={"action": "deny"} if sub is None else {"sub": sub})
        assert back.status_code == 302, back.text
        return back.headers["Location"]


def start_board(start, monkeypatch, oidc, **settings):
    """A board at localhost, where its cookies are. The secrets are in its environment."""
    monkeypatch.setenv("OIDC", oidc)
    server = start(**settings)
    server.client.close()
    server.url = f"http://localhost:{server.port}"
    server.client = server.open()
    return server


def log_in(browser, mock, sub, path="/oidc_mock/start"):
    """There and back; what the board says in the end."""
    return browser.get(mock.answer(begin(browser, path), sub))


@functools.cache  # it takes longer than most tests
def private_key():
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


class Liar(Canned):
    """A provider that does all that it should, but for what a test changes.

    `claims` are added to the ID token (None takes one away), `header` to its header; `sign` makes the token from both.
    `answers` replaces whole answers, as in Canned.
    """

    def __init__(self):
        super().__init__({})
        self.key = private_key()
        self.kid = "one"
        self.tell_the_truth()

    def tell_the_truth(self):
        self.claims, self.header, self.about, self.user_info, self.more = {}, {}, {}, {}, {}
        self.sign = self.sign_well
        self.keys = [self.public_key()]
        self.nonce = ""
        self.asked.clear()
        self.answers = {
            "/.well-known/openid-configuration": lambda to: to.sendall(reply(json.dumps(self.description()))),
            "/token": lambda to: to.sendall(reply(json.dumps(self.token()))),
            "/keys": lambda to: to.sendall(reply(json.dumps({"keys": self.keys}))),
            "/me": lambda to: to.sendall(reply(json.dumps({"sub": "ada"} | self.user_info))),
        }

    def description(self):
        names = {"authorization_endpoint": "authorize", "token_endpoint": "token", "jwks_uri": "keys",
                 "userinfo_endpoint": "me"}  # fmt: skip
        return {"issuer": self.url} | {name: f"{self.url}/{path}" for name, path in names.items()} | self.about

    def public_key(self, key=None, kid="one", **more):
        numbers = (key or self.key).public_key().public_numbers()
        n = base64url(numbers.n.to_bytes((numbers.n.bit_length() + 7) // 8))
        return {"kty": "RSA", "kid": kid, "use": "sig", "alg": "RS256", "n": n, "e": "AQAB"} | more

    def token(self):
        now = int(time.time())
        claims = {"iss": self.url, "sub": "ada", "aud": CLIENT, "exp": now + 300, "iat": now, "nonce": self.nonce,
                  "name": "Ada Lovelace"} | self.claims  # fmt: skip
        claims = {name: value for name, value in claims.items() if value is not None}
        return {"access_token": "an-access-token", "token_type": "Bearer", "id_token": self.sign(claims)} | self.more

    def sign_well(self, claims):
        return jwt.encode(claims, self.key, "RS256", {"kid": self.kid} | self.header)

    def setting(self, name="liar"):
        return f"{name} {self.url} {CLIENT} {SECRET}"

    def come_back(self, browser, path="/oidc_liar/start"):
        """Straight to the way back; what the board says."""
        asked = query_of(begin(browser, path))
        self.nonce = asked["nonce"]
        name = path.split("/")[1]
        return browser.get(f"/{name}/callback?code=code-of-mine&state={asked['state']}")


def base64url(data):
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
