"""Whoever watches the board from outside shows METRICS_TOKEN; it opens nothing else."""

import hmac

from handlers.base import Base


class Watching(Base):
    is_watcher = False

    async def identify(self, *, use: bool) -> None:
        """A watcher is nobody's account. Raises Refused."""
        scheme, _, secret = self.request.headers.get("Authorization", "").partition(" ")
        token = self.config.metrics_token
        if token and scheme.lower() == "bearer" and hmac.compare_digest(secret.strip().encode(), token.encode()):
            self.is_watcher = True
        else:
            await super().identify(use=use)
