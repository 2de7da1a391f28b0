"""What the page of outgoing webhooks and its API share: a try that is asked for, and why a try has failed, in words."""

import json
import secrets
import time

from board.said import msgid, said
from board.turns import BusyError
from handlers.http.base import Base
from net.webhooks.delivery import TRY_SECONDS, Delivery, Outcome
from net.webhooks.events import encode, secrets_of
from storage.webhooks import Webhook

TESTS_AT_ONCE = 8
"""Further ones are told to try again: each may take as long as a try."""
TROUBLES = {
    "timeout": said("It did not answer within %(n)s seconds.", n=TRY_SECONDS),
    "no_host": msgid("There is no host with this name."),
    "inner_address": msgid("Its name leads to an address inside a private network, where nothing is sent."),
    "bad_certificate": msgid("Its certificate can't be trusted."),
    "no_tls": msgid("It does not speak TLS as it should."),
    "unreachable": msgid("It can't be reached."),
    "closed": msgid("It closed the connection without an answer."),
    "bad_answer": msgid("Its answer can't be read, or is too long."),
}
"""By the codes of net/webhooks/delivery.py. Others are statuses."""
ANSWERED = msgid("It answered with status %(status)s.")


def trouble_of(code: str | None) -> str | None:
    """Returns in words why a try has failed, or None if it has not."""
    return None if code is None else TROUBLES.get(code) or said(ANSWERED, status=code)


class WithWebhooks(Base):
    testing: set["WithWebhooks"] = set()  # noqa: RUF012 - of all handlers together

    async def send_test(self, webhook: Webhook) -> Outcome:
        """Sends a test event, which is none of the log's. Raises BusyError."""
        if len(self.testing) >= TESTS_AT_ONCE:
            raise BusyError
        now = round(time.time() * 1000)
        if webhook.shape == "slack":
            body = json.dumps(
                {"text": f"A test of an outgoing webhook, from {self.config.title}"}, ensure_ascii=False
            ).encode()
        else:
            body = encode("test", now, {"webhook": webhook.id})
        delivery = Delivery(to_loopback=self.site.rules.webhooks_to_loopback)
        self.testing.add(self)
        try:
            return await delivery.post(webhook.url, secrets_of(webhook, now), f"test-{secrets.token_hex(8)}", body)
        finally:
            self.testing.discard(self)
            delivery.close()
