"""The account page: everything that members may do with their own account, in plain forms."""

import asyncio
import contextlib
from urllib.parse import urlencode

from board.account_names import clean_label
from board.site.accounts import Overview
from board.site.boards import BOARDS_AT_ONCE
from board.wire import iso
from handlers.accounts.known_browser import forget_browser
from handlers.accounts.sign_in import FormPage, browser_said
from handlers.boards.rail import WithBoards
from handlers.http.errors import RefusedError
from handlers.http.sentences import Html
from storage.errors import StorageError
from storage.records import FIRST_BOARD, Board, Password
from storage.webhooks import Webhook

SAME_MOMENT_MS = 1000
"""How far apart the times of an account and of the identity made with it may be: the clock is read twice."""


class AccountPage(WithBoards, FormPage):
    """Requires a browser's session: no token can change a password."""

    for_whom = "members"
    takes_tokens = True  # so that a token gets a clear refusal
    forgives_old_sessions = False
    template = "account.html"
    made: str | None = None
    """A new token, shown once."""
    made_feed: str | None = None
    """The address of a new feed, shown once."""
    overview: Overview | None = None
    """What the page shows; None until it has been read."""

    @property
    def shows_secret(self) -> bool:
        """Whether it has a secret that is shown only once. Then it names no board, as a change of that would stop it."""
        return self.made is not None or self.made_feed is not None

    @property
    def has_password(self) -> bool:
        """Whether the account's password counts: PASSWORDS may be off."""
        return self.config.passwords and self.keeps_username

    @property
    def keeps_username(self) -> bool:
        """Whether the account has a password, which is for its username."""
        return self.overview is not None and self.overview.password.hash is not None

    @property
    def typed_password(self) -> str | None:
        """The password that was typed to confirm something; None if the account has none."""
        return self.needed("password") if self.has_password else None

    def check_for_whom(self) -> None:
        super().check_for_whom()
        if self.caller.member_credential.kind != "session":
            raise RefusedError(403, "session_needed", "This page is for browsers. Programs use the API.")

    async def prepare(self) -> None:
        await super().prepare()
        # Before the handler runs, so that a refusal can be shown on the page at once.
        self.overview = await self.site.overview(self.caller)

    async def get(self) -> None:
        self.show()

    def show(self, refused: RefusedError | None = None) -> "asyncio.Future[None]":
        overview, last_used = self.overview, self.site.credentials.last_used
        assert overview is not None
        by_name = {identity.provider: identity for identity in overview.identities}
        fates = [] if self.shows_secret else overview.fates
        webhooks_off = [] if self.shows_secret else self.webhooks_off()
        self.judge(fate.board.id for fate in fates)
        closed = self.closed_boards()
        return self.render(
            self.template,
            refused=refused,
            typed=self.typed,
            made=self.made,
            failed=overview.failed,
            logins=[(one, by_name.get(name)) for name, one in self.context.providers.items()],
            has_password=self.has_password,
            browser_of=browser_said,
            lets_in=self.site.lets_in,
            is_confirmed_by=lambda identities: self.site.is_confirmed(self.caller, identities),
            unlinks=unlinks(overview),
            mine=self.caller.member_credential.id,
            sessions=[c for c in overview.credentials if c.kind == "session"],
            tokens=[c for c in overview.credentials if c.kind == "token"],
            made_feed=self.made_feed,
            feeds=[c for c in overview.credentials if c.kind == "feed"],
            closed_boards=closed,
            bots=[c for c in overview.credentials if c.kind == "bot"],
            several=self.has_others,
            may_make=self.site.may_make_boards(self.caller),
            fates=fates,
            alike=self.site.alike([fate.board for fate in fates], self.scope),
            webhooks_off=webhooks_off,
            more_owned=overview.owns - len(fates),
            time=time_at,
            last=last_used,
        )

    async def show_secret(self) -> None:
        """Shows what was made, also if storage can't be read by now: beside it is what was read before."""
        with contextlib.suppress(StorageError):
            self.overview = await self.site.overview(self.caller)
        self.show()

    def webhooks_off(self) -> list[tuple[Webhook, str]]:
        """Returns the webhooks that were switched off, each with the address of its page where that may be seen."""
        off = self.overview.webhooks_off if self.overview else []
        boards = {one.id: one for one in self.site.boards_by_id((one.board_id for one in off), self.scope)}
        boards[FIRST_BOARD] = self.site.waiters.first
        self.judge(one.board_id for one in off if one.board_id in boards)
        return [(one, f"/b/{boards[one.board_id].slug}/webhooks" if one.board_id in boards else "") for one in off]

    def closed_boards(self) -> list[Board]:
        """Returns those that the member may read and guests may not: the first BOARDS_AT_ONCE, as the list of boards has
        them on one page, and none that is archived, where nothing new comes.
        """
        if self.shows_secret:
            return []
        live = self.site.waiters.directory.listed(self.scope, BOARDS_AT_ONCE)
        found = [one for one in (self.site.first_board, *(board.row for board in live)) if one]
        closed = [one for one in found if self.site.is_closed(one) and one.archived_at is None]
        self.judge(board.id for board in closed)
        return closed

    def again(self, done: str | None = None, **more: str) -> None:
        """Redirects to the page, which then shows what was done. account_done.html has the words for it."""
        self.redirect(f"/account?{urlencode({'done': done, **more})}" if done else "/account", status=303)

    def write_error_page(self, refused: RefusedError) -> None:
        if self.overview is None:
            self.finish(self.error_page(refused))
        else:
            super().write_error_page(refused)

    async def confirm(self) -> Password:
        """Checks that the member knows the password, or has just come from a provider. Raises DeniedError."""
        return await self.site.confirm(self.caller, self.typed_password)


def time_at(ms: int) -> Html:
    text = iso(ms)
    return Html(f'<time dir="ltr" datetime="{text}">{text[:10]} {text[11:16]} UTC</time>')


def unlinks(overview: Overview) -> bool:
    """Whether the form for a new password ticks “Unlink”: something was linked after the current one was set."""
    known_since = overview.password.set_at
    return any(
        identity.created_at > (known_since or identity.account.created_at) + SAME_MOMENT_MS
        for identity in overview.identities
    )


class AccountName(AccountPage):
    async def post(self) -> None:
        await self.site.rename(self.caller, self.needed("name"))
        self.again("name")


class AccountPassword(AccountPage):
    async def post(self) -> None:
        """Signs out everything else."""
        old, new, secret = self.typed_password, self.needed("new"), self.session_secret or ""
        unlink = self.form("unlink") == "yes"
        self.set_session(await self.site.change_password(self.caller, old, new, secret, unlink=unlink))
        self.again("password")


class AccountTokens(AccountPage):
    async def post(self) -> None:
        name = clean_label(self.needed("name"))  # a refusal says first what is wrong with the name
        self.made, _ = await self.site.make_token(self.caller, name, self.typed_password)
        await self.show_secret()


class AccountRevoke(AccountPage):
    async def get(self, id: str) -> None:  # type: ignore[override]
        self.redirect("/account")

    async def post(self, id: str) -> None:
        await self.site.revoke(self.caller, int(id))
        if int(id) == self.caller.member_credential.id:
            self.sign_off()
        self.again("revoke")


class AccountEverywhere(AccountPage):
    async def post(self) -> None:
        """Signs out everywhere else, bots as well."""
        await self.site.revoke_others(self.caller)
        self.again("everywhere")


class AccountDelete(AccountPage):
    async def post(self) -> None:
        username, keep = self.caller.member_credential.account.username, self.form("messages") != "delete"
        await self.site.delete_account(self.caller, self.typed_password, keep_messages=keep)
        forget_browser(self, username)
        self.sign_off()
        self.clear_session_cookie()
        self.redirect(f"/signout?deleted={'account' if keep else 'all'}", status=303)
