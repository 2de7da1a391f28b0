"""The fake Facebook is as strict as the real one, so what works with it has a chance there."""

import hashlib
import hmac
import re
import signal
import subprocess
import sys
import time

import httpx
import pytest

from tests.support.facebook import APP_ID, APP_SECRET, fake_facebook, free_port, query_of
from tests.support.patience import PATIENCE
from tests.support.server import ROOT, environment

BOARD = "http://localhost:5555"
BACK = f"{BOARD}/facebook/callback"
GOOD = {"client_id": APP_ID, "redirect_uri": BACK, "response_type": "code", "scope": "public_profile", "state": "s"}


@pytest.fixture(scope="module")
def fake():
    with fake_facebook(5555) as fake:
        yield fake


def dialog(fake, **fields):
    return str(httpx.URL(f"{fake.url}/v24.0/dialog/oauth", params=GOOD | fields))


def redeem(fake, code, **fields):
    sent = {"client_id": APP_ID, "client_secret": APP_SECRET, "redirect_uri": BACK, "code": code} | fields
    return fake.client.get("/v24.0/oauth/access_token", params=sent)


def new_code(fake):
    return query_of(fake.answer(dialog(fake)))["code"]


def error(response, code, subcode=None):
    assert response.status_code == 400 and "OAuth" in response.headers["WWW-Authenticate"]
    said = response.json()["error"]
    assert set(said) >= {"message", "type", "code", "fbtrace_id"} and said["type"].endswith("Exception")
    assert (said["code"], said.get("error_subcode")) == (code, subcode)


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("client_id", "1", "Invalid App ID"), ("redirect_uri", BACK + "/", "URL Blocked"), ("redirect_uri", BACK + "?x=1", "URL Blocked"),
        ("redirect_uri", "http://localhost:5556/facebook/callback", "URL Blocked"),
        ("redirect_uri", "http://127.0.0.1:5555/facebook/callback", "Insecure"), ("redirect_uri", "", "Insecure"),
        ("redirect_uri", "https://evil.example/", "URL Blocked"),
        ("response_type", "token", "response_type"), ("scope", "public_profile user_posts", "Invalid Scopes"),
    ],
)  # fmt: skip
def test_the_dialog_asks_nobody_where_something_is_wrong(fake, field, value, says):
    """A page of its own, and no way back: an address that was not registered gets nothing."""
    for method in ("GET", "POST"):
        response = fake.client.request(method, dialog(fake, **{field: value}))
        assert response.status_code == 400 and says in response.text and "Location" not in response.headers


def test_both_answers_bring_the_state_back(fake):
    """As it was sent, with a code or with the words of a denial."""
    state = "a b&c=+é"
    yes, no = (query_of(fake.answer(dialog(fake, state=state), 1, answer)) for answer in ("continue", "cancel"))
    assert set(yes) == {"code", "state"} and yes["state"] == no["state"] == state
    assert (no["error"], no["error_reason"], no["error_code"]) == ("access_denied", "user_denied", "200")


def test_a_code_is_good_once_with_everything_as_it_was(fake):
    """Secret, address and code are looked at, and each has its own number."""
    code = new_code(fake)
    error(redeem(fake, code, client_id=""), 101)
    error(redeem(fake, code, client_id="1"), 101)
    error(redeem(fake, code, client_secret="wrong"), 1)
    error(redeem(fake, code, redirect_uri=""), 191)
    error(redeem(fake, code, redirect_uri=BACK + "/"), 100, 36008)
    error(redeem(fake, "junk"), 100)
    granted = redeem(fake, code).json()
    assert granted["token_type"] == "bearer" and granted["access_token"].startswith("EAA")
    error(redeem(fake, code), 100, 36009)


def test_a_code_runs_out():
    """After ten minutes, or what the test asks for."""
    with fake_facebook(5555, "--code-seconds=0.05") as fake:
        code = new_code(fake)
        time.sleep(0.1)
        late = redeem(fake, code)
        error(late, 100, 36007)
        assert "access_token" not in late.json()


def test_me_needs_a_token_its_proof_and_fields_that_exist(fake):
    """And tells only what was asked for."""
    token = redeem(fake, new_code(fake)).json()["access_token"]
    proof = hmac.new(APP_SECRET.encode(), token.encode(), hashlib.sha256).hexdigest()

    def me(**fields):
        return fake.client.get("/v24.0/me", params={"access_token": token, "appsecret_proof": proof} | fields)

    error(me(access_token=""), 2500)
    error(me(access_token="EAAjunk"), 190)
    error(me(appsecret_proof=""), 100)
    error(me(appsecret_proof="0" * 64), 100)
    for field in ("locale", "link"):  # what Tornado's mixin asks for by itself
        error(me(fields=f"id,name,{field}"), 100)
    error(fake.client.get("/v24.0/nothing"), 2500)
    assert set(me(fields="id,name").json()) == {"id", "name"}
    picture = me(fields="id,picture.width(160).height(160)").json()["picture"]["data"]
    assert fake.client.get(picture["url"]).content.startswith(b"\x89PNG")
    assert fake.client.get(re.sub(r"ext=\d+", "ext=1", picture["url"])).status_code == 403
    assert fake.client.post("/people/1/deauthorize").status_code == 303
    error(me(), 190)


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT])
def test_serve_with_fake_facebook_starts_both_and_ends_both(tmp_path, ending):
    """One command to try it all; the board knows where its Facebook is, and neither outlives the other."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "fake_facebook", "--serve", f"--database-url=sqlite:///{tmp_path}/b.db"],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment(PORT=str(port)),
    )  # fmt: skip
    fake = re.search(r"http://127\.0\.0\.1:\d+", process.stdout.readline())[0]
    assert f"http://localhost:{port}/" in process.stdout.readline()
    page = httpx.get(f"http://localhost:{port}/signin").text
    assert "Continue with Facebook" in page and fake in page
    asked = httpx.get(f"http://localhost:{port}/facebook/start")
    assert "Log in to the app" in httpx.get(asked.headers["Location"]).text
    process.send_signal(ending)
    _, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0 and "Traceback" not in errors, errors
    for url in (fake, f"http://localhost:{port}/"):
        with pytest.raises(httpx.ConnectError):
            httpx.get(url)
