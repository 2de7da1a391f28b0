"""Authentication: a request comes from a token's owner, a session's owner or a guest. Also the client's address."""

from typing import Any

from tornado.httputil import HTTPServerRequest
from tornado.web import Application

from board.caller import Caller
from board.credentials import SESSION_SECONDS, is_made_here
from board.site import Site
from handlers.http.bearer import is_misplaced, may_have_token, our_token
from handlers.http.context import Context
from handlers.http.errors import RefusedError
from handlers.http.fields import Fields
from handlers.http.forwarded import entry
from handlers.http.hosts import HEALTH, split_host
from net.addresses import parse_address
from net.logs import warn_once
from settings import Settings
from storage.records import Account, Credential


class Authentication(Fields):
    credential: Credential | None = None
    judged_at = 0
    """The value of Credentials.changes when the credential was looked up."""
    is_done = False
    """Whether what was asked for is on disk, by a transaction that judged the right. The reply says so whatever has
    changed since, and has nothing but what the client sent: a refusal would mean that nothing was kept."""
    new_session: str | None = None
    """The secret of a session that this request has begun or renewed. It is used instead of the cookie's secret."""
    secret: str | None = None
    """The credential's secret."""
    identifies = True
    """Whether the reply depends on who sent the request."""
    takes_tokens = True
    """Whether a token is accepted here as well as a browser's session."""
    forgives_old_sessions = False
    """Whether a client whose session has ended may continue here as a guest."""

    def __init__(self, application: Application, request: HTTPServerRequest, **kwargs: Any) -> None:
        self.context: Context = application.settings["context"]
        super().__init__(application, request, **kwargs)

    @property
    def site(self) -> Site:
        return self.context.site

    @property
    def config(self) -> Settings:
        return self.context.config

    @property
    def account(self) -> Account | None:
        return self.credential.account if self.credential else None

    @property
    def caller(self) -> Caller:
        return Caller(self.credential, self.client_address)

    async def identify(self, *, use: bool) -> None:
        """Finds out who sent the request. A wrong token or an ended session is refused, and never treated as a guest.

        `use` counts this as a use of the token or session. Raises RefusedError, UnavailableError.
        """
        self.credential, self.secret = await self.find_credential(use)
        self.judged_at = self.site.credentials.changes

    async def find_credential(self, use: bool) -> tuple[Credential | None, str | None]:
        """Returns the credential and its secret. Raises RefusedError, UnavailableError."""
        if not self.identifies:
            return None, None
        if self.takes_tokens and may_have_token(self.request):
            if (token := our_token(self.request)) is not None:
                return await self._by_token(token, use), token
            if is_misplaced(self.request):
                raise RefusedError(
                    401, "invalid_token", "This token was sent in another way. Send it as “Authorization: Bearer lb_…”."
                )
        return await self._by_session(use)

    @property
    def is_as_judged(self) -> bool:
        """Whether the result of identify() is still right, as far as this process knows."""
        if self.is_done or self.credential is None:
            return True
        return self.site.credentials.is_unchanged(self.credential.account.id, self.judged_at)

    def sign_off(self) -> None:
        """Makes the reply one for a guest, after the request has ended its own credential."""
        self.credential = None

    async def _by_token(self, secret: str, use: bool) -> Credential:
        credential = await self.site.credentials.find(secret, use=use)
        if credential is None or credential.kind not in ("token", "bot"):
            raise ended("token")
        return credential

    async def _by_session(self, use: bool) -> tuple[Credential | None, str | None]:
        """Ignores cookies that this board never set: they may belong to another board on the same host."""
        cookies = {name: self.get_cookie(name) for name in self.cookie_names}
        if self.new_session:
            cookies = {self.cookie_name: self.new_session}
        ended_names = []
        for name, secret in cookies.items():
            if not secret:
                continue
            credential = await self.site.credentials.find(secret, use=False)
            if credential is not None and credential.kind == "session":
                if use and self.counts_as_use and self.site.credentials.use(secret):
                    self.secret = secret
                    self.set_session_cookie(secret)  # so that the browser keeps its copy longer, too
                return credential, secret
            if credential is not None or self.is_made_here(secret):
                ended_names.append(name)
        if ended_names and not self.forgives_old_sessions:
            raise ended("session")
        for name in ended_names:
            self._clear(name)
        return None, None

    def is_made_here(self, session: str) -> bool:
        return is_made_here(self.site.secret, session) or self.site.credentials.was_replaced(session)

    @property
    def counts_as_use(self) -> bool:
        """Whether this keeps a browser's session alive. A page's polls do not, because they continue by themselves."""
        return True

    @property
    def session_secret(self) -> str | None:
        """The secret of the browser's session, if the request was authenticated by one."""
        is_session = self.credential is not None and self.credential.kind == "session"
        return (self.new_session or self.secret) if is_session else None

    # --- the session's cookie

    @property
    def is_secure(self) -> bool:
        return self.config.public_url.startswith("https:")

    @property
    def origin(self) -> str:
        """The board's own origin, for links that are used outside the board."""
        return self.config.public_url or f"http://{self.request.host}"

    @property
    def cookie_name(self) -> str:
        """Contains the port that the browser sees: cookies ignore ports, so two boards on one host need two names."""
        name, port = self.plain_cookie_name, split_host(self.origin.partition("://")[2])[1]
        return f"{name}-{port}" if port else name

    @property
    def plain_cookie_name(self) -> str:
        return "__Host-longboard" if self.is_secure else "longboard"

    @property
    def cookie_names(self) -> tuple[str, ...]:
        """The name of the session's cookie, and the older name without the port."""
        return tuple(dict.fromkeys((self.cookie_name, self.plain_cookie_name)))

    def set_session_cookie(self, secret: str) -> None:
        self.new_session = secret
        self.set_cookie(
            self.cookie_name, secret, max_age=SESSION_SECONDS, httponly=True, secure=self.is_secure, samesite="Lax"
        )
        self._clear_others()

    def clear_session_cookie(self) -> None:
        self._clear(self.cookie_name)
        self._clear_others()

    def _clear_others(self) -> None:
        """Deletes a cookie with the old name if it belongs to the session that has just been used."""
        for name in self.cookie_names[1:]:
            if self.secret and self.get_cookie(name) == self.secret:
                self._clear(name)

    def _clear(self, name: str) -> None:
        self.clear_cookie(name, httponly=True, secure=self.is_secure, samesite="Lax")

    # --- the client's address

    @property
    def client_address(self) -> str:
        """The client's address as limits count it: IPv6 by /64, which is what one customer has.

        Behind a proxy it is read from the header that CLIENT_HEADER names.
        """
        named = self.config.client_header
        if named:
            if address := parse_address(entry(self.request.headers, named, "for")):
                return address
            if self.request.path not in HEALTH:
                warn_once("client", "CLIENT_HEADER is %s, but requests come without an address in it.", named)
        elif "X-Forwarded-For" in self.request.headers:
            warn_once(
                "proxy",
                "Requests come with X-Forwarded-For. If that is your proxy, set CLIENT_HEADER=X-Forwarded-For; "
                "else all clients share one limit.",
            )
        return parse_address(self.request.remote_ip or "") or "unknown"


def ended(kind: str) -> RefusedError:
    """Returns the refusal for a credential that is unknown or has ended."""
    if kind == "session":
        return RefusedError(401, "signed_out", "You have been signed out. Please sign in again.")
    return RefusedError(401, "invalid_token", "This token is not valid, or no longer. Sign in for a new one.")
