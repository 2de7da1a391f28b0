"""The only way in which a node writes. Waiting posts are committed together, other writes one after the other.

Each transaction takes the board's turn first (take_turn in the migrations), so that only one node writes at a time, and
numbers become visible in their order. A batch of posts is a single statement: the lock, the rows, the news to all nodes
and the commit are one round trip, and a node that dies or is paused can't hold the turn in between.
"""

import asyncio
import collections
import dataclasses
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import asyncpg

from storage.counters import Histogram, seconds
from storage.errors import UnavailableError
from storage.postgres.connection import READ_SECONDS, UnstorableTextError, faults_as_unavailable
from storage.postgres.pools import Connections
from storage.records import FIRST_BOARD
from storage.rows import BESIDE

if TYPE_CHECKING:
    from storage.postgres.connection import Database

T = TypeVar("T")
Unit = Callable[["Database"], Awaitable[Any]]
"""One all-or-nothing piece of writing, run inside a separate transaction."""

MAX_WAITING = 2000
"""Writes that may wait; at about a thousand posts a second, that is a second or two."""
PATIENCE = 5.0
"""Seconds that a write may wait for its turn on this node. After that, it is better to ask the client to try again."""
MAX_BATCH = 256
"""Posts in one transaction, so that the first of them does not wait long for the last, and other nodes for this one."""


@dataclasses.dataclass(frozen=True, slots=True)
class Post:
    """A row for the database function `post_by`, for another board `post_to`, for a reply `post_replies`, or for a guest who
    says something with it `post_guests`; created_at is None for the current time.
    """

    author_id: int | None
    credential_id: int | None
    body: str
    search: str
    key: str | None
    fingerprint: bytes | None
    address: str | None = None
    created_at: int | None = None
    board_id: int = FIRST_BOARD
    reply_to: int | None = None
    guest_name: str | None = None
    secret_hash: bytes | None = None

    @property
    def statement(self) -> str:
        """SQL that posts this and others with the same statement; each parameter is an array with a field of all."""
        if self.guest_name is not None or self.secret_hash is not None:
            return GUESTS
        return REPLIES if self.reply_to is not None else FIRST if self.board_id == FIRST_BOARD else ELSEWHERE


POSTED = "outcome, id, seq, author_id, author_name, body, created_at, edited_at"
"""What the functions return."""
NEW = "NULL AS reactions, NULL AS mentions, NULL AS pinned_at"
"""What no message has when it is posted. Of one that was known, and of one with mentions, this is read in another way."""
FIRST = f"SELECT {POSTED}, NULL::bigint AS reply_to, {NEW}, {BESIDE} FROM post_by($1, $2, $3, $4, $5, $6, $7, $8)"
ELSEWHERE = f"SELECT {POSTED}, NULL::bigint AS reply_to, {NEW}, {BESIDE}, board_id FROM post_to($9, $1, $2, $3, $4, $5, $6, $7, $8)"
REPLIES = (
    f"SELECT {POSTED}, reply_to, {NEW}, {BESIDE}, board_id FROM post_replies($9, $1, $2, $3, $4, $5, $6, $7, $8, $10)"
)
GUESTS = f"SELECT {POSTED}, reply_to, {NEW}, NULL AS beside, board_id FROM post_guests($9, $1, $2, $3, $4, $5, $6, $7, $8, $10, $11, $12)"
PARAMETERS = {FIRST: 8, ELSEWHERE: 9, REPLIES: 10, GUESTS: 12}
"""How many of the fields of a post each statement takes."""


async def post(db: "Database", posts: Sequence[Post]) -> list[asyncpg.Record]:
    """Returns one row for each post, in order: the outcome, and the message. All have the same statement."""
    statement = posts[0].statement
    names = [field.name for field in dataclasses.fields(Post)][: PARAMETERS[statement]]
    columns = [[getattr(one, name) for one in posts] for name in names]
    return await db.fetch(statement, *columns, timeout=READ_SECONDS)


Outcome = tuple[Any, BaseException | None]


@dataclasses.dataclass(slots=True)
class Waiting:
    work: Any
    future: "asyncio.Future[Any]"
    since: float = dataclasses.field(default_factory=time.monotonic)

    def settle(self, value: Any, error: BaseException | None) -> None:
        if self.future.done():  # its task was cancelled
            return
        if error is None:
            self.future.set_result(value)
        else:
            self.future.set_exception(error)


class Writer:
    def __init__(self, connections: Connections) -> None:
        self._connections = connections
        self._posts: dict[str, collections.deque[Waiting]] = {sql: collections.deque() for sql in PARAMETERS}
        """By the statement that posts them."""
        self._units: collections.deque[Waiting] = collections.deque()
        self._task: asyncio.Task[None] | None = None
        self.batches = Histogram(1, 2, 4, 8, 16, 32, 64, 128, MAX_BATCH)
        self.posts = seconds()
        self.is_failing = False
        """Whether the last posts could not be written, through no fault of their own."""

    @property
    def waiting(self) -> int:
        return sum(map(len, self._posts.values())) + len(self._units)

    async def post(self, one: Post) -> asyncpg.Record:
        """Returns the post's row of what post() returned, once the post is on disk. Raises UnavailableError."""
        row: asyncpg.Record = await self._wait(self._posts[one.statement], one)
        return row

    async def write(self, unit: "Callable[[Database], Awaitable[T]]") -> T:
        """Runs the unit, and returns its result once it is on disk.

        Raises what the unit raised, with everything that it did undone, or UnavailableError. If the waiting task is
        cancelled, the unit is still written.
        """
        result: T = await self._wait(self._units, unit)
        return result

    async def close(self) -> None:
        """Writes what still waits, then closes the connection."""
        if self._task is not None:
            await self._task
        await self._connections.close()

    async def _wait(self, queue: "collections.deque[Waiting]", work: object) -> Any:
        if self.waiting >= MAX_WAITING:
            raise UnavailableError(f"{MAX_WAITING} writes are waiting already")
        waiting = Waiting(work, asyncio.get_running_loop().create_future())
        queue.append(waiting)
        if self._task is None:
            self._task = asyncio.create_task(self._write_all())
        return await waiting.future

    async def _write_all(self) -> None:
        """Writes a batch of posts on the first board, one of posts on others, one of replies, one of guests' posts, and
        another unit in turns, so that none makes the others wait for long.
        """
        try:
            while self.waiting:
                for posts in self._posts.values():
                    if batch := take(posts, MAX_BATCH):
                        outcomes = await self._commit_posts([waiting.work for waiting in batch])
                        self._note(outcomes)
                        for waiting, outcome in zip(batch, outcomes, strict=True):
                            waiting.settle(*outcome)
                for waiting in take(self._units, 1):
                    outcome = await self._commit_unit(waiting.work)
                    self._note([outcome])
                    waiting.settle(*outcome)
        finally:
            self._task = None

    def _note(self, outcomes: Sequence[Outcome]) -> None:
        self.is_failing = any(isinstance(error, UnavailableError) for _, error in outcomes)

    async def _commit_posts(self, posts: Sequence[Post]) -> list[Outcome]:
        self.batches.add(len(posts))
        try:
            async with faults_as_unavailable(), self._connections.acquire() as db:
                return [(row, None) for row in await post(db, posts)]
        except Exception as error:
            if len(posts) == 1 or (isinstance(error, UnavailableError) and not isinstance(error, UnstorableTextError)):
                return [(None, error)] * len(posts)
        # PostgreSQL can't store one of them, and has stored none.
        return [(await self._commit_posts([one]))[0] for one in posts]

    async def _commit_unit(self, unit: Unit) -> Outcome:
        self.batches.add(1)
        try:
            async with (
                faults_as_unavailable(),
                self._connections.acquire() as db,
                db.transaction(),
            ):
                await db.execute("SELECT take_turn()")
                return await unit(db), None
        except Exception as error:
            return None, error


def take(queue: "collections.deque[Waiting]", most: int) -> list[Waiting]:
    """Takes the next `most` from the queue. Refuses those that have waited for too long."""
    taken: list[Waiting] = []
    oldest = time.monotonic() - PATIENCE
    while queue and len(taken) < most:
        waiting = queue.popleft()
        if waiting.since < oldest:
            waiting.settle(None, UnavailableError(f"it waited for {PATIENCE:.0f} s"))
        else:
            taken.append(waiting)
    return taken
