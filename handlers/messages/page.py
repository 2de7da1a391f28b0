"""The page of one message, where its author edits it and moderators act on it."""

from collections.abc import Sequence

from board.cursor import Cursor
from board.reactions import EMOJI
from board.wire import iso
from handlers.boards.on_board import OnMessage
from handlers.boards.rail import WithRail
from handlers.http.base import Page
from handlers.http.errors import RefusedError
from handlers.http.place import THE_FIRST, place_asked
from handlers.messages.api import check_is_still, moment, new_form_key, parse_id
from handlers.messages.articles import byline, preview
from handlers.messages.rendering import BLANK, Rendering, needs
from storage.errors import EditConflictError
from storage.records import FIRST_BOARD, Message
from storage.records import Page as MessagesPage
from storage.removal import MOST_COUNTED


class MessagePage(OnMessage, WithRail, Rendering):
    forgives_old_sessions = True

    async def get(self, id: str) -> None:
        message_id, read_at = parse_id(id), self.site.waiters.directory.seq
        async with self.context.making.reading:
            message, older, newer, is_suspended = await self.site.around(self.caller, message_id)
            await self.find_board_of(message)
            self.place = self.live_place
            around = [*older.messages, message, *newer.messages]
            own = await self.site.own_reactions(self.caller, [message.id]) if self.account else []
            removable = await self.site.count_by_source(self.caller, message.id) if self.caller.may_moderate else 0
            html = await self.days_html(around, message.id, self.tools(message, is_suspended, own, removable))
            beside = self.beside()
            await self.send_page(
                "message_page.html",
                html,
                message=message,
                blank=self.context.making.articles.now(BLANK, language=self.language),
                cursor=self.cursor_of(read_at),
                author=byline(message, self.language),
                older=around[0].id if older.older else None,
                newer=around[-1].id if newer.newer else None,
                is_on_board=is_on(self.site.waiters.recent.page, message.id)
                if not self.place.board
                else not newer.newer,
                preview=preview,
                **needs(around),
                **beside,
            )

    def cursor_of(self, read_at: int) -> Cursor:
        """The board's cursor, or that of the change that was the last one before its messages were read."""
        return Cursor(self.board.epoch, min(self.board.seq, read_at))

    def tools(self, message: Message, is_suspended: bool, own: Sequence[tuple[int, int, str]], removable: int) -> bytes:
        """Renders what this viewer may do with the message, to which they have reacted so far in these ways. `removable` is
        how many a moderator can delete with it.
        """
        board = self.place.board
        is_open = board is None or board.archived_at is None
        reacts = self.account is not None and is_open
        deletes = self.place.manages or (self.account is not None and self.account.is_moderator)
        return self.render_string(
            "message_tools.html",
            message=message,
            is_moderator=self.account is not None and self.account.is_moderator,
            deletes=deletes,
            is_author=self.account is not None and message.author is not None and message.author.id == self.account.id,
            pins=deletes and is_open,
            is_open=is_open,
            is_suspended=is_suspended,
            removable=removable if removable < MOST_COUNTED else 0,
            reactions=dict.fromkeys(EMOJI, 0) | dict(message.reactions) if reacts else {},
            own={kind for *_, kind in own},
            id=message.id,
            text=message.body,
            began_from=iso(message.changed_at),
            author=self.account.username if self.account else "",
            refused=None,
            key=None,
            reply_key=new_form_key(),
        )

    def write_error_page(self, refused: RefusedError) -> None:
        """Links to the messages before a deleted one, where the reader may find what they look for."""
        id = next(iter(getattr(self, "path_args", ())), "")  # Tornado has not set it yet if the body can't be read
        near = int(id) if refused.status_code == 404 and id.isascii() and id.isdigit() and len(id) < 19 else None
        self.finish(self.error_page(refused, near))


class EditMessage(Page):
    """Handles the form below a message. After a refusal, the form is shown again with what was typed."""

    refuses_with_own_words = True
    now: Message | None = None
    """The message as it is now, if it has been changed since this edit began."""

    async def post(self, id: str) -> None:
        text = self.form("s")
        if text is None:
            raise RefusedError(400, "bad_field", "The field “s” with the message is missing.")
        check_is_still(self, self.form("as"))
        try:
            began_from = self.form("began_from")
            seen_at = moment(began_from) if began_from else None
            message = await self.site.edit(self.caller, parse_id(id), text, seen_at)
        except EditConflictError as error:
            self.now = error.args[0]
            raise
        self.is_done = True
        is_there = message.board_id == FIRST_BOARD and is_on(self.site.waiters.recent.page, message.id)
        self.redirect(f"/#m{message.id}" if is_there else f"/m/{message.id}", status=303)

    def write_error_page(self, refused: RefusedError) -> None:
        """Doesn't read from storage, because storage may be the reason for the refusal."""
        if "s" not in self.request.body_arguments:
            super().write_error_page(refused)
            return
        self.place = place_asked(self.sent("board"))
        is_gone, now = refused.status_code == 404, None if self.has_ended else self.now
        self.render(
            "edit.html",
            refused=refused,
            now=now,
            id=self.request.path.split("/")[2],
            text=self.sent("s"),
            author=self.sent("as"),
            began_from=iso(now.changed_at) if now else self.sent("began_from"),
            key=new_form_key() if is_gone else None,
        )


def is_on(page: MessagesPage, id: int) -> bool:
    """Whether the board's page shows the message."""
    return bool(page.messages) and page.messages[0].id <= id


class DeleteMessage(OnMessage, Page):
    async def post(self, id: str) -> None:
        message = await self.site.delete(self.caller, parse_id(id))
        is_found = await self.find_board_when_done(message)
        self.redirect(self.live_place.home if is_found else THE_FIRST.home, status=303)
