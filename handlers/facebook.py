"""Log in with Facebook: the way there, the way back, and linking it to an existing account.

An answer from Facebook is accepted only with an id. That id within this app identifies an account; e-mail never does.
"""

import dataclasses
import logging
import urllib.parse
from typing import Any

from board.account_names import name_from_elsewhere
from board.facebook import ID
from handlers.errors import RefusedError
from handlers.facebook_client import describe
from handlers.facebook_flow import INVITE_COOKIE, FacebookPage, Flow, lost_flow
from handlers.messages import check_is_still
from storage.records import Identity

log = logging.getLogger("longboard")

LONGEST_PICTURE_URL = 1000
"""Longer URLs don't fit into the cookie; the picture is then fetched at the next sign-in."""


@dataclasses.dataclass(frozen=True)
class Person:
    """The person who came back, as Facebook describes them."""

    id: str
    name: str
    picture_url: str | None
    """None if Facebook shows only the silhouette for people without a picture; "" if it is unknown."""


class FacebookStart(FacebookPage):
    """Where the button leads. It is a link: a form would not work, because form-action covers redirects too."""

    async def get(self) -> None:
        kept = self.get_cookie(INVITE_COOKIE, "")
        elsewhere = self.request.host != urllib.parse.urlsplit(self.own_origin).netloc
        if elsewhere and not self.query("moved"):
            # The cookie must be set where Facebook sends people back to. Once only: a proxy may hide the real Host.
            query = "&".join(filter(None, (self.request.query, "moved=1", kept and f"invite={kept}")))
            self.redirect(f"{self.own_origin}{self.start}?{query}")
            return
        if self.request.headers.get("Sec-Fetch-Site", "none") not in ("same-origin", "none"):
            # Another site's page has led here. Facebook may sign people in without asking, so require a click here.
            typed = {"next": self.query("next") or "/"} | ({"invite": i} if (i := self.query("invite")) else {})
            self.render("facebook_start.html", go=f"/facebook/start?{urllib.parse.urlencode(typed)}")
            return
        if kept:
            self.clear_cookie(INVITE_COOKIE, path=self.start)
        invite = urllib.parse.unquote(kept) or self.query("invite")
        self.go(self.begin(next=self.query("next") or "/", invite=invite))


class FacebookContinue(FacebookPage):
    """Continues linking, from the page that its form has led to."""

    async def get(self) -> None:
        flow = self.flow()
        if flow is None or flow.account_id is None:
            self.redirect("/account")
        else:
            self.go(flow)


class FacebookSignIn(FacebookPage):
    """Signs in the person who came back, once it is certain that they want this."""

    async def sign_in(self, flow: Flow, person: Person) -> None:
        app_id = self.config.facebook_app_id
        identity = await self.site.identity(app_id, person.id)
        if is_new := identity is None:
            self.try_again = "/signin"
            identity = await self.site.join(self.caller, "facebook", app_id, person.id, person.name, flow.invite)
        await self.site.recognise(self.caller, identity, person.name)
        await self.keep_picture(identity, person)
        await self.start_session(identity.account, identity=identity)
        self.leave(f"/facebook/welcome?{urllib.parse.urlencode({'next': flow.next})}" if is_new else flow.next)

    async def keep_picture(self, identity: Identity, person: Person) -> None:
        picture = await self.facebook.picture(person.picture_url, self.visit) if person.picture_url else None
        if picture or person.picture_url is None:  # a picture that could not be fetched now may be fetched next time
            await self.site.set_picture(identity, picture)

    def leave(self, path: str) -> None:
        """Redirects with a fragment. Without one, browsers would keep the `#_=_` that Facebook adds."""
        self.redirect(path if "#" in path else f"{path}#", status=303)


class FacebookCallback(FacebookSignIn):
    async def get(self) -> None:
        self.site.limits.sign_in_from.check(self.client_address)
        flow = await self.take_flow()
        code = self.code()
        with self.facebook.visit() as self.visit:
            person = await self.ask(code)
            if flow.account_id is None and await self.is_somebody_else(person):
                self.ask_whether_to_switch(flow, person)
            elif flow.account_id is None:
                await self.sign_in(flow, person)
            else:
                await self.link(flow.account_id, person)

    def code(self) -> str:
        """Returns the code that Facebook sends after a yes. Raises RefusedError after a no or an error at Facebook.

        https://developers.facebook.com/docs/facebook-login/guides/advanced/manual-flow (Canceled Login)
        """
        if self.query("error") == "access_denied":
            raise RefusedError(403, "facebook_denied", "You cancelled at Facebook, so nothing was done.")
        code = self.query("code")
        if not code or self.query("error") or self.query("error_code"):
            log.warning("Facebook sent somebody back with an error, and without a code.")
            raise failed()
        return code

    async def ask(self, code: str) -> Person:
        """Asks Facebook who this is. Raises RefusedError."""
        try:
            user = await self.get_authenticated_user(
                redirect_uri=self.redirect_uri,
                client_id=self.config.facebook_app_id,
                client_secret=self.config.facebook_app_secret,
                code=code,
            )
            return read_person(user)
        except Exception as error:  # Tornado's mixin fails in many ways on an invalid answer
            log.warning("Facebook did not answer as it should: %s", describe(error))
            raise failed() from None

    # --- signing in with Facebook

    async def is_somebody_else(self, person: Person) -> bool:
        """Whether this browser is signed in to another account than this person's. If so, the page asks first."""
        if self.account is None:
            return False
        identity = await self.site.identity(self.config.facebook_app_id, person.id)
        return identity is None or identity.account.id != self.account.id

    def ask_whether_to_switch(self, flow: Flow, person: Person) -> None:
        url = person.picture_url if len(person.picture_url or "") <= LONGEST_PICTURE_URL else ""
        self.begin(
            next=flow.next, invite=flow.invite, person=dataclasses.asdict(dataclasses.replace(person, picture_url=url))
        )
        self.render("facebook_switch.html", name=person.name, next=flow.next)

    # --- linking Facebook

    async def link(self, account_id: int, person: Person) -> None:
        """Links Facebook to the account. Raises RefusedError, IdentityTakenError."""
        if self.account is None or self.account.id != account_id:
            raise RefusedError(
                403, "other_account", "You are no longer signed in as the one who began this. Nothing was linked."
            )
        app_id = self.config.facebook_app_id
        identity = await self.site.link(self.caller, "facebook", app_id, person.id, person.name)
        await self.keep_picture(identity, person)
        self.leave("/account")


class FacebookSwitch(FacebookSignIn):
    """Takes the answer to “You are quinn here: go on as Grace?”"""

    async def get(self) -> None:
        self.redirect("/")

    async def post(self) -> None:
        flow = self.flow()
        if flow is None or flow.person is None:
            raise lost_flow()
        if self.account is not None:
            check_is_still(self, self.form("as"))
        self.may_begin_anew(flow)
        await self.use_up(flow)
        with self.facebook.visit() as self.visit:
            await self.sign_in(flow, Person(**flow.person))


def read_person(user: Any) -> Person:
    """Reads Facebook's answer. Raises ValueError if it has no id, because it then identifies nobody."""
    id = user.get("id") if isinstance(user, dict) else None
    if not isinstance(id, str) or not ID.fullmatch(id):
        raise ValueError("no id")
    return Person(id, name_from_elsewhere(user.get("name")), picture_url(user.get("picture")))


def picture_url(picture: Any) -> str | None:
    data = picture.get("data") if isinstance(picture, dict) else None
    if not isinstance(data, dict) or data.get("is_silhouette") is True:
        return None
    url = data.get("url")
    return url if isinstance(url, str) and url.isascii() and url.isprintable() else None


def failed() -> RefusedError:
    words = "Facebook doesn't answer as it should just now. Nothing was done; please try again in a moment."
    return RefusedError(502, "facebook_failed", words)
