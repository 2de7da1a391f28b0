"""The way to a provider and back. A flow says why a browser went there; it belongs to that browser, for one return.

It is kept in a signed cookie. The provider gets only `state`, 32 random bytes, and must send them back: the return of
another browser, or a recorded one, doesn't match. The cookie is Lax, because browsers would not send a Strict cookie on
the way back.
"""

import dataclasses
import hmac
import json
import logging
import secrets
import urllib.parse
from collections.abc import Callable
from typing import Any, cast

import tornado.web

from board.said import said
from board.turns import BusyError
from handlers.accounts.sign_in import FormPage, safe_next
from handlers.http.base import Base
from handlers.http.errors import RefusedError
from storage.errors import LinkGoneError

log = logging.getLogger("longboard")

FLOW_SECONDS = 600
INVITE_COOKIE = "longboard-invite"
"""Carries an invitation, to the start only, because queries end up in logs. static/js/link.js sets it, too."""
LONGEST_NEXT = 500
"""Bytes in the cookie, which browsers keep only up to 4,096. A longer path is replaced by the front page."""
LONGEST_INVITE = 100
"""Bytes there, too. No invitation is longer, so a longer text is replaced by another that is refused as well."""


@dataclasses.dataclass(frozen=True)
class Flow:
    """Why a browser went to a provider: to sign in, or to link an identity to the account with this id.

    If there is a person, the browser has come back, and the page asks whether to continue as that person.
    """

    state: str
    next: str
    invite: str | None = None
    account_id: int | None = None
    person: dict[str, Any] | None = None


class OfProvider(Base):
    """A handler that each provider has."""

    def initialize(self, provider: str) -> None:
        self.provider = self.context.providers[provider]

    def check_is_set_up(self) -> None:
        if not self.provider.app_id:
            raise tornado.web.HTTPError(404)


class FlowPage(OfProvider, FormPage):
    """A page on the way. It exists only where the provider is set up."""

    template = "login_problem.html"
    try_again: str | None = None
    """The address for trying again; None for the start."""

    @property
    def start(self) -> str:
        return f"/{self.provider.name}/start"

    def set_default_headers(self) -> None:
        super().set_default_headers()
        self.set_header("Referrer-Policy", "no-referrer")  # the address may contain a code or a state

    async def prepare(self) -> None:
        await super().prepare()
        self.check_is_set_up()

    @property
    def flow_cookie(self) -> str:
        return f"{self.cookie_name}-{self.provider.name}"

    def begin(
        self,
        *,
        account_id: int | None = None,
        next: str = "/",
        invite: str | None = None,
        person: dict[str, Any] | None = None,
    ) -> Flow:
        """Stores in the browser why it goes to the provider. A later flow replaces an earlier one."""
        next = safe_next(next if fits(next, LONGEST_NEXT) else None)
        invite = invite if fits(invite or "", LONGEST_INVITE) else "too long"
        flow = Flow(secrets.token_urlsafe(32), next, invite or None, account_id, person)
        self.set_signed_cookie(
            self.flow_cookie,
            as_json(dataclasses.asdict(flow)),
            expires_days=None,
            max_age=FLOW_SECONDS,
            httponly=True,
            secure=self.is_secure,
            samesite="Lax",
        )
        return flow

    def flow(self) -> Flow | None:
        """Returns the flow that this browser began in the last ten minutes, or None."""
        value = self.get_signed_cookie(self.flow_cookie, max_age_days=FLOW_SECONDS / 86_400, min_version=2)
        return Flow(**json.loads(value)) if value else None

    def returning_flow(self) -> Flow:
        """Returns the flow with which this browser comes back. Raises RefusedError."""
        flow, state = self.flow(), self.query("state") or ""
        if flow is None or not secrets.compare_digest(flow.state.encode(), state.encode(errors="replace")):
            raise self.lost_flow()
        if flow.account_id:
            self.try_again = "/account"
        else:
            self.may_begin_anew(flow)
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

    def proof(self, flow: Flow) -> str:
        """Returns a secret that belongs to this flow. It is on no way that the state takes."""
        return hmac.digest(self.site.secret, b"login " + flow.state.encode(), "sha256").hex()

    async def use_up(self, flow: Flow) -> None:
        """Marks the state as used. Raises RefusedError if it was used before."""
        self.clear_cookie(self.flow_cookie, httponly=True, secure=self.is_secure, samesite="Lax")
        try:
            await self.site.use_once(flow.state, FLOW_SECONDS)
        except LinkGoneError:
            raise self.lost_flow() from None

    async def go(self, flow: Flow) -> None:
        """Sends the browser to the provider. Raises RefusedError."""
        try:
            url = await self.provider.way_there(flow.state, self.proof(flow))
        except BusyError:
            raise
        except Exception as error:  # an answer can be invalid in many ways
            raise self.failed(f"did not say where to go: {self.provider.describe(error)}") from None
        self.redirect(url)

    def failed(self, why: str) -> RefusedError:
        """Logs the provider's failure, and returns its refusal."""
        label = self.provider.label
        log.warning("%s %s", label, why)
        words = said(
            "%(provider)s doesn't answer as it should just now. Nothing was done; please try again in a moment.",
            provider=label,
        )
        return RefusedError(502, f"{self.provider.name}_failed", words)

    def lost_flow(self) -> RefusedError:
        words = said(
            "This way back from %(provider)s was used already, took too long, or began in another browser.",
            provider=self.provider.label,
        )
        return RefusedError(400, f"{self.provider.name}_state", words)

    # --- pages

    def get_template_namespace(self) -> dict[str, Any]:
        return {**super().get_template_namespace(), "provider": self.provider}

    def write_error_page(self, refused: RefusedError) -> None:
        again = self.start if self.try_again is None else self.try_again
        self.render("login_problem.html", refused=refused, again=again)

    def head(self, *arguments: str) -> Any:
        """Not allowed, so that HEAD never uses up a state."""
        return cast(Callable[..., Any], self._unimplemented_method)()


def as_json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def fits(text: str, most: int) -> bool:
    """Whether the text has at most so many bytes in the cookie of a flow, where quotes take two."""
    return len(as_json(text).encode(errors="replace")) <= most
