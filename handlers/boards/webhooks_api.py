"""The webhooks of a board for programs: /api/v1/boards/<slug>/webhooks, one of them, its secret and a test."""

from typing import Any

from board.receivers import shown
from board.wire import iso
from handlers.boards.api import flag
from handlers.boards.webhook_tries import WithWebhooks
from handlers.http.base import Base
from handlers.http.errors import RefusedError
from storage.webhooks import SHAPES, Listed, WebhookChange


def webhook_json(one: Listed) -> dict[str, Any]:
    webhook = one.webhook
    times = {
        name: getattr(webhook, name) for name in ("created_at", "paused_at", "succeeded_at", "failed_at", "next_at")
    }
    return {
        "id": webhook.id,
        "url": webhook.url,
        "shape": webhook.shape,
        "owner": one.username,
        "state": webhook.ended or ("paused" if webhook.paused_at is not None else "on"),
        "behind": one.behind,
        "failures": webhook.failures,
        "error": webhook.error,
        **{name: None if at is None else iso(at) for name, at in times.items()},
    }


class ApiWebhooks(Base):
    async def get(self, slug: str) -> None:
        self.write_json({"webhooks": [webhook_json(one) for one in await self.site.webhooks(self.caller, slug)]})

    async def post(self, slug: str) -> None:
        fields = self.fields()
        url, shape = self.text_field(fields, "url"), self.optional_text(fields, "shape") or SHAPES[0]
        if shape not in SHAPES:
            raise RefusedError(400, "bad_field", "“shape” must be standard or slack.")
        made = await self.site.add_webhook(self.caller, slug, url, shape)
        self.is_done = True
        self.set_status(201)
        self.write_json(webhook_json(made) | {"secret": shown(made.webhook.secret)})


class ApiWebhook(Base):
    async def get(self, slug: str, id: str) -> None:
        self.write_json(webhook_json(await self.site.webhook(self.caller, slug, parsed(id))))

    async def patch(self, slug: str, id: str) -> None:
        fields = self.fields()
        change = WebhookChange(
            url=self.optional_text(fields, "url"),
            is_paused=flag(fields, "paused"),
            skips=bool(flag(fields, "skip")),
        )
        changed = await self.site.change_webhook(self.caller, slug, parsed(id), change)
        self.is_done = True
        self.write_json(webhook_json(changed))

    async def delete(self, slug: str, id: str) -> None:
        await self.site.remove_webhook(self.caller, slug, parsed(id))
        self.is_done = True
        self.set_status(204)


class ApiWebhookSecret(Base):
    async def post(self, slug: str, id: str) -> None:
        secret = await self.site.new_webhook_secret(self.caller, slug, parsed(id))
        self.is_done = True
        self.write_json({"secret": shown(secret)})


class ApiWebhookTest(WithWebhooks):
    async def post(self, slug: str, id: str) -> None:
        outcome = await self.send_test(await self.site.webhook_to_test(self.caller, slug, parsed(id)))
        self.write_json({"error": outcome.error})


def parsed(id: str) -> int:
    """Returns an id, or 0 for what is none: no webhook has that one."""
    return int(id) if id.isascii() and id.isdigit() and len(id) <= 18 else 0
