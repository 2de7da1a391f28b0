"""The list of all boards, and the form that makes another one. Both work without JavaScript."""

from collections.abc import Sequence

from board.site.members_named import NOBODY, Names, typed_names
from handlers.accounts.sign_in import FormPage
from handlers.boards.rail import WithBoards, in_order
from handlers.http.base import Page
from handlers.http.rights import Whom
from storage.boards import BoardChange
from storage.marks import MOST_UNREAD
from storage.records import ORDERS, READERS, WRITERS, Board


class BoardList(WithBoards, Page):
    """A hundred boards at a time, with what is new for a member."""

    forgives_old_sessions = True

    async def get(self) -> None:
        after = self.query("after")
        listed, more = await self.site.boards(self.caller, after)
        self.judge(board.id for board, _ in listed)
        standings = {board.id: standing for board, standing in listed}
        last = listed[-1][0].slug if more else None
        boards = in_order(board for board, _ in listed)
        self.render(
            "boards.html",
            boards=[(board, standings[board.id]) for board in boards],
            alike=self.site.alike(boards, self.scope),
            after=after,
            last=last,
            may_make=self.site.may_make_boards(self.caller),
            most=MOST_UNREAD,
        )


class BoardForm(FormPage):
    """What the forms share that say what a board is."""

    own: Sequence[Board] = ()
    """The caller's boards, if these are as many as one may own."""
    for_whom: Whom = "members"
    takes_tokens = True  # so that a token gets a clear refusal
    forgives_old_sessions = False

    def change(self) -> BoardChange:
        """Returns what was filled in. Storage and the site judge it."""
        read_by = self.chosen("read_by", READERS)
        slug = (self.form("slug") or "").strip()
        return BoardChange(
            slug=slug if slug and read_by != "invited" else None,
            name=self.needed("name"),
            about=self.form("about"),
            rules=self.form("rules"),
            read_by=read_by,
            write_by=self.chosen("write_by", WRITERS),
            order=self.chosen("order", ORDERS),
        )

    def to_invite(self) -> Names:
        """Returns who is to be invited with the change: nobody if the board is not for the invited. Raises DeniedError."""
        text = self.form("invite") or ""
        return typed_names(text) if text.strip() and self.form("read_by") == "invited" else NOBODY

    def chosen(self, name: str, choices: tuple[str, ...]) -> str | None:
        """Returns None for anything that the form does not offer, which leaves it as it is."""
        value = self.form(name)
        return value if value in choices else None


class NewBoard(BoardForm):
    template = "board_new.html"

    def check_for_whom(self) -> None:
        super().check_for_whom()
        self.site.check_may_make_boards(self.caller)

    async def get(self) -> None:
        self.own = in_order(await self.site.boards_in_the_way(self.caller))
        self.show()

    async def post(self) -> None:
        change = self.change()
        board = await self.site.make_board(self.caller, change, invite=self.to_invite(), once=True)  # a double click
        self.is_done = True
        self.redirect(f"/b/{board.slug}/", status=303)
