"""Files for browsers and search engines: the web app's manifest, its icon, and robots.txt."""

import json

from board.scopes import GUESTS
from handlers.http.base import Base
from handlers.http.static import ROOT, static_url

PAPER = "#f8f4ec"
ICON = (ROOT / "static" / "icon-192.png").read_bytes()


class File(Base):
    """A file that costs nothing to make: it is not counted as reading."""

    @property
    def counts_as_reading(self) -> bool:
        return False


class Manifest(File):
    """How the board looks when somebody adds it to a phone's home screen."""

    forgives_old_sessions = True

    async def get(self) -> None:
        svg = {"src": static_url("icon.svg"), "sizes": "any", "type": "image/svg+xml"}
        pngs = [
            {"src": static_url(f"icon-{size}.png"), "sizes": f"{size}x{size}", "type": "image/png", "purpose": purpose}
            for size in (192, 512)
            for purpose in ("any", "maskable")
        ]
        manifest = {
            "name": self.config.title,
            "short_name": self.config.title,
            "id": "/",
            "start_url": "/",
            "display": "standalone",
            "background_color": PAPER,
            "theme_color": PAPER,
            "icons": [svg, *pngs],
        }
        self.set_header("Content-Type", "application/manifest+json")
        self.finish(json.dumps(manifest))


class Icon(File):
    """For clients that request an icon without reading the page. It is the same for every board."""

    for_whom = "anyone"
    identifies = False

    async def get(self) -> None:
        self.set_header("Content-Type", "image/png")
        self.set_header("Cache-Control", "public, max-age=86400")
        self.finish(ICON)


class Robots(File):
    """Search engines may read what everyone may read, but not forms and searches, which are of no use to them."""

    for_whom = "anyone"
    identifies = False

    async def get(self) -> None:
        closed = ["/search", "/get", "/add", "/signin", "/signup", "/account"]
        if self.site.waiters.directory.listed(GUESTS, 1):  # where there is one board, its addresses are all
            closed += ["/boards/new", *(f"/b/*/{name}" for name in ("search", "get", "add"))]
        rules = closed if self.config.reading == "public" else ["/"]
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        self.finish("User-agent: *\n" + "".join(f"Disallow: {path}\n" for path in rules))
