"""A provider on the account page: linking, unlinking, and the first page that a new member sees."""

from handlers.accounts.page import AccountPage
from handlers.accounts.sign_in import FormPage, safe_next
from handlers.http.errors import RefusedError
from handlers.login.flow import FlowPage, OfProvider


class Link(FlowPage, AccountPage):
    """Asks for the password again: an open browser is not enough to add a way into an account."""

    for_whom = "members"
    template = "account.html"

    async def post(self) -> None:
        await self.confirm()
        self.begin(account_id=self.caller.member_credential.account.id, next="/account")
        # A page with a link, because form-action forbids redirecting the form to another site.
        await self.render("login_link.html")

    async def get(self) -> None:
        self.redirect("/account")

    def write_error_page(self, refused: RefusedError) -> None:
        AccountPage.write_error_page(self, refused)


class Unlink(OfProvider, AccountPage):
    async def post(self) -> None:
        """Refused if nothing else lets its owner in. Storage checks that."""
        await self.site.unlink(self.caller, self.provider.name, self.typed_password)
        self.again("unlink", provider=self.provider.name)


class NoticeSeen(OfProvider, AccountPage):
    async def post(self) -> None:
        """Hides the notice that an identity was linked, which the member has read. The page still shows the link."""
        await self.site.dismiss_notice(self.caller, self.provider.name)
        self.again()


class Welcome(OfProvider, AccountPage):
    """Lets a new member change the assigned name and username.

    The username can change until there is a password, even one that doesn't count now: before that, nobody signs in
    with it.
    """

    template = "login_welcome.html"

    async def prepare(self) -> None:
        await super().prepare()
        self.check_is_set_up()

    @property
    def is_welcome(self) -> bool:
        """Whether the member came by this provider, and has no password."""
        overview = self.overview
        came_by = [one.provider for one in overview.identities] if overview else []
        return self.provider.name in came_by and not self.keeps_username

    async def get(self) -> None:
        if self.is_welcome:
            await FormPage.show(self)
        else:
            self.redirect("/account")

    async def post(self) -> None:
        if not self.is_welcome:
            raise RefusedError(403, "username_fixed", "An account with a password keeps its username.")
        await self.site.choose_names(self.caller, self.provider.name, self.needed("username"), self.needed("name"))
        next = safe_next(self.form("next"))
        if next == "/account":
            self.again("username")
        else:
            self.redirect(next, status=303)

    def write_error_page(self, refused: RefusedError) -> None:
        if self.overview is None:  # there is nobody to welcome
            self.finish(self.error_page(refused))
        else:
            FormPage.write_error_page(self, refused)
