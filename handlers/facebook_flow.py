"""The way to Facebook and back. A flow says why a browser went there; it belongs to that browser, for one return.

It is kept in a signed cookie. Facebook gets only `state`, 32 random bytes, and must send them back: the return of
another browser, or a recorded one, doesn't match. The cookie is Lax, because browsers would not send a Strict cookie on
the way back.
"""

import dataclasses
import json
import secrets
import urllib.parse
from collections.abc import Callable
from typing import Any, cast

import tornado.web
from tornado.auth import FacebookGraphMixin

from handlers.errors import RefusedError
from handlers.facebook_client import FacebookClient, Visit
from handlers.sign_in import FormPage, safe_next
from storage.errors import LinkGoneError

FLOW_SECONDS = 600
INVITE_COOKIE = "longboard-invite"
"""Carries an invitation, to /facebook/start only, because queries end up in logs. static/js/link.js sets it, too."""
LONGEST_NEXT = 500
"""Longer paths don't fit into a cookie; they are replaced by the front page."""
SCOPE = ["public_profile"]
FIELDS = "id,name,picture.width(160).height(160)"


@dataclasses.dataclass(frozen=True)
class Flow:
    """Why a browser went to Facebook: to sign in, or to link Facebook to the account with this id.

    If there is a person, the browser has come back, and the page asks whether to continue as that person.
    """

    state: str
    next: str
    invite: str | None = None
    account_id: int | None = None
    person: dict[str, Any] | None = None


class FacebookPage(FacebookGraphMixin, FormPage):
    """A page that exists only where Facebook is set up."""

    template = "facebook_problem.html"
    start = "/facebook/start"
    try_again = start
    """The address for trying again."""

    @property
    def facebook(self) -> FacebookClient:
        assert self.context.facebook is not None
        return self.context.facebook

    def set_default_headers(self) -> None:
        super().set_default_headers()
        self.set_header("Referrer-Policy", "no-referrer")  # the address may contain a code or a state

    async def prepare(self) -> None:
        await super().prepare()
        if self.context.facebook is None:
            raise tornado.web.HTTPError(404)
        # The mixin's own three addresses have no version.
        self._OAUTH_AUTHORIZE_URL = f"{self.facebook.site}/dialog/oauth?"
        self._OAUTH_ACCESS_TOKEN_URL = f"{self.facebook.graph}/oauth/access_token?"
        self._FACEBOOK_BASE_URL = self.facebook.graph

    # --- Tornado's mixin, changed in two places

    visit: Visit

    def get_auth_http_client(self) -> Any:
        return self.visit

    async def facebook_request(self, path: str, *arguments: Any, **args: Any) -> Any:
        """Requests only the needed fields: the mixin has some that Facebook no longer has, which would be an error."""
        if "fields" in args:
            args["fields"] = FIELDS
        return await super().facebook_request(path, *arguments, **args)

    # --- there and back

    @property
    def own_origin(self) -> str:
        """Never taken from the Host header, which the client writes. Facebook accepts http for localhost only."""
        return self.config.public_url or f"http://localhost:{self.config.port}"

    @property
    def redirect_uri(self) -> str:
        return f"{self.own_origin}/facebook/callback"

    @property
    def flow_cookie(self) -> str:
        return f"{self.cookie_name}-facebook"

    def begin(
        self,
        *,
        account_id: int | None = None,
        next: str = "/",
        invite: str | None = None,
        person: dict[str, Any] | None = None,
    ) -> Flow:
        """Stores in the browser why it goes to Facebook. A later flow replaces an earlier one."""
        next = safe_next(next if len(next) <= LONGEST_NEXT else None)
        flow = Flow(secrets.token_urlsafe(32), next, (invite or "")[:100] or None, account_id, person)
        self.set_signed_cookie(
            self.flow_cookie,
            json.dumps(dataclasses.asdict(flow)),
            expires_days=None,
            max_age=FLOW_SECONDS,
            httponly=True,
            secure=self.is_secure,
            samesite="Lax",
        )
        return flow

    def go(self, flow: Flow) -> None:
        self.authorize_redirect(
            redirect_uri=self.redirect_uri,
            client_id=self.config.facebook_app_id,
            scope=SCOPE,
            extra_params={"state": flow.state},
        )

    def flow(self) -> Flow | None:
        """Returns the flow that this browser began in the last ten minutes, or None."""
        value = self.get_signed_cookie(self.flow_cookie, max_age_days=FLOW_SECONDS / 86_400, min_version=2)
        return Flow(**json.loads(value)) if value else None

    async def take_flow(self) -> Flow:
        """Returns the flow with which this browser comes back, and uses it up. Raises RefusedError."""
        flow, state = self.flow(), self.query("state") or ""
        if flow is None or not secrets.compare_digest(flow.state.encode(), state.encode(errors="replace")):
            raise lost_flow()
        if flow.account_id:
            self.try_again = "/account"
        else:
            self.may_begin_anew(flow)
        await self.use_up(flow)
        return flow

    def may_begin_anew(self, flow: Flow) -> None:
        """Prepares for trying again. An invitation goes into a cookie, because addresses end up in logs."""
        self.try_again = f"{self.start}?{urllib.parse.urlencode({'next': flow.next})}"
        if flow.invite:
            self.set_cookie(
                INVITE_COOKIE,
                urllib.parse.quote(flow.invite),
                path=self.start,
                max_age=FLOW_SECONDS,
                httponly=True,
                secure=self.is_secure,
                samesite="Lax",
            )

    async def use_up(self, flow: Flow) -> None:
        """Marks the state as used. Raises RefusedError if it was used before."""
        self.clear_cookie(self.flow_cookie, httponly=True, secure=self.is_secure, samesite="Lax")
        try:
            await self.site.use_once(flow.state, FLOW_SECONDS)
        except LinkGoneError:
            raise lost_flow() from None

    # --- pages

    def write_error_page(self, refused: RefusedError) -> None:
        self.render("facebook_problem.html", refused=refused, again=self.try_again)

    def head(self, *arguments: str) -> Any:
        """Not allowed, so that HEAD never uses up a state."""
        return cast(Callable[..., Any], self._unimplemented_method)()


def lost_flow() -> RefusedError:
    words = "This way back from Facebook was used already, took too long, or began in another browser."
    return RefusedError(400, "facebook_state", words)
