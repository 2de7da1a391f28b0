"""A board's incoming webhooks for programs: the list, making one, changing and revoking it."""

from typing import Any

from board.wire import iso
from handlers.boards.api import flag
from handlers.http.base import Base
from handlers.http.fields import is_id
from storage.errors import NoSuchHookError
from storage.hooks import Hook


def hook_json(hook: Hook, address: str | None = None) -> dict[str, Any]:
    """`address` is where it takes posts, if it has a new secret: that is told only then."""
    return {
        "id": hook.id,
        "name": hook.account.name,
        "username": hook.account.username,
        "created_at": iso(hook.created_at),
        "last_used_at": None if hook.last_used_at is None else iso(hook.last_used_at),
        "drops_repeats": hook.drops_repeats,
    } | ({} if address is None else {"url": address})


def address_of(handler: Base, hook: Hook, secret: str) -> str:
    return f"{handler.origin}/hooks/{hook.id}/{secret}"


def hook_id(text: str) -> int:
    """Raises NoSuchHookError for what no webhook has as its number."""
    if not is_id(text):
        raise NoSuchHookError(text)
    return int(text)


class ApiHooks(Base):
    async def get(self, slug: str) -> None:
        _, hooks = await self.site.hooks(self.caller, slug)
        self.write_json({"hooks": [hook_json(hook) for hook in hooks]})

    async def post(self, slug: str) -> None:
        secret, hook = await self.site.make_hook(self.caller, slug, self.text_field(self.fields(), "name"))
        self.is_done = True
        self.set_status(201)
        self.write_json(hook_json(hook, address_of(self, hook, secret)))


class ApiHook(Base):
    async def patch(self, slug: str, id: str) -> None:
        fields = self.fields()
        said: dict[str, Any] = {
            "name": self.optional_text(fields, "name"),
            "drops_repeats": flag(fields, "drops_repeats"),
            "renews": flag(fields, "new_secret") or False,
        }
        secret, hook = await self.site.set_hook(self.caller, slug, hook_id(id), **said)
        self.is_done = True
        self.write_json(hook_json(hook, None if secret is None else address_of(self, hook, secret)))

    async def delete(self, slug: str, id: str) -> None:
        await self.site.revoke_hook(self.caller, slug, hook_id(id))
        self.is_done = True
        self.set_status(204)
