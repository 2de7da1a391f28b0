"""The setting OIDC, what is kept of a provider and for how long, and which key a token is checked with."""

import asyncio
import json

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import given
from hypothesis import strategies as st

from admin.doctor import check_settings
from handlers.login.id_token import LEAST_SECONDS
from handlers.login.openid import OpenId, derived
from handlers.login.openid_site import KEPT_SECONDS, OpenIdSite, ProviderError
from setting_providers import openid_clients
from settings import read_settings

ISSUER = "https://id.example.org/realms/main"


@pytest.mark.parametrize(
    "text", [ISSUER, f"{ISSUER}/", f"{ISSUER}/.well-known/openid-configuration", f"{ISSUER}/.well-known/openid-configuration/"]
)  # fmt: skip
def test_the_issuer_may_be_given_as_people_find_it(text):
    """With a slash, or as the address of the description."""
    [client] = read_settings([], {"OIDC": f" my_school  {text} id secret Our  School é "}).oidc
    assert (client.name, client.issuer, client.label) == ("oidc_my_school", ISSUER, "Our School é")
    assert "secret" not in repr(client) and "secret" not in repr(read_settings([], {"OIDC": f"a {text} id secret"}))


@pytest.mark.parametrize("between", [", ", ",\n", "\n", "\n\n  "])
def test_several_providers(between):
    """A comma between them, or each on its line; the label is made of the name if there is none."""
    settings = read_settings(
        [], {"OIDC": between.join(("one https://a.example i,d s,1", "two https://b.example i s Two"))}
    )
    assert [(one.name, one.client_id, one.client_secret, one.label) for one in settings.oidc] == [
        ("oidc_one", "i,d", "s,1", ""), ("oidc_two", "i", "s", "Two")]  # fmt: skip
    assert [OpenId(settings, one).label for one in settings.oidc] == ["One", "Two"]


BAD = [
    "x", "gitlab https://gitlab.com", "gitlab https://gitlab.com id", "GitLab https://gitlab.com id secret",
    "https://gitlab.com id secret", "a b https://gitlab.com id secret", "a gitlab.com id secret",
    "a http://gitlab.com id secret", "a ftp://gitlab.com id secret", "a https:// id secret", "a https://? id secret",
    "a https://x@gitlab.com id secret", "a https://gitlab.com?x=1 id secret", "a https://gitlab.com#x id secret",
    "a https://[::1 id secret", "a-b https://gitlab.com id secret", f"a https://gitlab.com/{'x' * 300} id secret",
    "a https://gitlab.com id sécret", f"a https://gitlab.com id secret {'x' * 41}", "a https://gitlab.com id secret \u202e",
    "a https://a.example i s, a https://b.example i s", "a https://a.example i s, b https://a.example/ i s",
    ", ".join(f"a{n} https://a{n}.example i s" for n in range(21)), f"{'a' * 25} https://gitlab.com id secret",
]  # fmt: skip


@pytest.mark.parametrize("text", BAD, ids=lambda text: text[:50])
def test_what_is_no_provider_ends_the_start(text, capsys):
    """With what is expected, and without what was given: a secret is in it."""
    with pytest.raises(SystemExit) as end:
        read_settings([], {"OIDC": text})
    said = capsys.readouterr().err
    assert end.value.code == 2 and said.startswith("longboard: OIDC must be ") and "secret\n" not in said
    assert said.count("\n") == 1


@given(st.text())
def test_any_text_is_providers_or_a_clear_refusal(text):
    """No value ends in a traceback."""
    try:
        assert len(openid_clients(text)) <= 20
    except ValueError as expected:
        assert "provider" in str(expected)


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"OIDC": "a https://a.example i s", "ADDRESS": "0.0.0.0"}, "PUBLIC_URL must be set where a provider is"),
        ({"OIDC": "a https://a.example i s", "PUBLIC_URL": "http://b.example"}, "PUBLIC_URL must be https://"),
        ({"PASSWORDS": "off"}, "PASSWORDS=off takes a provider of logins"),
        ({"PASSWORDS": "no"}, "PASSWORDS must be on or off"),
    ],
)
def test_what_providers_need_is_asked_for_at_the_start(environ, expected, capsys):
    """A board that nobody could come back to, or sign in to, doesn't start."""
    with pytest.raises(SystemExit):
        read_settings([], environ)
    assert expected in capsys.readouterr().err
    read_settings(
        [], environ | {"OIDC": "a https://a.example i s", "PUBLIC_URL": "https://b.example", "PASSWORDS": "off"}
    )


def test_the_doctor_names_a_provider_that_is_for_trying_out():
    """The client secret goes there unencrypted."""
    for text, said in ("a https://a.example i s", 0), ("a https://a.example i s, b http://localhost:1 i s", 1):
        found = [
            words
            for _, words in check_settings(read_settings([], {"OIDC": text, "PUBLIC_URL": "https://b.example"}), [])
        ]
        assert sum("issuer with http://" in words for words in found) == said


# --- what is kept


class Answers:
    """Instead of a visit: what is at the addresses, and how often each was asked for."""

    def __init__(self):
        self.asked, self.pages, self.gate = [], {}, asyncio.Event()
        self.gate.set()

    async def fetch(self, url, **options):
        self.asked.append(url)
        await self.gate.wait()
        page = self.pages[url]
        if isinstance(page, Exception):
            raise page

        class Response:
            body = json.dumps(page).encode()

        return Response


@pytest.fixture
def now():
    return [0.0]


@pytest.fixture
def site(now):
    return OpenIdSite(ISSUER, lambda: now[0])


@pytest.fixture
def visit():
    visit = Answers()
    names = ("authorization_endpoint", "token_endpoint", "jwks_uri")
    about = {"issuer": f"{ISSUER}/"} | {name: f"{ISSUER}/{name}" for name in names}
    visit.pages = {f"{ISSUER}/.well-known/openid-configuration": about, f"{ISSUER}/jwks_uri": {"keys": [{"kid": "a"}]}}
    return visit


async def test_keys_are_kept_for_an_hour_and_fetched_for_an_unknown_one_once_a_minute(site, visit, now):
    """So a new key works within a minute, and tokens with invented names cost the provider nothing."""
    assert await site.keys.value(visit) == [{"kid": "a"}]
    visit.pages[f"{ISSUER}/jwks_uri"] = {"keys": [{"kid": "b"}]}
    for now[0] in (1, LEAST_SECONDS - 1):
        assert await site.keys.value(visit, LEAST_SECONDS) == [{"kid": "a"}]
    now[0] = LEAST_SECONDS
    assert await site.keys.value(visit) == [{"kid": "a"}]
    for _ in range(3):
        assert await site.keys.value(visit, LEAST_SECONDS) == [{"kid": "b"}]
    assert visit.asked.count(f"{ISSUER}/jwks_uri") == 2
    now[0] += KEPT_SECONDS
    await site.keys.value(visit)
    assert visit.asked.count(f"{ISSUER}/jwks_uri") == 3 and len(visit.asked) == 5


async def test_those_who_come_at_once_share_one_request(site, visit):
    """Also its failure; the next one asks again."""
    visit.gate.clear()
    good, visit.pages = visit.pages, dict.fromkeys(visit.pages, TimeoutError())
    waiting = [asyncio.create_task(site.about.value(visit)) for _ in range(10)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    waiting[0].cancel()
    visit.gate.set()
    ended = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(one) for one in ended] == [asyncio.CancelledError] + [TimeoutError] * 9 and len(visit.asked) == 1
    visit.pages = good
    assert (await site.about.value(visit)).issuer == f"{ISSUER}/"


async def test_no_more_keys_are_kept_than_a_provider_has(site, visit):
    """And nothing that is none."""
    visit.pages[f"{ISSUER}/jwks_uri"] = {"keys": [None, *({"kid": str(n)} for n in range(1000))]}
    assert len(await site.keys.value(visit)) == 99


async def test_a_new_key_lets_people_in_a_minute_later(visit, now):
    """The whole way of a token: its key is unknown, is fetched, and verifies it."""
    settings = read_settings([], {"OIDC": f"a {ISSUER} client secret"})
    provider, (old, new) = (
        OpenId(settings, settings.oidc[0]),
        (rsa.generate_private_key(public_exponent=65537, key_size=2048) for _ in range(2)),
    )
    provider._site = OpenIdSite(ISSUER, lambda: now[0])

    def publish(key, kid):
        public = jwt.get_algorithm_by_name("RS256").to_jwk(key.public_key(), as_dict=True)
        visit.pages[f"{ISSUER}/jwks_uri"] = {"keys": [public | {"kid": kid}]}

    def answer(key, kid):
        claims = {"iss": f"{ISSUER}/", "aud": "client", "sub": "ada", "exp": 10**11, "iat": 1, "name": "Ada",
                  "nonce": derived("proof", "nonce")}  # fmt: skip
        visit.pages[f"{ISSUER}/token_endpoint"] = {"id_token": jwt.encode(claims, key, "RS256", {"kid": kid})}

    publish(old, "old")
    answer(old, "old")
    assert (await provider.person(visit, "code", "proof")).id == "ada"
    publish(new, "new")
    answer(new, "new")
    with pytest.raises(ProviderError, match="not among"):
        await provider.person(visit, "code", "proof")
    now[0] = LEAST_SECONDS
    assert (await provider.person(visit, "code", "proof")).name == "Ada"
    answer(old, "old")
    with pytest.raises(ProviderError, match="not among"):
        await provider.person(visit, "code", "proof")


def test_what_goes_there_gives_nothing_else_away():
    """Verifier and nonce are of one flow, and differ."""
    assert len({derived(proof, use) for proof in ("a", "b") for use in ("verifier", "nonce")}) == 4
