"""One try: a signed request of Standard Webhooks 1.0, to a judged address, bounded in bytes and time."""

import base64
import email.utils
import functools
import hashlib
import hmac
import socket
import ssl
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

from tornado.httpclient import HTTPRequest, HTTPResponse
from tornado.httputil import HTTPInputError, HTTPOutputError
from tornado.iostream import StreamClosedError, UnsatisfiableReadError
from tornado.simple_httpclient import HTTPStreamClosedError, HTTPTimeoutError, SimpleAsyncHTTPClient

from net.webhooks.resolver import InnerAddressError, JudgingResolver, LookUp, look_up

TRY_SECONDS = 15
"""For a whole try, from the name to the end of the answer."""
CONNECT_SECONDS = 10
AT_ONCE = 50
"""Requests. storage/webhooks.py says why that is enough."""
ANSWER_BYTES = 16 * 1024
"""Of an answer, and of its head: only the status counts."""


class Outcome(NamedTuple):
    error: str | None
    """None if the receiver has it; else its status, or one of the codes below."""
    retry_after: float = 0
    """Seconds after which the receiver wants to be asked again."""


class StaleError(Exception):
    """Somebody's rights, or the webhook, may have changed since the event was read."""


def sign(secrets: Sequence[bytes], id: str, at: int, body: bytes) -> str:
    """Returns the header webhook-signature: one signature for each secret."""
    text = f"{id}.{at}.".encode() + body
    digests = [base64.b64encode(hmac.digest(secret, text, hashlib.sha256)).decode() for secret in secrets]
    return " ".join(f"v1,{digest}" for digest in digests)


class Delivery:
    """The client for all receivers. It follows no redirect, and knows no proxy."""

    def __init__(self, *, to_loopback: bool = False, look_up: LookUp = look_up) -> None:
        self._resolver = JudgingResolver(to_loopback=to_loopback, look_up=look_up)

    @functools.cached_property
    def _client(self) -> SimpleAsyncHTTPClient:
        return SimpleAsyncHTTPClient(
            force_instance=True,
            defaults={"follow_redirects": False, "decompress_response": False, "user_agent": "Longboard"},
            resolver=self._resolver,
            max_clients=AT_ONCE,
            max_body_size=ANSWER_BYTES,
            max_header_size=ANSWER_BYTES,
        )

    async def post(
        self,
        url: str,
        secrets: Sequence[bytes],
        id: str,
        body: bytes,
        is_current: Callable[[], bool] = lambda: True,
        seconds: float = TRY_SECONDS,
    ) -> Outcome:
        """Sends an event. `is_current` is asked in the step that sends it. Raises StaleError."""
        at = int(time.time())
        headers = {
            "Content-Type": "application/json",
            "Content-Length": str(len(body)),
            "webhook-id": id,
            "webhook-timestamp": str(at),
            "webhook-signature": sign(secrets, id, at, body),
        }

        async def produce(write: Callable[[bytes], object]) -> None:
            if not is_current():
                raise StaleError
            write(body)

        request = HTTPRequest(
            url,
            method="POST",
            headers=headers,
            body_producer=produce,  # type: ignore[arg-type]
            request_timeout=seconds,
            connect_timeout=min(CONNECT_SECONDS, seconds),
        )
        try:
            response = await self._client.fetch(request, raise_error=False)
        except StaleError:
            raise
        except Exception as error:
            return Outcome(code_of(error))
        return Outcome(None if 200 <= response.code < 300 else str(response.code), wanted_pause(response))

    def close(self) -> None:
        self._client.close()


CODES: dict[type[BaseException], str] = {
    InnerAddressError: "inner_address",
    socket.gaierror: "no_host",
    HTTPTimeoutError: "timeout",
    TimeoutError: "timeout",
    ssl.SSLCertVerificationError: "bad_certificate",
    ssl.SSLError: "no_tls",
    HTTPStreamClosedError: "closed",
    StreamClosedError: "closed",
    HTTPInputError: "bad_answer",
    HTTPOutputError: "bad_answer",
    UnsatisfiableReadError: "bad_answer",
    OSError: "unreachable",
}
"""By the kind of the error, the narrower ones first. handlers/boards/webhook_tries.py has the words."""


def code_of(error: BaseException) -> str:
    return next((code for kind, code in CODES.items() if isinstance(error, kind)), "bad_answer")


def wanted_pause(response: HTTPResponse) -> float:
    """Returns the seconds of Retry-After, which also may be a date; 0 for none."""
    text = response.headers.get("Retry-After", "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        return max(0.0, email.utils.parsedate_to_datetime(text).timestamp() - time.time())
    except (TypeError, ValueError, OverflowError):
        return 0.0
