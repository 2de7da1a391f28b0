"""Sets a new password by a one-time link."""

from handlers.accounts.sign_in import FormPage


class NewPassword(FormPage):
    """The page of the one-time link that `bin/admin password` makes.

    The link's secret is behind the #, so that it is in no proxy's log and no Referer. Older links have it in the query.
    Somebody else may have taken over the account, so all ways in end: identities, too, unless the member keeps them.
    """

    template = "password.html"

    def set_default_headers(self) -> None:
        super().set_default_headers()
        self.set_header("Referrer-Policy", "no-referrer")

    async def get(self) -> None:
        self.site.check_passwords()
        if link := self.query("link"):
            await self.site.password_link(link)
        self.show()

    async def post(self) -> None:
        link, password = self.needed("link"), self.needed("password")
        spare = [name for name in self.context.providers if self.form(name) == "keep"]
        account, hashed = await self.site.use_password_link(self.caller, link, password, spare=spare)
        await self.start_session(account, hashed)
        self.redirect("/account?done=password", status=303)
