"""The pages for signing up, in and out."""

import asyncio
import re

from board.said import msgid, said
from board.site.sign_in import Session
from handlers.accounts.known_browser import read_browser, remember_browser
from handlers.http.base import Page
from handlers.http.errors import RefusedError
from handlers.http.form_field import field_of
from handlers.http.rights import Whom
from storage.people import Identity
from storage.records import Account, Password

FORM_BYTES = 256 * 1024
"""Large, so that even an absurdly long password is refused with an explanation."""


UNKNOWN = msgid("A browser")


def browser_name(user_agent: str) -> str:
    """Returns a short name, enough for members to recognise their own browsers in a list."""
    names = ("Firefox", "Edg", "OPR", "Chrome", "Safari", "curl")
    systems = ("Android", "iPhone", "iPad", "Windows", "Macintosh", "Linux")
    name = next((name for name in names if name in user_agent), UNKNOWN)
    system = next((f" on {system}" for system in systems if system in user_agent), "")
    return {"Edg": "Edge", "OPR": "Opera"}.get(name, name) + system.replace("Macintosh", "Mac")


def browser_said(name: str) -> str:
    """Returns such a name, as it was kept with a session, for the language of a page."""
    browser, is_on, system = name.partition(" on ")
    which = said(UNKNOWN) if browser == UNKNOWN else browser
    return said("%(browser)s on %(system)s", browser=which, system=system) if is_on else which


def safe_next(text: str | None) -> str:
    """Returns where to go afterwards: always a path on this board, whatever somebody put into the link."""
    return text if text and re.fullmatch(r"/(?![/\\])[!-\[\]-~]*", text) else "/"


class FormPage(Page):
    """A page with a form. After a refusal it shows the same form, what was typed, and the reason."""

    for_whom: Whom = "anyone"
    takes_tokens = False
    forgives_old_sessions = True
    max_body = FORM_BYTES
    template: str
    ends_with: tuple[int, ...] = (405, 410)
    """Statuses of refusals after which the form is useless."""

    def show(self, refused: RefusedError | None = None) -> "asyncio.Future[None]":
        is_at_home = self.context.names.is_at_home(self.request)
        return self.render(self.template, refused=refused, typed=self.typed, is_at_home=is_at_home)

    def typed(self, name: str) -> str:
        """Returns what was typed into a field. Before that, a link may have filled it in."""
        return self.sent(name, in_query=self.request.method != "POST")

    def field_of(self, refused: RefusedError) -> str | None:
        """Returns the name of the field that a refusal is about; None if it is about the whole form."""
        return field_of(refused, self.request.body_arguments)

    def write_error_page(self, refused: RefusedError) -> None:
        if self.request.method == "POST" and refused.status_code not in self.ends_with:
            self.show(refused)
        else:
            super().write_error_page(refused)

    async def start_session(
        self, account: Account, verified: Password | None = None, *, identity: Identity | None = None
    ) -> None:
        """Signs somebody in who has just proved to own the account. Raises OutdatedError, NotAllowedError."""
        name, old = self.browser_name, self.session_secret
        self.set_session(
            await self.site.start_session(self.caller, account, verified, name=name, replaces=old, identity=identity)
        )

    def set_session(self, session: Session) -> None:
        """Goes on in this session, and lets the browser keep it."""
        self.credential, self.judged_at = session.credential, session.judged_at
        self.set_session_cookie(session.secret)
        if session.browser is not None:
            remember_browser(self, session.credential.account.username, session.browser)

    @property
    def browser_name(self) -> str:
        """The name of a session in this browser."""
        return browser_name(self.request.headers.get("User-Agent", ""))

    def needed(self, name: str) -> str:
        value = self.form(name)
        if value is None:
            raise RefusedError(400, "bad_field", said("“%(name)s” is missing.", name=name))
        return value


class SignUp(FormPage):
    """An invitation's secret is behind the #, so that it is in no proxy's log. static/js/link.js puts it into the form,
    or the invited person types it. Older links have it in the query. The owner's link has `owner` there: then the page
    asks for an invitation, even if SIGNUP is open or closed.
    """

    template = "signup.html"
    ends_with = (405,)

    def set_default_headers(self) -> None:
        super().set_default_headers()
        self.set_header("Referrer-Policy", "no-referrer")

    async def get(self) -> None:
        invite = self.query("invite")
        if invite or (self.config.signup == "closed" and self.query("owner") is None):
            await self.site.check_may_sign_up(invite)
        self.show()

    async def post(self) -> None:
        username, password, invite = self.needed("username"), self.needed("password"), self.form("invite") or None
        if self.query("owner") is not None and not invite:  # or one would become a mere member
            raise RefusedError(403, "invite_needed", "Type in what stands behind # in the owner's link.")
        account, hashed = await self.site.sign_up(self.caller, username, password, self.form("name"), invite)
        await self.start_session(account, hashed)
        self.redirect("/", status=303)


class SignIn(FormPage):
    template = "signin.html"

    async def get(self) -> None:
        self.show()

    async def post(self) -> None:
        username, password, name = self.needed("username"), self.needed("password"), self.browser_name
        browser, old = read_browser(self, username), self.session_secret
        self.set_session(
            await self.site.sign_in(self.caller, username, password, name=name, replaces=old, browser=browser)
        )
        self.redirect(safe_next(self.form("next")), status=303)


class SignOut(FormPage):
    """A link to sign out leads to a page with a button: a GET never changes anything."""

    template = "signout.html"

    async def get(self) -> None:
        self.show()

    async def post(self) -> None:
        if self.credential is not None:
            await self.site.sign_out(self.caller)
            self.sign_off()
        self.clear_session_cookie()
        self.redirect("/", status=303)
