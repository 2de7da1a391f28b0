"""The board's health, for load balancers, monitors and curious people."""

from handlers.operations.monitored import Monitored
from version import VERSION


class Health(Monitored):
    for_whom = "anyone"

    async def status(self, is_storage_ok: bool) -> dict[str, object]:
        waiters = self.site.waiters
        storage = "ok" if is_storage_ok else "unavailable"
        state = "draining" if waiters.draining else "ok"
        status: dict[str, object] = {"status": state, "storage": storage, "version": VERSION}
        if self.config.reading == "public":  # of the first board: not everybody may know of others
            status |= {"parked": waiters.first.parked, "cursor": str(waiters.recent.cursor)}
        if self.is_monitor:  # the address that limits see: `bin/admin doctor` compares it with the real one
            status |= {"parked": waiters.parked, "cursor": str(waiters.recent.cursor), "client": self.client_address}
        return status


class Healthz(Health):
    """Says that polls can be served, which is true even while storage is unavailable."""

    async def get(self) -> None:
        self.write_json(await self.status(await self.site.readiness.can_read()))


class Readyz(Health):
    """503 while storage can't be read or written, or while the server drains. `status` tells which in one word."""

    async def get(self) -> None:
        status = await self.status(
            await self.site.readiness.can_read() and await self.site.readiness.check(for_monitor=self.is_monitor)
        )
        if (status["status"], status["storage"]) != ("ok", "ok"):
            self.set_status(503)
            status["status"] = "unavailable" if status["status"] == "ok" else status["status"]
            self.set_header("Retry-After", "5")
        self.write_json(status)
