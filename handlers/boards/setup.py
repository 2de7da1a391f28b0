"""The page on which a board beside the first is set up: what it is, who may read and write, who is invited, and its end.

Everything is done by forms, each at another address, and each leads back to the page.
"""

import asyncio
import contextlib
from urllib.parse import quote, urlencode

from board.account_names import fold_username
from board.said import msgid, said
from board.site.members_named import typed_names
from handlers.boards.listing import BoardForm
from handlers.boards.managing import ENDS, Managing
from handlers.http.errors import RefusedError
from handlers.http.place import home_of, place_of
from storage.boards import BoardChange
from storage.errors import StorageError
from storage.records import READERS, Account, Board

TOLD = (("who", True), ("had", False))
"""Whether the usernames in these parameters are those of people who were not invited before."""
CLOSES = msgid(
    "Only its owner and people who are invited could then find this board, at another address. Invited so far: "
    "%(count)s. If you want that, tick the box below."
)
CLOSES_WITH_OTHERS = msgid(
    "Only its owner and people who are invited could then find this board, at another address. Invited so far: "
    "%(count)s, besides those named below. If you want that, tick the box below."
)


class BoardSetup(Managing):
    template = "board_setup.html"
    row: Board | None = None
    """None until the page is read."""
    invited: tuple[list[Account], bool] = ([], False)
    owner: Account | None = None
    count = 0
    """Messages on it."""
    home = ""
    """The board's address when the client could read it. It may have a secret one when the form is done."""

    async def get(self, slug: str) -> None:
        page, row = f"{home_of(self.board.slug)}settings", self.board.row
        if row is not None and self.request.path != page and self.site.may_manage(self.caller, row):
            self.redirect(page)
            return
        await self.read(slug)
        self.show()

    async def read(self, slug: str) -> None:
        """Reads what the page shows. Raises DeniedError, UnavailableError."""
        board = await self.site.board_to_manage(self.caller, slug)
        self.invited = await self.site.invited(self.caller, board, self.whole_number("after") or 0)
        self.count = await self.site.count_on(self.caller, board)
        self.owner = await self.site.owner_of(board)
        self.row, self.place = board, place_of(board, self.site.secret, manages=True)
        self.is_read = True

    async def post(self, slug: str, *id: str) -> None:
        self.home = home_of(self.board.slug)
        await super().post(slug, *id)

    def show(self, refused: RefusedError | None = None) -> "asyncio.Future[None]":
        accounts, more = self.invited
        return self.render(
            self.template,
            refused=refused,
            typed=self.typed,
            board=self.row,
            invited=accounts,
            owner=self.owner,
            told=self.told(accounts),
            last=accounts[-1].id if more else None,
            count=self.count,
        )

    def told(self, listed: list[Account]) -> list[tuple[list[Account], bool]]:
        """Returns what the form for invitations has done, and for whom: nobody if they are not all on this page."""
        told = []
        for name, is_new in TOLD:
            if usernames := set(filter(None, (self.query(name) or "").split(","))):
                found = [one for one in listed if one.username in usernames]
                told.append((found if len(found) == len(usernames) else [], is_new))
        return told

    def write_error_page(self, refused: RefusedError) -> None:
        may_show = not self.is_read and refused.code not in ENDS and refused.status_code not in self.ends_with
        if may_show and "rules" in self.request.body_arguments:
            self.render("board_new.html", refused=refused, typed=self.typed)  # with nothing but what was typed
        else:
            super().write_error_page(refused)

    def again(self, done: str, board: Board | None = None, **more: str) -> None:
        """Leads back to the page, which then says what was done."""
        home = home_of(board.slug) if board else self.home
        said = {"done": done} | {name: text for name, text in more.items() if text}
        self.lead(f"{home}settings?{urlencode(said)}")

    async def obey(self, slug: str, *id: str) -> None:
        """What the board is, and who may read and write."""
        change, row, names = self.change(), self.board.row, self.to_invite()
        if row is not None and change.read_by not in (None, row.read_by):
            await self.read(slug)
            self.check_is_meant(change.read_by, also=bool(names.texts))
        board = await self.site.change_board(self.caller, slug, change, self.began_from(), invite=names)
        if board is None:  # it is for the invited now, and a moderator who is none of them does not see it any more
            self.lead("/boards?done=setup")
        else:
            self.again("setup", board)

    def began_from(self) -> int | None:
        """Returns the number of the board's last change when the form was shown, or None for a form without it."""
        text = self.form("began_from") or ""
        return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None

    def check_is_meant(self, then: str | None, *, also: bool) -> None:
        """Asks first where other people may read what is written here, or none of those who do. Raises RefusedError."""
        now = self.row.read_by if self.row else None
        if not self.count or now is None or then is None or then == now:
            return
        if READERS.index(then) < READERS.index(now) and self.form("opens") != "yes":
            raise RefusedError(
                422,
                "opens_past",
                "More people could then read all older messages, too. If you want that, tick the box below.",
            )
        if then == "invited" and self.form("closes") != "yes":
            accounts, more = self.invited
            count = said("more than %(n)s", n=len(accounts)) if more else len(accounts) or said("nobody")
            raise RefusedError(422, "closes_board", said(CLOSES_WITH_OTHERS if also else CLOSES, count=count))


class BoardInvite(BoardSetup):
    async def obey(self, slug: str, *id: str) -> None:
        new, before = await self.site.invite_named(self.caller, slug, typed_names(self.needed("username")))
        who, had = (",".join(account.username for account in some) for some in (new, before))
        self.again("invite", who=who, had=had)


class BoardUninvite(BoardSetup):
    async def obey(self, slug: str, *id: str) -> None:
        username = self.needed("username")
        await self.site.uninvite(self.caller, slug, username)
        self.is_done = True
        is_own = fold_username(username) == self.caller.member_credential.account.username
        if is_own and not await self.is_still_readable():
            self.lead("/boards?done=leave")
        else:
            self.again("uninvite")

    def field_of(self, refused: RefusedError) -> None:
        """Nothing is typed there."""

    async def is_still_readable(self) -> bool:
        """If storage can't say it just now, nobody is led to the board."""
        with contextlib.suppress(StorageError):
            return await self.site.slug_with(self.caller, self.board.id) is not None
        return False


class BoardOwner(BoardSetup):
    """Hands it over. Who did may have no settings of it any more, and is led to the list."""

    async def obey(self, slug: str, *id: str) -> None:
        owner = typed_names(self.needed("owner"))
        await self.site.change_board(self.caller, slug, BoardChange(), owner=owner)
        self.lead("/boards?done=owner")


class BoardArchive(BoardSetup):
    async def obey(self, slug: str, *id: str) -> None:
        is_archived = self.form("archived") != "no"
        await self.site.change_board(self.caller, slug, BoardChange(is_archived=is_archived))
        self.again("archive" if is_archived else "unarchive")


class BoardDelete(BoardSetup):
    async def obey(self, slug: str, *id: str) -> None:
        await self.site.delete_board(self.caller, slug, self.needed("name"))
        self.lead("/boards?done=delete")


class BoardLeave(BoardForm):
    """Gives back one's own invitation."""

    async def get(self, slug: str) -> None:
        self.redirect(f"/b/{quote(slug, safe='')}/")

    async def post(self, slug: str) -> None:
        account = self.caller.member_credential.account
        await self.site.uninvite(self.caller, slug, account.username)
        self.is_done = True
        self.redirect("/boards?done=leave", status=303)

    def write_error_page(self, refused: RefusedError) -> None:
        self.finish(self.error_page(refused))
