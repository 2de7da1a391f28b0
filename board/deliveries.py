"""deliver(): one read at a time, however many ask for one."""

import abc
import asyncio
import logging
import time

from storage.errors import UnavailableError

log = logging.getLogger("longboard")


class Deliveries(abc.ABC):
    _reading: asyncio.Task[bool] | None = None
    _again: asyncio.Task[bool] | None = None
    _is_behind = False

    @abc.abstractmethod
    async def _catch_up(self, began: float) -> None:
        """Reads all that is new. Raises UnavailableError."""

    @abc.abstractmethod
    def _give_up(self) -> None:
        """Called when a read has failed."""

    async def deliver(self) -> bool:
        """Reads the newly committed changes and resolves every poll that lacks them.

        Waits for a read that began after the call, and returns whether it succeeded.
        """
        return await asyncio.shield(self._begin())

    def _begin(self) -> asyncio.Task[bool]:
        """Returns a read that has not begun yet."""
        if self._again is not None:  # it was asked for already
            return self._again
        if self._reading is not None and not self._reading.done():
            self._again = asyncio.create_task(self._read_after(self._reading))
            return self._again
        self._reading = asyncio.create_task(self._read())
        return self._reading

    async def _read_after(self, running: asyncio.Task[bool]) -> bool:
        await asyncio.wait([running])
        self._reading, self._again = self._again, None
        return await self._read()

    async def _read(self) -> bool:
        try:
            await self._catch_up(time.monotonic())
        except UnavailableError as error:
            if not self._is_behind:  # logged once, however often it is tried
                log.warning("New messages could not be read, trying again until they can: %s", error)
            self._is_behind = True
            self._give_up()
            return False
        if self._is_behind:
            log.info("New messages can be read again.")
        self._is_behind = False
        return True
