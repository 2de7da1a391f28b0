"""Who is asking: a token's account, or a session's, or a guest; and from which address."""

import functools
import ipaddress
import logging
import re
from typing import TYPE_CHECKING

from board.credentials import SESSION_SECONDS
from handlers.errors import Refused
from handlers.fields import Fields
from storage.records import Account, Author, Credential

if TYPE_CHECKING:
    from board import Board
    from settings import Settings

log = logging.getLogger("longboard")

_warned: set[str] = set()
"""Warnings that are given once in a process's life."""


class Asking(Fields):
    credential: Credential | None = None
    judged_at = 0
    """Credentials.changes when it was found out who is asking."""
    new_session: str | None = None
    """The secret of the session that this very request has begun or renewed: it counts instead of the cookie's."""
    forgives_old_sessions = False
    """Whether someone whose session has ended may go on here as a guest."""

    if TYPE_CHECKING:

        @property
        def board(self) -> Board: ...
        @property
        def config(self) -> Settings: ...

    @property
    def account(self) -> Account | None:
        return self.credential.account if self.credential else None

    @property
    def may_moderate(self) -> bool:
        """A moderator in person: a bot's token reads and writes, and no more."""
        credential = self.credential
        return credential is not None and credential.account.is_moderator and credential.kind != "bot"

    @property
    def author(self) -> Author | None:
        """Whose name stands under what is posted; None for a guest."""
        return Author(self.account.id, self.account.name) if self.account else None

    async def identify(self, *, use: bool) -> None:
        """Finds out who is asking. A wrong token or session is refused, and never taken for a guest's.

        `use` counts it as a use of the token or session.
        """
        header = self.request.headers.get("Authorization")
        secret = self.new_session or self.get_cookie(self.cookie_name)
        if header is not None:
            self.credential = await self._by_token(header, use)
        elif secret:
            self.credential = await self._by_session(secret, use)
        else:
            self.credential = None
        self.judged_at = self.board.credentials.changes

    @property
    def is_as_judged(self) -> bool:
        """Whether, as far as this process knows, what identify() found is still so."""
        return self.credential is None or self.board.credentials.is_unchanged(
            self.credential.account.id, self.judged_at
        )

    def sign_off(self) -> None:
        """This request has ended its own credential: what it answers is for a guest."""
        self.credential = None

    async def _by_token(self, header: str, use: bool) -> Credential:
        scheme, _, secret = header.partition(" ")
        if scheme.lower() == "bearer":
            credential = await self.board.credentials.find(secret.strip(), use=use)
            if credential is not None and credential.kind in ("token", "bot"):
                return credential
        raise ended("token")

    async def _by_session(self, secret: str, use: bool) -> Credential | None:
        credential = await self.board.credentials.find(secret, use=False)
        if credential is not None and credential.kind == "session":
            if use and self.counts_as_use and self.board.credentials.use(secret):
                self.set_session_cookie(secret)  # the browser's copy lives on as well
            return credential
        if self.forgives_old_sessions:
            self.clear_session_cookie()
            return None
        raise ended("session")

    @property
    def counts_as_use(self) -> bool:
        """Whether this keeps a browser's session alive: a page's polls, which go on by themselves, do not."""
        return True

    # --- the session's cookie

    @property
    def is_secure(self) -> bool:
        return self.config.public_url.startswith("https:")

    @property
    def origin(self) -> str:
        """Where this board is reached, for links that leave it."""
        return self.config.public_url or f"http://{self.request.host}"

    @property
    def cookie_name(self) -> str:
        return "__Host-longboard" if self.is_secure else "longboard"

    def set_session_cookie(self, secret: str) -> None:
        self.new_session = secret
        self.set_cookie(
            self.cookie_name, secret, max_age=SESSION_SECONDS, httponly=True, secure=self.is_secure, samesite="Lax"
        )

    def clear_session_cookie(self) -> None:
        self.clear_cookie(self.cookie_name, httponly=True, secure=self.is_secure, samesite="Lax")

    # --- the client's address

    @property
    def client_address(self) -> str:
        """The client's address as limits count it: IPv6 by /64, which is what one customer has.

        Behind a proxy it is taken from the header that CLIENT_HEADER names, from the right, where the proxy
        itself wrote it; what stands further left anybody can claim.
        """
        name, _, hops = self.config.client_header.partition(":")
        if name:
            entries = self.request.headers.get(name, "").split(",")
            named = parse_address(entries[-min(int(hops or 1), len(entries))].strip())
            if named:
                return named
        elif "X-Forwarded-For" in self.request.headers and "proxy" not in _warned:
            _warned.add("proxy")
            log.warning(
                "Requests come with X-Forwarded-For. If that is your proxy, set CLIENT_HEADER=X-Forwarded-For; "
                "else all clients share one limit."
            )
        return parse_address(self.request.remote_ip or "") or "unknown"


def ended(kind: str) -> Refused:
    """What is said of a credential that is none, or no longer."""
    if kind == "session":
        return Refused(401, "signed_out", "You have been signed out. Please sign in again.")
    return Refused(401, "invalid_token", "This token is not valid, or no longer. Sign in for a new one.")


def parse_address(text: str) -> str | None:
    """None for what is no address."""
    return parse_short(text) if len(text) <= LONGEST_ADDRESS else None


@functools.lru_cache(1000)
def parse_short(text: str) -> str | None:
    """One object for all that comes from there. Some proxies write a port behind it: 192.0.2.1:5678, or [2001:db8::1]:5678."""
    if match := WITH_PORT.fullmatch(text):
        text = match[2] if match[1] is None else match[1]
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped:
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((address.packed[:8] + bytes(8), 64)))
    return str(address)


LONGEST_ADDRESS = 100
"""Characters, with a port and a zone; longer ones need not be remembered."""
WITH_PORT = re.compile(r"(?:\[([^\]]*)\]|([0-9.]+))(?::[0-9]{1,5})?")
