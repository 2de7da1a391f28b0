"""Passwords: which will do, and hashing them, off the loop and one at a time.

Argon2id with the parameters of OWASP's Password Storage Cheat Sheet (19 MiB, two passes, one lane): some 40 ms of
one core. One thread does it, so that sign-ins never take the cores from the polls, and its queue is bounded.
"""

import asyncio
import concurrent.futures
import functools
import hashlib
import os
import secrets
import sys
import threading
from collections.abc import Callable
from typing import TypeVar

import argon2

from board.text import NOT_TEXT, BadText
from storage.records import Password

T = TypeVar("T")

LEAST, MOST = 8, 128
"""Code points of a password (NIST SP 800-63B: at least 8; no rules about what it is made of)."""
NICENESS = 10
"""Of the hashing thread; see bench/accounts.py for what it does for the polls."""
MAX_WAITING = 100
"""Hashes that may wait: about four seconds' worth."""


SHA1 = "sha1:"
"""Stands before the hash of a tutorial's hash."""


class Busy(Exception):
    """Too many passwords are being hashed."""


class Passwords:
    def __init__(self) -> None:
        self._hasher = argon2.PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1)
        self._thread = concurrent.futures.ThreadPoolExecutor(1, "passwords", step_back)
        self.waiting = 0
        self._is_closed = False
        self._nobody: concurrent.futures.Future[str] = self._thread.submit(self._hasher.hash, secrets.token_hex())
        """The hash that a password is compared with where there is none, so that this takes as long."""

    async def hash(self, password: str) -> Password:
        """Raises Busy."""
        return Password(await self._run(self._hasher.hash, password))

    async def wrap(self, sha1: str, tutorial_name: str) -> Password:
        """A tutorial's hash, hashed: sha1("name:password") in hex. Raises Busy."""
        return Password(SHA1 + await self._run(self._hasher.hash, sha1.lower()), tutorial_name)

    async def verify(self, known: Password, password: str) -> bool:
        """Whether it is this one; for none at all it takes as long to say no. Raises Busy."""
        if known.hash is None:
            nobody: str = await asyncio.wrap_future(self._nobody)
            await self._run(self._matches, nobody, password)
            return False
        if known.hash.startswith(SHA1):
            plain = f"{known.tutorial_name}:{password}".encode()
            password = hashlib.sha1(plain, usedforsecurity=False).hexdigest()
        return await self._run(self._matches, known.hash.removeprefix(SHA1), password)

    def is_outdated(self, known: Password) -> bool:
        """Whether it should be hashed anew: a tutorial's, or with weaker parameters than today's."""
        hash = known.hash or ""
        return hash.startswith(SHA1) or self._hasher.check_needs_rehash(hash)

    def close(self) -> None:
        """Ends the thread; what still waits is told that it is too busy."""
        self._is_closed = True
        self._thread.shutdown(cancel_futures=True)

    def _matches(self, hash: str, password: str) -> bool:
        try:
            return self._hasher.verify(hash, password)
        except (argon2.exceptions.VerificationError, argon2.exceptions.InvalidHashError):
            return False

    async def _run(self, function: Callable[..., T], *arguments: object) -> T:
        if self.waiting >= MAX_WAITING or self._is_closed:
            raise Busy
        self.waiting += 1
        hashing = asyncio.get_running_loop().run_in_executor(self._thread, function, *arguments)
        try:
            await asyncio.wait([hashing])
        finally:
            self.waiting -= 1
        if hashing.cancelled():  # the server ends
            raise Busy
        return hashing.result()


def step_back() -> None:
    """Lets everything else in the process go first: who signs in can wait a little, who reads need not notice."""
    if sys.platform == "linux":  # elsewhere a thread has no priority of its own
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)


@functools.cache
def common() -> frozenset[str]:
    """The passwords that are tried first, from the lists that zxcvbn keeps. Read at the first need: it takes 50 ms."""
    from zxcvbn.frequency_lists import FREQUENCY_LISTS

    return frozenset(word for word in FREQUENCY_LISTS["passwords"] if len(word) >= LEAST)


def check_password(password: str, username: str) -> None:
    """Whether this will do as a new password; it is kept as it is, never trimmed. Raises BadText."""
    check_is_text(password)
    if not LEAST <= len(password) <= MOST:
        raise BadText("password_length", f"A password has {LEAST} to {MOST} characters.")
    folded = password.lower()
    if folded in common() or folded == username or len(set(folded)) < 3:
        raise BadText("password_common", "This password is one of the first that others would try. Take another.")


def check_is_text(password: str) -> None:
    """Raises BadText for what can't even be hashed."""
    if NOT_TEXT.search(password):
        raise BadText("password_not_text", "This password has a NUL or half of a character in it.", 400)
    if len(password) > MOST:
        raise BadText("password_length", f"A password has {LEAST} to {MOST} characters.")
