"""Checks new passwords, and hashes passwords off the loop, one at a time.

This is Argon2id with the parameters of OWASP's Password Storage Cheat Sheet (PASSES, MEMORY_KIB, one lane). It takes
about 40 ms of one core. One thread does it, so that sign-ins never take the cores from the polls. board/turns.py
chooses the next password.

Passwords are hashed in NFC, because keyboards differ in how they write an é (RFC 8265). Older hashes may be of another
form, so the password is also tried as it was typed.
"""

import asyncio
import concurrent.futures
import functools
import hashlib
import os
import sys
import threading
import unicodedata
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, TypeVar

from board.said import said
from board.text import NOT_TEXT, BadTextError
from board.turns import ANYBODY, Asker, BusyError, Turns
from storage.records import Password

if TYPE_CHECKING:
    from argon2 import PasswordHasher

T = TypeVar("T")

PASSWORD_MIN, PASSWORD_MAX = 8, 128
"""Code points of a password (NIST SP 800-63B: at least 8, and no rules about which characters)."""
LENGTH = said("A password has %(least)s to %(most)s characters.", least=PASSWORD_MIN, most=PASSWORD_MAX)
PASSWORD_FORM_MAX = 4 * PASSWORD_MAX
"""Code points of a password before normalisation, because its time grows with the square of the length."""
NAME_PART_MIN = 3
"""The least letters of a part of a name that is searched for in a password."""
PASSES, MEMORY_KIB = 2, 19 * 1024
NICENESS = 10
"""The niceness of the hashing thread. bench/accounts.py measures what it does for the polls."""
NOBODY = "$argon2id$v=19$m=19456,t=2,p=1$JSOSCN/A3Xc/8haI0N/Ehw$o137y2quk9D6aoYnYlYj659KSHhlR1xFqnQr1NTK9Y8"
"""A hash of random bytes that nobody has kept. A password is compared with it if the account has none, so that this takes
as long. It stands here because making one takes a tenth of a start."""
SHA1 = "sha1:"
"""The prefix of a hash that was made of a tutorial's hash."""


class Passwords:
    def __init__(self) -> None:
        self._thread = concurrent.futures.ThreadPoolExecutor(1, "passwords", lower_priority)
        self._turns = Turns()

    @property
    def waiting(self) -> int:
        """How many passwords are being hashed or are waiting."""
        return len(self._turns)

    async def hash(self, password: str, asker: Asker = ANYBODY) -> Password:
        """Hashes a password. Raises BusyError."""
        return Password(await self._run(asker, argon2id_of, normal(password)))

    async def wrap(self, sha1: str, tutorial_name: str) -> Password:
        """Hashes a tutorial's hash, which is sha1("name:password") in hex. Raises BusyError."""
        return Password(SHA1 + await self._run(ANYBODY, argon2id_of, sha1.lower()), tutorial_name)

    async def verify(self, known: Password, password: str, asker: Asker = ANYBODY) -> str | None:
        """Returns the form in which the password is right, or None.

        Takes as long if the account has no password. Raises BusyError.
        """
        hash = known.hash or NOBODY
        for form in dict.fromkeys((normal(password), password)):
            secret = form
            if hash.startswith(SHA1):
                plain = f"{known.tutorial_name}:{form}".encode()
                secret = hashlib.sha1(plain, usedforsecurity=False).hexdigest()
            if await self._run(asker, matches, hash.removeprefix(SHA1), secret) and known.hash is not None:
                return form
        return None

    def is_outdated(self, known: Password, form: str) -> bool:
        """Whether the password should be hashed again, because it is right in another form than today's, or its hash is
        a tutorial's or has weaker parameters."""
        hash = known.hash or ""
        return form != normal(form) or hash.startswith(SHA1) or hasher().check_needs_rehash(hash)

    def close(self) -> None:
        """Ends the thread. Calls that still wait raise BusyError."""
        self._turns.close()
        self._thread.shutdown(cancel_futures=True)

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


@functools.cache
def hasher() -> "PasswordHasher":
    """Read at first use, which is on the thread: it takes some milliseconds, and half a megabyte."""
    from argon2 import PasswordHasher

    return PasswordHasher(time_cost=PASSES, memory_cost=MEMORY_KIB, parallelism=1)


def argon2id_of(secret: str) -> str:
    return hasher().hash(secret)


def matches(hash: str, secret: str) -> bool:
    from argon2.exceptions import InvalidHashError, VerificationError

    try:
        return hasher().verify(hash, secret)
    except (VerificationError, InvalidHashError):
        return False


def lower_priority() -> None:
    """Lets everything else in the process run first: a sign-in can wait a little, and readers should not notice it."""
    if sys.platform == "linux":  # on other systems a thread can't have its own priority
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)


@functools.cache
def common() -> frozenset[str]:
    """The passwords that attackers try first, from the lists of zxcvbn. Read at first use, because that takes 50 ms."""
    from zxcvbn.frequency_lists import FREQUENCY_LISTS

    return frozenset(word for word in FREQUENCY_LISTS["passwords"] if len(word) >= PASSWORD_MIN)


def normal(password: str) -> str:
    return unicodedata.normalize("NFC", password)


def check_password(password: str, *names: str) -> None:
    """Checks a new password. `names` are those of its owner and of the board.

    The password is never trimmed. Raises BadTextError.
    """
    check_is_text(password)
    if not PASSWORD_MIN <= len(normal(password)) <= PASSWORD_MAX:
        raise BadTextError("password_length", LENGTH)
    folded = normal(password).casefold()
    if folded in common() or len(set(folded)) < 3:
        raise BadTextError("password_common", "This password is one of the first that others would try. Take another.")
    rest = folded
    for word in words_of(names):
        rest = rest.replace(word, "")
    if len(rest) < PASSWORD_MIN:
        raise BadTextError(
            "password_common",
            said(
                "Others would try your name and the board's first. Without these, %(least)s characters should be left.",
                least=PASSWORD_MIN,
            ),
        )


def words_of(names: Iterable[str]) -> list[str]:
    """Returns what people who know the names would try: names, their parts, and both backwards, the longest first."""
    words = set()
    for name in names:
        folded = normal(name).casefold()
        parts = "".join(c if c.isalpha() else " " for c in folded).split()
        found = [folded, "".join(parts), *parts]
        words |= {word for word in found + [word[::-1] for word in found] if len(word) >= NAME_PART_MIN}
    return sorted(words, key=lambda word: (-len(word), word))


def check_is_text(password: str) -> None:
    """Raises BadTextError for a password that can't even be hashed."""
    if NOT_TEXT.search(password):
        raise BadTextError("password_not_text", "This password has a NUL or half of a character in it.")
    if len(password) > PASSWORD_FORM_MAX or len(normal(password)) > PASSWORD_MAX:
        raise BadTextError("password_length", LENGTH)
