"""The list of providers, and the URLs of each. A new one is a file like facebook.py, its settings, and a row here.

Those of OpenID Connect are in the setting OIDC."""

from typing import Any

from handlers.login.facebook import Facebook
from handlers.login.provider import Provider
from settings import Settings

PROVIDERS: tuple[type[Provider], ...] = (Facebook,)


def openid_providers(settings: Settings) -> list[Provider]:
    """Returns the providers that OIDC names."""
    if not settings.oidc:
        return []
    from handlers.login.openid import OpenId  # what few have, all would pay: it loads cryptography

    return [OpenId(settings, client) for client in settings.oidc]


def routes_of(kind: type[Provider] | Provider) -> list[tuple[Any, ...]]:
    """Returns the URLs of a provider. Most exist only where it is set up."""
    pages: dict[str, Any] = {
        f"/{kind.name}/start": "login.pages.LoginStart",
        f"/{kind.name}/continue": "login.pages.LoginContinue",
        f"/{kind.name}/callback": "login.pages.LoginCallback",
        f"/{kind.name}/switch": "login.pages.LoginSwitch",
        f"/{kind.name}/welcome": "login.linking.Welcome",
        f"/account/{kind.name}/link": "login.linking.Link",
        f"/account/{kind.name}/unlink": "login.linking.Unlink",
        f"/account/{kind.name}/seen": "login.linking.NoticeSeen",
        **{f"/{kind.name}/{path}": page for path, page in kind.pages},
    }
    return [(path, page, {"provider": kind.name}) for path, page in pages.items()]
