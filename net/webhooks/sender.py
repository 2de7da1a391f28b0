"""Has a courier for each webhook that sends, and keeps how far each one is. The log of changes is the queue."""

import asyncio
from collections.abc import Iterable

from board.live_board import LiveBoard
from net.webhooks.courier import Courier, Desk, with_cursors
from storage.errors import UnavailableError

LOOK_SECONDS = 5.0
"""How often it looks for what another node has changed about webhooks."""
SAVE_SECONDS = 1.0
"""How often the cursors are saved. What was sent since is sent again after a crash."""


class Sender(Desk):
    look_seconds = LOOK_SECONDS

    async def run(self) -> None:
        """Sends until no webhook is left that sends, or until it is cancelled."""
        self.waiters.on_news = self.note
        saving = asyncio.create_task(self.keep_saving())
        try:
            while True:
                self.changed.clear()
                try:
                    if not await self.look():
                        return
                    self.is_waiting = False
                except UnavailableError as error:
                    self.wait_for_storage(error)
                await self.time.wait(self.changed, self.look_seconds)
                if saving.done():
                    await saving
        finally:
            self.waiters.on_news = None
            tasks = [saving, *(courier.task for courier in self.couriers.values())]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self.save()

    async def keep_saving(self) -> None:
        while True:
            await self.to_save.wait()
            await self.time.sleep(SAVE_SECONDS)
            self.to_save.clear()
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
                before = self.unsaved.get(id)
                self.couriers[id] = Courier(self, row if before is None else with_cursors(row, before.webhook))
            self.couriers[id].look()
        return bool(rows)

    def note(self, boards: Iterable[LiveBoard]) -> None:
        """Called by deliver() with the boards that have changed."""
        ids = {board.id for board in boards}
        for courier in self.couriers.values():
            if courier.webhook.board_id in ids:
                courier.news.set()
