"""Boards beside the first, with rights that change: what was seen, and the check of it. Pure, as history.py.

Two kinds of numbers tell what came before what. A *moment* counts what clients of the run asked and were answered. A
*number* is one of the site's sequence, in which each message and each change of rights has its own. Nobody is told the
number of a change of rights; but what is posted when it has been acknowledged has a greater one.
"""

import dataclasses
from collections.abc import Iterator

from torture.history import History, check, sequence

NEVER = 2**62
FIRST = "the first board"
OLDER = "by a node of the last release"


@dataclasses.dataclass
class Rights:
    """Who may read and write on a board, from one change of that to the next."""

    began: int
    """The moment at which the change was asked for: before it, these rights were nowhere in force."""
    read_by: str = "everyone"
    write_by: str = "guests"
    invited: frozenset[str] = frozenset()
    slugs: frozenset[str] = frozenset()
    """Those that lead to the board."""
    is_archived: bool = False
    is_there: bool = True
    acknowledged: int = NEVER
    """The moment at which the change was answered: after it, those before are nowhere in force."""
    number: int = NEVER
    """A number that is greater than that of the change."""


NOTHING = Rights(0, is_there=False, acknowledged=0, number=0)
"""Before a board is made."""


@dataclasses.dataclass
class Sight:
    """Somebody was given messages of a board, or told of them. `number` is at most that of the newest."""

    who: str | None
    number: int
    got: int
    how: str


@dataclasses.dataclass
class Try:
    """Somebody asked to read or to write, and was refused; or wrote the message `id`."""

    who: str | None
    slug: str
    asked: int
    got: int
    writes: bool = False
    id: int | None = None
    said: str = ""
    """The code of the refusal."""


@dataclasses.dataclass
class Word:
    """Somebody was told of a board by its slug: in a poll of another board, or in a list."""

    who: str | None
    slug: str
    newest: int
    got: int


@dataclasses.dataclass
class Kept:
    """What the database has of a board at the end."""

    messages: list[tuple[int, str]]
    read_by: str
    write_by: str
    invited: frozenset[str]
    slug: str
    is_archived: bool


@dataclasses.dataclass
class Place:
    """A board beside the first. Its name is always the same, and no other's."""

    name: str
    owner: str
    slug: str
    """The one that clients are told to use."""
    rights: list[Rights] = dataclasses.field(default_factory=list)
    history: History = dataclasses.field(default_factory=History)
    sights: list[Sight] = dataclasses.field(default_factory=list)
    tries: list[Try] = dataclasses.field(default_factory=list)
    end: int | None = None
    """Its last change, known when nobody writes there any more."""
    kept: Kept | None = None

    @property
    def is_there(self) -> bool:
        return self.rights[-1].is_there

    @property
    def chosen_slugs(self) -> set[str]:
        """Those that it ever had, but for the random ones of a board for the invited."""
        return {slug for rights in self.rights for slug in rights.slugs if slug.startswith("place")}

    def may_read(self, who: str | None, rights: Rights) -> bool:
        if not rights.is_there or rights.read_by == "everyone":
            return rights.is_there
        return who is not None and (rights.read_by == "members" or who == self.owner or who in rights.invited)

    def may_write(self, who: str | None, rights: Rights) -> bool:
        if rights.is_archived or not self.may_read(who, rights):
            return False
        return rights.write_by == "guests" or who == self.owner or (who is not None and rights.write_by == "members")

    def since(self, number: int, got: int) -> Iterator[Rights]:
        """Those that may have been in force at this number, or later, up to this moment."""
        for rights, following in zip(self.rights, [*self.rights[1:], None], strict=True):
            if rights.began < got and (following is None or following.number > number):
                yield rights

    def between(self, asked: int, got: int) -> Iterator[Rights]:
        """Those that may have been in force at some time between these moments."""
        for rights, following in zip(self.rights, [*self.rights[1:], None], strict=True):
            if rights.began < got and (following is None or following.acknowledged > asked):
                yield rights


def check_site(first: History, places: list[Place], words: list[Word]) -> list[str]:
    """Returns a line for each promise that was broken on a board beside the first, or between boards."""
    broken = [*check_homes(first, places), *check_words(places, words)]
    for place in places:
        found = [*check(place.history), *check_sights(place), *check_tries(place), *check_kept(place)]
        broken += [f"{line} (on {place.name})" for line in found]
    return broken


def check_homes(first: History, places: list[Place]) -> Iterator[str]:
    """A message is on one board, and nowhere else: neither there, nor in a reply, nor found."""
    histories = {FIRST: first} | {place.name: place.history for place in places}
    homes: dict[int, str] = {}
    for name, history in histories.items():
        for id in {id for post in history.posts for id in post.ids} | {id for id, _ in history.board}:
            if homes.setdefault(id, name) != name:
                yield f"on two boards: message {id}, on {homes[id]} and {name}"
    for name, history in histories.items():
        given = {id for replies in history.readers.values() for reply in replies for id, _, _ in reply.messages}
        for id in sorted(given | history.found):
            if homes.get(id, name) != name:
                yield f"from elsewhere: message {id} of {homes[id]} was given on {name}"


def check_words(places: list[Place], words: list[Word]) -> Iterator[str]:
    """Nobody hears of a board that they may not read."""
    by_slug = {slug: place for place in places for rights in place.rights for slug in rights.slugs}
    for word in words:
        place = by_slug.get(word.slug)
        if place is None:
            yield f"unknown: {word.who} was told of {word.slug}"
        elif not any(place.may_read(word.who, rights) for rights in place.since(word.newest, word.got)):
            yield f"told: {word.who} was told of {place.name} up to {word.newest}"


def check_sights(place: Place) -> Iterator[str]:
    """Nobody is given a message at a number at which they may not read its board, and nothing by an older node."""
    for sight in place.sights:
        if sight.how == OLDER:
            yield f"shown {OLDER}: message {sight.number}"
        elif not any(place.may_read(sight.who, rights) for rights in place.since(sight.number, sight.got)):
            yield f"not theirs: {sight.who} was given message {sight.number} {sight.how}"


def check_tries(place: Place) -> Iterator[str]:
    """Only who may not is refused, and nobody else writes."""
    for one in place.tries:
        may = place.may_write if one.writes else place.may_read
        if one.id is not None:
            if not any(may(one.who, rights) for rights in place.since(one.id, one.got)):
                yield f"not allowed: {one.who} wrote message {one.id}"
        elif all(one.slug in rights.slugs and may(one.who, rights) for rights in place.between(one.asked, one.got)):
            yield f"refused: {one.who} could not {'write' if one.writes else 'read'}: {one.said} at moment {one.asked}"


def check_kept(place: Place) -> Iterator[str]:
    """The rights that were acknowledged last are those of the database, and a board that was deleted is gone."""
    last, kept = place.rights[-1], place.kept
    if kept is None:
        if last.is_there:
            yield "lost: the board is gone"
        return
    if not last.is_there:
        yield "deleted, but there"
        return
    for name, wanted in (("read_by", last.read_by), ("write_by", last.write_by), ("is_archived", last.is_archived)):
        if getattr(kept, name) != wanted:
            yield f"lost rights: {name} is {getattr(kept, name)}, not {wanted}"
    if kept.invited != last.invited:
        yield f"lost rights: invited are {sorted(kept.invited)}, not {sorted(last.invited)}"
    if kept.slug not in last.slugs:
        yield f"lost rights: the slug is {kept.slug}, not one of {sorted(last.slugs)}"


def newest_in(asked: str, ids: list[int]) -> int:
    """Returns a number that the newest message of a reply has at least, by its cursor and the ids in it."""
    return max([*ids, sequence(asked) + 1 if asked else 0])
