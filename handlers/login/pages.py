"""Logging in by a provider: the way there, the way back, and linking an identity to an existing account.

An answer from the provider is accepted only with an id. That id within the board's app identifies an account; e-mail
never does.
"""

import dataclasses
import urllib.parse

from board.said import said
from handlers.http.errors import RefusedError
from handlers.login.flow import INVITE_COOKIE, Flow, FlowPage, fits
from handlers.login.provider import Person
from handlers.messages.api import check_is_still
from net.outgoing import Visit
from storage.people import Identity

LONGEST_PICTURE_URL = 1000
"""Bytes in the cookie. Longer URLs don't fit into the cookie; the picture is then fetched at the next sign-in."""


class LoginStart(FlowPage):
    """Where the button leads. It is a link: a form would not work, because form-action covers redirects too."""

    async def get(self) -> None:
        kept, origin = self.get_cookie(INVITE_COOKIE, ""), self.provider.origin
        elsewhere = self.request.host != urllib.parse.urlsplit(origin).netloc
        if elsewhere and not self.query("moved"):
            # The cookie must be set where the provider sends people back to. Once only: a proxy may hide the real Host.
            query = "&".join(filter(None, (self.request.query, "moved=1", kept and f"invite={kept}")))
            self.redirect(f"{origin}{self.start}?{query}")
            return
        if self.request.headers.get("Sec-Fetch-Site", "none") not in ("same-origin", "none"):
            # Another site's page has led here. The provider may sign people in without asking, so require a click here.
            typed = {"next": self.query("next") or "/"} | ({"invite": i} if (i := self.query("invite")) else {})
            self.render("login_start.html", go=f"{self.start}?{urllib.parse.urlencode(typed)}")
            return
        if kept:
            self.clear_cookie(INVITE_COOKIE, path=self.start)
        invite = urllib.parse.unquote(kept) or self.query("invite")
        flow = self.begin(next=self.query("next") or "/", invite=invite)
        await self.go(flow)


class LoginContinue(FlowPage):
    """Continues linking, from the page that its form has led to."""

    async def get(self) -> None:
        flow = self.flow()
        if flow is None or flow.account_id is None:
            self.redirect("/account")
        else:
            await self.go(flow)


class LoginSignIn(FlowPage):
    """Signs in the person who came back, once it is certain that they want this."""

    async def sign_in(self, visit: Visit, flow: Flow, person: Person) -> None:
        provider = self.provider
        identity = await self.site.identity(provider.name, provider.app_id, person.id)
        if is_new := identity is None:
            self.try_again = "/signin"
            identity = await self.site.join(
                self.caller, provider.name, provider.app_id, person.id, person.name, flow.invite
            )
        await self.site.recognise(self.caller, identity, person.name)
        if not is_new:
            await self.site.use_owner_link(self.caller, identity.account, flow.invite)
        await self.keep_picture(visit, identity, person)
        await self.start_session(identity.account, identity=identity)
        welcome = f"/{provider.name}/welcome?{urllib.parse.urlencode({'next': flow.next})}"
        self.leave(welcome if is_new else flow.next)

    async def keep_picture(self, visit: Visit, identity: Identity, person: Person) -> None:
        picture = await self.provider.picture(visit, person.picture_url) if person.picture_url else None
        if picture or person.picture_url is None:  # a picture that could not be fetched now may be fetched next time
            await self.site.set_picture(identity, picture)

    def leave(self, path: str) -> None:
        """Redirects with a fragment. Without one, browsers would keep the one that a provider may have added."""
        self.redirect(path if "#" in path else f"{path}#", status=303)


class LoginCallback(LoginSignIn):
    counts_as_reading = False  # but as a try to sign in

    async def get(self) -> None:
        """Only what belongs to a flow of this browser is counted: any page can send people here, as an image does."""
        flow = self.returning_flow()
        self.site.limits.sign_in_from.check(self.client_address)
        with self.provider.outgoing.visit() as visit:  # first: who is told to try again later can do so
            await self.use_up(flow)
            code = self.code()
            person = await self.ask(visit, code, self.proof(flow))
            if flow.account_id is None and await self.is_somebody_else(person):
                self.ask_whether_to_switch(flow, person)
            elif flow.account_id is None:
                await self.sign_in(visit, flow, person)
            else:
                await self.link(visit, flow.account_id, person)

    def code(self) -> str:
        """Returns the code that the provider sends after a yes. Raises RefusedError after a no or an error there.

        RFC 6749, 4.1.2
        """
        if self.query("error") == "access_denied":
            words = said("You cancelled at %(provider)s, so nothing was done.", provider=self.provider.label)
            raise RefusedError(403, f"{self.provider.name}_denied", words)
        code = self.query("code")
        if not code or self.query("error") or self.query("error_code"):
            raise self.failed("sent somebody back with an error, and without a code.")
        return code

    async def ask(self, visit: Visit, code: str, proof: str) -> Person:
        """Asks the provider who this is. Raises RefusedError."""
        try:
            return await self.provider.person(visit, code, proof)
        except Exception as error:  # an answer can be invalid in many ways
            raise self.failed(f"did not answer as it should: {self.provider.describe(error)}") from None

    # --- signing in

    async def is_somebody_else(self, person: Person) -> bool:
        """Whether this browser is signed in to another account than this person's. If so, the page asks first."""
        if self.account is None:
            return False
        identity = await self.site.identity(self.provider.name, self.provider.app_id, person.id)
        return identity is None or identity.account.id != self.account.id

    def ask_whether_to_switch(self, flow: Flow, person: Person) -> None:
        url = person.picture_url if fits(person.picture_url or "", LONGEST_PICTURE_URL) else ""
        self.begin(
            next=flow.next, invite=flow.invite, person=dataclasses.asdict(dataclasses.replace(person, picture_url=url))
        )
        self.render("login_switch.html", name=person.name, next=flow.next)

    # --- linking

    async def link(self, visit: Visit, account_id: int, person: Person) -> None:
        """Links the identity to the account. Raises RefusedError, IdentityTakenError."""
        if self.account is None or self.account.id != account_id:
            raise RefusedError(
                403, "other_account", "You are no longer signed in as the one who began this. Nothing was linked."
            )
        provider = self.provider
        identity = await self.site.link(self.caller, provider.name, provider.app_id, person.id, person.name)
        await self.keep_picture(visit, identity, person)
        self.leave("/account")


class LoginSwitch(LoginSignIn):
    """Takes the answer to “You are quinn here: go on as Grace?”"""

    async def get(self) -> None:
        self.redirect("/")

    async def post(self) -> None:
        flow = self.flow()
        if flow is None or flow.person is None:
            raise self.lost_flow()
        if self.account is not None:
            check_is_still(self, self.form("as"))
        self.may_begin_anew(flow)
        with self.provider.outgoing.visit() as visit:
            await self.use_up(flow)
            await self.sign_in(visit, flow, Person(**flow.person))
