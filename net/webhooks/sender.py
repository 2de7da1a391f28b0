"""Has a courier for each webhook that sends, and keeps how far each one is. The log of changes is the queue."""

import asyncio
from collections.abc import Iterable

from board.live_board import LiveBoard
from net.webhooks.courier import Courier, Desk
from storage.errors import UnavailableError

LOOK_SECONDS = 5.0
"""How often it looks for what another node has changed about webhooks."""
SAVE_SECONDS = 1.0
"""How often the cursors are saved. What was sent since is sent again after a crash."""


class Sender(Desk):
    async def run(self) -> None:
        """Sends until no webhook is left that sends, or until it is cancelled."""
        self.waiters.on_news = self.note
        try:
            while True:
                self.changed.clear()
                try:
                    if not await self.look():
                        return
                    self.is_waiting = False
                except UnavailableError as error:
                    self.wait_for_storage(error)
                await self.time.wait(self.changed, LOOK_SECONDS)
                if self.unsaved:
                    await self.time.sleep(SAVE_SECONDS)
                    await self.save()
        finally:
            self.waiters.on_news = None
            tasks = [courier.task for courier in self.couriers.values()]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self.save()

    async def look(self) -> bool:
        """Begins and ends couriers, as the webhooks are now. Returns whether there are any."""
        rows = {row.id: row for row in await self.storage.sending_webhooks()}
        for id, courier in list(self.couriers.items()):
            if id not in rows or courier.task.done():
                self.drop(courier)
        for id, row in rows.items():
            if id in self.couriers:
                self.couriers[id].take(row)
            else:
                self.couriers[id] = Courier(self, row)
            self.couriers[id].look()
        return bool(rows)

    def note(self, boards: Iterable[LiveBoard]) -> None:
        """Called by deliver() with the boards that have changed."""
        ids = {board.id for board in boards}
        for courier in self.couriers.values():
            if courier.webhook.board_id in ids:
                courier.news.set()
