"""What Facebook calls by itself, and the page where people see that their data was deleted (docs/facebook.md)."""

import hashlib
import hmac
import time

from handlers.http.errors import RefusedError
from handlers.login.facebook import read_signed_request
from handlers.login.flow import FlowPage, OfProvider
from storage.errors import NotFoundError

SLACK_SECONDS = 60
"""Facebook's clock may be a little ahead of ours or behind it."""


class FacebookCall(OfProvider):
    """A call from Facebook itself: somebody withdrew their permission, or wants the data from Facebook deleted.

    It comes from a server, not a browser: Tornado's cross-origin protection accepts requests that have neither Origin
    nor Sec-Fetch-Site. Only the signature is trusted.
    """

    for_whom = "anyone"
    identifies = False  # Facebook calls this; cookies and tokens don't matter

    def signed_request(self) -> tuple[str, str, int]:
        """Returns the signed request as it was sent, whom it is about, and a time in milliseconds: it doesn't apply to
        anything that began later, because it may arrive late, or again. Raises RefusedError.
        """
        self.check_is_set_up()
        text = self.form("signed_request")
        if text is None:
            raise RefusedError(400, "bad_field", "“signed_request” is missing.")
        id, issued_at = read_signed_request(text, self.config.facebook_app_secret)
        return text, id, 1000 * ((issued_at or int(time.time())) + SLACK_SECONDS)


class FacebookDeauthorize(FacebookCall):
    async def post(self) -> None:
        """Ends what came from sign-ins by Facebook. A repeated call, or one about a stranger, gets the same reply."""
        _, id, before = self.signed_request()
        await self.site.deauthorize(self.caller, self.provider.name, self.provider.app_id, id, before)
        self.write_json({})


class FacebookDelete(FacebookCall):
    async def post(self) -> None:
        """Deletes what came from Facebook. Replies with the address of a page that confirms it.

        https://developers.facebook.com/docs/development/create-an-app/app-dashboard/data-deletion-callback
        """
        text, id, before = self.signed_request()
        # The same request always gets the same code, so a repeated call leads to the same page.
        code = hmac.new(self.site.secret, b"deletion " + text.encode(), hashlib.sha256).hexdigest()[:24]
        await self.site.erase(self.caller, self.provider.name, self.provider.app_id, id, before, code)
        self.write_json({"url": f"{self.provider.origin}/facebook/deletion?code={code}", "confirmation_code": code})


class FacebookDeletion(FlowPage):
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
        await self.render("facebook_deletion.html", code=code, when=self.language.human(at))
