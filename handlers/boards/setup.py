"""The page on which a board beside the first is set up: what it is, who may read and write, who is invited, and its end.

Everything is done by forms, each at an address of its own, and each leads back to the page.
"""

import asyncio
from urllib.parse import urlencode

from board.account_names import fold_username
from handlers.boards.listing import BoardForm
from handlers.boards.on_board import OnBoard
from handlers.http.errors import RefusedError
from handlers.http.place import home_of, place_of
from storage.boards import BoardChange
from storage.records import Account, Board

OPENNESS = ("invited", "members", "everyone")
"""Who may read, from few to many."""
ENDS = ("no_such_board", "owner_only")
"""Refusals after which the page has nothing to show."""


class BoardSetup(OnBoard, BoardForm):
    template = "board_setup.html"
    row: Board | None = None
    """None until it has been read."""
    invited: tuple[list[Account], bool] = ([], False)
    count = 0
    """Messages on it."""

    async def prepare(self) -> None:
        """Reads what the page shows before the handler runs, so that a refusal can be shown there at once."""
        await super().prepare()
        if self.found is None:  # as for a method that the address does not take
            return
        slug = self.path_args[0]
        board = await self.site.board_to_manage(self.caller, slug)
        self.invited = await self.site.invited(self.caller, slug, self.whole_number("after") or 0)
        self.count = await self.site.count_on(self.caller, board)
        self.row, self.place = board, place_of(board, self.site.secret, manages=True)

    async def get(self, slug: str) -> None:
        page = f"{self.place.home}settings"
        if self.request.path == page:
            self.show()
        else:
            self.redirect(page)

    def show(self, refused: RefusedError | None = None) -> "asyncio.Future[None]":
        accounts, more = self.invited
        return self.render(
            self.template,
            refused=refused,
            typed=self.typed,
            board=self.row,
            invited=accounts,
            last=accounts[-1].id if more else None,
            count=self.count,
        )

    def write_error_page(self, refused: RefusedError) -> None:
        if self.row is None or refused.code in ENDS:
            self.finish(self.error_page(refused))
        else:
            super().write_error_page(refused)

    def again(self, done: str, board: Board | None = None, **more: str) -> None:
        """Leads back to the page, which then says what was done."""
        home = home_of(board.slug) if board else self.place.home
        self.lead(f"{home}settings?{urlencode({'done': done, **more})}")

    def lead(self, path: str) -> None:
        """Leads on after what was asked for is done. By that, the board may have another address, or be gone."""
        self.is_done = True
        self.redirect(path, status=303)

    async def post(self, slug: str) -> None:
        """What the board is, and who may read and write."""
        assert self.row is not None
        change = self.change()
        if self.count:
            self.check_is_meant(self.row.read_by, change.read_by)
        board = await self.site.change_board(self.caller, slug, change)
        if board is None:  # it is for the invited now, and a moderator who is none of them does not see it any more
            self.lead("/boards?done=setup")
        else:
            self.again("setup", board)

    def check_is_meant(self, now: str, then: str | None) -> None:
        """Asks first where other people may read what is written here, or none of those who do. Raises RefusedError."""
        if then is None or then == now:
            return
        if OPENNESS.index(then) > OPENNESS.index(now) and self.form("opens") != "yes":
            raise RefusedError(
                422, "opens_past", "All that was written here would be opened, too. If you want that, tick it below."
            )
        if then == "invited" and self.form("closes") != "yes":
            accounts, more = self.invited
            count = f"more than {len(accounts)}" if more else len(accounts) or "nobody"
            raise RefusedError(
                422,
                "closes_board",
                "Besides its owner, only people who are invited would find this board then, at another address. "
                f"Invited so far: {count}. If you want that, tick it below.",
            )


class BoardInvite(BoardSetup):
    async def post(self, slug: str) -> None:
        account = await self.site.invite(self.caller, slug, self.needed("username").strip())
        self.again("invite", who=account.username)


class BoardUninvite(BoardSetup):
    async def post(self, slug: str) -> None:
        username = self.needed("username")
        await self.site.uninvite(self.caller, slug, username)
        is_own = fold_username(username) == self.caller.member_credential.account.username
        if is_own and await self.site.slug_with(self.caller, self.board.id) is None:
            self.lead("/boards?done=leave")
        else:
            self.again("uninvite")


class BoardArchive(BoardSetup):
    async def post(self, slug: str) -> None:
        is_archived = self.form("archived") != "no"
        await self.site.change_board(self.caller, slug, BoardChange(is_archived=is_archived))
        self.again("archive" if is_archived else "unarchive")


class BoardDelete(BoardSetup):
    async def post(self, slug: str) -> None:
        await self.site.delete_board(self.caller, slug, self.needed("name"))
        self.lead("/boards?done=delete")


class BoardLeave(BoardForm):
    """Gives back one's own invitation."""

    async def get(self, slug: str) -> None:
        self.redirect(f"/b/{slug}/")

    async def post(self, slug: str) -> None:
        account = self.caller.member_credential.account
        await self.site.uninvite(self.caller, slug, account.username)
        self.is_done = True
        self.redirect("/boards?done=leave", status=303)

    def write_error_page(self, refused: RefusedError) -> None:
        self.finish(self.error_page(refused))
