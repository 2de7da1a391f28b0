"""On the account page: addresses of feeds with a secret."""

from handlers.accounts.page import AccountPage


class AccountFeeds(AccountPage):
    async def post(self) -> None:
        secret, _ = await self.site.make_feed(self.caller, self.needed("board"), self.typed_password)
        self.made_feed = f"{self.origin}/feed?key={secret}"
        await self.show_secret()
