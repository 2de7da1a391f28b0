"""Whether the board is well: for load balancers, monitors and curious people."""

from typing import Any

from handlers.base import Base
from storage.records import Unavailable


class Health(Base):
    for_whom = "anyone"

    async def status(self) -> dict[str, object]:
        try:
            await self.board.storage.before(None, 1)
            storage = "ok"
        except Unavailable:
            storage = "unavailable"
        waiters = self.board.waiters
        status: dict[str, object] = {"status": "draining" if waiters.draining else "ok", "storage": storage}
        if self.config.reading == "public" or self.account is not None:
            status |= {"parked": waiters.parked, "cursor": str(waiters.recent.cursor)}
        return status

    def head(self) -> Any:
        return self.get()


class Healthz(Health):
    """Polls can be served, even while storage is away."""

    async def get(self) -> None:
        self.write_json(await self.status())


class Readyz(Health):
    """503 while storage is away or the server drains."""

    async def get(self) -> None:
        status = await self.status()
        if (status["status"], status["storage"]) != ("ok", "ok"):
            self.set_status(503)
            self.set_header("Retry-After", "5")
        self.write_json(status)
