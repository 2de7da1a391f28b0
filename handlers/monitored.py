"""Whoever monitors the board from outside shows METRICS_TOKEN; it opens nothing else."""

import hmac

from handlers.base import Base


class Monitored(Base):
    is_monitor = False

    @property
    def counts_as_reading(self) -> bool:
        return False

    async def identify(self, *, use: bool) -> None:
        """A monitor is nobody's account. Raises Refused."""
        scheme, _, secret = self.request.headers.get("Authorization", "").partition(" ")
        token = self.config.metrics_token
        if token and scheme.lower() == "bearer" and hmac.compare_digest(secret.strip().encode(), token.encode()):
            self.is_monitor = True
        else:
            await super().identify(use=use)
