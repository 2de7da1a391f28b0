"""/metrics, in the format of Prometheus. If several nodes share one socket, each of them answers for all."""

from handlers.http.errors import RefusedError
from handlers.operations.monitored import Monitored


class Metrics(Monitored):
    for_whom = "anyone"

    async def prepare(self) -> None:
        if not self.context.exposition:
            raise RefusedError(404, "not_found", "There is nothing here.")
        await super().prepare()

    async def get(self) -> None:
        if not self.is_monitor:
            raise RefusedError(401, "invalid_token", "This token is not valid. METRICS_TOKEN says which is.")
        assert self.context.exposition
        self.set_header("Content-Type", self.context.exposition.content_type)
        self.finish(await self.context.exposition.text())
