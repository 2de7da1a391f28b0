"""What all handlers share: headers, errors and replies. handlers/http/rights.py says who may use them."""

import asyncio
import json
import logging
import math
from collections.abc import Callable
from typing import Any, cast

import tornado.web
from tornado.http1connection import HTTP1Connection
from tornado.iostream import StreamClosedError

from board.errors import DeniedError
from board.said import said, together
from board.turns import BusyError
from handlers.http.cors import Cors
from handlers.http.errors import RefusedError, as_refused, error_json
from handlers.http.fields import FORM
from handlers.http.headers import DATA_CSP, PAGE_CSP, default_headers, is_embedding
from handlers.http.language import Language
from handlers.http.negotiation import wants_json
from handlers.http.place import CLOSED, THE_FIRST, home_of
from handlers.http.static import ICON, static_url
from net.logs import shown_path, warn_rarely
from storage.errors import StorageError, UnavailableError
from version import VERSION

log = logging.getLogger("longboard")


ERRORS_MAX = 100
"""Error pages that are cached."""
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


def allowed_methods(kind: type[tornado.web.RequestHandler]) -> list[str]:
    """Returns the methods that a handler takes. OPTIONS is always included; handlers/http/heads.py answers it."""
    missing = tornado.web.RequestHandler._unimplemented_method
    return [name for name in METHODS if name == "OPTIONS" or getattr(kind, name.lower()) is not missing]


def only_takes(kind: type[tornado.web.RequestHandler]) -> str:
    """Returns the words of a refusal of other methods. It leaves out HEAD and OPTIONS, which only programs send; nothing if
    there are no others, as where no page is.
    """
    methods = [name for name in allowed_methods(kind) if name not in ("HEAD", "OPTIONS")]
    return said("This address takes only %(methods)s.", methods=together(methods)) if methods else ""


class Base(Cors):
    csp = DATA_CSP
    closes = False
    """Whether the connection ends with this reply."""
    is_too_large = False
    """Whether the body is longer than allowed. This may be known before the body is read."""

    def __init_subclass__(cls) -> None:
        """HEAD is allowed wherever GET is (RFC 9110, 9.1)."""
        super().__init_subclass__()
        if "HEAD" not in allowed_methods(cls) and "GET" in allowed_methods(cls):
            setattr(cls, "head", Base._head)  # noqa: B010 - a method, which must not be assigned to by name

    def _head(self, *arguments: str) -> Any:
        get = cast(Callable[..., Any], self.get)
        return get(*arguments)

    # --- what handlers use

    @property
    def wants_json(self) -> bool:
        """Whether the reply is for a program rather than for a person at a page."""
        return self.csp == DATA_CSP or wants_json(self.request.headers.get("Accept", ""))

    @property
    def language(self) -> Language:
        """The language of the page, or of what a page's script shows."""
        return cast(Language, self.locale)

    def get_user_locale(self) -> Language:
        """Tornado's hook, which it calls once for a request."""
        return self.context.languages.asked(self.request.headers)

    # --- Tornado's hooks

    def set_default_headers(self) -> None:
        for name, value in default_headers(self.config, self.csp):
            self.set_header(name, value)
        self.clear_header("Server")

    async def prepare(self) -> None:
        self.context.under_way.add(self)
        if self.is_too_large or len(self.request.body) > self.max_body:
            raise RefusedError(413, "too_large", "This is far more than a message may hold.")
        await self.identify(use=True)
        self.check_for_whom()
        if self.request.method in ("GET", "HEAD") and self.counts_as_reading:
            self.site.limits.reading.check(self.caller.key)

    @property
    def counts_as_reading(self) -> bool:
        """Whether this request counts as reading, because it reads from storage or needs work for one client alone.

        Cached pages, polls and requests by monitors are not counted.
        """
        return True

    @property
    def max_body(self) -> int:
        return self.context.max_body

    def compute_etag(self) -> str | None:
        return None  # no client gets the same reply twice

    def finish(self, chunk: str | bytes | dict[str, Any] | None = None) -> "asyncio.Future[None]":
        if not self.is_as_judged:
            self._auto_finish = False  # _look_and_finish() sends the reply
            if self._looking is None:  # after an error, Tornado calls this again
                self._looking = asyncio.ensure_future(self._look_and_finish(chunk))
            return self._looking
        if self.site.waiters.draining or self.closes:
            self.set_header("Connection", "close")
        for name, value in self.cors_headers().items():
            self.set_header(name, value)
        sent = super().finish(chunk)
        sent.add_done_callback(self._when_sent)
        return sent

    def _when_sent(self, sent: "asyncio.Future[None]") -> None:
        if not sent.cancelled():
            sent.exception()  # the client has gone, so there is nobody to tell
        self.context.under_way.discard(self)
        if self.site.waiters.draining or self.closes:
            cast(HTTP1Connection, self.request.connection).close()

    def _origin_matches_host(self, origin: str) -> bool:
        return self.context.names.is_same_origin(origin, self.request)

    # --- errors

    def log_exception(self, typ: Any, value: BaseException | None, tb: Any) -> None:
        if isinstance(value, UnavailableError):
            # At most once a minute: clients decide how often this happens, and /metrics counts it.
            words, path = "%s %s: storage is unavailable: %s", shown_path(self.request.path)
            warn_rarely(type(value).__name__, words, self.request.method, path, value)
            return
        if isinstance(value, tornado.web.HTTPError | DeniedError | StorageError | BusyError | StreamClosedError):
            return  # refused with an explanation, or ended by the client
        # Without the query, which may be private.
        log.error("%s %s failed", self.request.method, shown_path(self.request.path), exc_info=value)

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        refused = as_refused(status_code, kwargs.get("exc_info", (None, None, None))[1], self.site.rules.label_of)
        if refused.code == "bad_request" and self.request.body:  # raised by Tornado for a form that it can't read
            refused = self.refusal_of_body or refused
        if refused.code == "unsupported_encoding":
            self.set_header("Accept-Encoding", "identity")
        self.set_status(refused.status_code)
        self.site.counters.refused[refused.code] += 1
        if refused.status_code == 401:
            self.set_header("WWW-Authenticate", 'Bearer realm="longboard"')
        if refused.status_code == 405:
            self.set_header("Allow", ", ".join(allowed_methods(type(self))))
            refused = RefusedError(405, refused.code, only_takes(type(self)) or refused.words)
        if refused.retry_after is not None:
            self.set_header("Retry-After", str(math.ceil(refused.retry_after)))
        if self.wants_json:
            self.write_json(error_json(refused, self.language.tell if self.is_asked_by_a_page else str))
        elif self.has_ended and not self.refuses_with_own_words:
            self.finish(self.error_page(refused))
        else:
            self.write_error_page(refused)

    @property
    def is_asked_by_a_page(self) -> bool:
        """Whether a script of a page asks. Browsers say so, programs don't; without TLS, browsers say it only of posts."""
        headers = self.request.headers
        return headers.get("Sec-Fetch-Site", "same-origin" if "Origin" in headers else "") == "same-origin"

    def write_error_page(self, refused: RefusedError) -> None:
        self.finish(self.error_page(refused))

    def asks_to_sign_in(self, refused: RefusedError) -> bool:
        """Whether signing in may help. What a guest may not read is for them as what never was, and may be either."""
        return self.account is None and (refused.status_code == 401 or refused.code == "no_such_board")

    @property
    def has_others(self) -> bool:
        """Whether the client may read several boards. A page that is about none of them leads to the search in all."""
        return self.site.has_others(self.credential)

    def error_page(self, refused: RefusedError, near: int | None = None) -> bytes:
        """Renders a refusal's page. It is cached for guests, so that a refusal costs no more than an ordinary reply."""
        several = self.has_others
        told: dict[str, Any] = {"refused": refused, "near": near, "several": several, "place": THE_FIRST}
        if self.account is not None or self.asks_to_sign_in(refused):  # the page has a name, or what the client sent
            came_for = self.request.uri if self.request.method == "GET" else None
            return self.render_string("error.html", **told, next_path=came_for)
        kept, key = self.context.making.errors, (self.language.tag, refused.status_code, refused.words, near, several)
        page = kept.get(key)
        if page is None:
            page = kept[key] = self.render_string("error.html", **told, next_path=near and f"/m/{near}")
            if len(kept) > ERRORS_MAX:
                del kept[next(iter(kept))]
        return page

    # --- replies

    def write_json(self, value: dict[str, Any]) -> None:
        self.set_header("Content-Type", "application/json")
        self.finish(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())

    async def write_many(self, value: dict[str, Any]) -> None:
        """Writes a reply with many messages. Encoding it takes a moment, so there is only one such reply at a time."""
        async with self.context.making.turns.turn():
            self.write_json(value)

    def write_bytes(self, reply: bytes) -> None:
        """Writes a reply that is already encoded as JSON."""
        self.set_header("Content-Type", "application/json")
        self.finish(reply)


class Page(Base):
    """A page for people at a browser."""

    csp = PAGE_CSP
    takes = (FORM,)
    place = THE_FIRST
    """The board that the page is about."""

    def set_default_headers(self) -> None:
        super().set_default_headers()
        if self.context.languages.are_several:
            self.set_header("Vary", "Accept-Language")

    def get_template_namespace(self) -> dict[str, Any]:
        names = super().get_template_namespace()
        return {
            **names,
            "language": self.language,
            "tell": self.language.tell,
            "title": self.config.title,
            "first_name": self.config.first_board or self.config.title,
            "static": static_url,
            "icon": ICON,
            "config": self.config,
            "providers": [one for one in self.context.providers.values() if one.app_id],
            "account": self.account,
            "place": self.place,
            "framed": False,
            "embeds": is_embedding(self.config),
            "rail": None,
            "home_of": home_of,
            "CLOSED": CLOSED,
            "origin": self.origin,
            "version": VERSION,
        }
