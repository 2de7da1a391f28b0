"""CORS: what pages of other sites may read, which CORS_FROM names. It is what any guest may read, and nothing else."""

from handlers.http.rights import Rights
from settings import Settings


def cors_headers(settings: Settings, origin: str | None) -> dict[str, str]:
    """Returns the headers by which a page of this origin may read what everyone may read; none if it may not.

    Never Access-Control-Allow-Credentials: what a browser's session or token may read is for no other site.
    """
    if not settings.cors_from or settings.reading != "public":
        return {}
    if settings.cors_from == ("*",):
        return {"Access-Control-Allow-Origin": "*", **EXPOSED}
    if origin not in settings.cors_from:
        return {"Vary": "Origin"}
    return {"Access-Control-Allow-Origin": origin, **EXPOSED, "Vary": "Origin"}


EXPOSED = {"Access-Control-Expose-Headers": "Date, ETag, Retry-After"}
"""What scripts may see besides what they always may."""
PREFLIGHT = {
    "Access-Control-Allow-Methods": "GET, HEAD",
    "Access-Control-Allow-Headers": "If-Modified-Since, If-None-Match, Last-Event-ID",
    "Access-Control-Max-Age": "600",
}
"""Nothing that writes, and no Authorization."""


class Cors(Rights):
    allows_cors = False
    """Whether pages of the sites in CORS_FROM may read this, as it is for a guest."""

    def cors_headers(self) -> dict[str, str]:
        """Returns the headers of CORS. What a member gets has none: only a guest's reply is one for everybody."""
        if not self.allows_cors or self.credential is not None or self.request.method not in ("GET", "HEAD"):
            return {}
        return cors_headers(self.config, self.request.headers.get("Origin"))
