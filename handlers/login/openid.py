"""OpenID Connect as a provider of logins: any site that describes at a fixed address how it lets people in.

docs/openid.md is for operators; docs/decisions/0020-openid-connect.md says why it is as it is. Only boards with OIDC
load this file, and what it imports.
"""

import base64
import hashlib
import hmac
import json
import re
from typing import Any
from urllib.parse import quote_plus, urlencode

from tornado.httputil import url_concat

from board.account_names import UNNAMED, name_from_elsewhere
from handlers.login.id_token import LEAST_SECONDS, NoKeyError, check_claims, find_key, verified_claims
from handlers.login.openid_site import OpenIdSite, ProviderError, json_object
from handlers.login.provider import Person, Provider
from net.outgoing import Visit
from setting_providers import OpenIdClient
from settings import Settings

SCOPE = "openid profile"
"""The name, and no e-mail address."""


class OpenId(Provider):
    """One provider. Its people are known by the issuer and their `sub` there (OpenID Connect Core, 2), never by e-mail."""

    has_pictures = False  # people choose the address themselves at many providers, so it could be any

    def __init__(self, settings: Settings, client: OpenIdClient) -> None:
        self.name = client.name
        super().__init__(settings)
        self._client = client
        self._site = OpenIdSite(client.issuer)
        self.app_id = client.issuer
        self.fake = client.issuer if client.issuer.startswith("http:") else ""

    @property
    def label(self) -> str:
        return self._client.label or super().label

    async def way_there(self, state: str, proof: str) -> str:
        """https://openid.net/specs/openid-connect-core-1_0.html#AuthRequest, with the proof key of RFC 7636."""
        with self.outgoing.visit() as visit:
            about = await self._site.about.value(visit)
        challenge = hashlib.sha256(derived(proof, "verifier").encode()).digest()
        asked = {
            "response_type": "code",
            "scope": SCOPE,
            "client_id": self._client.client_id,
            "redirect_uri": self.redirect_uri,
            "state": state,
            "nonce": derived(proof, "nonce"),
            "code_challenge": base64url(challenge),
            "code_challenge_method": "S256",
        }
        return url_concat(about.authorization_endpoint, asked)

    async def person(self, visit: Visit, code: str, proof: str) -> Person:
        """Raises ProviderError, or whatever the client and the libraries raise."""
        token = await self._token(visit, code, proof)
        claims = await self._claims(visit, token.get("id_token"))
        subject = check_claims(claims, self._client.client_id, derived(proof, "nonce"))
        name = shown_name(claims) or shown_name(await self._user_info(visit, token, subject))
        return Person(subject, name or UNNAMED, None)

    async def _token(self, visit: Visit, code: str, proof: str) -> dict[str, Any]:
        """Exchanges the code (RFC 6749, 4.1.3). The secret goes as the provider says, in the header if it says nothing."""
        about, client = await self._site.about.value(visit), self._client
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": self.redirect_uri,
                "code_verifier": derived(proof, "verifier")}  # fmt: skip
        headers = {"Accept": "application/json", "Content-Type": "application/x-www-form-urlencoded"}
        if about.takes_basic:
            pair = f"{quote_plus(client.client_id)}:{quote_plus(client.client_secret)}"
            headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        else:
            form |= {"client_id": client.client_id, "client_secret": client.client_secret}
        answer = await visit.fetch(about.token_endpoint, method="POST", headers=headers, body=urlencode(form))
        return json_object(answer.body)

    async def _claims(self, visit: Visit, token: object) -> dict[str, Any]:
        """Verifies the ID token. A key that is not known may be new, so the keys are fetched again, but not too often."""
        if not isinstance(token, str):
            raise ProviderError("there is no ID token")
        about = await self._site.about.value(visit)
        try:
            key = find_key(await self._site.keys.value(visit), token)
        except NoKeyError:
            key = find_key(await self._site.keys.value(visit, LEAST_SECONDS), token)
        return verified_claims(token, key, self._client.client_id, about.issuer)

    async def _user_info(self, visit: Visit, token: dict[str, Any], subject: str) -> dict[str, Any]:
        """Asks for the name, which some providers leave out of the ID token (OpenID Connect Core, 5.3 and 5.4)."""
        about, bearer = await self._site.about.value(visit), token.get("access_token")
        if not about.userinfo_endpoint or not isinstance(bearer, str) or not re.fullmatch("[!-~]+", bearer):
            return {}
        headers = {"Accept": "application/json", "Authorization": f"Bearer {bearer}"}
        claims = json_object((await visit.fetch(about.userinfo_endpoint, headers=headers)).body)
        if claims.get("sub") != subject:
            raise ProviderError("the name is somebody else's")
        return claims

    def describe(self, error: BaseException) -> str:
        return str(error) if isinstance(error, ProviderError) else super().describe(error)

    def error_codes(self, body: bytes) -> list[str]:
        """Returns the code of an error (RFC 6749, 5.2), such as invalid_client."""
        try:
            code = json.loads(body)["error"]
        except (ValueError, KeyError, TypeError, RecursionError):
            return []
        return [f"error={code}"] if isinstance(code, str) and re.fullmatch("[a-z_]{1,40}", code) else []


def derived(proof: str, use: str) -> str:
    """Returns the verifier or the nonce of a flow: 43 characters, which the provider can't compute from one another."""
    return base64url(hmac.digest(proof.encode(), use.encode(), "sha256"))


def base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def shown_name(claims: dict[str, Any]) -> str | None:
    """Returns the person's name there, or None. A username that is an e-mail address loses its end."""
    username = claims.get("preferred_username")
    for text in claims.get("name"), username.partition("@")[0] if isinstance(username, str) else None:
        if (name := name_from_elsewhere(text)) != UNNAMED:
            return name
    return None
