"""What Facebook itself calls: someone took their permission back, or wants what it gave to be deleted.

Server to server, without a browser: Tornado's cross-origin protection lets pass what has neither Origin nor
Sec-Fetch-Site. What is believed is the signature alone.
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
from handlers.guessing import write_log
from storage.records import NotFoundError

SLACK_SECONDS = 60
"""Facebook's clock may go a little before or after ours."""


class FacebookCall(Base):
    for_whom = "anyone"
    identifies = False  # Facebook calls this; cookies and tokens don't matter

    def signed_request(self) -> tuple[str, SignedRequest]:
        """As it came, and what it says. Raises RefusedError, BadTextError."""
        if self.application.facebook is None:
            raise tornado.web.HTTPError(404)
        text = self.form("signed_request")
        if text is None:
            raise RefusedError(400, "bad_field", "“signed_request” is missing.")
        return text, read_signed_request(text, self.config.facebook_app_secret)

    async def account_id(self, request: SignedRequest) -> int | None:
        """The account that the call is about, if there is one."""
        try:
            identity = await self.board.storage.identity(self.config.facebook_app_id, request.facebook_id)
        except NotFoundError:
            return None
        return identity.account.id

    def log_call(self, event: str, account_id: int | None) -> None:
        """A repeated call finds nobody, and no line is logged."""
        if account_id is not None:
            write_log(self, event, account_id, "facebook")

    @staticmethod
    def before(request: SignedRequest) -> int:
        """In milliseconds. What began after the request was made is not meant by it: it may come late, or again."""
        return 1000 * ((request.issued_at or int(time.time())) + SLACK_SECONDS)


class FacebookDeauthorize(FacebookCall):
    async def post(self) -> None:
        """Ends the sessions that Facebook made. A repeated call, or one about a stranger, is answered alike."""
        _, request = self.signed_request()
        account_id = await self.account_id(request)
        await self.board.storage.deauthorize_identity(
            self.config.facebook_app_id, request.facebook_id, self.before(request)
        )
        self.log_call("facebook_deauthorized", account_id)
        self.write_json({})


class FacebookDelete(FacebookCall):
    async def post(self) -> None:
        """Deletes what Facebook gave, and says where that can be looked up.

        https://developers.facebook.com/docs/development/create-an-app/app-dashboard/data-deletion-callback
        """
        text, request = self.signed_request()
        # The same request has the same code, so that a repeated call leads to the same page.
        code = hmac.new(self.board.secret, b"deletion " + text.encode(), hashlib.sha256).hexdigest()[:24]
        account_id = await self.account_id(request)
        await self.board.storage.erase_identity(
            self.config.facebook_app_id, request.facebook_id, self.before(request), code
        )
        self.log_call("facebook_erased", account_id)
        origin = self.config.public_url or f"http://localhost:{self.config.port}"
        self.write_json({"url": f"{origin}/facebook/deletion?code={code}", "confirmation_code": code})


class FacebookDeletion(FacebookPage):
    """Where people see that their deletion was done. The code says nothing about who they were."""

    async def get(self) -> None:
        self.try_again = ""
        code = self.query("code") or ""
        try:
            at = await self.board.storage.erased_at(code)
        except NotFoundError:
            raise RefusedError(
                404, "not_found", "There is no deletion with this code, or it was over two years ago."
            ) from None
        await self.render("facebook_deletion.html", code=code, when=human(at))
