"""Posts and reads messages: /add for the page's form, /api/v1/messages for programs."""

import datetime
import hashlib
import secrets

from board.cursor import Cursor
from board.recent import BATCH, PAGE, as_json, encode, encode_reply
from board.text import clean
from handlers.base import Base, Page, signed_in
from handlers.errors import RefusedError
from handlers.polls import Poll
from handlers.reading import check_may_read
from storage.errors import NotFoundError
from storage.records import Message

CHANGES = "Only its author can change a message."
DELETES = "Only its author or a moderator can delete a message."
NO_MOMENT = -1
"""A time that no message has."""
RESERVED = ("tutorial-", "form-")
"""Prefixes of keys that Longboard makes itself, so that no client can use such a key first."""


async def post(handler: Base, text: str, key: str | None) -> tuple[Message, bool]:
    """Cleans a message, saves it and delivers it. Returns it, and whether it is new (not a retry)."""
    check_may_post(handler)
    body = clean(text, handler.config.message_length)
    credential = handler.credential.id if handler.credential else None
    return await handler.board.storage.append(handler.author, body, key, handler.client_address, credential)


def check_may_post(handler: Base) -> None:
    """Raises RefusedError."""
    account, address, limits = handler.account, handler.client_address, handler.board.limits
    if account is None and handler.config.posting == "members":
        raise RefusedError(401, "sign_in_first", "Only members can post on this board. Please sign in.")
    if limits is None:
        return
    who = f"account {account.id}" if account else address
    if seconds := limits.posting.take(who) or limits.posting_from.take(address):
        raise RefusedError(
            429, "too_many_posts", "That was a lot at once. Please wait a moment, then post again.", seconds
        )


def checked_key(key: str | None) -> str | None:
    """Checks the key of a post. All guests share one space of keys, so keys must be too long to collide.

    Raises RefusedError.
    """
    if key is None:
        return None
    if not (22 <= len(key) <= 100 and key.isascii() and key.isprintable()) or key.startswith(RESERVED):
        raise RefusedError(400, "bad_key", "A key has 22 to 100 random characters of ASCII.")
    return key


class Add(Page):
    """The page with only the form. Both this form and the board's form are posted here."""

    refuses_with_own_words = True

    @property
    def max_body(self) -> int:
        """Twice as much if the form also has the words that its message replaces (`first`)."""
        return self.application.max_body * (2 if "first" in self.request.body_arguments else 1)

    def get(self) -> None:
        self.render("add.html", text="", refused=None, key=new_form_key())

    async def post(self) -> None:
        text = self.form("s")
        if text is None:
            raise RefusedError(400, "bad_field", "The field “s” with the message is missing.")
        check_is_still(self, self.form("as"))
        message, is_new = await post(self, text, form_key(self.form("key"), self.form("first") or text))
        if self.wants_json:
            self.set_status(201 if is_new else 200)
            self.write_json(as_json(message))
        else:
            self.redirect("/", status=303)

    def write_error_page(self, refused: RefusedError) -> None:
        """Shows the form again with what was typed."""
        self.render("add.html", text=self.sent("s"), refused=refused, key=new_form_key())


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
    async def get(self) -> None:
        after, wait = self.after(), self.wait()
        before, limit = self.whole_number("before"), self.limit()
        if after is not None:
            if before is not None or limit is not None:
                raise RefusedError(
                    400, "bad_field", "“before” and “limit” are for history: they don't go with “after”."
                )
            reply = await self.changes(after, wait)
        elif before is not None:
            await self.history(before, limit or PAGE)
            return
        elif limit is not None:
            await self.newest(limit)
            return
        else:
            reply = self.board.waiters.recent.newest()
        if reply is not None:
            self.write_bytes(reply)

    async def changes(self, cursor: Cursor, wait: float) -> bytes | None:
        """As `/get`, but changes that are too old to be in memory are read from storage, page by page."""
        recent = self.board.waiters.recent
        if cursor.epoch == recent.epoch and recent.floor <= cursor.seq < recent.start:
            check_may_read(self)
            if reply := await self.page_forward(cursor):
                return reply
        return await self.poll(cursor, wait)

    async def page_forward(self, cursor: Cursor) -> bytes | None:
        """Returns the next page of changes, or None if the cursor needs a reset."""
        async with self.application.making.reading:
            changes = await self.board.storage.changes_page(cursor.seq, BATCH)
            if changes.head.epoch != cursor.epoch or changes.head.floor > cursor.seq:
                return None
            seq = changes.messages[-1].seq if changes.more else changes.head.seq
            messages = await self.application.making.turns.each(encode, changes.messages)
            return encode_reply(messages, Cursor(cursor.epoch, seq), more=changes.more)

    async def newest(self, limit: int) -> None:
        """Sends the requested number of newest messages. The cursor is read first: changes between the two reads are
        sent again by the next poll, which does no harm."""
        check_may_read(self)
        async with self.application.making.reading:
            cursor = str(self.board.waiters.recent.cursor)
            page = await self.board.storage.before(None, limit)
            rest = {"cursor": cursor} | ({"older": True} if page.older else {})
            await self.write_many({"messages": [as_json(message) for message in page.messages]} | rest)

    async def history(self, before: int, limit: int) -> None:
        check_may_read(self)
        async with self.application.making.reading:
            page = await self.board.storage.before(before, limit)
            await self.write_many({"messages": [as_json(message) for message in page.messages], "older": page.older})

    async def post(self) -> None:
        fields = self.fields()
        header, field = self.request.headers.get("Idempotency-Key"), self.optional_text(fields, "key")
        keys = [key for key in (checked_key(field), checked_key(header)) if key]
        message, is_new = await post(self, self.text_field(fields, "body"), keys[0] if keys else None)
        self.set_status(201 if is_new else 200)
        self.set_header("Location", f"/api/v1/messages/{message.id}")
        self.write_json(as_json(message))


class ApiMessage(Base):
    async def get(self, id: str) -> None:
        self.write_json(as_json(await self.board.storage.message(parse_id(id))))

    async def patch(self, id: str) -> None:
        fields = self.fields()
        body, began_from = self.text_field(fields, "body"), self.optional_text(fields, "began_from")
        seen_at = moment(began_from) if began_from else None
        if seen_at == NO_MOMENT:
            raise RefusedError(400, "bad_field", "“began_from” must be the message's “edited_at” or “created_at”.")
        self.write_json(as_json(await edit(self, parse_id(id), body, seen_at)))

    async def delete(self, id: str) -> None:
        await delete(self, parse_id(id))
        self.set_status(204)


async def edit(handler: Base, id: int, text: str, began_from: int | None) -> Message:
    """Edits a message. Only its author may, and not if it was changed after `began_from` (None: in any case).

    Raises RefusedError, BadTextError, NotFoundError, EditConflictError.
    """
    check_is_member(handler, CHANGES)
    message = await handler.board.storage.message(id)
    if not is_author(handler, message):
        raise RefusedError(403, "not_yours", CHANGES)
    check_may_post(handler)  # an edit wakes all polls, as a post does
    body, credential = clean(text, handler.config.message_length), signed_in(handler)
    return await handler.board.storage.edit(id, body, credential.account.id, began_from, credential=credential.id)


def moment(text: str) -> int:
    """Converts one of our times to milliseconds, even if a client's library has reformatted it; else NO_MOMENT."""
    try:
        at = datetime.datetime.fromisoformat(text)
        return round(at.timestamp() * 1000) if at.tzinfo else NO_MOMENT
    except (ValueError, OverflowError):
        return NO_MOMENT


async def delete(handler: Base, id: int) -> None:
    """Deletes a message, for its author or a moderator. Raises RefusedError, NotFoundError."""
    check_is_member(handler, DELETES)
    message = await handler.board.storage.message(id)
    if is_author(handler, message):
        check_may_delete(handler)
    elif not handler.may_moderate:
        raise RefusedError(403, "not_yours", DELETES)
    credential = signed_in(handler)
    await handler.board.storage.delete(
        id, credential.account.id, moderates=handler.may_moderate, credential=credential.id
    )


def check_may_delete(handler: Base) -> None:
    """Raises RefusedError."""
    limits, account = handler.board.limits, signed_in(handler).account
    if limits and (seconds := limits.deleting.take(f"account {account.id}")):
        raise RefusedError(
            429, "too_many_tries", "That was a lot at once. Please wait a moment, then try again.", seconds
        )


def is_author(handler: Base, message: Message) -> bool:
    return handler.account is not None and message.author is not None and message.author.id == handler.account.id


def check_is_member(handler: Base, who_may: str) -> None:
    """Refuses a guest for every message, even for one that doesn't exist. Raises RefusedError."""
    if handler.account is None:
        raise RefusedError(401, "sign_in_first", f"{who_may} Please sign in.")


def parse_id(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise NotFoundError(text)
    return int(text)
