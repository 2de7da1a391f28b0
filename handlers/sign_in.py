"""Signing up, in and out: the pages for people, and what they share with the API."""

import asyncio
import contextlib
import dataclasses
import re
from collections.abc import Iterator

from board.account_names import clean_name, clean_username
from board.credentials import hash_secret, new_session
from board.passwords import check_is_text, check_password
from handlers.base import Base, Page
from handlers.errors import RefusedError
from handlers.guessing import admit, asker_of, note_wrong, readable, remember_browser, write_log
from handlers.names import check_is_free
from handlers.rights import Whom
from storage.errors import OutdatedError, UnavailableError
from storage.records import Account, Password

FORM_BYTES = 256 * 1024
"""Large, so that even an absurdly long password is refused with an explanation."""


async def sign_up(
    handler: Base, username: str, password: str, name: str | None, invite: str | None
) -> tuple[Account, Password]:
    """Makes an account. Raises RefusedError, BadTextError, UsernameTakenError, LinkGoneError, BusyError."""
    limits = handler.board.limits
    if limits and (seconds := limits.sign_up_from.take(handler.client_address)):
        raise RefusedError(429, "too_many_tries", "Too many accounts are being made from where you are.", seconds)
    await check_may_sign_up(handler, invite)
    folded = clean_username(username)
    name = clean_name(name or username)
    await check_is_free(handler, folded, name)
    check_password(password, folded, name, handler.config.title)
    _, known = await handler.board.storage.password(folded)
    if known.hash is not None:  # most taken names are found here, before the work of hashing
        raise RefusedError(409, "username_taken", "Somebody has this username already. Please take another.")
    hashed = await handler.board.passwords.hash(password, asker_of(handler))
    used = hash_secret(invite) if invite else None
    account = await handler.board.storage.create_account(folded, name, hashed, used)
    write_log(handler, "signed_up", account.id, "password")
    return account, hashed


async def check_may_sign_up(handler: Base, invite: str | None) -> None:
    """Raises RefusedError, or LinkGoneError for an invitation that is not valid."""
    if handler.config.signup == "closed":
        raise RefusedError(403, "signup_closed", "This board takes no new members.")
    if invite:
        await handler.board.storage.link("invite", hash_secret(invite))
    elif handler.config.signup == "invite":
        raise RefusedError(403, "invite_needed", "You need an invitation to become a member here.")


async def check_sign_in(handler: Base, username: str, password: str) -> tuple[Account, Password]:
    """Returns whose username and password these are, and the verified password, which storage checks again on use.

    An unknown username, a wrong password and an account without one get the same reply. Raises RefusedError,
    BadTextError, BusyError.
    """
    folded = readable(username)
    asker = await admit(handler, folded)
    check_is_text(password)
    board = handler.board
    for _ in range(2):
        account, known = await board.storage.password(folded)
        form = await board.passwords.verify(known, password, asker)
        if form is None or account is None:
            note_wrong(handler, account)
            break
        if account.suspended_at is not None:
            board.account_log.write_failure(account.id, handler.client_address, "suspended")
            raise suspended()
        if board.limits:
            board.limits.guessing.note_right(folded, handler.client_address)
        if not board.passwords.is_outdated(known, form):
            return account, known
        new = await board.passwords.hash(password, dataclasses.replace(asker, known=f"account {account.id}"))
        if await board.storage.upgrade_password(account.id, known, new):
            return account, new
        # The password has changed, or another sign-in has only hashed it again: try once more.
    raise wrong_password()


async def check_own_password(handler: Base, account: Account, password: str) -> Password:
    """Verifies and returns the password of a signed-in member. Raises RefusedError, BadTextError, BusyError."""
    try:
        return (await check_sign_in(handler, account.username, password))[1]
    except RefusedError as refused:
        if refused.code != "wrong_password":
            raise
        raise RefusedError(401, refused.code, "This is not your password.") from None


def wrong_password() -> RefusedError:
    return RefusedError(401, "wrong_password", "This username and password don't belong together.")


def suspended() -> RefusedError:
    return RefusedError(403, "suspended", "This account has been suspended by a moderator.")


@contextlib.contextmanager
def still_right() -> Iterator[None]:
    """Wraps the use of a verified password: if it was changed at that moment, it is refused as wrong."""
    try:
        yield
    except OutdatedError:
        raise wrong_password() from None


async def start_session(
    handler: Base, account: Account, verified: Password | None = None, *, identity_id: int | None = None
) -> None:
    """Makes a new session, after a sign-in by password or Facebook. It replaces one that this browser may have had.

    Raises OutdatedError.
    """
    secret, old = new_session(handler.board.secret), handler.session_secret
    name = browser_name(handler.request.headers.get("User-Agent", ""))
    judged_at = handler.board.credentials.changes
    handler.credential = await handler.board.storage.create_credential(
        account.id,
        "session",
        hash_secret(secret),
        name,
        hash_secret(old) if old else None,
        identity_id=identity_id,
        password=verified,
    )
    handler.judged_at = judged_at
    handler.set_session_cookie(secret)
    write_log(handler, "signed_in", account.id, "password" if identity_id is None else "facebook")
    with contextlib.suppress(UnavailableError):  # the session is saved; the counts remain in memory
        await handler.board.failures.note_sign_in(account.id)
        if verified is not None:
            await remember_browser(handler, account, verified)


def browser_name(user_agent: str) -> str:
    """Returns a short name, enough for members to recognise their own browsers in a list."""
    names = ("Firefox", "Edg", "OPR", "Chrome", "Safari", "curl")
    systems = ("Android", "iPhone", "iPad", "Windows", "Macintosh", "Linux")
    name = next((name for name in names if name in user_agent), "A browser")
    system = next((f" on {system}" for system in systems if system in user_agent), "")
    return {"Edg": "Edge", "OPR": "Opera"}.get(name, name) + system.replace("Macintosh", "Mac")


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
        is_at_home = self.application.names.is_at_home(self.request)
        return self.render(self.template, refused=refused, typed=self.typed, is_at_home=is_at_home)

    def typed(self, name: str) -> str:
        """Returns what was typed into a field. Before that, a link may have filled it in."""
        return self.sent(name, in_query=self.request.method != "POST")

    def write_error_page(self, refused: RefusedError) -> None:
        if self.request.method == "POST" and refused.status_code not in self.ends_with:
            self.show(refused)
        else:
            super().write_error_page(refused)

    def needed(self, name: str) -> str:
        value = self.form(name)
        if value is None:
            raise RefusedError(400, "bad_field", f"“{name}” is missing.")
        return value


class SignUp(FormPage):
    """An invitation's secret is behind the #, so that it is in no proxy's log. static/link.js puts it into the form,
    or the invited person types it. Older links have it in the query.
    """

    template = "signup.html"
    ends_with = (405,)

    def set_default_headers(self) -> None:
        super().set_default_headers()
        self.set_header("Referrer-Policy", "no-referrer")

    async def get(self) -> None:
        invite = self.query("invite")
        if invite or self.config.signup == "closed":
            await check_may_sign_up(self, invite)
        self.show()

    async def post(self) -> None:
        account, hashed = await sign_up(
            self, self.needed("username"), self.needed("password"), self.form("name"), self.form("invite") or None
        )
        await start_session(self, account, hashed)
        self.redirect("/", status=303)


class SignIn(FormPage):
    template = "signin.html"

    async def get(self) -> None:
        self.show()

    async def post(self) -> None:
        account, verified = await check_sign_in(self, self.needed("username"), self.needed("password"))
        with still_right():
            await start_session(self, account, verified)
        self.redirect(safe_next(self.form("next")), status=303)


class SignOut(FormPage):
    """A link to sign out leads to a page with a button: a GET never changes anything."""

    template = "signout.html"

    async def get(self) -> None:
        self.show()

    async def post(self) -> None:
        if self.credential is not None:
            await self.board.storage.revoke_credential(self.credential.account.id, self.credential.id)
            write_log(self, "signed_out", self.credential.account.id, "session")
            self.sign_off()
        self.clear_session_cookie()
        self.redirect("/", status=303)
