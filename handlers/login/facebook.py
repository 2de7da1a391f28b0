"""Facebook as a provider of logins: its addresses, answers, errors and calls (docs/facebook.md)."""

import base64
import binascii
import hashlib
import hmac
import json
import re
import urllib.parse
from typing import Any

from tornado.auth import FacebookGraphMixin
from tornado.httputil import url_concat

from board.account_names import name_from_elsewhere
from board.said import msgid
from handlers.http.errors import RefusedError
from handlers.login.provider import Person, Provider
from net.outgoing import Visit
from settings import Settings

ID = re.compile("[0-9]{1,32}", re.ASCII)
"""An app-scoped id. Any other text in an answer is refused."""
REQUEST_MAX = 8192

SCOPE = "public_profile"
FIELDS = "id,name,picture.width(160).height(160)"
PICTURE_HOSTS = re.compile(r"([a-z0-9-]+\.)*(facebook\.com|fbcdn\.net|fbsbx\.com)")


class Facebook(Provider):
    """Facebook, or the fake one. `site` is the dialog's address and `graph` the API's, both with their version.

    It sends people back to https only, or to http at localhost.
    """

    name = "facebook"
    deletion = msgid("Have it deleted with your account here, or in Facebook's settings under “Apps and websites”.")
    pages = (
        ("deauthorize", "login.facebook_pages.FacebookDeauthorize"),
        ("delete", "login.facebook_pages.FacebookDelete"),
        ("deletion", "login.facebook_pages.FacebookDeletion"),
    )

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.app_id, self.app_secret = settings.facebook_app_id, settings.facebook_app_secret
        self.fake, version = settings.facebook_fake, settings.facebook_graph_version
        self.site = f"{self.fake or 'https://www.facebook.com'}/{version}"
        self.graph = f"{self.fake or 'https://graph.facebook.com'}/{version}"

    async def way_there(self, state: str, proof: str) -> str:
        """https://developers.facebook.com/docs/facebook-login/guides/advanced/manual-flow"""
        asked = {"redirect_uri": self.redirect_uri, "client_id": self.app_id, "scope": SCOPE, "state": state}
        return url_concat(f"{self.site}/dialog/oauth", {"response_type": "code", **asked})

    async def person(self, visit: Visit, code: str, proof: str) -> Person:
        """Raises ValueError if the answer has no id, because it then identifies nobody, or what the mixin raises."""
        user: Any = await Graph(visit, self.graph).get_authenticated_user(
            redirect_uri=self.redirect_uri, client_id=self.app_id, client_secret=self.app_secret, code=code
        )
        id = user.get("id") if isinstance(user, dict) else None
        if not isinstance(id, str) or not ID.fullmatch(id):
            raise ValueError("no id")
        return Person(id, name_from_elsewhere(user.get("name")), picture_url(user.get("picture")))

    def keeps_pictures_at(self, url: str) -> bool:
        parts = urllib.parse.urlsplit(url)
        if self.fake:
            return f"{parts.scheme}://{parts.netloc}" == self.fake
        return parts.scheme == "https" and PICTURE_HOSTS.fullmatch(parts.netloc) is not None

    def error_codes(self, body: bytes) -> list[str]:
        """Returns Facebook's codes for an error, and the trace id by which Facebook can look it up.

        https://developers.facebook.com/docs/graph-api/guides/error-handling
        """
        try:
            error = json.loads(body)["error"]
            numbers = {name: error.get(name) for name in ("code", "error_subcode", "fbtrace_id")}
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return ["without Facebook's JSON"]
        return [f"{name}={value}" for name, value in numbers.items() if re.fullmatch(r"[\w-]{1,40}", str(value or ""))]


class Graph(FacebookGraphMixin):
    """Tornado's mixin for one visit, changed in three places."""

    def __init__(self, visit: Visit, graph: str) -> None:
        self._visit = visit
        # The mixin's own addresses have no version.
        self._OAUTH_ACCESS_TOKEN_URL = f"{graph}/oauth/access_token?"
        self._FACEBOOK_BASE_URL = graph

    def get_auth_http_client(self) -> Any:
        return self._visit

    async def facebook_request(self, path: str, *arguments: Any, **args: Any) -> Any:
        """Requests only the needed fields: the mixin has some that Facebook no longer has, which would be an error."""
        if "fields" in args:
            args["fields"] = FIELDS
        return await super().facebook_request(path, *arguments, **args)


def picture_url(picture: Any) -> str | None:
    """Returns None for the silhouette that Facebook shows for people without a picture."""
    data = picture.get("data") if isinstance(picture, dict) else None
    if not isinstance(data, dict) or data.get("is_silhouette") is True:
        return None
    url = data.get("url")
    return url if isinstance(url, str) and url.isascii() and url.isprintable() else None


def read_signed_request(text: str, secret: str) -> tuple[str, int | None]:
    """Returns a person's id, and when Facebook made the request, in seconds since 1970, if it says so.

    Raises RefusedError.

    https://developers.facebook.com/docs/facebook-login/guides/advanced/existing-system (signed_request)
    """
    payload = verified_payload(text, secret)
    id, issued_at = payload.get("user_id"), payload.get("issued_at")
    id = str(id) if type(id) is int else id  # it comes as a string; a bare number would mean the same
    if not isinstance(id, str) or not ID.fullmatch(id):
        raise bad_request("it names nobody")
    return id, issued_at if type(issued_at) is int and 0 < issued_at < 2**40 else None


def verified_payload(text: str, secret: str) -> dict[str, object]:
    """Returns the JSON object inside `signature.payload`. The signature is checked before anything in it is read.

    Raises RefusedError.
    """
    signature, dot, payload = text.partition(".")
    if not dot or len(text) > REQUEST_MAX or not payload.isascii():
        raise bad_request("it has no signature")
    expected = hmac.new(secret.encode(), payload.encode(), hashlib.sha256).digest()
    if not hmac.compare_digest(unbase64(signature), expected):
        raise bad_request("its signature is wrong")
    try:
        value = json.loads(unbase64(payload).decode())
    except (ValueError, RecursionError):
        raise bad_request("it is not JSON") from None
    if not isinstance(value, dict) or str(value.get("algorithm", "")).upper() != "HMAC-SHA256":
        raise bad_request("it is not signed by HMAC-SHA256")
    return value


def unbase64(text: str) -> bytes:
    """Decodes base64 for URLs, without the padding (RFC 4648, 5). Raises RefusedError."""
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars="-_", validate=True)
    except (binascii.Error, ValueError):
        raise bad_request("it is not base64") from None


def bad_request(why: str) -> RefusedError:
    return RefusedError(400, "bad_signed_request", f"This is no signed request of Facebook's for this app: {why}.")
