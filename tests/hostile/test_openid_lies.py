"""Providers of OpenID Connect that lie, hang, send too much or speak something else: never an account, never a fault."""

import base64
import concurrent.futures
import hmac
import json
import sqlite3
import time

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.hostile.nastiest.test_21_what_facebook_answers import (
    drip,
    endless_chunks,
    endless_headers,
    hang,
    hundred_megabytes,
)
from tests.http.test_facebook import location, problem
from tests.support.facebook import reply, signed_in_as
from tests.support.openid import CLIENT, SECRET, Liar, base64url
from tests.support.patience import PATIENCE
from tests.support.people import Person
from tests.support.server import Server

DESCRIPTION, TOKEN, KEYS, ME = "/.well-known/openid-configuration", "/token", "/keys", "/me"


@pytest.fixture
def liar():
    liar = Liar()
    yield liar
    liar.close()


@pytest.fixture
def board(tmp_path, monkeypatch, liar):
    """A new board knows nothing of the provider yet."""
    monkeypatch.setenv("OIDC", liar.setting())
    board = Server(tmp_path)
    board.url = f"http://localhost:{board.port}"
    board.client = board.open()
    yield board
    assert board.stop() == 0
    log = board.log.read_text()
    assert "Traceback" not in log and "ERROR" not in log, log
    assert not [secret for secret in (SECRET, "code-of-mine", "an-access-token", "eyJ") if secret in log]


def accounts(board):
    db = sqlite3.connect(board.database, timeout=PATIENCE)
    [[count]] = db.execute("SELECT count(*) FROM accounts")
    db.close()
    return count


def fails(board, liar, why):
    """502 on a page, no account, no session; the log has the reason, if there is one."""
    browser = board.open()
    response = liar.come_back(browser)
    assert "Liar doesn't answer as it should just now. Nothing was done" in problem(response, 502)
    assert accounts(board) == 0 and signed_in_as(browser) is None
    assert why in board.log.read_text()


def works(board, liar):
    browser = board.open()
    assert location(liar.come_back(browser)).startswith("/oidc_liar/welcome")
    return signed_in_as(browser)


def test_who_tells_the_truth_gets_in(board, liar):
    """Or the other tests would mean nothing."""
    assert works(board, liar)["name"] == "Ada Lovelace"


LONG_AGO, FAR_AHEAD = 1, 99_999_999_999  # seconds since 1970
CLAIMS = [
    ({"nonce": "another"}, "the ID token is of another sign-in: its nonce is not ours"),
    ({"nonce": None}, "the ID token is of another sign-in: its nonce is not ours"),
    ({"nonce": 5}, "the ID token is of another sign-in: its nonce is not ours"),
    ({"nonce": "\ud800"}, "the ID token is of another sign-in: its nonce is not ours"),
    ({"aud": "another"}, "InvalidAudienceError"),
    ({"aud": []}, "Error"),
    ({"aud": None}, "MissingRequiredClaimError"),
    ({"aud": CLIENT.upper()}, "InvalidAudienceError"),
    ({"aud": ["another", CLIENT]}, "the ID token is for another client"),
    ({"aud": ["another", CLIENT], "azp": "another"}, "the ID token is for another client"),
    ({"azp": "another"}, "the ID token is for another client"),
    ({"azp": [CLIENT]}, "the ID token is for another client"),
    ({"iss": "https://accounts.example.org"}, "InvalidIssuerError"),
    ({"iss": None}, "MissingRequiredClaimError"),
    ({"exp": LONG_AGO}, "ExpiredSignatureError"),
    ({"exp": None}, "MissingRequiredClaimError"),
    ({"exp": "soon"}, "DecodeError"),
    ({"exp": -(10**300)}, "ExpiredSignatureError"),
    ({"iat": FAR_AHEAD}, "ImmatureSignatureError"),
    ({"iat": None}, "MissingRequiredClaimError"),
    ({"nbf": FAR_AHEAD}, "ImmatureSignatureError"),
    ({"sub": None}, "MissingRequiredClaimError"),
    ({"sub": ""}, "the subject is not 1 to 255 characters"),
    ({"sub": " "}, "the subject is not 1 to 255 characters"),
    ({"sub": "x" * 256}, "the subject is not 1 to 255 characters"),
    ({"sub": "ada\0"}, "the subject is not 1 to 255 characters"),
    ({"sub": "аda"}, "the subject is not 1 to 255 characters"),
    ({"sub": 17}, "Error"),
    ({"sub": ["ada"]}, "Error"),
    ({"sub": "x" * 1_000_000}, "no answer"),
    ({"name": "x" * 1_000_000}, "no answer"),
]


@pytest.mark.parametrize(("claims", "why"), CLAIMS, ids=lambda value: str(value)[:40])
def test_claims_that_are_not_for_this_sign_in(board, liar, claims, why):
    """Each is checked, and the log says which; a subject of a megabyte is not even read to its end."""
    liar.claims = claims
    fails(board, liar, f"Liar did not answer as it should: {why}" if why != "Error" else "Error")


def test_more_than_one_audience_is_fine_if_the_token_was_made_for_us(board, liar):
    """OpenID Connect Core, 3.1.3.7: azp says for whom."""
    liar.claims = {"aud": ["another", CLIENT], "azp": CLIENT}
    assert works(board, liar)


def test_clocks_may_differ_a_little(board, liar):
    """By half a minute, in both directions."""
    liar.claims = {"exp": time.time() - 20, "iat": time.time() + 30}
    assert works(board, liar)


# --- signatures


def unsigned(liar, claims):
    return f"{base64url(json.dumps({'alg': 'none'}).encode())}.{base64url(json.dumps(claims).encode())}."


def signed_by(key, algorithm, kid="one"):
    return lambda liar, claims: jwt.encode(claims, key, algorithm, {"kid": kid})


def with_public_key(form):
    """HS256 with the public key as its secret, which a library that trusts the header would accept."""

    def sign(liar, claims):
        secret = (
            liar.key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
            if form == "pem"
            else json.dumps(liar.public_key()).encode()
        )
        head = base64url(json.dumps({"alg": "HS256", "kid": "one"}).encode())
        text = f"{head}.{base64url(json.dumps(claims).encode())}"
        return f"{text}.{base64url(hmac.digest(secret, text.encode(), 'sha256'))}"

    return sign


def changed(liar, claims):
    head, _, signature = liar.sign_well(claims).split(".")
    return f"{head}.{base64url(json.dumps(claims | {'sub': 'root'}).encode())}.{signature}"


def with_header(**header):
    return lambda liar, claims: jwt.encode(claims, liar.key, "RS256", {"kid": "one"} | header)


def own_key(liar, claims):
    """The key that verifies it is in the token itself."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return jwt.encode(claims, key, "RS256", {"kid": "one", "jwk": liar.public_key(key)})


SIGNATURES = [
    (unsigned, "an algorithm that is not accepted"),
    (with_public_key("pem"), "an algorithm that is not accepted"),
    (with_public_key("jwk"), "an algorithm that is not accepted"),
    (signed_by("s" * 64, "HS512"), "an algorithm that is not accepted"),
    (signed_by(SECRET, "HS256"), "an algorithm that is not accepted"),
    (changed, "InvalidSignatureError"),
    (own_key, "InvalidSignatureError"),
    (signed_by(rsa.generate_private_key(public_exponent=65537, key_size=2048), "RS256"), "InvalidSignatureError"),
    (signed_by(ec.generate_private_key(ec.SECP256R1()), "ES256"), "key is not among the provider's"),
    (signed_by(ec.generate_private_key(ec.SECP256K1()), "ES256K"), "an algorithm that is not accepted"),
    (with_header(kid="another"), "key is not among the provider's"),
    (with_header(crit=["exp"]), "Error"),
    (lambda liar, claims: "", "DecodeError"),
    (lambda liar, claims: "a.b.c", "DecodeError"),
    (lambda liar, claims: "." * 50_000, "DecodeError"),
    (lambda liar, claims: liar.sign_well(claims)[:-10], "Error"),
    (lambda liar, claims: ["a"], "there is no ID token"),
    (lambda liar, claims: None, "there is no ID token"),
    (lambda liar, claims: jwt.encode({"a": [[]]}, liar.key, "RS256", {"kid": "one"}), "MissingRequiredClaimError"),
]


@pytest.mark.parametrize(("sign", "why"), SIGNATURES)
def test_signatures_that_prove_nothing(board, liar, sign, why):
    """`none`, HS256, another key, a key that comes along: all are refused."""
    liar.sign = lambda claims: sign(liar, claims)
    fails(board, liar, why)


def test_a_short_key_proves_nothing(board, liar):
    """RSA with 1024 bits is refused (RFC 7518, 3.3)."""
    liar.key = rsa.generate_private_key(public_exponent=65537, key_size=1024)
    liar.keys = [liar.public_key()]
    liar.sign = lambda claims: jwt.PyJWT({"enforce_minimum_key_length": False}).encode(
        claims, liar.key, "RS256", {"kid": "one"}
    )
    with pytest.warns(jwt.InsecureKeyLengthWarning):
        fails(board, liar, "InvalidKeyError")


@pytest.mark.parametrize("algorithm", ["PS256", "RS512", "ES256", "ES384", "EdDSA"])
def test_other_signatures_that_are_good(board, liar, algorithm):
    """Each kind of key that providers have, with another provider's key of the same kind beside it."""
    make = {"ES256": lambda: ec.generate_private_key(ec.SECP256R1()), "ES384": lambda: ec.generate_private_key(ec.SECP384R1()),
            "EdDSA": ed25519.Ed25519PrivateKey.generate}.get(algorithm)  # fmt: skip
    key = make() if make else liar.key
    family = jwt.get_algorithm_by_name(algorithm)
    public = family.to_jwk(key.public_key(), as_dict=True)
    liar.keys = [liar.public_key(kid="old"), {"kty": "oct", "k": "AAAA"}, "none", public | {"kid": "new"}]
    liar.sign = lambda claims: jwt.encode(claims, key, algorithm, {"kid": "new"})
    assert works(board, liar)


def test_a_token_without_the_name_of_its_key(board, liar):
    """Is fine where only one key fits, and refused where two do (OpenID Connect Core, 10.1)."""
    liar.kid = None
    liar.keys = [liar.public_key(kid=None) | {"kid": "x"}, {"kty": "EC"}, liar.public_key(kid="y", use="enc")]
    liar.sign = lambda claims: jwt.encode(claims, liar.key, "RS256")
    assert works(board, liar)
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    liar.keys = [liar.public_key(), liar.public_key(other, "two")]
    # The keys are known for an hour: what changed is seen by a new board.
    board.stop()
    board.start()
    board.url = f"http://localhost:{board.port}"
    assert liar.come_back(board.open()).status_code == 502


KEY_SETS = ["[]", "{}", "null", '{"keys":null}', '{"keys":{}}', '{"keys":[]}', '{"keys":[null,1,"x",[]]}',
            '{"keys":[{"kty":"RSA","kid":"one"}]}', '{"keys":[{"kty":"RSA","kid":"one","n":"AA","e":"AA"}]}',
            '{"keys":[{"kty":"RSA","kid":"one","n":5,"e":[]}]}', '{"keys":[{"kty":["RSA"],"kid":{}}]}',
            '{"keys":[{"kty":"RSA","kid":"one","n":"%s","e":"AQAB"}]}' % ("_" * 50_000)]  # fmt: skip


@pytest.mark.parametrize("keys", KEY_SETS, ids=lambda keys: keys[:40])
def test_keys_that_are_none(board, liar, keys):
    """Anything else in their place is refused, even a number of 300,000 bits."""
    liar.answers[KEYS] = reply(keys)
    fails(board, liar, "Liar did not answer as it should: ")


# --- answers that are none

ANYWHERE = [
    reply("<!doctype html><title>Sign in</title>", kind="text/html"), reply("", "500 Internal Server Error"),
    reply('{"error":"invalid_client"}', "401 Unauthorized"), reply('{"error":{"a":1}}', "400 Bad Request"),
    reply(""), reply("null"), reply("[]"), reply("{}"), reply("{"), reply("[" * 20_000), reply(b"\xff\xfe{}"),
    reply("", "302 Found", more="Location: /elsewhere\r\n"), reply("", "307 Moved", more="Location: /elsewhere\r\n"),
    reply("{}" + " " * 10_000_000), b"", b"\0\1\2", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}",
    hundred_megabytes, endless_chunks, endless_headers,
]  # fmt: skip


@pytest.mark.parametrize("answer", ANYWHERE)
@pytest.mark.parametrize("path", [TOKEN, KEYS, ME])
def test_strange_answers_on_the_way_back(board, liar, path, answer):
    """HTML, errors, redirects, 10 MB, 100 MB: a page says it, nothing is done, and no redirect is followed."""
    if path == ME:
        liar.claims = {"name": None}
    liar.answers[path] = answer
    fails(board, liar, "Liar did not answer as it should: ")
    assert "/elsewhere" not in "".join(liar.asked)


def does_not_begin(board, liar, why=""):
    response = board.open().get("/oidc_liar/start")
    assert "Liar doesn't answer as it should" in problem(response, 502)
    assert f"Liar did not say where to go: {why}" in board.log.read_text()


@pytest.mark.parametrize("answer", ANYWHERE)
def test_strange_descriptions(board, liar, answer):
    """The button leads to a page that says so; when the provider is back, so is the way in."""
    truth = liar.answers[DESCRIPTION]
    liar.answers[DESCRIPTION] = answer
    does_not_begin(board, liar)
    assert "/elsewhere" not in "".join(liar.asked)
    liar.answers[DESCRIPTION] = truth
    assert works(board, liar)


@pytest.mark.parametrize(
    "about",
    [
        {"issuer": "https://accounts.example.org"}, {"issuer": None}, {"issuer": []},
        {"authorization_endpoint": None}, {"authorization_endpoint": 5}, {"authorization_endpoint": "javascript:alert(1)"},
        {"authorization_endpoint": "http://example.org/"}, {"authorization_endpoint": "//example.org/"},
        {"authorization_endpoint": "https://a b.example/"}, {"authorization_endpoint": "https://"},
        {"authorization_endpoint": "https://a@b.example/"}, {"authorization_endpoint": "https://b.example/#x"},
        {"authorization_endpoint": "https://b.example/\r\nSet-Cookie: a=b"}, {"authorization_endpoint": "https://é.example/"},
        {"authorization_endpoint": "https://b.example/" + "x" * 1000}, {"authorization_endpoint": "https://[::1/"},
        {"token_endpoint": "http://192.0.2.1/"}, {"token_endpoint": "file:///etc/passwd"}, {"token_endpoint": None},
        {"jwks_uri": "http://169.254.169.254/"}, {"jwks_uri": "data:application/json,{}"}, {"jwks_uri": {}},
        {"userinfo_endpoint": "http://example.org/"},
    ],
    ids=lambda about: str(about)[:60],
)  # fmt: skip
def test_descriptions_that_lead_elsewhere(board, liar, about):
    """Only https, or http on this machine if the provider is there; and the issuer is the one that was set."""
    liar.about = about
    does_not_begin(board, liar)
    assert [request.split()[1] for request in liar.asked] == [DESCRIPTION]


@pytest.mark.parametrize("slow", [hang, drip])
@pytest.mark.parametrize("path", [DESCRIPTION, TOKEN, KEYS, ME])
def test_who_hangs_holds_nobody_up(board, liar, path, slow):
    """A page says so after some seconds. The board goes on answering others, and twenty visitors share one request."""
    if path == ME:
        liar.claims = {"name": None}
    truth, liar.answers[path] = liar.answers[path], slow
    if path == DESCRIPTION:
        with concurrent.futures.ThreadPoolExecutor(20) as pool:
            waiting = [pool.submit(board.open().get, "/oidc_liar/start") for _ in range(20)]
            assert board.get("/healthz").status_code == 200 and not all(one.done() for one in waiting)
            assert [one.result().status_code for one in waiting] == [502] * 20
        assert len(liar.asked) == 1
    else:
        assert liar.come_back(board.open()).status_code == 502
    liar.answers[path] = truth
    liar.claims = {}
    assert works(board, liar)


def test_the_name_of_somebody_else_is_not_taken(board, liar):
    """What user info says is about the same subject, or nothing is done (OpenID Connect Core, 5.3.2)."""
    liar.claims, liar.user_info = {"name": None}, {"sub": "root", "name": "Root"}
    fails(board, liar, "the name is somebody else's")


@pytest.mark.parametrize("name", ["olga", "Ｏｌｇａ", "OLGA ", "boss", "Longboard", "guest", "deleted account"])
def test_a_moderator_s_name_gives_nobody_that_name(board, liar, name):
    """Nor the board's own: such a member is called Member, has no rights, and takes another name."""
    olga = Person(board, "boss", name="Olga")
    db = sqlite3.connect(board.database, timeout=PATIENCE)
    with db:
        db.execute("UPDATE accounts SET role = 'moderator'")
    db.close()
    liar.claims = {"name": name, "preferred_username": "olga", "sub": "olga", "email": "olga@example.org"}
    account = works(board, liar)
    assert (account["name"], account["role"]) == ("Member", "member")
    assert account["id"] != olga.id and account["username"] not in ("olga", "boss", "longboard", "guest")
    again = board.open()
    liar.come_back(again)
    assert signed_in_as(again)["name"] == "Member"


def test_what_the_description_says_is_asked_once(board, liar):
    """For an hour, for all visitors; the keys as well, even if tokens name a key that is not there."""
    for _ in range(3):
        liar.come_back(board.open())
    liar.kid = "another"
    for _ in range(3):
        assert liar.come_back(board.open()).status_code == 502
    asked = [text.split()[1] for text in liar.asked]
    assert (asked.count(DESCRIPTION), asked.count(KEYS)) == (1, 1)
    assert base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode() in liar.asked[-1]
