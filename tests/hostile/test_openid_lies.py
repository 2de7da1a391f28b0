"""Providers of OpenID Connect that lie, hang, send too much or speak something else: never an account, never a fault."""

import base64
import concurrent.futures
import contextlib
import hmac
import json
import re
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
from tests.support.facebook import begin, reply, signed_in_as
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


@contextlib.contextmanager
def board_of(setting, folder):
    """A board with this setting OIDC. It says no secret and has no fault, for any answer of the provider."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("OIDC", setting)
        board = Server(folder)
    board.url = f"http://localhost:{board.port}"
    board.client = board.open()
    yield board
    assert board.stop() == 0
    log = board.log.read_text()
    assert "Traceback" not in log and "ERROR" not in log, log
    assert not re.search(rf"{SECRET}|code-of-mine|an-access-token|eyJ[\w-]*\.[\w-]", log), log  # the last is a JWT


@pytest.fixture
def board(tmp_path, monkeypatch, liar):
    """A new board knows nothing of the provider yet."""
    monkeypatch.setenv("OIDC", liar.setting())  # for a test that starts it again
    with board_of(liar.setting(), tmp_path) as board:
        yield board


class Known:
    """A provider, and a board that knows of it what was asked for so far: kept for many tests, as it costs a start."""

    def __init__(self, folder, stack):
        self.liar = Liar()
        stack.callback(self.liar.close)
        self.board = stack.enter_context(board_of(self.liar.setting(), folder))

    def __iter__(self):
        """The two, as a test finds them: the provider tells the truth."""
        self.liar.tell_the_truth()
        self.board.close_clients()
        self.board.client = self.board.open()
        return iter((self.board, self.liar))


def known(name, learn):
    """A fixture: `learn` has the board learn what its tests need it to know."""

    @pytest.fixture(scope="module", name=name)
    def make(tmp_path_factory):
        with contextlib.ExitStack() as stack:
            both = Known(tmp_path_factory.mktemp(name), stack)
            learn(*both)
            yield both

    return make


def learn_all(board, liar):
    assert works(board, liar)


def learn_addresses(board, liar):
    begin(board.open(), "/oidc_liar/start")


nothing_known = known("nothing_known", lambda board, liar: None)
addresses_known = known("addresses_known", learn_addresses)
all_known = known("all_known", learn_all)


def accounts(board):
    db = sqlite3.connect(board.database, timeout=PATIENCE)
    [[count]] = db.execute("SELECT count(*) FROM accounts")
    db.close()
    return count


def fails(board, liar, why):
    """502 on a page, no account, no session; the log has the reason, if there is one."""
    browser, before, said = board.open(), accounts(board), len(board.log.read_text())
    response = liar.come_back(browser)
    assert "Liar doesn't answer as it should just now. Nothing was done" in problem(response, 502)
    assert accounts(board) == before and signed_in_as(browser) is None
    assert why in board.log.read_text()[said:]


def works(board, liar, path="/oidc_liar/start"):
    """Somebody comes in: as a new member, or once more."""
    browser = board.open()
    assert location(liar.come_back(browser, path)).startswith((path.replace("start", "welcome"), "/#"))
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
def test_claims_that_are_not_for_this_sign_in(all_known, claims, why):
    """Each is checked, and the log says which; a subject of a megabyte is not even read to its end."""
    board, liar = all_known
    liar.claims = claims
    fails(board, liar, f"Liar did not answer as it should: {why}" if why != "Error" else "Error")


def test_more_than_one_audience_is_fine_if_the_token_was_made_for_us(all_known):
    """OpenID Connect Core, 3.1.3.7: azp says for whom."""
    board, liar = all_known
    liar.claims = {"aud": ["another", CLIENT], "azp": CLIENT}
    assert works(board, liar)


def test_clocks_may_differ_a_little(all_known):
    """By half a minute, in both directions."""
    board, liar = all_known
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
def test_signatures_that_prove_nothing(all_known, sign, why):
    """`none`, HS256, another key, a key that comes along: all are refused."""
    board, liar = all_known
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
def test_keys_that_are_none(addresses_known, keys):
    """Anything else in their place is refused, even a number of 300,000 bits."""
    board, liar = addresses_known
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
def test_strange_answers_on_the_way_back(addresses_known, all_known, path, answer):
    """HTML, errors, redirects, 10 MB, 100 MB: a page says it, nothing is done, and no redirect is followed."""
    board, liar = addresses_known if path == KEYS else all_known
    if path == ME:
        liar.claims = {"name": None}
    liar.answers[path] = answer
    fails(board, liar, "Liar did not answer as it should: ")
    assert "/elsewhere" not in "".join(liar.asked)


def does_not_begin(board, liar, why=""):
    said = len(board.log.read_text())
    response = board.open().get("/oidc_liar/start")
    assert "Liar doesn't answer as it should" in problem(response, 502)
    assert f"Liar did not say where to go: {why}" in board.log.read_text()[said:]


@pytest.mark.parametrize("answer", ANYWHERE)
def test_strange_descriptions(nothing_known, answer):
    """The button leads to a page that says so, and nothing of it is kept: the next one asks again."""
    board, liar = nothing_known
    liar.answers[DESCRIPTION] = answer
    does_not_begin(board, liar)
    does_not_begin(board, liar)
    assert [request.split()[1] for request in liar.asked] == [DESCRIPTION] * 2


@pytest.mark.parametrize("answer", [ANYWHERE[0], reply("{}"), b""])
def test_when_the_provider_is_back_so_is_the_way_in(board, liar, answer):
    """A description that was none is forgotten."""
    truth, liar.answers[DESCRIPTION] = liar.answers[DESCRIPTION], answer
    does_not_begin(board, liar)
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
def test_descriptions_that_lead_elsewhere(nothing_known, about):
    """Only https, or http on this machine if the provider is there; and the issuer is the one that was set."""
    board, liar = nothing_known
    liar.about = about
    does_not_begin(board, liar)
    assert [request.split()[1] for request in liar.asked] == [DESCRIPTION]


HANGING = {
    f"{slow.__name__}{number}": (path, slow)
    for number, path in enumerate([DESCRIPTION, TOKEN, KEYS, ME])
    for slow in (hang, drip)
}


def test_who_hangs_holds_nobody_up(tmp_path):
    """A page says so after some seconds. The board goes on answering others, and twenty visitors share one request.

    Eight providers hang at once, each with one of its answers.
    """
    with contextlib.ExitStack() as stack:
        liars = {name: Liar() for name in HANGING}
        for liar in liars.values():
            stack.callback(liar.close)
        setting = ", ".join(liar.setting(name) for name, liar in liars.items())
        board = stack.enter_context(board_of(setting, tmp_path))
        pool = stack.enter_context(concurrent.futures.ThreadPoolExecutor(100))
        waiting = {name: hangs(board, liars[name], name, pool) for name in HANGING}
        assert board.get("/healthz").status_code == 200
        assert not any(one.done() for ones in waiting.values() for one in ones)
        for name, (path, _) in HANGING.items():
            assert {one.result().status_code for one in waiting[name]} == {502}, name
            if path == DESCRIPTION:
                assert len(liars[name].asked) == 1, name
            liars[name].tell_the_truth()
            assert works(board, liars[name], f"/oidc_{name}/start"), name


def hangs(board, liar, name, pool):
    """Somebody who comes back, or twenty who begin, while this provider hangs: what they will be answered."""
    path, liar.answers[HANGING[name][0]] = HANGING[name]
    if path == DESCRIPTION:
        return [pool.submit(board.open().get, f"/oidc_{name}/start") for _ in range(20)]
    if path == ME:
        liar.claims = {"name": None}
    return [pool.submit(liar.come_back, board.open(), f"/oidc_{name}/start")]


def test_the_name_of_somebody_else_is_not_taken(all_known):
    """What user info says is about the same subject, or nothing is done (OpenID Connect Core, 5.3.2)."""
    board, liar = all_known
    liar.claims, liar.user_info = {"name": None}, {"sub": "root", "name": "Root"}
    fails(board, liar, "the name is somebody else's")


@pytest.mark.parametrize("name", ["olga", "Ｏｌｇａ", "OLGA ", "boss", "Longboard", "guest", "deleted account"])
def test_a_moderator_s_name_gives_nobody_that_name(board, liar, name):
    """Nor the board's own: such a member has no rights, and never goes without the username beside the name."""
    olga = Person(board, "boss", name="Olga")
    db = sqlite3.connect(board.database, timeout=PATIENCE)
    with db:
        db.execute("UPDATE accounts SET role = 'moderator'")
    db.close()
    liar.claims = {"name": name, "preferred_username": "olga", "sub": "olga", "email": "olga@example.org"}
    account = works(board, liar)
    assert (account["name"], account["role"]) == (name.strip(), "member")
    assert account["id"] != olga.id and account["username"] not in ("olga", "boss", "longboard", "guest")
    again = board.open(headers={"Accept": "application/json"})
    liar.come_back(again)
    assert signed_in_as(again)["name"] == name.strip()
    author = again.post("/add", data={"s": "Send me your passwords.", "as": account["username"]}).json()["author"]
    assert author == {"id": account["id"], "name": name.strip(), "username": account["username"]}


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
