"""Passwords: which will do, and hashing them, off the loop and one at a time.

Argon2id with the parameters of OWASP's Password Storage Cheat Sheet (19 MiB, two passes, one lane): some 40 ms of
one core. One thread does it, so that sign-ins never take the cores from the polls; board/turns.py chooses the next one.

Passwords are hashed in NFC, because keyboards differ in how they write an é (RFC 8265). Older hashes may be of another
form, so the password is also tried as it was typed.
"""

import asyncio
import concurrent.futures
import functools
import hashlib
import os
import secrets
import sys
import threading
import unicodedata
from collections.abc import Callable, Iterable
from typing import TypeVar

import argon2

from board.text import NOT_TEXT, BadTextError
from board.turns import ANYBODY, Asker, BusyError, Turns
from storage.records import Password

T = TypeVar("T")

PASSWORD_MIN, PASSWORD_MAX = 8, 128
"""Code points of a password (NIST SP 800-63B: at least 8; no rules about what it is made of)."""
PASSWORD_FORM_MAX = 4 * PASSWORD_MAX
"""Of a password before normalisation, whose time grows with the square of the length."""
NAME_PART_MIN = 3
"""Letters of a name that are searched for in a password."""
NICENESS = 10
"""Of the hashing thread; see bench/accounts.py for what it does for the polls."""
SHA1 = "sha1:"
"""Stands before the hash of a tutorial's hash."""


class Passwords:
    def __init__(self) -> None:
        self._hasher = argon2.PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1)
        self._thread = concurrent.futures.ThreadPoolExecutor(1, "passwords", lower_priority)
        self._turns = Turns()
        self._nobody: concurrent.futures.Future[str] = self._thread.submit(self._hasher.hash, secrets.token_hex())
        """The hash that a password is compared with where there is none, so that this takes as long."""

    @property
    def waiting(self) -> int:
        """How many passwords are being hashed or wait for it."""
        return len(self._turns)

    async def hash(self, password: str, asker: Asker = ANYBODY) -> Password:
        """Raises BusyError."""
        return Password(await self._run(asker, self._hasher.hash, normal(password)))

    async def wrap(self, sha1: str, tutorial_name: str) -> Password:
        """A tutorial's hash, hashed: sha1("name:password") in hex. Raises BusyError."""
        return Password(SHA1 + await self._run(ANYBODY, self._hasher.hash, sha1.lower()), tutorial_name)

    async def verify(self, known: Password, password: str, asker: Asker = ANYBODY) -> str | None:
        """The form in which the password is right, or None. Takes as long if there is no password. Raises BusyError."""
        nobody: str = await asyncio.wrap_future(self._nobody)
        hash = known.hash or nobody
        for form in dict.fromkeys((normal(password), password)):
            secret = form
            if hash.startswith(SHA1):
                plain = f"{known.tutorial_name}:{form}".encode()
                secret = hashlib.sha1(plain, usedforsecurity=False).hexdigest()
            if await self._run(asker, self._matches, hash.removeprefix(SHA1), secret) and known.hash is not None:
                return form
        return None

    def is_outdated(self, known: Password, form: str) -> bool:
        """Whether the password should be hashed again: it is right in another form than today's, or its hash is a
        tutorial's or has weaker parameters."""
        hash = known.hash or ""
        return form != normal(form) or hash.startswith(SHA1) or self._hasher.check_needs_rehash(hash)

    def close(self) -> None:
        """Ends the thread; what still waits is told that it is too busy."""
        self._turns.close()
        self._thread.shutdown(cancel_futures=True)

    def _matches(self, hash: str, password: str) -> bool:
        try:
            return self._hasher.verify(hash, password)
        except (argon2.exceptions.VerificationError, argon2.exceptions.InvalidHashError):
            return False

    async def _run(self, asker: Asker, function: Callable[..., T], *arguments: object) -> T:
        await self._turns.begin(asker)
        try:
            hashing = asyncio.get_running_loop().run_in_executor(self._thread, function, *arguments)
            await asyncio.wait([hashing])
        finally:
            self._turns.end()
        if hashing.cancelled():  # the server ends
            raise BusyError
        return hashing.result()


def lower_priority() -> None:
    """Lets everything else in the process go first: who signs in can wait a little, who reads need not notice."""
    if sys.platform == "linux":  # elsewhere a thread has no priority of its own
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)


@functools.cache
def common() -> frozenset[str]:
    """The passwords that are tried first, from the lists that zxcvbn keeps. Read at the first need: it takes 50 ms."""
    from zxcvbn.frequency_lists import FREQUENCY_LISTS

    return frozenset(word for word in FREQUENCY_LISTS["passwords"] if len(word) >= PASSWORD_MIN)


def normal(password: str) -> str:
    return unicodedata.normalize("NFC", password)


def check_password(password: str, *names: str) -> None:
    """Checks a new password for somebody with these names, on a board with this one.

    It is never trimmed. Raises BadTextError.
    """
    check_is_text(password)
    if not PASSWORD_MIN <= len(normal(password)) <= PASSWORD_MAX:
        raise BadTextError("password_length", f"A password has {PASSWORD_MIN} to {PASSWORD_MAX} characters.")
    folded = normal(password).casefold()
    if folded in common() or len(set(folded)) < 3:
        raise BadTextError("password_common", "This password is one of the first that others would try. Take another.")
    rest = folded
    for word in words_of(names):
        rest = rest.replace(word, "")
    if len(rest) < PASSWORD_MIN:
        raise BadTextError(
            "password_common",
            f"Others would try your name and the board's first. Without these, {PASSWORD_MIN} characters should be left.",
        )


def words_of(names: Iterable[str]) -> list[str]:
    """What somebody who knows these names would try: the names, their parts, and both backwards; the longest first."""
    words = set()
    for name in names:
        folded = normal(name).casefold()
        parts = "".join(c if c.isalpha() else " " for c in folded).split()
        found = [folded, "".join(parts), *parts]
        words |= {word for word in found + [word[::-1] for word in found] if len(word) >= NAME_PART_MIN}
    return sorted(words, key=lambda word: (-len(word), word))


def check_is_text(password: str) -> None:
    """Raises BadTextError for what can't even be hashed."""
    if NOT_TEXT.search(password):
        raise BadTextError("password_not_text", "This password has a NUL or half of a character in it.", 400)
    if len(password) > PASSWORD_FORM_MAX or len(normal(password)) > PASSWORD_MAX:
        raise BadTextError("password_length", f"A password has {PASSWORD_MIN} to {PASSWORD_MAX} characters.")
