"""What the sender of webhooks knows of time."""

import asyncio
import time


class Time:
    """Tests have another one, which they hold."""

    def monotonic(self) -> float:
        return time.monotonic()

    def now_ms(self) -> int:
        return round(time.time() * 1000)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def wait(self, event: asyncio.Event, seconds: float) -> None:
        """Waits for the event, but no longer than this."""
        try:
            async with asyncio.timeout(seconds):
                await event.wait()
        except TimeoutError:
            pass
