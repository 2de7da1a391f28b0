"""A member's picture: the one from a provider of logins, stored and served here, or else their initials."""

import tornado.escape
import tornado.web

from board.signs import first_sign
from handlers.http.base import Base
from handlers.messages.api import parse_id
from storage.people import Picture
from storage.records import Account

HUES = ("#a43", "#850", "#562", "#374", "#177", "#36a", "#75a", "#947")
"""Those of messages.css, by the account's id."""


class MemberPicture(Base):
    for_whom = "members"
    # Even when opened as a page it can do nothing, whatever its bytes pretend to be.
    csp = "default-src 'none'; sandbox; base-uri 'none'; frame-ancestors 'none'"
    counts_as_use = False
    forgives_old_sessions = True

    @property
    def wants_json(self) -> bool:
        return True

    def compute_etag(self) -> str | None:
        etag = tornado.web.RequestHandler.compute_etag(self)
        return etag and f"W/{etag}"

    async def get(self, id: str) -> None:
        found = await self.site.picture(self.caller, parse_id(id))
        picture = initials_of(found) if isinstance(found, Account) else found
        self.set_header("Content-Type", picture.kind)
        self.set_header("Cache-Control", "private, no-cache")  # a deleted picture must not stay on screens
        self.set_header("Cross-Origin-Resource-Policy", "same-origin")
        self.finish(picture.content)


def initials_of(account: Account) -> Picture:
    """Draws the first letters of the first and last word, on the colour that the account's face has beside messages."""
    words = account.name.split()
    letters = "".join(first_sign(word).upper() for word in (words[:1] + words[-1:] if len(words) > 1 else words))
    svg = (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 80 80">'
        f'<rect width="80" height="80" fill="{HUES[account.id % len(HUES)]}"/>'
        '<text x="40" y="52" font-size="32" font-family="system-ui, sans-serif" text-anchor="middle" fill="#fff">'
        f"{tornado.escape.xhtml_escape(letters)}</text></svg>"
    )
    return Picture("image/svg+xml", svg.encode())
