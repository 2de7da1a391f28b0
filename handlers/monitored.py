"""Whoever monitors the board from outside shows METRICS_TOKEN; it opens nothing else."""

import hmac

from handlers.base import Base
from handlers.bearer import bearers


class Monitored(Base):
    is_monitor = False

    @property
    def counts_as_reading(self) -> bool:
        return False

    async def identify(self, *, use: bool) -> None:
        """A monitor has no account, and no other client is identified here."""
        token = self.config.metrics_token.encode()
        shown = [secret.encode("latin1") for secret in bearers(self.request)]
        self.is_monitor = bool(token) and any(hmac.compare_digest(secret, token) for secret in shown)
