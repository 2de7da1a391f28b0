"""/metrics, in the format of Prometheus. If several nodes share one socket, each of them answers for all."""

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from handlers.http.errors import RefusedError
from handlers.operations.monitored import Monitored


class Metrics(Monitored):
    for_whom = "anyone"

    async def prepare(self) -> None:
        if not self.config.metrics_token:
            raise RefusedError(404, "not_found", "There is nothing here.")
        await super().prepare()

    async def get(self) -> None:
        if not self.is_monitor:
            raise RefusedError(401, "invalid_token", "This token is not valid. METRICS_TOKEN says which is.")
        self.set_header("Content-Type", CONTENT_TYPE_LATEST)
        siblings = self.context.siblings
        self.finish(await siblings.metrics() if siblings else generate_latest(self.context.registry))
