"""Pages that other sites show in a frame: a board, and one message. They are there only with EMBED_FROM."""

from typing import Any

from board.said import msgid
from handlers.boards.board_page import BoardPage
from handlers.boards.front import Front
from handlers.boards.on_board import OnMessage
from handlers.http.base import Base, Page
from handlers.http.errors import RefusedError
from handlers.http.headers import PAGE_CSP
from handlers.http.place import place_asked
from handlers.http.static import FILES
from handlers.messages.api import Add, new_form_key, parse_id
from handlers.messages.articles import byline
from handlers.messages.rendering import Rendering, needs
from settings import Settings
from storage.records import Message

THEMES = ("auto", "light", "dark")


def framed_csp(settings: Settings) -> str:
    """As PAGE_CSP, for pages that these sites may show in a frame. All frames around it must be theirs."""
    return PAGE_CSP.replace("frame-ancestors 'none'", f"frame-ancestors {' '.join(settings.embed_from)}")


class Framed(Page):
    """A guest's page, with any cookie: another site may have put something over it, so no click on it acts for a member."""

    identifies = False
    themes = len(THEMES)
    theme = THEMES[0]

    async def prepare(self) -> None:
        theme = self.query("theme") or self.theme
        if theme not in THEMES:
            raise RefusedError(400, "bad_field", msgid("“theme” must be auto, light or dark."))
        self.theme = theme
        await super().prepare()

    def set_default_headers(self) -> None:
        super().set_default_headers()
        self.set_header("Content-Security-Policy", framed_csp(self.config))

    def get_template_namespace(self) -> dict[str, Any]:
        return {**super().get_template_namespace(), "framed": True, "theme": self.theme}

    def write_error_page(self, refused: RefusedError) -> None:
        """Shows the form again with what was typed, if anything was."""
        typed = self.sent("s")
        self.render("embed_refused.html", refused=refused, text=typed, key=new_form_key(), reply_to=None)


class EmbedBoard(Framed, Add):
    """What both kinds of boards share: the page is kept for all as the board's own is, and takes the form's posts."""

    template = "embed.html"
    kept_name = "embed"

    def show_boards(self) -> None:
        """It names no other."""

    async def answer(self, message: Message, is_new: bool) -> None:
        if self.wants_json:
            await super().answer(message, is_new)
        else:
            self.is_done = True
            end = "#newest" if self.site.order_on(message.board_id) == "oldest" else ""  # where it is shown
            self.redirect((self.request.uri or "") + end, status=303)


class Embed(EmbedBoard, Front):
    """The first board."""

    async def get(self) -> None:  # type: ignore[override]
        await self.guests_page()


class BoardEmbed(EmbedBoard, BoardPage):
    """A board beside the first."""

    async def prepare(self) -> None:
        self.place = place_asked(self.path_args[0])  # so that words that are refused are not posted elsewhere
        await super().prepare()

    async def get(self, slug: str) -> None:  # type: ignore[override]
        await self.guests_page()

    async def post(self, slug: str) -> None:  # type: ignore[override]
        self.place = self.live_place
        await super().post(slug)


class MessageEmbed(Framed, OnMessage, Rendering):
    """One message of any board that guests may read: what an answer of oEmbed has in its frame."""

    async def get(self, id: str) -> None:
        message = await self.site.message(self.caller, parse_id(id))
        await self.find_board_of(message)
        self.place = self.live_place
        html = await self.days_html([message])
        author = byline(message, self.language)
        await self.send_page("embed_message.html", html, message=message, author=author, **needs([message]))


class Script(Base):
    """What another site loads to make the frame. It is the same for every board, and small."""

    for_whom = "anyone"
    identifies = False

    @property
    def counts_as_reading(self) -> bool:
        return False

    async def get(self) -> None:
        self.set_header("Content-Type", "text/javascript; charset=utf-8")
        self.set_header("Cache-Control", "public, max-age=3600")
        self.set_header("Cross-Origin-Resource-Policy", "cross-origin")
        self.finish(FILES["embed.js"])
