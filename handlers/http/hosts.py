"""Checks the host name and the scheme of requests. Without PUBLIC_URL, every name is accepted.

Another site can point its own name to this board's address (DNS rebinding); its pages would then have the same origin.
So with PUBLIC_URL, only that name is accepted, and the names of this machine, which nobody can take over.
"""

import re
import urllib.parse

from tornado.httputil import HTTPServerRequest

from board.said import said
from handlers.http.bearer import bearers
from handlers.http.errors import RefusedError
from handlers.http.fields import has_body
from handlers.http.forwarded import entry
from net.logs import shown, warn_once
from setting_values import is_loopback
from settings import Settings

HEALTH = frozenset(("/healthz", "/readyz", "/metrics"))
"""Paths requested by machines, which know an address rather than a name."""
HOST = re.compile(r"(.*?)\.?(?::([0-9]{0,5}))?")
SIGNS_OF_A_PROXY = ("X-Forwarded-For", "X-Forwarded-Proto", "Forwarded", "X-Real-Ip", "Via")
UNSAID = frozenset(("", "80", "443"))
"""Default ports. A Host without a port may still be meant for another port, because some proxies leave it out."""


def split_host(host: str) -> tuple[str, str]:
    """Returns the name in lower case, and the port; "" for a default port."""
    if host.startswith("[") and host.endswith("]"):
        return host.lower(), ""
    match = HOST.fullmatch(host)
    name, port = (match[1], match[2] or "") if match else (host, "")
    return name.lower(), "" if port in UNSAID else port


class Names:
    """The names at which the board answers, according to PUBLIC_URL."""

    def __init__(self, settings: Settings) -> None:
        self._url = settings.public_url
        self._host = self._url.partition("://")[2]
        self._name, self._port = split_host(self._host)
        self._is_https = self._url.startswith("https:")
        self._scheme_header = settings.trusted_scheme_header

    def is_ours(self, host: str) -> bool:
        if not self._url or host == self._host:
            return True
        name, port = split_host(host)
        return (name == self._name and port in ("", self._port)) or is_loopback(name.strip("[]"))

    def is_at_home(self, request: HTTPServerRequest) -> bool:
        """Whether cookies work at this address: over http, browsers may drop the cookies of an https PUBLIC_URL."""
        behind = any(name in request.headers for name in SIGNS_OF_A_PROXY)
        return not self._is_https or behind or split_host(request.host)[0] == self._name

    def scheme(self, request: HTTPServerRequest) -> str:
        """Returns `http` or `https` if the trusted proxy says so, else an empty string."""
        said = entry(request.headers, self._scheme_header, "proto").lower() if self._scheme_header else ""
        return said if said in ("http", "https") else ""

    def is_same_origin(self, origin: str, request: HTTPServerRequest) -> bool:
        """Whether an Origin is this board, as far as the scheme is known: without a setting, no proxy is trusted."""
        try:
            parts = urllib.parse.urlsplit(origin)
        except ValueError:  # not a URL
            return False
        known = self.scheme(request)
        if not known and self._url and split_host(request.host)[0] == self._name:
            known = self._url.partition(":")[0]
        if not known and not any(name in request.headers for name in SIGNS_OF_A_PROXY):
            known = "http"  # the server itself speaks only http
        return parts.netloc.lower() == request.host.lower() and (not known or parts.scheme == known)

    def objection(self, request: HTTPServerRequest) -> RefusedError | None:
        """Returns the refusal if the request can't be answered at this address, else None."""
        if not self._url:
            return None
        if self._is_https and self.scheme(request) == "http" and not is_probe(request):
            return RefusedError(
                403,
                "https_only",
                said(
                    "This came unencrypted. Use %(address)s/ instead, and change a password or token that you sent like "
                    "this.",
                    address=self._url,
                ),
            )
        if self.is_ours(request.host) or request.path in HEALTH:
            return None
        warn_once(
            "host",
            "A request came for %s, but PUBLIC_URL is %s: it was sent there. If that is your proxy's name for the "
            "board, let the proxy pass on the Host that browsers send.",
            shown(request.host), self._url,
        )  # fmt: skip
        return RefusedError(
            421, "wrong_host", said("This board is at %(address)s/, and answers only there.", address=self._url)
        )


def is_probe(request: HTTPServerRequest) -> bool:
    """Whether the request is a health check, which shows nothing secret."""
    return request.path in HEALTH and not request.headers.get_list("Authorization")


def is_redirected(request: HTTPServerRequest) -> bool:
    """Whether the request is for a page, without anything that must not be sent twice. The API never redirects."""
    is_data = request.path == "/get" or request.path.startswith(("/api/v1/", "/hooks/"))
    return request.method in ("GET", "HEAD") and not (is_data or has_body(request.headers) or bearers(request))
