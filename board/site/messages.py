"""What a site does with messages."""

import contextlib
from collections.abc import Collection, Sequence

from board.caller import Caller
from board.cursor import Cursor
from board.errors import DeniedError
from board.live_board import LiveBoard
from board.markup import usernames_in
from board.recent import BATCH, PAGE
from board.said import msgid, said
from board.site.boards import finding_board
from board.site.parts import Parts
from board.text import clean
from storage.errors import MembersOnlyError, NotFoundError
from storage.mentions import Named
from storage.queries import GUESTS, Query, parse
from storage.records import ALL, FIRST_BOARD, Changes, Found, Message, Page

CHANGES = msgid("Only its author can change a message.")
DELETES = msgid("Only its author or a moderator can delete a message.")
QUERY_MAX = 200
"""Characters that a query may have: useful queries are shorter."""
LOOKS_A_TRY = 50
"""Boards times words and conditions that count as one search: about as much work as a search for several words in one
board."""
TRIES_WITH_WORDS, TRIES_ALONE = 2, 5
"""What each condition counts besides, beside words and without any: on SQLite it looks at all messages that have the words,
or at all that there are, if few fulfil it (docs/decisions/0008-search.md).
"""
NEWER, OLDER = 4, 10
"""Messages shown above and below one; few above, so that it is visible without scrolling."""


class Messages(Parts):
    def _checked(self, caller: Caller, text: str) -> str:
        """Counts a post, and returns its words as they are stored. Raises MembersOnlyError, DeniedError, BadTextError."""
        if caller.credential is None and self.rules.posting == "members":
            raise MembersOnlyError
        self._count_post(caller)
        return clean(text, self.rules.message_length)

    def _mentioned(self, caller: Caller, body: str) -> list[str]:
        """Returns the usernames that a message of the caller mentions, and “all” if it mentions everybody.

        A guest's message would tell by its mentions which usernames there are. Where anybody may sign up, that tells, too.
        """
        if caller.account is None and self.rules.signup != "open":
            return []
        return [username for username in usernames_in(body) if username != ALL or caller.person is not None]

    async def members_beginning(self, prefix: str, limit: int) -> list[Named]:
        """Returns the accounts whose usernames, or words of whose names, begin with this."""
        return await self.storage.members_beginning(prefix, limit)

    async def members_with(self, ids: Collection[int]) -> list[Named]:
        """Returns those of these accounts that exist."""
        return await self.storage.members_with(ids)

    def _count_post(self, caller: Caller) -> None:
        """Counts a post, or an edit, which wakes all polls as a post does. Raises DeniedError."""
        self.limits.posting.check(caller.key)
        self.limits.posting_from.check(caller.address)

    async def edit(self, caller: Caller, id: int, text: str, began_from: int | None) -> Message:
        """Edits a message. Only its author may, and not if it was changed after `began_from` (None: in any case).

        Raises DeniedError, BadTextError, NotFoundError, NotAllowedError, EditConflictError.
        """
        is_author, board_id = await self._find(caller, id, CHANGES)
        if not is_author:
            raise DeniedError("not_yours", CHANGES)
        self._count_post(caller)
        body, credential = clean(text, self.rules.message_length), caller.member_credential
        there, mentioned = {"credential": credential.id, "board_id": board_id}, self._mentioned(caller, body)
        return await self.storage.edit(id, body, credential.account.id, began_from, **there, mentioned=mentioned)

    async def delete(self, caller: Caller, id: int) -> Message:
        """Deletes a message, for its author or a moderator. Raises DeniedError, NotFoundError."""
        is_author, board_id = await self._find(caller, id, DELETES)
        if is_author:
            self.limits.deleting.check(caller.key)
        elif not caller.may_moderate and not await self._owns(caller, board_id):
            raise DeniedError("not_yours", DELETES)
        credential = caller.member_credential
        whose = {"credential": credential.id, "board_id": board_id}
        return await self.storage.delete(id, credential.account.id, moderates=not is_author, **whose)

    async def _owns(self, caller: Caller, board_id: int) -> bool:
        """Whether the caller owns the board, in person, and may delete what others write there. Raises NotFoundError."""
        credential = caller.member_credential
        if board_id == FIRST_BOARD or credential.kind == "bot":
            return False
        return (await self.storage.board_of(board_id, caller.asker)).owner_id == credential.account.id

    async def _find(self, caller: Caller, id: int, who_may: str) -> tuple[bool, int]:
        """Returns whether the caller wrote this message, and the board that it is on.

        Refuses a guest for every message, even for one that doesn't exist. Raises DeniedError, NotFoundError.
        """
        if caller.account is None:
            raise DeniedError("sign_in_first", said("%(rule)s Please sign in.", rule=said(who_may)))
        message = await self.storage.message(id, caller.asker)
        is_author = message.author is not None and message.author.id == caller.account.id
        return is_author, message.board_id

    async def message(self, caller: Caller, id: int) -> Message:
        """Raises NotFoundError."""
        return await self.storage.message(id, caller.asker)

    async def page(
        self, caller: Caller, board_id: int, *, before: int | None = None, after: int | None = None, limit: int = PAGE
    ) -> Page:
        """Returns the messages of a board before or after the one with this id, or the newest. Raises DeniedError."""
        there = limit, board_id, caller.asker
        with finding_board():
            return await (self.storage.before(before, *there) if after is None else self.storage.after(after, *there))

    async def named(self, caller: Caller, board_id: int, ids: Sequence[int]) -> list[Message]:
        """Returns those of these messages that are on the board, by id, also deleted ones. Raises DeniedError."""
        with finding_board():
            return await self.storage.named(ids, board_id, caller.asker)

    async def quoted(self, caller: Caller, board: LiveBoard, messages: Sequence[Message]) -> dict[int, Message]:
        """Returns the messages of a board that these ones reply to, by id: from among these, from memory, or from storage.
        One that was removed is absent. Raises DeniedError.
        """
        wanted = {message.reply_to for message in messages if message.reply_to is not None}
        found = {message.id: message for message in messages if message.id in wanted}
        if board.recent is not None:
            found |= board.recent.latest(wanted - found.keys())
        if missing := sorted(wanted - found.keys()):
            found |= {message.id: message for message in await self.named(caller, board.id, missing)}
        return found

    async def around(self, caller: Caller, id: int) -> tuple[Message, Page, Page, bool]:
        """Returns a message, those before it and those after it, and whether its author is suspended.

        Only moderators are told that. Raises NotFoundError.
        """
        message = await self.storage.message(id, caller.asker)
        there = message.board_id, caller.asker
        older, newer = await self.storage.before(id, OLDER, *there), await self.storage.after(id, NEWER, *there)
        is_suspended = False
        if message.author is not None and caller.account is not None and caller.account.is_moderator:
            with contextlib.suppress(NotFoundError):  # the account has been deleted since
                is_suspended = (await self.storage.account_of(message.author.id)).suspended_at is not None
        return message, older, newer, is_suspended

    async def search(
        self, caller: Caller, query: str, before: int | None, limit: int, board_id: int = FIRST_BOARD
    ) -> Found:
        """Returns the newest messages of a board (before this one) that match. Raises DeniedError, SearchBusyError."""
        self._count_search(caller, query)
        with finding_board():
            return await self.storage.search(query, before, limit, board_id, caller.asker)

    async def nobody_in(self, caller: Caller, wanted: Query) -> str | None:
        """Returns the username behind `from:` if nobody has it. Guests are not told which usernames there are."""
        username = wanted.only.author
        if caller.account is None or username is None or username == GUESTS:
            return None
        try:
            await self.storage.account(username)
        except NotFoundError:
            return username
        return None

    def _count_search(self, caller: Caller, query: str, boards: int = 1) -> None:
        """Counts a search by what it takes: boards times words, and what conditions read. Raises DeniedError,
        BadDateError.
        """
        if len(query) > QUERY_MAX:
            words = said("A search may have %(most)s characters; this one has %(n)s.", most=QUERY_MAX, n=len(query))
            raise DeniedError("query_too_long", words)
        wanted = parse(query)
        looks = boards * (sum(len(phrase.words) for phrase in wanted.phrases) + wanted.only.number)
        tries = (TRIES_WITH_WORDS if wanted.has_words else TRIES_ALONE) * wanted.only.number
        self.limits.searching.check(caller.key, max(1, -(-looks // LOOKS_A_TRY) + tries))

    def is_in_storage(self, board: LiveBoard, cursor: Cursor) -> bool:
        """Whether the changes after this cursor are too old to be in memory, and not below the floor."""
        recent = board.recent
        return recent is not None and cursor.epoch == recent.epoch and recent.floor <= cursor.seq < recent.start

    async def changes(self, caller: Caller, board: LiveBoard, cursor: Cursor) -> Changes | None:
        """Returns the next of those changes from storage, or None if the cursor needs a reset by now.

        Raises NotFoundError if the caller may not read the board.
        """
        if board.is_first:
            changes = await self.storage.changes_page(cursor.seq, BATCH)
        else:
            changes = await self.storage.changes_on(board.id, caller.asker, cursor.seq, BATCH)
        head = changes.head
        return changes if head.epoch == cursor.epoch and head.floor <= cursor.seq else None
