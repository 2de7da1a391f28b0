"""Whether the board is well: for load balancers, monitors and curious people."""

from handlers.monitored import Monitored


class Health(Monitored):
    for_whom = "anyone"

    async def status(self, is_storage_ok: bool) -> dict[str, object]:
        waiters = self.board.waiters
        storage = "ok" if is_storage_ok else "unavailable"
        status: dict[str, object] = {"status": "draining" if waiters.draining else "ok", "storage": storage}
        if self.config.reading == "public" or self.is_monitor:
            status |= {"parked": waiters.parked, "cursor": str(waiters.recent.cursor)}
        if self.is_monitor:  # whom the limits see: `bin/admin doctor` compares it with who is really asking
            status["client"] = self.client_address
        return status


class Healthz(Health):
    """Polls can be served, even while storage is away."""

    async def get(self) -> None:
        self.write_json(await self.status(await self.board.readiness.can_read()))


class Readyz(Health):
    """503 while nothing can be read or written, or the server drains; `status` says so in a word."""

    async def get(self) -> None:
        status = await self.status(
            await self.board.readiness.can_read() and await self.board.readiness.check(for_monitor=self.is_monitor)
        )
        if (status["status"], status["storage"]) != ("ok", "ok"):
            self.set_status(503)
            status["status"] = "unavailable" if status["status"] == "ok" else status["status"]
            self.set_header("Retry-After", "5")
        self.write_json(status)
