"""Pages for monitors, which send METRICS_TOKEN. The token gives access to nothing else."""

import hmac

from handlers.http.base import Base
from handlers.http.bearer import bearers


class Monitored(Base):
    is_monitor = False

    @property
    def counts_as_reading(self) -> bool:
        return False

    async def identify(self, *, use: bool) -> None:
        """Recognises a monitor, which has no account. No other client is identified here."""
        token = self.config.metrics_token.encode()
        shown = [secret.encode("latin1") for secret in bearers(self.request)]
        self.is_monitor = bool(token) and any(hmac.compare_digest(secret, token) for secret in shown)
