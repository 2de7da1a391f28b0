"""Posts and reads messages: /add for the page's form, /api/v1/messages for programs."""

import datetime
import hashlib
import secrets
from typing import Any

from board.cursor import Cursor
from board.recent import PAGE
from board.wire import as_json, iso
from handlers.boards.on_board import OnMessage
from handlers.boards.polls import Poll
from handlers.http.base import Base, Page
from handlers.http.errors import RefusedError
from handlers.http.fields import is_id, is_random
from storage.errors import NotFoundError
from storage.records import Message

NO_MOMENT = -1
"""A time that no message has."""
RESERVED = ("tutorial-", "form-")
"""Prefixes of keys that Longboard makes itself, so that no client can use such a key first."""


def checked_key(key: str | None) -> str | None:
    """Checks the key of a post. All guests share one space of keys, so keys must be too long to collide.

    Raises RefusedError.
    """
    if key is None:
        return None
    if not is_random(key) or key.startswith(RESERVED):
        raise RefusedError(400, "bad_key", "A key has 22 to 100 random characters of ASCII.")
    return key


class Add(Page):
    """The page with only the form. Both this form and the board's form are posted here."""

    refuses_with_own_words = True

    @property
    def max_body(self) -> int:
        """Twice as much if the form also has the words that its message replaces (`first`)."""
        return self.context.max_body * (2 if "first" in self.request.body_arguments else 1)

    def get(self) -> None:
        self.render("add.html", text="", refused=None, key=new_form_key(), reply_to=None)

    async def post(self, *slug: str) -> None:
        text, key, reply_to = self.letter()
        guest = self.guest(self.form("guest_name"))
        await self.answer(*await self.site.post(self.caller, text, key, *slug, reply_to=reply_to, guest=guest))

    def letter(self) -> tuple[str, str | None, int | None]:
        """Returns the words and the key of the post, and what it replies to. Raises RefusedError."""
        text = self.form("s")
        if text is None:
            raise RefusedError(400, "bad_field", "The field “s” with the message is missing.")
        check_is_still(self, self.form("as"))
        return text, form_key(self.form("key"), self.form("first") or text), self.reply_to(self.form("reply_to"))

    async def answer(self, message: Message, is_new: bool) -> None:
        self.is_done = True
        if self.wants_json:
            self.set_status(201 if is_new else 200)
            self.write_json(await as_posted(self, message, is_new))
        else:
            end = "#newest" if self.site.order_on(message.board_id) == "oldest" else ""  # where it is shown
            self.redirect(self.place.home + end, status=303)

    def write_error_page(self, refused: RefusedError) -> None:
        """Shows the form again with what was typed. What it replied to is left out if that is why it was refused: the words
        may be posted as a message like others.
        """
        sent = self.sent("reply_to")
        reply_to = sent if is_id(sent) and refused.code != "no_such_message" else None
        self.render("add.html", text=self.sent("s"), refused=refused, key=new_form_key(), reply_to=reply_to)


def check_is_still(handler: Base, username: str | None) -> None:
    """Checks that the client is still signed in as the user that the form names (empty for a guest). So nobody posts as
    somebody else after signing in or out in another tab. Raises RefusedError."""
    now = handler.account.username if handler.account else ""
    if username is None or username == now:
        return
    if not now:
        raise RefusedError(401, "signed_out", "You have been signed out. Please sign in again.")
    raise RefusedError(
        409, "someone_else", "You are signed in as somebody else by now. Reload the page to go on as them."
    )


def own_secret_hash(handler: Base) -> bytes | None:
    """Returns the hash of the secret that a guest has sent; a member's counts for nothing. Raises RefusedError."""
    secret = handler.guest_secret_hash()
    return None if handler.account else secret


async def as_posted(handler: Base, message: Message, is_new: bool) -> dict[str, Any]:
    """The message that answers its post. A guest who has sent a secret is told until when it is good."""
    own = own_secret_hash(handler)
    until = own and await handler.site.editable_until(message, is_new, own)
    return as_json(message) | ({"editable_until": iso(until)} if until else {})


def new_form_key() -> str:
    return secrets.token_urlsafe(16)


def form_key(key: str | None, text: str) -> str | None:
    """Makes a key from the form's key and its text: a form sent twice posts one message, but after the Back button it
    may be sent with other words.

    The page's outbox may send other words without knowing whether the first ones were posted. It then sends the first
    ones as `first`, and the board accepts only one of the two.
    """
    if key is None:
        return None
    return "form-" + hashlib.sha256(f"{checked_key(key)}\0{text}".encode(errors="replace")).hexdigest()


class ApiMessages(Poll):
    async def get(self, *slug: str) -> None:
        after, wait = self.after(), self.wait()
        before, limit = self.history(after)
        if (ids := self.ids()) is not None:
            if (after, before, limit) != (None, None, None):
                raise RefusedError(400, "bad_field", "“ids” doesn't go with “after”, “before” or “limit”.")
            await self.named(ids)
            return
        if after is not None:
            reply = await self.changes(after, wait)
        elif before is not None or limit is not None:
            await self.page(before, limit or PAGE)
            return
        else:
            reply = await self.newest()
        if reply is not None:
            self.write_bytes(reply)

    def history(self, after: Cursor | None) -> tuple[int | None, int | None]:
        """Returns `before` and `limit`. Raises RefusedError."""
        before, limit = self.whole_number("before"), self.limit()
        if after is not None and (before is not None or limit is not None):
            raise RefusedError(400, "bad_field", "“before” and “limit” are for history: they don't go with “after”.")
        return before, limit

    async def page(self, before: int | None, limit: int) -> None:
        """Sends the messages before this one, or the newest with their cursor. The cursor is read first: changes between
        the two reads are sent again by the next poll, which does no harm.
        """
        self.site.limits.reading.check(self.caller.key)
        async with self.context.making.reading:
            page, cursor = await self.site.page_of(self.caller, self.board.id, before, limit)
            newest = {"cursor": str(cursor)} | ({"older": True} if page.older else {})
            rest = newest if before is None else {"older": page.older}
            await self.write_many({"messages": [as_json(message) for message in page.messages]} | rest)

    async def named(self, ids: list[int]) -> None:
        """Sends those of these messages that are on the board; of a deleted one, that it is."""
        self.site.limits.reading.check(self.caller.key)
        async with self.context.making.reading:
            messages = await self.site.named(self.caller, self.board.id, ids)
            await self.write_many({"messages": [as_json(message) for message in messages]})

    async def post(self, *slug: str) -> None:
        fields = self.fields()
        text, key, reply_to = self.letter(fields)
        guest = self.guest(self.optional_text(fields, "guest_name"))
        await self.write_posted(*await self.site.post(self.caller, text, key, *slug, reply_to=reply_to, guest=guest))

    def letter(self, fields: dict[str, Any]) -> tuple[str, str | None, int | None]:
        """Returns the words and the key of a post, and what it replies to. Raises RefusedError."""
        header, field = self.random_header("Idempotency-Key"), self.optional_text(fields, "key")
        keys = [key for key in (checked_key(field), checked_key(header)) if key]
        return self.text_field(fields, "body"), keys[0] if keys else None, self.reply_to(fields.get("reply_to"))

    async def write_posted(self, message: Message, is_new: bool) -> None:
        self.is_done = True
        self.set_status(201 if is_new else 200)
        self.set_header("Location", f"/api/v1/messages/{message.id}")
        self.write_json(await as_posted(self, message, is_new))


class Placed(OnMessage):
    def write_placed(self, message: Message) -> None:
        """Writes a message that may be of any board: it says of which, if not of the first."""
        of_other = self.found is not None and not self.found.is_first
        self.write_json(as_json(message) | ({"board": self.board.slug} if of_other else {}))


class ApiMessage(Placed):
    allows_cors = True

    async def get(self, id: str) -> None:
        message = await self.site.message(self.caller, parse_id(id))
        await self.find_board_of(message)
        self.write_placed(message)

    async def patch(self, id: str) -> None:
        check_is_still(self, self.query("as"))
        fields = self.fields()
        body, began_from = self.text_field(fields, "body"), self.optional_text(fields, "began_from")
        seen_at = moment(began_from) if began_from else None
        if seen_at == NO_MOMENT:
            raise RefusedError(400, "bad_field", "“began_from” must be the message's “edited_at” or “created_at”.")
        message = await self.site.edit(self.caller, parse_id(id), body, seen_at, own_secret_hash(self))
        await self.find_board_when_done(message)
        self.write_placed(message)

    async def delete(self, id: str) -> None:
        check_is_still(self, self.query("as"))
        await self.site.delete(self.caller, parse_id(id), own_secret_hash(self))
        self.is_done = True
        self.set_status(204)


def moment(text: str) -> int:
    """Converts one of our times to milliseconds, even if a client's library has reformatted it; else NO_MOMENT."""
    try:
        at = datetime.datetime.fromisoformat(text)
        return round(at.timestamp() * 1000) if at.tzinfo else NO_MOMENT
    except (ValueError, OverflowError):
        return NO_MOMENT


def parse_id(text: str) -> int:
    if not is_id(text):
        raise NotFoundError(text)
    return int(text)
