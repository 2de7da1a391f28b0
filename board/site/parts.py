"""What the verbs of a site work with."""

import asyncio
import dataclasses
from collections.abc import Mapping

from board.account_log import AccountLog
from board.clock import Clock
from board.counters import Counters
from board.credentials import Credentials
from board.failures import Failures
from board.limits import Limits
from board.marks import Marks
from board.passwords import Passwords
from board.readiness import Readiness
from board.scopes import Scopes
from board.waiters import WaiterList
from storage import Storage
from storage.ways_in import label_of


@dataclasses.dataclass(frozen=True)
class Rules:
    """The settings that verbs depend on. settings.py says what they mean."""

    title: str = "Longboard"
    first_name: str = "Longboard"
    """The name of the first board among others."""
    reading: str = "public"
    posting: str = "guests"
    order: str = "newest"
    signup: str = "open"
    message_length: int = 4000
    token_seconds: int = 14_400
    board_making: str = "moderators"
    boards_each: int = 10
    passwords: bool = True
    app_ids: Mapping[str, str] = dataclasses.field(default_factory=dict)
    """The providers that are set up, with the app or issuer within which their people have ids."""
    webhooks_to_loopback: bool = False
    labels: Mapping[str, str] = dataclasses.field(default_factory=dict)
    """What people see of providers whose names won't do."""

    def label_of(self, provider: str) -> str:
        return self.labels.get(provider) or label_of(provider)


@dataclasses.dataclass(frozen=True)
class Parts:
    storage: Storage
    waiters: WaiterList
    credentials: Credentials
    scopes: Scopes
    passwords: Passwords
    failures: Failures
    account_log: AccountLog
    limits: Limits
    marks: Marks
    readiness: Readiness
    clock: Clock
    counters: Counters
    secret: bytes
    """Signs what clients get from the server and send back. It is made with the database."""
    rules: Rules
    webhook_news: asyncio.Event = dataclasses.field(default_factory=asyncio.Event)
    """Set when a site may have got a webhook, or people have changed one: its sender sleeps until then."""
