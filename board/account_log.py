"""The log of sign-ins, failures, and changes of the ways into an account. It never contains a secret.

A typed username is never logged, because it may be a password; an account is named by its id. Failures can't fill the
log: there is one line a minute for each account and reason, and there are only a few for each address.
"""

import logging
import time
from collections.abc import Callable

from board.limits import AddressLimit, Limit
from storage.ways_in import label_of

log = logging.getLogger("longboard.accounts")

EVENTS = {
    "signed_up": "was made",
    "owner_link_used": "is the first moderator's",
    "signed_in": "signed in",
    "sign_in_failed": "Sign-in failed",
    "signed_out": "signed out",
    "password_changed": "has a new password",
    "password_link_used": "has a new password, by a one-time link",
    "username_changed": "has a new username",
    "token_made": "has a new token for a bot",
    "feed_made": "has a new address of a private feed",
    "revoked": "ended a session or token",
    "revoked_all": "ended all other sessions and tokens",
    "linked": "was linked with {}",
    "unlinked": "is no longer linked with {}",
    "deauthorized": "has removed this board at {}",
    "erased": "had what came from {} deleted",
    "suspended": "was suspended by a moderator",
    "unsuspended": "is no longer suspended, by a moderator",
    "deleted": "was deleted by its owner",
}
"""What is logged, with {} for a provider of logins, whose name then begins the event's name: <name>_linked. Roles,
invitations and links for passwords are made at the command line and are in the audit log.
"""


class AccountLog:
    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._by_failure = Limit(1, 60, clock)
        self._by_address = AddressLimit(10, 60, clock)
        self._left_out = 0

    def write(self, event: str, account_id: int | None, address: str, kind: str) -> None:
        """Logs one event. `kind` says how it happened (password, or a provider's name), or why it failed."""
        fields: dict[str, object] = {"event": event, "account": account_id, "client": address, "kind": kind}
        did = (EVENTS.get(event) or EVENTS[event.removeprefix(f"{kind}_")]).format(label_of(kind))
        words, more = f"Account {account_id} {did}: {kind}", ""
        if event == "sign_in_failed":
            whose = "" if account_id is None else f"account {account_id}, "
            words = f"{did}: {whose}{kind.replace('_', ' ')}"
            if self._left_out:
                more = f" (failures left out before this one: {self._left_out})"
                fields["left_out"], self._left_out = self._left_out, 0
        log.info("%s, from %s%s", words, address, more, extra={"fields": fields})

    def write_failure(self, account_id: int | None, address: str, reason: str) -> None:
        """Logs a failed sign-in, unless there are too many. `account_id` is that of the typed username, if any."""
        if self._by_failure.wait(key := f"{account_id} {reason}") or self._by_address.take(address):
            self._left_out += 1
            return
        self._by_failure.count(key)
        self.write("sign_in_failed", account_id, address, reason)
