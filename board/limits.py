"""Limits how often clients may try: token buckets, one for each key (an address, an account), in bounded memory."""

import collections
import contextlib
import itertools
import time
from collections.abc import Callable, Iterable, Iterator

from board.errors import DeniedError
from board.networks import networks_of, with_networks
from board.said import msgid
from board.turns import ANYBODY, Asker

MAX_KEYS = 50_000
"""Keys that one limit remembers. The key unused for longest is forgotten first, which only helps its owner."""
TIDIED = 2
"""How many full buckets are forgotten at each try, at most."""
TOO_MANY_TRIES = msgid("Too many tries. Please wait a little before the next.")
POST_AGAIN = msgid("That was a lot at once. Please wait a moment, then post again.")
SEARCH_AGAIN = msgid("That was a lot at once. Please wait a moment, then search again.")


class Limit:
    """`burst` tries at once, then one every `seconds`. With 0 seconds, no try is too early, and none is remembered.

    `code` and `words` are those of the refusal.
    """

    def __init__(
        self,
        burst: int,
        seconds: float,
        clock: Callable[[], float] = time.monotonic,
        *,
        code: str = "too_many_tries",
        words: str = msgid("That was a lot at once. Please wait a moment, then try again."),
    ) -> None:
        self.code = code
        self.words = words
        self._burst = burst
        self._seconds = seconds
        self._clock = clock
        self._full_at: collections.OrderedDict[str, float] = collections.OrderedDict()
        """For each key, when its bucket will be full again."""

    def __len__(self) -> int:
        return len(self._full_at)

    def take(self, key: str, times: int = 1) -> float:
        """Counts a try, or what counts as several, and returns 0; or returns the seconds to wait and counts nothing.

        Several begin as soon as one may, and the next waits for as many.
        """
        return take_all(self.tries(key) * times) if self._seconds else 0

    def tries(self, key: str) -> list[tuple["Limit", str]]:
        """Returns the limits in which a try is counted, each with the key there."""
        return [(self, key)]

    def check(self, key: str, times: int = 1) -> None:
        """Counts a try, as take() does. Raises DeniedError if it is too early."""
        self._check([key] * times)

    def _check(self, keys: Iterable[str]) -> list[tuple["Limit", str]]:
        """Counts a try for each key, all or none, and returns where. Raises DeniedError if it is too early."""
        tries = [one for key in keys for one in self.tries(key)] if self._seconds else []
        if seconds := take_all(tries):
            raise DeniedError(self.code, self.words, seconds)
        return tries

    @contextlib.contextmanager
    def counting(self, *keys: str) -> Iterator[None]:
        """Counts what is done here for each key, all or none, only if it is done, and while it is being done. Raises
        DeniedError if it is too early.
        """
        tries = self._check(keys)
        try:
            yield
        except BaseException:
            for limit, name in tries:
                limit.give_back(name)
            raise

    def give_back(self, key: str) -> None:
        """Takes back a try that was counted."""
        if key in self._full_at:
            self._full_at[key] -= self._seconds

    def wait(self, key: str) -> float:
        """Seconds to wait before a try."""
        now = self._clock()
        too_early = self._full_when_tried(key, now) - now - self._burst * self._seconds
        return too_early if too_early > 1e-9 else 0.0

    def count(self, key: str) -> None:
        """Counts a try, even if it is too early."""
        self._full_at[key] = self._full_when_tried(key, self._clock())
        self._full_at.move_to_end(key)
        if len(self._full_at) > MAX_KEYS:
            self._full_at.popitem(last=False)
        self._tidy()

    def _full_when_tried(self, key: str, now: float) -> float:
        return max(self._full_at.get(key, now), now) + self._seconds

    def _tidy(self) -> None:
        """Forgets full buckets, which need not be kept. This frees memory when a crowd has left."""
        now = self._clock()
        for key, full_at in list(itertools.islice(self._full_at.items(), TIDIED)):
            if full_at <= now:
                del self._full_at[key]


class AddressLimit(Limit):
    """A limit for each address, and wider ones for the networks that it is in."""

    def __init__(self, burst: int, seconds: float, clock: Callable[[], float] = time.monotonic, **refusal: str) -> None:
        super().__init__(burst, seconds, clock, **refusal)
        self._by_site = Limit(2 * burst, seconds / 2, clock)
        self._by_network = Limit(4 * burst, seconds / 4, clock)

    def tries(self, address: str) -> list[tuple[Limit, str]]:
        """A try that is refused to an address doesn't count for its network."""
        limits = with_networks(address, self, self._by_site, self._by_network)
        return [(limit, name) for name, limit in limits]


def take_all(tries: list[tuple[Limit, str]]) -> float:
    """Counts a try in all of these limits and returns 0; or returns the seconds to wait and counts nothing."""
    seconds = max((limit.wait(key) for limit, key in tries), default=0.0)
    if not seconds:
        for limit, key in tries:
            limit.count(key)
    return seconds


class Guessing:
    """Tries at passwords, right or wrong, counted by address and by account.

    Nobody can be locked out by others: browsers in which the owner has signed in before are counted separately, and
    addresses from which somebody has signed in to an account are not counted for the account as a whole. One network
    alone (an IPv6 /48, an IPv4 /24) gets fewer tries than an account takes from all of them.
    """

    def __init__(self, clock: Callable[[], float], *, are_on: bool = True) -> None:
        self._are_on = are_on
        self.by_address = AddressLimit(100, 3 * are_on, clock, words=TOO_MANY_TRIES)
        self._by_known_browser = Limit(10, 30 * are_on, clock)
        self._at_from = Limit(10, 30 * are_on, clock)
        """By username and address."""
        self._at_near = Limit(20, 120 * are_on, clock)
        """By username and the widest network."""
        self._at = Limit(100, 60 * are_on, clock)
        """By username: NIST SP 800-63B allows at most 100 wrong tries in a row."""
        self._has_been: collections.OrderedDict[str, None] = collections.OrderedDict()
        """Username and address of people who have signed in."""

    def take_known(self, browser: str) -> float:
        """Like Limit.take(), for a browser that claims to be known, or for a session or token of this account."""
        return self._by_known_browser.take(browser)

    def take(self, username: str, address: str) -> float:
        """Like Limit.take(), for all others. A username that doesn't exist is counted, too; "" is an impossible one."""
        if not self._are_on:
            return 0
        username = username[:40]
        at_from = f"{username} {address}"
        tries = [
            (self._at_from, at_from),
            (self._at_near, f"{username} {networks_of(address)[-1]}"),
            *self.by_address.tries(address),
        ]
        if username and at_from not in self._has_been:
            tries.append((self._at, username))
        return take_all(tries)

    def note_right(self, username: str, address: str) -> None:
        """Notes that somebody has signed in from this address."""
        if not self._are_on:
            return
        key = f"{username} {address}"
        self._has_been[key] = None
        self._has_been.move_to_end(key)
        if len(self._has_been) > MAX_KEYS:
            self._has_been.popitem(last=False)


class Limits:
    """All limits of one process. They are wide, because a school or an office may share one address.

    Where limits are off, each is full again at once.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic, *, are_on: bool = True) -> None:
        self._are_on = are_on
        posts = {"code": "too_many_posts", "words": POST_AGAIN}
        self.posting = Limit(60, 1 * are_on, clock, **posts)
        """Posts and edits, by Caller.key."""
        self.posting_from = AddressLimit(300, 0.2 * are_on, clock, **posts)
        """By address, for members and guests together."""
        self.no_hook_from = AddressLimit(60, 1 * are_on, clock, **posts)
        """Posts with a secret that no incoming webhook has, by address: nothing else from there is stopped by them."""
        self.reading = Limit(60, 0.2 * are_on, clock, code="too_many_requests")
        """Requests that read from storage or need work for one client alone, by Caller.key."""
        self.searching = Limit(30, 1 * are_on, clock, code="too_many_searches", words=SEARCH_AGAIN)
        """By Caller.key."""
        self.deleting = Limit(60, 1 * are_on, clock)
        """Deletions of own messages, by Caller.key, because each wakes every page."""
        self.guessing = Guessing(clock, are_on=are_on)
        """Signing in, with a right or a wrong password."""
        self.sign_in_from = self.guessing.by_address
        """The same by address alone. Requests that come back from another site are counted there, too."""
        self.sign_up_from = AddressLimit(
            20, 180 * are_on, clock, words=msgid("Too many accounts are being made from where you are.")
        )
        """By address."""
        self.changing = Limit(20, 60 * are_on, clock)
        """New names, tokens and incoming webhooks, by Caller.key: each is stored, and a new name has polls checked again."""
        self.making_from = AddressLimit(
            20, 600 * are_on, clock, words=msgid("Too many boards are being made from where you are.")
        )
        """Boards that members make who are no moderators, by address."""
        self.managing = Limit(60, 5 * are_on, clock)
        """Changes of boards, pins, and names to invite, by Caller.key: each is stored, and wakes pages or has polls checked."""
        self.inviting = Limit(20, 60 * are_on, clock)
        """Invitations, by who invites and whom: by the latter alone, one could use up what others have, and be told of it."""
        self.reacting = Limit(60, 1 * are_on, clock)
        """Reactions that come or go, by Caller.key, because each wakes every page."""
        self.reacting_from = AddressLimit(300, 0.2 * are_on, clock)
        """By address."""
        self.marking = Limit(60, 1 * are_on, clock)
        """Read marks, by Caller.key."""

    def asker(self, address: str, known: str = "") -> Asker:
        """Returns the asker in the queue for hashing passwords, where addresses count only if limits are on."""
        return Asker(address, known) if self._are_on else ANYBODY
