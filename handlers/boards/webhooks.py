"""The webhooks of a board: the page on which those who moderate it make and change them. Everything is done by forms."""

import asyncio
import contextlib

from board.errors import DeniedError
from board.receivers import shown
from board.said import msgid
from handlers.accounts.page import time_at
from handlers.boards.managing import Managing
from handlers.boards.webhook_tries import WithWebhooks, trouble_of
from handlers.http.errors import RefusedError
from storage.errors import StorageError
from storage.webhooks import MOST_BEHIND, SHAPES, Listed, WebhookChange

ENDED = {
    "gone": msgid("Switched off, because the receiver said that it is gone (status 410)."),
    "failing": msgid("Switched off, because no try has succeeded for a week."),
    "no_right": msgid("Switched off, because the member who switched it on can't read this board any more."),
    "recovered": msgid("Switched off, because the member who switched it on got a new password by a link."),
}


class BoardWebhooks(Managing, WithWebhooks):
    """Each form leads back to the page, unless it has something to show that is shown only once."""

    template = "webhooks.html"
    listed: list[Listed] | tuple[()] = ()
    """Nothing until the page is read."""
    made: tuple[int, str] | None = None
    """A webhook and its new secret, shown once."""
    tested: tuple[int, str | None] | None = None
    """A webhook to which a test event was sent, and what was wrong."""
    id: int | None = None
    """The webhook that a form is about."""

    @property
    def home(self) -> str:
        return f"/b/{self.board.slug}/webhooks"

    async def get(self, slug: str) -> None:
        if self.request.path != self.home and self.board.slug != slug:
            self.redirect(self.home)
            return
        await self.read(slug)
        self.show()

    async def read(self, slug: str) -> None:
        """Reads what the page shows. Raises DeniedError, UnavailableError."""
        self.listed = await self.site.webhooks(self.caller, slug)
        self.place, self.is_read = self.live_place, True

    async def obey(self, slug: str, *id: str) -> None:
        shape = self.chosen("shape", SHAPES) or SHAPES[0]
        made = await self.site.add_webhook(self.caller, slug, self.needed("url"), shape)
        self.made = made.webhook.id, shown(made.webhook.secret)
        await self.show_done(slug)

    async def show_done(self, slug: str) -> None:
        """Shows what is shown only once. The list may have changed since, or can't be read: then only that."""
        self.is_done = True
        with contextlib.suppress(DeniedError, RefusedError, StorageError):
            await self.read(slug)
        self.show()

    def show(self, refused: RefusedError | None = None) -> "asyncio.Future[None]":
        row = self.board.row
        return self.render(
            self.template,
            refused=refused,
            typed=self.typed,
            home=self.home,
            back="/account" if row is None else f"{self.place.home}settings",
            name=row.name if row else self.site.rules.first_name,
            listed=self.listed,
            made=self.made,
            tested=self.tested,
            about=self.id,
            trouble_of=trouble_of,
            ended=ENDED,
            most=MOST_BEHIND,
            time=time_at,
        )


class BoardWebhook(BoardWebhooks):
    """One of them; `act` says what is done."""

    async def get(self, slug: str, id: str) -> None:  # type: ignore[override]
        self.redirect(self.home)

    async def obey(self, slug: str, *id: str) -> None:
        self.id = int(id[0])
        match self.form("act"):
            case "test":
                webhook = await self.site.webhook_to_test(self.caller, slug, self.id)
                self.tested = self.id, trouble_of((await self.send_test(webhook)).error)
                await self.read(slug)
                self.show()
            case "secret":
                self.made = self.id, shown(await self.site.new_webhook_secret(self.caller, slug, self.id))
                await self.show_done(slug)
            case "remove":
                await self.site.remove_webhook(self.caller, slug, self.id)
                self.lead_home("remove")
            case "pause" | "resume" | "change" as act:
                await self.site.change_webhook(self.caller, slug, self.id, self.asked_for(act))
                self.lead_home(act)
            case _:
                raise RefusedError(400, "bad_field", "“act” must be test, pause, resume, change, secret or remove.")

    def asked_for(self, act: str) -> WebhookChange:
        if act == "change":
            return WebhookChange(url=self.needed("url"))
        return WebhookChange(is_paused=act == "pause", skips=self.form("skip") == "yes")

    def lead_home(self, done: str) -> None:
        self.lead(f"{self.home}?done={done}")
