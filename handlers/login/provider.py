"""What a provider of logins is: a site whose accounts let people in here. __init__.py has the list of all."""

import abc
import dataclasses
from collections.abc import Sequence
from typing import ClassVar

from tornado.httpclient import HTTPClientError

from board.images import kind_of_image
from board.said import msgid
from net.outgoing import Outgoing, Visit
from settings import Settings
from storage.people import Picture
from storage.ways_in import label_of


@dataclasses.dataclass(frozen=True)
class Person:
    """The person who came back, as the provider describes them."""

    id: str
    name: str
    picture_url: str | None
    """None if the person has no picture; "" if it is unknown."""


class Provider(abc.ABC):
    """Has the settings of one provider, and speaks with it. The flow does everything else."""

    name: str
    """Small letters. It is in addresses, cookies, the database and the log, so it must never change."""
    deletion: ClassVar[str] = msgid("Have it deleted with your account here.")
    """How people have their data deleted, for the privacy page."""
    pages: ClassVar[Sequence[tuple[str, str]]] = ()
    """Handlers that only this provider has, by the ends of their addresses, named as in ROUTES. They get its name as
    `provider`."""
    has_pictures: ClassVar[bool] = True
    app_id = ""
    """Within which people have their ids: the board's own id there, or the issuer. No other provider has the same. Empty
    if it is not set up."""
    fake = ""
    """The address of a fake provider, which every page warns of."""

    def __init__(self, settings: Settings) -> None:
        """The way back is never taken from the Host header, which the client writes."""
        self.origin = settings.public_url or f"http://localhost:{settings.port}"
        self.redirect_uri = f"{self.origin}/{self.name}/callback"
        self.outgoing = Outgoing()

    @property
    def label(self) -> str:
        return label_of(self.name)

    @abc.abstractmethod
    async def way_there(self, state: str, proof: str) -> str:
        """Returns the address at which the provider asks for consent. It must send `state` back to redirect_uri.

        `proof` is a secret of the board for this one flow, which person() gets again.

        Raises anything, if the provider itself must be asked for it.
        """

    @abc.abstractmethod
    async def person(self, visit: Visit, code: str, proof: str) -> Person:
        """Asks who came back with this code. Raises anything, also for an answer without an id."""

    def keeps_pictures_at(self, url: str) -> bool:
        return False

    async def picture(self, visit: Visit, url: str) -> Picture | None:
        """Returns the picture at this address, or None if that fails: no sign-in fails for want of a picture."""
        try:
            content = await visit.file(url, self.keeps_pictures_at)
        except Exception:  # a server can misbehave in many ways
            return None
        kind = kind_of_image(content)
        return Picture(kind, content) if kind else None

    def describe(self, error: BaseException) -> str:
        """Describes an error for the operator. It leaves out the error's own words, address and body: they contain the
        app's secret and the code.
        """
        if not isinstance(error, HTTPClientError):
            return type(error).__name__
        if error.response is None or error.code == 599:
            return f"no answer ({type(error).__name__})"
        return " ".join([f"HTTP {error.code}", *self.error_codes(error.response.body or b"")])

    def error_codes(self, body: bytes) -> list[str]:
        """Returns what may be logged of an error's body."""
        return []
