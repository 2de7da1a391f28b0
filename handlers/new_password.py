"""Sets a new password by a one-time link."""

from board.credentials import hash_secret
from board.passwords import check_password
from handlers.guessing import asker_of, write_log
from handlers.sign_in import FormPage, start_session


class NewPassword(FormPage):
    """The page of the one-time link that `bin/admin password` makes.

    The link's secret is behind the #, so that it is in no proxy's log and no Referer. Older links have it in the query.
    Somebody else may have taken over the account, so all ways in end: Facebook, too, unless the member keeps it.
    """

    template = "password.html"

    def set_default_headers(self) -> None:
        super().set_default_headers()
        self.set_header("Referrer-Policy", "no-referrer")

    async def get(self) -> None:
        if link := self.query("link"):
            await self.board.storage.link("password", hash_secret(link))
        self.show()

    async def post(self) -> None:
        hash = hash_secret(self.needed("link"))
        account = await self.board.storage.link("password", hash)
        password = self.needed("password")
        names = (account.username, account.name) if account else ()
        check_password(password, *names, self.config.title)
        hashed = await self.board.passwords.hash(password, asker_of(self))
        spare = ["facebook"] if self.form("facebook") == "keep" else ()
        account = await self.board.storage.use_password_link(hash, hashed, spare=spare)
        write_log(self, "password_link_used", account.id, "link")
        await start_session(self, account, hashed)
        self.redirect("/account?done=password", status=303)
