"""Calls from Facebook itself: somebody withdrew their permission, or wants the data from Facebook deleted.

These calls come from a server, not a browser: Tornado's cross-origin protection accepts requests that have neither
Origin nor Sec-Fetch-Site. Only the signature is trusted.
"""

import hashlib
import hmac
import time

import tornado.web

from board.facebook import SignedRequest, read_signed_request
from handlers.articles import human
from handlers.base import Base
from handlers.errors import RefusedError
from handlers.facebook_flow import FacebookPage
from storage.errors import NotFoundError

SLACK_SECONDS = 60
"""Facebook's clock may be a little ahead of ours or behind it."""


class FacebookCall(Base):
    for_whom = "anyone"
    identifies = False  # Facebook calls this; cookies and tokens don't matter

    def signed_request(self) -> tuple[str, SignedRequest]:
        """Returns the signed request as it was sent, and what it says. Raises RefusedError, BadTextError."""
        if self.context.facebook is None:
            raise tornado.web.HTTPError(404)
        text = self.form("signed_request")
        if text is None:
            raise RefusedError(400, "bad_field", "“signed_request” is missing.")
        return text, read_signed_request(text, self.config.facebook_app_secret)

    @staticmethod
    def before(request: SignedRequest) -> int:
        """In milliseconds. The request doesn't apply to anything that began later: it may arrive late, or again."""
        return 1000 * ((request.issued_at or int(time.time())) + SLACK_SECONDS)


class FacebookDeauthorize(FacebookCall):
    async def post(self) -> None:
        """Ends what came from sign-ins by Facebook. A repeated call, or one about a stranger, gets the same reply."""
        _, request = self.signed_request()
        app_id, before = self.config.facebook_app_id, self.before(request)
        await self.site.deauthorize(self.caller, app_id, request.facebook_id, before)
        self.write_json({})


class FacebookDelete(FacebookCall):
    async def post(self) -> None:
        """Deletes what came from Facebook. Replies with the address of a page that confirms it.

        https://developers.facebook.com/docs/development/create-an-app/app-dashboard/data-deletion-callback
        """
        text, request = self.signed_request()
        # The same request always gets the same code, so a repeated call leads to the same page.
        code = hmac.new(self.site.secret, b"deletion " + text.encode(), hashlib.sha256).hexdigest()[:24]
        app_id, before = self.config.facebook_app_id, self.before(request)
        await self.site.erase(self.caller, app_id, request.facebook_id, before, code)
        origin = self.config.public_url or f"http://localhost:{self.config.port}"
        self.write_json({"url": f"{origin}/facebook/deletion?code={code}", "confirmation_code": code})


class FacebookDeletion(FacebookPage):
    """The page where people see that their data was deleted. The code doesn't reveal who they were."""

    async def get(self) -> None:
        self.try_again = ""
        code = self.query("code") or ""
        try:
            at = await self.site.erased_at(code)
        except NotFoundError:
            raise RefusedError(
                404, "not_found", "There is no deletion with this code, or it was over two years ago."
            ) from None
        await self.render("facebook_deletion.html", code=code, when=human(at))
