"""Scopes: what one asker may read, as far as boards of the invited are concerned. Equal ones are one object."""

import collections
import math
import weakref
from collections.abc import Iterable

from board.credentials import AWAY_SECONDS, FRESH_SECONDS, MAX_KNOWN, Credentials
from storage import Storage
from storage.errors import UnavailableError
from storage.records import Credential


class Scope:
    """Whether the asker is a member, and the boards for the invited that it may read: its own ones, and those to which
    it is invited. `is_person` is false for a bot's token, which does not hear what happens to its member's own list.
    """

    __slots__ = ("__weakref__", "boards", "is_member", "is_person")

    def __init__(self, is_member: bool, boards: frozenset[int], *, is_person: bool = True) -> None:
        self.is_member = is_member
        self.boards = boards
        self.is_person = is_person


NONE: frozenset[int] = frozenset()
GUESTS, MEMBERS, BOTS = Scope(False, NONE), Scope(True, NONE), Scope(True, NONE, is_person=False)
"""The scopes of all guests, of members without an invitation, and of bots' tokens that reach no board of the invited."""


class Scopes:
    """The scopes of the accounts in use. As credentials, they are read once a minute, and when something has changed."""

    def __init__(self, storage: Storage, credentials: Credentials) -> None:
        self._storage = storage
        self._credentials = credentials
        self._known: collections.OrderedDict[int, tuple[Scope, float]] = collections.OrderedDict()
        """By account, with the time of reading."""
        self._equal: weakref.WeakValueDictionary[tuple[frozenset[int], bool], Scope] = weakref.WeakValueDictionary()

    async def find(self, credential: Credential | None) -> Scope:
        """Reads it from storage if it is not known. Raises UnavailableError."""
        scope = self.recall(credential)
        if scope is not None or credential is None:
            return scope or GUESTS
        account_id, now = credential.account.id, self._credentials.clock()
        try:
            scope = self._one(await self._read(account_id))
        except UnavailableError:
            scope, read_at = self._known.get(account_id, (None, 0.0))
            if scope is None or read_at < now - AWAY_SECONDS:
                raise
            return self._as_seen_by(credential, scope)
        self._known[account_id] = scope, now
        self._known.move_to_end(account_id)
        if len(self._known) > MAX_KNOWN:
            self._known.popitem(last=False)
        return self._as_seen_by(credential, scope)

    def recall(self, credential: Credential | None) -> Scope | None:
        """The same from memory only: None if storage has to be read."""
        if credential is None:
            return GUESTS
        if not credential.is_person and credential.board_id is None:
            return BOTS
        scope, read_at = self._known.get(credential.account.id, (None, 0.0))
        if scope is None or read_at < self._credentials.clock() - FRESH_SECONDS:
            return None
        return self._as_seen_by(credential, scope)

    def trusted_until(self, credential: Credential | None) -> float:
        """Until when recall() returns the same as now, unless something about an account changes, in seconds since 1970."""
        known = self._known.get(credential.account.id) if credential is not None else None
        return known[1] + FRESH_SECONDS if known is not None else math.inf

    def forget(self, account_ids: Iterable[int]) -> None:
        """Drops what is known of these accounts, because something about them has changed."""
        for account_id in account_ids:
            self._known.pop(account_id, None)

    def _as_seen_by(self, credential: Credential, scope: Scope) -> Scope:
        """Of the boards of the invited, a bot's token reaches only the one that it was made for."""
        if credential.is_person:
            return scope
        return self._one(scope.boards & {credential.board_id or 0}, is_person=False)

    async def _read(self, account_id: int) -> frozenset[int]:
        while True:
            changes = self._credentials.changes
            boards = await self._storage.boards_open_to(account_id)
            if self._credentials.is_unchanged(account_id, changes):  # else something changed during the read
                return boards

    def _one(self, boards: frozenset[int], *, is_person: bool = True) -> Scope:
        if not boards:
            return MEMBERS if is_person else BOTS
        return self._equal.setdefault((boards, is_person), Scope(True, boards, is_person=is_person))
