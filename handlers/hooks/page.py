"""The page of a board's incoming webhooks: making, trying, changing and revoking them, by plain forms."""

import asyncio
from urllib.parse import urlencode

from board.payloads import cut
from board.said import msgid
from handlers.accounts.page import time_at
from handlers.boards.managing import Managing
from handlers.hooks.api import address_of, hook_id
from handlers.http.errors import RefusedError
from storage.hooks import Hook
from storage.records import Board

TEST = msgid("This is a test message: what is sent to this incoming webhook is posted here.")


class BoardHooks(Managing):
    template = "board_hooks.html"
    row: Board
    hooks: list[Hook]
    """Set when the page is read."""
    hook_id: int | None = None
    """The webhook that the form is about."""
    page = ""
    """The page's address when the client could read the board. It may have a secret one when the form is done."""

    async def get(self, slug: str, *id: str) -> None:
        page = f"/b/{self.board.slug}/hooks"
        if self.request.path != page and self.site.may_moderate_on(
            self.caller, self.board.row or self.site.first_board
        ):
            self.redirect(page)
            return
        await self.read(slug)
        self.show()

    async def read(self, slug: str) -> None:
        """Reads what the page shows. Raises DeniedError, UnavailableError."""
        self.page = f"/b/{self.board.slug}/hooks"
        self.row, self.hooks = await self.site.hooks(self.caller, slug)
        self.place, self.is_read = self.live_place, True

    async def post(self, slug: str, *id: str) -> None:
        self.page = f"/b/{self.board.slug}/hooks"
        await super().post(slug, *id)

    async def obey(self, slug: str, *id: str) -> None:
        secret, hook = await self.site.make_hook(self.caller, slug, self.needed("name"))
        self.show_address(hook, secret)

    def show_address(self, hook: Hook, secret: str) -> None:
        """On a page with nothing else: it is never shown again, also if the right to see the others has just ended."""
        self.is_done = True
        self.render("board_hook_made.html", address=address_of(self, hook, secret), page=self.page)

    def show(self, refused: RefusedError | None = None) -> "asyncio.Future[None]":
        return self.render(
            self.template,
            refused=refused,
            typed=self.typed,
            board=self.row,
            hooks=self.hooks,
            hook_id=self.hook_id,
            time=time_at,
            page=self.page,
        )


class BoardHook(BoardHooks):
    async def obey(self, slug: str, *id: str) -> None:
        hook = self.hook_id = hook_id(id[0])
        match act := self.form("act"):
            case "test":
                words = cut(self.language.translate(TEST), self.config.message_length)
                await self.site.try_hook(self.caller, slug, hook, words)
            case "renew":
                secret, renewed = await self.site.set_hook(self.caller, slug, hook, renews=True)
                self.show_address(renewed, secret or "")
                return
            case "revoke":
                await self.site.revoke_hook(self.caller, slug, hook)
            case "save":
                drops = self.form("drops_repeats") == "yes"
                await self.site.set_hook(self.caller, slug, hook, name=self.needed("name"), drops_repeats=drops)
            case _:
                raise RefusedError(400, "bad_field", "“act” must be test, renew, revoke or save.")
        self.lead(f"{self.page}?{urlencode({'done': act})}")
