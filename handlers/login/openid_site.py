"""What a provider of OpenID Connect says about itself: its addresses and its keys, fetched when they are needed.

https://openid.net/specs/openid-connect-discovery-1_0.html
"""

import asyncio
import dataclasses
import json
import time
import urllib.parse
from collections.abc import Awaitable, Callable
from typing import Any, Generic, TypeVar

from net.outgoing import Visit
from setting_providers import WELL_KNOWN
from setting_values import is_loopback

KEPT_SECONDS = 3600
KEYS_MAX = 100
URL_MAX = 1000

T = TypeVar("T")


class ProviderError(Exception):
    """An answer that breaks a rule. Its words are ours alone, so they may be logged."""


class Kept(Generic[T]):
    """Something that is fetched when it is missing or too old. Those who need it at once share one request."""

    def __init__(self, fetch: Callable[[Visit], Awaitable[T]], clock: Callable[[], float]) -> None:
        self._fetch, self._clock = fetch, clock
        self._kept: tuple[float, T] | None = None
        self._fetching: asyncio.Task[T] | None = None

    async def value(self, visit: Visit, seconds: float = KEPT_SECONDS) -> T:
        """Returns what was fetched no more than so many seconds ago. Raises what the fetch raises."""
        if self._kept is not None and self._clock() - self._kept[0] < seconds:
            return self._kept[1]
        if self._fetching is None:
            self._fetching = asyncio.create_task(self._fetch_again(visit))
        return await asyncio.shield(self._fetching)

    async def _fetch_again(self, visit: Visit) -> T:
        try:
            value = await self._fetch(visit)
            self._kept = (self._clock(), value)
            return value
        finally:
            self._fetching = None


@dataclasses.dataclass(frozen=True)
class About:
    """What is used of a provider's description of itself."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str | None
    takes_basic: bool
    """Whether the client's secret goes into a header (client_secret_basic), not into the form."""


class OpenIdSite:
    """The description and the keys of one provider."""

    def __init__(self, issuer: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._issuer = issuer
        self.about = Kept(self._fetch_about, clock)
        self.keys = Kept(self._fetch_keys, clock)

    async def _fetch_about(self, visit: Visit) -> About:
        said = json_object((await visit.fetch(self._issuer + WELL_KNOWN)).body)
        issuer = said.get("issuer")
        # Some issuers end with a slash. Whether the setting does is not important: it is the same address.
        if not isinstance(issuer, str) or issuer.removesuffix("/") != self._issuer:
            raise ProviderError("its issuer is not the one that is set")
        optional = said.get("userinfo_endpoint")
        methods = said.get("token_endpoint_auth_methods_supported")
        return About(
            issuer,
            self._address(said, "authorization_endpoint"),
            self._address(said, "token_endpoint"),
            self._address(said, "jwks_uri"),
            None if optional is None else self._address(said, "userinfo_endpoint"),
            not isinstance(methods, list) or "client_secret_basic" in methods or "client_secret_post" not in methods,
        )

    def _address(self, said: dict[str, Any], name: str) -> str:
        """Returns an address of the provider: https, or http on this machine if the provider is there itself."""
        url = said.get(name)
        if isinstance(url, str) and len(url) <= URL_MAX and url.isascii() and url.isprintable() and " " not in url:
            parts = urllib.parse.urlsplit(url)
            is_near = self._issuer.startswith("http:") and parts.scheme == "http" and is_loopback(parts.hostname or "")
            if (parts.scheme == "https" or is_near) and parts.hostname and "@" not in parts.netloc and "#" not in url:
                return url
        raise ProviderError(f"{name} is missing, or is no https:// address")

    async def _fetch_keys(self, visit: Visit) -> list[dict[str, Any]]:
        about = await self.about.value(visit)
        keys = json_object((await visit.fetch(about.jwks_uri)).body).get("keys")
        if not isinstance(keys, list):
            raise ProviderError("it has no keys")
        return [key for key in keys[:KEYS_MAX] if isinstance(key, dict)]


def json_object(body: bytes) -> dict[str, Any]:
    """Raises ProviderError."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        raise ProviderError("an answer is not JSON") from None
    if not isinstance(value, dict):
        raise ProviderError("an answer is no JSON object")
    return value
