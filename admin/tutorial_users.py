"""Imports a tutorial's users: table users (uusr, upwd = hex of sha1("usr:pwd")).

The old hash is wrapped in Argon2 here, and replaced by a proper one when its owner first signs in.
"""

import itertools
import re
import sqlite3
import sys
import unicodedata
from collections.abc import Iterator

from tqdm import tqdm

from admin.numbers import counted
from board.account_names import NAME_LENGTH, USERNAME
from board.passwords import Passwords
from board.text import NOT_TEXT, is_visible, tidy
from storage import Storage
from storage.errors import UsernameTakenError
from storage.records import Password

LONGEST_USER = 1000
"""Characters of a tutorial's name, which is kept unchanged: its password's hash contains it."""


async def import_users(source: sqlite3.Connection, storage: Storage) -> None:
    """Prints each name that had to change. A spelling that was imported before is not imported again."""
    passwords = Passwords()
    rows = source.execute("SELECT uusr, upwd FROM users ORDER BY rowid").fetchall()
    new = 0
    remarks: list[str] = []
    try:
        for user, sha1 in tqdm(rows, unit=" users", disable=None, file=sys.stderr):
            if not isinstance(user, str) or NOT_TEXT.search(user) or not 0 < len(user) <= LONGEST_USER:
                remarks.append(f"{str(user)[:40]!r} is left out: that is not a name")
            elif not re.fullmatch("[0-9a-fA-F]{40}", str(sha1)):
                remarks.append(f"{user!r} is left out: its password is not the tutorial's kind of hash")
            elif not await storage.has_tutorial_account(user):
                username = await bring_in(storage, user, await passwords.wrap(str(sha1), user))
                new += 1
                remarks += [f"{user!r} signs in as {username}"] if username != user else []
    finally:
        passwords.close()
    print("\n".join([*remarks, f"{counted(new, 'users')} brought in, of {len(rows)}."]))


async def bring_in(storage: Storage, user: str, password: Password) -> str:
    """Imports one user, and returns their username here: the nearest that is free."""
    for username in usernames(user):
        try:
            await storage.create_account(username, display_name(user), password, any_name=True)
        except UsernameTakenError:
            continue
        return username
    raise AssertionError("not reached")


def usernames(user: str) -> Iterator[str]:
    plain = unicodedata.normalize("NFKD", user).encode("ascii", "ignore").decode().lower()
    name = re.sub("[^a-z0-9]+", "_", plain).strip("_")[:28] if not is_username(user.lower()) else user.lower()
    yield name if is_username(name) else f"user_{name}".rstrip("_")
    for number in itertools.count(2):
        yield f"{name or 'user'}_{number}"


def is_username(text: str) -> bool:
    return USERNAME.fullmatch(text) is not None


def display_name(user: str) -> str:
    name = " ".join(tidy(user).split())[:NAME_LENGTH]
    return name if is_visible(name) else "member"
