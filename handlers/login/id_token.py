"""Checks ID tokens, as OpenID Connect Core says in 3.1.3.7. PyJWT verifies signatures and reads keys."""

import hmac
import re
from typing import Any

import jwt

from handlers.login.openid_site import ProviderError

LEAST_SECONDS = 60
"""Keys that are younger are not fetched again for a token with an unknown one."""
SLACK_SECONDS = 60
"""The provider's clock may be a little ahead of ours or behind it."""
KINDS = {
    **dict.fromkeys(("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"), "RSA"),
    **dict.fromkeys(("ES256", "ES384", "ES512"), "EC"),
    "EdDSA": "OKP",
}
"""The algorithms that are accepted, and the kind of key that each takes. So there is no `none`, and no HS256, for which
a public key might be taken as the secret (RFC 8725, 2.1)."""
SUBJECT = re.compile("[ -~]{1,255}")
"""OpenID Connect Core, 2: at most 255 ASCII characters."""


class NoKeyError(ProviderError):
    """None of the provider's keys is the token's."""


def find_key(keys: list[dict[str, Any]], token: str) -> jwt.PyJWK:
    """Returns the key that a token names. It may name none if only one fits (OpenID Connect Core, 10.1).

    Raises ProviderError, or NoKeyError if newer keys may help, or an error of PyJWT.
    """
    header = jwt.get_unverified_header(token)
    algorithm, kid = header.get("alg"), header.get("kid")
    if not isinstance(algorithm, str) or algorithm not in KINDS:
        raise ProviderError("the ID token is signed by an algorithm that is not accepted")
    fitting = [
        key
        for key in keys
        if key.get("kty") == KINDS[algorithm]
        and key.get("use", "sig") == "sig"
        and key.get("alg", algorithm) == algorithm
        and kid in (None, key.get("kid"))
    ]
    if not fitting or (kid is None and len(fitting) > 1):
        raise NoKeyError("the ID token's key is not among the provider's")
    return jwt.PyJWK(fitting[0], algorithm)


def verified_claims(token: str, key: jwt.PyJWK, client_id: str, issuer: str) -> dict[str, Any]:
    """Verifies signature, issuer, audience and times. Raises an error of PyJWT, named for what is wrong."""
    claims: dict[str, Any] = jwt.decode(
        token,
        key,
        algorithms=list(KINDS),
        audience=client_id,
        issuer=issuer,
        leeway=SLACK_SECONDS,
        options={"require": ["iss", "sub", "aud", "exp", "iat"], "enforce_minimum_key_length": True},
    )
    return claims


def check_claims(claims: dict[str, Any], client_id: str, nonce: str) -> str:
    """Checks what only OpenID Connect has. Returns the subject: whom the token is about. Raises ProviderError."""
    said, party, subject = claims.get("nonce"), claims.get("azp"), claims["sub"]
    if not isinstance(said, str) or not hmac.compare_digest(said.encode(errors="replace"), nonce.encode()):
        raise ProviderError("the ID token is of another sign-in: its nonce is not ours")
    if party not in (None, client_id) or (party is None and isinstance(claims["aud"], list) and len(claims["aud"]) > 1):
        raise ProviderError("the ID token is for another client")
    if not isinstance(subject, str) or not SUBJECT.fullmatch(subject) or not subject.strip():
        raise ProviderError("the subject is not 1 to 255 characters of ASCII")
    return subject
