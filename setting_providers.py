"""The settings of providers of logins: how OIDC is read, and what each provider needs besides."""

import dataclasses
import re
import urllib.parse
from collections.abc import Collection

from setting_values import is_loopback

EXPECTED = (
    "a name in small letters, the issuer's https:// address, the client id and the client secret, with blanks between, "
    "such as gitlab https://gitlab.com ID SECRET, then the label if it is not the name; a comma before a second provider"
)
WELL_KNOWN = "/.well-known/openid-configuration"
"""Behind the issuer, a provider describes itself there (OpenID Connect Discovery, 4)."""
PROVIDERS_MAX = 20


@dataclasses.dataclass(frozen=True)
class OpenIdClient:
    """What the board is at a provider."""

    name: str
    """`oidc_` and the operator's name for the provider. It is in addresses and in the database."""
    issuer: str
    """Without a slash at the end."""
    client_id: str
    client_secret: str = dataclasses.field(repr=False)
    label: str
    """What people see of it; "" if the name will do."""


def openid_clients(text: str) -> tuple[OpenIdClient, ...]:
    """Reads the setting OIDC. Raises ValueError."""
    parts = [part for part in re.split(r",\s+|\n", text.strip().removesuffix(",")) if part.strip()]
    clients = tuple(map(openid_client, parts))
    for values in [one.name for one in clients], [one.issuer for one in clients]:
        if len(set(values)) < len(values) or len(values) > PROVIDERS_MAX:
            raise ValueError(f"at most {PROVIDERS_MAX} providers, each with a name and an issuer of its own")
    return clients


def openid_client(text: str) -> OpenIdClient:
    name, issuer, client_id, client_secret, *label = [*text.split(), *[""] * 4][: max(4, len(text.split()))]
    shown = " ".join(label)
    if not (
        re.fullmatch("[a-z][a-z0-9_]{0,23}", name)
        and re.fullmatch("[!-~]{1,255}", client_id)
        and re.fullmatch("[!-~]{1,255}", client_secret)
        and shown.isprintable()
        and len(shown) <= 40
    ):
        raise ValueError(EXPECTED)
    return OpenIdClient(f"oidc_{name}", read_issuer(issuer), client_id, client_secret, shown)


def read_issuer(text: str) -> str:
    """Returns the issuer, also if somebody gives the address of its description. Raises ValueError.

    Plain http is for providers on this machine, to try things out: the client secret is sent there.
    """
    issuer = text.removesuffix("/").removesuffix(WELL_KNOWN).removesuffix("/")
    if not re.fullmatch(r"https?://[!-~]{1,240}", issuer) or "?" in issuer or "#" in issuer or "@" in issuer:
        raise ValueError(EXPECTED)
    parts = urllib.parse.urlsplit(issuer)
    if not parts.hostname or (parts.scheme == "http" and not is_loopback(parts.hostname)):
        raise ValueError(EXPECTED)
    return issuer


def missing_for_providers(
    facebook_id: str, facebook_secret: str, openid: Collection[OpenIdClient], public_url: str, address: str
) -> str | None:
    """Returns what the settings of providers lack. They send people back to https, or to http on this machine."""
    if bool(facebook_id) != bool(facebook_secret):
        return "FACEBOOK_APP_ID and FACEBOOK_APP_SECRET must be set together"
    if not facebook_id and not openid:
        return None
    provider = "Facebook" if facebook_id else "a provider"
    host = urllib.parse.urlsplit(public_url or f"http://{address}").hostname or ""
    if not public_url and not is_loopback(host):
        return f"PUBLIC_URL must be set where {provider} is: it is where {provider} sends people back to"
    if public_url.startswith("http:") and not is_loopback(host):
        return f"PUBLIC_URL must be https:// where {provider} is, or http://localhost"
    return None
