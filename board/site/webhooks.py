"""What a site does with the webhooks of a board: lists, makes, changes and removes them, for those who moderate the board."""

import contextlib
from collections.abc import Iterator

from board.caller import Caller
from board.errors import DeniedError
from board.receivers import clean_url, new_secret
from board.said import msgid
from board.site.boards import Boards, finding_board
from storage.errors import NotFoundError
from storage.webhooks import Listed, Webhook, WebhookChange

NO_WEBHOOK = msgid("There is no such outgoing webhook on this board.")


@contextlib.contextmanager
def finding_webhook() -> Iterator[None]:
    """What storage does not find here is a webhook, or a board that has just ended for the caller. Raises DeniedError."""
    try:
        yield
    except NotFoundError:
        raise DeniedError("no_such_webhook", NO_WEBHOOK) from None


class Webhooks(Boards):
    async def webhooks(self, caller: Caller, slug: str) -> list[Listed]:
        """Raises DeniedError, NotAllowedError."""
        board = await self.board_to_moderate(caller, slug)
        with finding_board():
            return await self.storage.webhooks_on(board.id, caller.asker)

    async def webhook(self, caller: Caller, slug: str, id: int) -> Listed:
        """Raises DeniedError, NotAllowedError."""
        for one in await self.webhooks(caller, slug):
            if one.webhook.id == id:
                return one
        raise DeniedError("no_such_webhook", NO_WEBHOOK)

    async def add_webhook(self, caller: Caller, slug: str, url: str, shape: str) -> Listed:
        """Makes a webhook that is the caller's: it sends what the caller may read there. Raises DeniedError,
        TooManyWebhooksError, NotAllowedError.
        """
        credential, board = await self._moderate(caller, slug)
        url = clean_url(url, to_loopback=self.rules.webhooks_to_loopback)
        with finding_board():
            made = await self.storage.add_webhook(credential.account, credential.id, board.id, url, shape, new_secret())
        self.webhook_news.set()
        return made

    async def change_webhook(self, caller: Caller, slug: str, id: int, change: WebhookChange) -> Listed:
        """Raises DeniedError, NotAllowedError."""
        credential, board = await self._moderate(caller, slug)
        if change.url is not None:
            url = clean_url(change.url, to_loopback=self.rules.webhooks_to_loopback)
            change = change._replace(url=url)
        with finding_webhook():
            changed = await self.storage.change_webhook(credential.account, credential.id, board.id, id, change)
        self.webhook_news.set()
        return changed

    async def new_webhook_secret(self, caller: Caller, slug: str, id: int) -> bytes:
        """Gives a webhook another secret, and returns it. The one before signs for another day. Raises DeniedError."""
        secret = new_secret()
        await self.change_webhook(caller, slug, id, WebhookChange(secret=secret))
        return secret

    async def remove_webhook(self, caller: Caller, slug: str, id: int) -> None:
        """Raises DeniedError, NotAllowedError."""
        credential, board = await self._moderate(caller, slug)
        with finding_webhook():
            await self.storage.remove_webhook(credential.account, credential.id, board.id, id)
        self.webhook_news.set()

    async def webhook_to_test(self, caller: Caller, slug: str, id: int) -> Webhook:
        """Returns a webhook to which a test event is sent now, and counts that. Raises DeniedError, NotAllowedError."""
        await self._moderate(caller, slug)
        return (await self.webhook(caller, slug, id)).webhook
