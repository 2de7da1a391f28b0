"""Finds the members who are meant by what somebody typed, or by usernames. What is wrong with any of these names is said
together.
"""

import itertools
import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple
from unicodedata import normalize

from board.account_names import NAME_LENGTH, fold_username
from board.errors import DeniedError, Problem
from board.said import said
from board.signs import beginning
from board.site.parts import Parts
from board.text import tidy
from storage.records import Account

COMMA = re.compile("[,\n\u060c\u3001\uff0c]")
"""What stands between names: also the commas of Arabic, Chinese and Japanese."""
INVITED_AT_ONCE = 10
"""Names are looked for in one statement, which reads all accounts."""
TOLD_APART = 5
"""Members of one name that a refusal lists."""


class Names(NamedTuple):
    """Names of members, as they were sent."""

    texts: Sequence[str] = ()
    """Each a username."""
    whole: str = ""
    """What was typed, of which the texts are parts: each of them, and all together, may also be a name. With @ before it,
    it is a username. None of them is a name if this is empty.
    """


NOBODY = Names()


def typed_names(text: str) -> Names:
    """Returns the names between the commas. Raises DeniedError, BadTextError."""
    text = tidy(text)
    return named([name for name in COMMA.split(text) if name.strip()] or [text], text)


def usernames(names: Iterable[str]) -> Names:
    """Raises DeniedError, BadTextError."""
    return named([tidy(name) for name in names])


def named(texts: Sequence[str], whole: str = "") -> Names:
    if len(texts) > INVITED_AT_ONCE:
        raise DeniedError("too_many_names", said("Invite at most %(most)s members at once.", most=INVITED_AT_ONCE))
    return Names(texts, whole)


class MembersNamed(Parts):
    async def meant(self, names: Names, owner_id: int | None = None) -> list[Account]:
        """Returns the members who are meant, each once; none of them may be a board's owner. Raises DeniedError, with what
        is wrong with any of the names.
        """
        if not names.texts:
            return []
        whole, *parts = await self._called([names.whole, *names.texts], by_name=names.whole != "")
        if whole:  # somebody's name may have a comma in it, and be chosen so that it is a list of others
            others = itertools.chain(*parts) if all(parts) else ()
            parts, texts = [list(dict.fromkeys([*others, *whole]))], [names.whole]
        else:
            texts = list(names.texts)
        problems = [
            problem_of(found, text, owner_id, names.whole != "") for found, text in zip(parts, texts, strict=True)
        ]
        refuse([problem for problem in problems if problem])
        return list(dict.fromkeys(found[0] for found in parts))

    async def _called(self, texts: list[str], *, by_name: bool) -> list[list[Account]]:
        """Returns for each text the members who may be meant: first the one who has it as a username, with @ before it or
        without, then those who have it as their name, if that may be.
        """
        said = [username_and_name(text) if by_name else (fold_username(text), "") for text in texts]
        usernames = {username for username, _ in said if username}
        names = {form for _, name in said if name for form in (name, nfc(name), normalize("NFD", name))}
        accounts = await self.storage.accounts_called(usernames, names, TOLD_APART + 1) if usernames else []
        return [
            [one for one in accounts if one.username == username]
            + [one for one in accounts if name and one.username != username and nfc(one.name) == nfc(name)]
            for username, name in said
        ]


def nfc(name: str) -> str:
    return normalize("NFC", name)


def username_and_name(text: str) -> tuple[str, str]:
    """Returns the username and the name that this may be, "" for what it can't be. With @ before it, it is no name."""
    name = " ".join(text.split())  # as names are kept
    username = fold_username(name.removeprefix("@"))
    if not username or len(name) > NAME_LENGTH:
        return "", ""
    return username, "" if name.startswith("@") else name


def problem_of(found: list[Account], text: str, owner_id: int | None, by_name: bool) -> Problem | None:
    """Returns why this text does not say who is invited: nobody is called so, or several members, or the board's owner."""
    name = beginning(text.strip(), NAME_LENGTH)
    called = f"“\u2068{name}\u2069”"
    if not found:
        words = said("No member has the username %(name)s.", name=called)
        if by_name:
            words = said("No member has the username or the name %(name)s.", name=called)
        return Problem(name, "no_such_account", words)
    if len(found) > 1:
        these = ", ".join(f"@{one.username} (\u2068{one.name}\u2069)" for one in found[:TOLD_APART])
        words = said("%(name)s may be %(these)s. Type the username with the @ before it.", name=called, these=these)
        if len(found) > TOLD_APART:
            words = said(
                "%(name)s may be %(these)s and others. Type the username with the @ before it.",
                name=called,
                these=these,
            )
        return Problem(name, "names_several", words)
    if found[0].id == owner_id:
        return Problem(
            name,
            "owns_board",
            said("%(name)s owns this board, and needs no invitation.", name=f"\u2068{found[0].name}\u2069"),
        )
    return None


def refuse(problems: Sequence[Problem]) -> None:
    """Raises DeniedError for all of them together, with the code of the first, if there are any."""
    if problems:
        words = dict.fromkeys(problem.words for problem in problems)  # a name may be there twice
        raise DeniedError(problems[0].code, " ".join(words), problems=problems)
