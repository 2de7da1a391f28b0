"""Checks who may use a handler, before it runs and again before anything is sent.

Closed by default: a handler is for readers of the board, unless it says that it is for anyone, or only for members
or moderators. The client is authenticated before a handler runs; while the handler waits, the client's right may end.
So finish() and flush(), through which every reply is sent, check again if something about the account has changed. A
handler that parks a poll checks (`is_as_judged`) in the same step in which it parks; for a handler that writes, storage
checks in the same transaction. What is on disk is answered as done, by that alone (`is_done`).
"""

import asyncio
from typing import Any, Literal, cast

from tornado.http1connection import HTTP1Connection

from board.said import msgid, said
from board.site.moderation import MODERATORS_ONLY
from handlers.http.authentication import Authentication, ended
from handlers.http.errors import RefusedError

Whom = Literal["anyone", "readers", "members", "moderators"]
WORDS: dict[Whom, str] = {
    "readers": msgid("Only members can read this site."),
    "members": msgid("Only members can do this."),
    "moderators": MODERATORS_ONLY,
}


class Rights(Authentication):
    for_whom: Whom = "readers"
    """READING says whether everyone is a reader, or only members."""
    has_ended = False
    """Whether the right to this reply ended while the reply was made."""
    _looking: "asyncio.Future[None] | None" = None
    """The task that sends the reply after another look."""
    refuses_with_own_words = False
    """Whether a refusal's page contains only what the client sent. It is then shown even if the right has ended."""

    def check_for_whom(self) -> None:
        """Raises RefusedError if the client may not use this."""
        members_only = self.for_whom == "readers" and self.config.reading == "members"
        if (members_only or self.for_whom in ("members", "moderators")) and self.account is None:
            raise RefusedError(401, "sign_in_first", said("%(rule)s Please sign in.", rule=said(WORDS[self.for_whom])))
        if self.for_whom == "moderators" and not self.caller.may_moderate:
            raise RefusedError(403, "moderators_only", WORDS["moderators"])

    async def look_again(self) -> None:
        """Checks, after an await, that the client may still use this. Raises RefusedError, UnavailableError."""
        before = self.credential
        try:
            await self.identify(use=False)
            if before is not None and self.credential is None:  # a guest may ask, but the reply is for the member
                raise ended(before.kind)
            self.check_for_whom()
        except Exception as error:
            self.has_ended = True
            self.sign_off()
            if self.new_session is not None and isinstance(error, RefusedError) and error.status_code == 401:
                self.clear_session_cookie()  # the session that this request began has ended
            raise

    async def _look_and_finish(self, chunk: str | bytes | dict[str, Any] | None) -> None:
        try:
            await self.look_again()
        except Exception as error:
            self._looking = None
            self._handle_request_exception(error)
        else:
            self._looking = None
            if self.is_gone:
                self._leave()
            else:
                self.finish(chunk)  # something may have changed once more

    def flush(self, include_footers: bool = False) -> "asyncio.Future[None]":
        if self.is_as_judged:
            return super().flush(include_footers)
        return asyncio.ensure_future(self._look_and_flush())

    async def _look_and_flush(self) -> None:
        """Raises RefusedError before anything is sent."""
        await self.look_again()
        await super().flush()

    def send_error(self, status_code: int = 500, **kwargs: Any) -> None:
        if not self._headers_written:
            super().send_error(status_code, **kwargs)
            return
        self._leave()  # half of the reply has been sent: a closed connection tells the client that it is not complete

    @property
    def is_gone(self) -> bool:
        """Whether the client closed the connection along with its request, which Tornado doesn't report."""
        return cast(HTTP1Connection, self.request.connection).stream.closed()

    def _leave(self) -> None:
        """Ends without a reply, or without the rest of it."""
        self._finished = True
        self.context.under_way.discard(self)
        cast(HTTP1Connection, self.request.connection).stream.close()
