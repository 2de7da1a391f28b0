"""What a live board is, apart from HTTP and SQL: its storage, its waiter list, and its limits."""

import dataclasses

from board.limits import Limit
from board.waiters import WaiterList
from storage import Storage


@dataclasses.dataclass(frozen=True)
class Board:
    storage: Storage
    waiters: WaiterList
    posting: Limit | None
    """How often one address may post; None where limits are off."""

    @classmethod
    async def open(cls, storage: Storage, *, max_parked: int, limits: bool) -> "Board":
        """Raises Unavailable."""
        waiters = await WaiterList.open(storage, max_parked)
        # Roomy: a school or an office may share one address.
        return cls(storage, waiters, Limit(burst=60, seconds=1) if limits else None)
