"""Passwords in tests are hashed as on a board, but with the least that Argon2 takes: a fifth of all tests' time was hashing.

Tests of the cost itself take the board's parameters (`costly`), or start a server from nothing.
"""

import contextlib
from collections.abc import Iterator

import argon2

from board import passwords

COSTLY = passwords.PASSES, passwords.MEMORY_KIB, passwords.NOBODY
CHEAP = 1, 8, argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash("of nobody")


def use(parameters: tuple[int, int, str]) -> None:
    passwords.PASSES, passwords.MEMORY_KIB, passwords.NOBODY = parameters
    passwords.hasher.cache_clear()


@contextlib.contextmanager
def costly() -> Iterator[None]:
    use(COSTLY)
    try:
        yield
    finally:
        use(CHEAP)
