"""The boards of the site for programs: /api/v1/boards, one of them, its members and one's read mark."""

import contextlib
from typing import Any

from board.errors import DeniedError
from board.site.boards import BOARDS_AT_ONCE
from board.site.members_named import NOBODY, Names, usernames
from board.slugs import fold_slug
from board.wire import iso
from handlers.boards.rail import WithBoards
from handlers.http.base import Base
from handlers.http.errors import RefusedError
from handlers.messages.api import check_is_still
from storage.boards import BoardChange
from storage.errors import StorageError
from storage.marks import Standing
from storage.records import FIRST_BOARD, ORDERS, READERS, WRITERS, Account, Board

BOARD_BYTES = 32 * 1024
"""Of what is said of a board: each of its characters may take twelve, as in a message."""
DIGITS_MAX = 30
"""Of a number in a form: more than any id has."""


def board_json(board: Board) -> dict[str, Any]:
    """What a list says of a board."""
    return {
        "slug": board.slug,
        "name": board.name,
        "about": board.about,
        "read_by": board.read_by,
        "write_by": board.write_by,
        "order": board.order,
        "archived_at": None if board.archived_at is None else iso(board.archived_at),
    }


def member_json(account: Account) -> dict[str, Any]:
    return {"id": account.id, "username": account.username, "name": account.name}


class BoardHandler(Base):
    """What the handlers share: a board as fields of a request, and as a reply."""

    max_body = BOARD_BYTES

    def change(self) -> BoardChange:
        """Returns what the request says of a board. Raises RefusedError."""
        fields = self.fields()
        return BoardChange(
            slug=self.optional_text(fields, "slug"),
            name=self.optional_text(fields, "name"),
            about=self.optional_text(fields, "about"),
            rules=self.optional_text(fields, "rules"),
            read_by=self.one_of(fields, "read_by", READERS),
            write_by=self.one_of(fields, "write_by", WRITERS),
            order=self.one_of(fields, "order", ORDERS),
            is_archived=flag(fields, "archived"),
        )

    def names(self, fields: dict[str, Any], name: str) -> Names:
        """Returns the usernames in a list, or in a text with commas between them.

        Raises RefusedError, DeniedError, BadTextError.
        """
        value = fields.get(name)
        if isinstance(value, str):
            value = value.split(",")
        if value is not None and not (isinstance(value, list) and all(isinstance(one, str) for one in value)):
            raise RefusedError(400, "bad_field", f"“{name}” must be a list of usernames.")
        return usernames(one for one in value or () if one.strip())

    def one_of(self, fields: dict[str, Any], name: str, choices: tuple[str, ...]) -> str | None:
        """Raises RefusedError."""
        value = self.optional_text(fields, name)
        if value is not None and value not in choices:
            raise RefusedError(400, "bad_field", f"“{name}” must be {', '.join(choices[:-1])} or {choices[-1]}.")
        return value

    def listed(self, board: Board, standing: Standing) -> dict[str, Any]:
        counts = {"read": standing.read, "unread": standing.unread, "mentions": standing.mentions}
        return board_json(board) | {"newest": standing.newest} | (counts if self.account else {})

    async def whole(self, board: Board) -> dict[str, Any]:
        """All that the asker may know of a board."""
        return self.with_all(board, await self.site.standing(self.caller, board))

    def with_all(self, board: Board, standing: Standing) -> dict[str, Any]:
        listed = self.listed(board, standing)
        made_at = {} if board.id == FIRST_BOARD else {"created_at": iso(board.created_at)}
        manages = self.site.may_manage(self.caller, board)
        return listed | {"rules": board.rules} | made_at | ({"manages": True} if manages else {})


def flag(fields: dict[str, Any], name: str) -> bool | None:
    """Returns None if the field is missing or null. Raises RefusedError."""
    value = fields.get(name)
    found = {"true": True, "false": False}.get(value) if isinstance(value, str) else value
    if (found is not None and not isinstance(found, bool)) or (value is not None and found is None):
        raise RefusedError(400, "bad_field", f"“{name}” must be true or false.")
    return found


class ApiBoards(WithBoards, BoardHandler):
    allows_cors = True

    @property
    def counts_as_reading(self) -> bool:
        """Guests get it from memory: every page of theirs asks for it."""
        return self.account is not None

    async def get(self) -> None:
        after = self.query("after")
        if after is not None and (after := fold_slug(after)) is None:
            raise RefusedError(400, "bad_field", "“after” must be the short name of a board.")
        boards, more = await self.site.boards(self.caller, after, self.limit() or BOARDS_AT_ONCE)
        self.judge(board.id for board, _ in boards)
        await self.write_many({"boards": [self.listed(*one) for one in boards], "more": more})

    async def post(self) -> None:
        fields = self.fields()
        self.text_field(fields, "name")  # which none can do without
        change = self.change()
        if change.is_archived:
            raise RefusedError(400, "bad_field", "“archived” is for a board that is there: make it, then archive it.")
        board = await self.site.make_board(self.caller, change, invite=self.names(fields, "invite"))
        self.is_done = True
        self.set_status(201)
        self.set_header("Location", f"/api/v1/boards/{board.slug}")
        self.write_json(self.with_all(board, Standing(None)))


class ApiBoard(BoardHandler):
    allows_cors = True

    async def get(self, slug: str) -> None:
        self.write_json(await self.whole(await self.site.board(self.caller, slug)))

    async def patch(self, slug: str) -> None:
        fields, change = self.fields(), self.change()
        owner = self.optional_text(fields, "owner")
        board = await self.site.change_board(
            self.caller,
            slug,
            change,
            invite=self.names(fields, "invite"),
            owner=NOBODY if owner is None else usernames([owner]),
        )
        reply = await self.whole_if_readable(board) if board else None
        self.is_done = True
        if reply is None:
            self.set_status(204)
        else:
            self.write_json(reply)

    async def whole_if_readable(self, board: Board) -> dict[str, Any] | None:
        """Returns None if the right to read the board ended after it was changed, or if storage can't be read just now: no
        refusal, as that is done.
        """
        with contextlib.suppress(DeniedError, RefusedError, StorageError):
            reply = await self.whole(board)
            if not self.is_as_judged:
                await self.look_again()
            return reply
        return None

    async def delete(self, slug: str) -> None:
        name = self.query("name")
        if name is None:
            raise RefusedError(400, "bad_field", "“name” is missing: the name of the board, to be sure.")
        await self.site.delete_board(self.caller, slug, name)
        self.is_done = True
        self.set_status(204)


class ApiBoardMembers(Base):
    async def get(self, slug: str) -> None:
        after, limit = self.whole_number("after") or 0, self.limit() or BOARDS_AT_ONCE
        board = await self.site.board_to_manage(self.caller, slug)
        accounts, more = await self.site.invited(self.caller, board, after, limit)
        self.write_json({"members": [member_json(account) for account in accounts], "more": more})


class ApiBoardMember(Base):
    async def put(self, slug: str, username: str) -> None:
        account = await self.site.invite(self.caller, slug, username)
        self.is_done = True
        self.write_json(member_json(account))

    async def delete(self, slug: str, username: str) -> None:
        await self.site.uninvite(self.caller, slug, username)
        self.is_done = True
        self.set_status(204)


class ApiBoardRead(Base):
    async def put(self, slug: str) -> None:
        check_is_still(self, self.optional_text(self.fields(), "as"))  # pages say whose they are
        mark = await self.site.mark_read(self.caller, slug, self.message_id())
        self.set_status(202)
        self.write_json({"read": mark})

    def message_id(self) -> int:
        """Returns the field `id`. One beyond all ids is no error: the mark goes to the newest message. Raises RefusedError."""
        value = self.fields().get("id")
        if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= DIGITS_MAX:
            value = int(value)
        if isinstance(value, float) and value.is_integer():  # which JSON does not tell from a whole number
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            raise RefusedError(400, "bad_field", "“id” must be the id of a message.")
        return value
