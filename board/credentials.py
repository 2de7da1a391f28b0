"""Finds out who a secret belongs to. Sessions and tokens are looked up in memory, and read from storage at most once a
minute.

A secret is 32 random bytes; storage has its SHA-256, so someone who reads the database can't sign in with it. The time
of a credential's last use is kept here and written to storage now and then.
"""

import base64
import collections
import dataclasses
import hashlib
import hmac
import math
import secrets
import time
from collections.abc import Callable, Iterable

from storage import Storage
from storage.errors import NotFoundError, UnavailableError
from storage.records import Credential

TOKEN_PREFIX = "lb_"  # noqa: S105 (it is there to be recognised, by people and by scanners for leaked secrets)
DAY_SECONDS = 86_400
SESSION_SECONDS = 7 * DAY_SECONDS
"""A browser's session ends when it has not been used for this time."""
BOT_SECONDS = 365 * DAY_SECONDS
"""A bot's token ends when it has not been used for this time: nobody remembers it any more."""
FRESH_SECONDS = 60
"""How long a credential that was read from storage is trusted. A revocation is noticed at once, by deliver()."""
AWAY_SECONDS = 900
"""How long it is trusted while storage can't be read. What is shown then comes from memory, and nothing is written."""
MAX_KNOWN = 50_000
"""The most cached credentials, and the most accounts whose last change is remembered."""


def new_secret(prefix: str = "") -> str:
    return prefix + secrets.token_urlsafe(32)


def new_session(board_secret: bytes) -> str:
    """Returns the secret of a browser's session. It is marked with the board's secret, so that another board's session
    is not mistaken for an ended one of this board: cookies are not kept apart by port or database."""
    secret = new_secret()
    return f"{secret}.{mark_of(board_secret, secret)}"


def is_made_here(board_secret: bytes, session: str) -> bool:
    """Whether new_session() of this board made this secret. The session may have ended. Older sessions have no mark."""
    secret, _, mark = session.partition(".")
    return hmac.compare_digest(mark.encode(errors="replace"), mark_of(board_secret, secret).encode())


def mark_of(board_secret: bytes, secret: str) -> str:
    digest = hmac.digest(board_secret, b"session " + secret.encode(errors="replace"), "sha256")
    return base64.urlsafe_b64encode(digest[:9]).decode()


def hash_secret(secret: str) -> bytes:
    return hashlib.sha256(secret.encode(errors="replace")).digest()


@dataclasses.dataclass(slots=True)
class Known:
    credential: Credential
    read_at: float
    used_at: float


class Credentials:
    """The credentials in use. `clock` returns seconds since 1970; an unused token lives for `token_seconds`."""

    def __init__(self, storage: Storage, token_seconds: int, clock: Callable[[], float] = time.time) -> None:
        self.clock = clock
        self._storage = storage
        self._idle = {"session": SESSION_SECONDS, "token": token_seconds, "bot": BOT_SECONDS, "feed": BOT_SECONDS}
        self._known: collections.OrderedDict[bytes, Known] = collections.OrderedDict()
        self._unsaved: dict[int, int] = {}
        self.changes = 0
        """Counts access changes. The number says how recent a result of find() is."""
        self._changed: collections.OrderedDict[int, int] = collections.OrderedDict()
        self._changed_before = 0
        self._replaced: dict[bytes, float] = {}

    async def find(self, secret: str, *, use: bool) -> Credential | None:
        """Returns the credential with this secret, or None if there is none or it has expired.

        `use` counts this as a use, which keeps the credential alive. Raises UnavailableError.
        """
        digest = hash_secret(secret)
        now = self.clock()
        known = self._known.get(digest)
        if known is None or known.read_at < now - FRESH_SECONDS:
            known = await self._read_or_believe(digest, now)
        if known is None or self._is_dead(known, now):
            return None
        if use:
            self._note_use(known, now)
        return known.credential

    def recall(self, digest: bytes, *, use: bool) -> Credential | None:
        """Like find(), by the secret's hash and from memory only. Also returns None if storage has to be read again."""
        known, now = self._known.get(digest), self.clock()
        if known is None or known.read_at < now - FRESH_SECONDS or self._is_dead(known, now):
            return None
        if use:
            self._note_use(known, now)
        return known.credential

    def trusted_until(self, digest: bytes) -> float:
        """Until when recall() finds the same as now, unless `changes` grows, in seconds since 1970."""
        known = self._known[digest]
        return min(known.read_at + FRESH_SECONDS, known.used_at + self._idle.get(known.credential.kind, math.inf))

    def use(self, secret: str) -> bool:
        """Counts a use of what find() has just found. Returns whether it is the first on this day of its life."""
        known, now = self._known[hash_secret(secret)], self.clock()
        made_at = known.credential.created_at / 1000
        day = (known.used_at - made_at) // DAY_SECONDS
        self._note_use(known, now)
        return (now - made_at) // DAY_SECONDS > day

    def replace(self, secret: str) -> None:
        """Notes that the session with this secret has been given a new one, which its browser will have in a moment."""
        now = self.clock()
        self._replaced = {digest: at for digest, at in self._replaced.items() if at > now - FRESH_SECONDS}
        self._replaced[hash_secret(secret)] = now

    def was_replaced(self, secret: str) -> bool:
        """Whether it was just replaced: a page's poll may still use the old secret, which is good for nothing else."""
        return self._replaced.get(hash_secret(secret), 0) > self.clock() - FRESH_SECONDS

    def forget(self, account_ids: Iterable[int]) -> None:
        """Drops what is cached of these accounts, because something about them has changed. find() reads it again."""
        self.changes += 1
        gone = set(account_ids)
        for account_id in gone:
            self._changed[account_id] = self.changes
            self._changed.move_to_end(account_id)
        while len(self._changed) > MAX_KNOWN:
            _, self._changed_before = self._changed.popitem(last=False)
        for digest in [digest for digest, known in self._known.items() if known.credential.account.id in gone]:
            del self._known[digest]

    def is_unchanged(self, account_id: int, since: int) -> bool:
        """Whether no change of this account is known since `changes` had this value."""
        return self._changed_before <= since and self._changed.get(account_id, 0) <= since

    def last_used(self, credential: Credential) -> int:
        """The time of last use in milliseconds since 1970, including uses that are not saved yet."""
        return max(credential.last_used_at, self._unsaved.get(credential.id, 0))

    def is_over(self, credential: Credential) -> bool:
        """Whether it has expired because it was not used for too long."""
        idle = self._idle.get(credential.kind)
        return idle is not None and self.clock() - self.last_used(credential) / 1000 > idle

    async def save(self) -> None:
        """Saves the uses since the last call. Raises UnavailableError, and keeps them for the next call."""
        uses, self._unsaved = self._unsaved, {}
        if uses:
            try:
                await self._storage.save_uses(uses)
            except BaseException:
                self._unsaved = uses | self._unsaved
                raise

    async def tidy(self) -> None:
        """Deletes what has expired from storage. Raises UnavailableError."""
        now = self.clock()
        before = {kind: round((now - idle) * 1000) for kind, idle in self._idle.items()}
        await self._storage.forget(before["session"], before["token"], before["bot"])

    def _note_use(self, known: Known, now: float) -> None:
        known.used_at = now
        self._unsaved[known.credential.id] = round(now * 1000)

    def _is_dead(self, known: Known, now: float) -> bool:
        idle = self._idle.get(known.credential.kind)
        return idle is not None and now - known.used_at > idle

    async def _read_or_believe(self, digest: bytes, now: float) -> Known | None:
        """While storage is unavailable, cached credentials stay valid for a while: reading and parked polls go on."""
        try:
            return await self._read(digest, now)
        except UnavailableError:
            known = self._known.get(digest)
            if known is None or known.read_at < now - AWAY_SECONDS:
                raise
            return known

    async def _read(self, digest: bytes, now: float) -> Known | None:
        try:
            credential, changes = None, -1
            while credential is None or changes != self.changes:  # something was revoked during the read
                changes = self.changes
                credential = await self._storage.credential(digest)
        except NotFoundError:
            self._known.pop(digest, None)
            return None
        known = self._known[digest] = Known(credential, now, self.last_used(credential) / 1000)
        self._known.move_to_end(digest)
        if len(self._known) > MAX_KNOWN:
            self._known.popitem(last=False)
        return known
