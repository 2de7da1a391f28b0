"""/oembed: what another site's editor shows of a permalink (https://oembed.com/). It is there only with EMBED_FROM."""

import re
import urllib.parse

from handlers.boards.on_board import OnMessage
from handlers.http.errors import RefusedError
from handlers.http.language import ENGLISH
from handlers.http.sentences import escaped
from handlers.messages.articles import byline, preview
from storage.errors import NotFoundError
from storage.records import Message

WIDTH, HEIGHT = 600, 600
"""The most pixels of a frame, if the asker has no bounds."""
HEAD, LINE = 130, 25
"""About how many pixels of its height are beside the words, and in each line of them."""
LINE_LENGTH = 60


class OEmbed(OnMessage):
    """As a guest sees it, also if a member asks: for what guests may not read, and for addresses of others, there is nothing."""

    for_whom = "anyone"  # it is there only where everyone may read
    identifies = False

    async def get(self) -> None:
        if (self.query("format") or "json") != "json":
            raise RefusedError(
                501, "no_such_format", "oEmbed is answered in JSON only: send “format=json”, or nothing."
            )
        most = self.whole_number("maxwidth", least=1) or WIDTH, self.whole_number("maxheight", least=1) or HEIGHT
        message = await self.site.message(self.caller, self.asked())
        await self.find_board_of(message)
        self.write_json(self.described(message, *most))

    def asked(self) -> int:
        """Returns the id in the permalink that is asked for. Raises RefusedError, NotFoundError."""
        url = self.query("url")
        if not url:
            raise RefusedError(400, "bad_field", "“url” must be the address of a message.")
        try:
            parts = urllib.parse.urlsplit(url)
        except ValueError:
            raise NotFoundError("oembed") from None
        is_here = parts.scheme in ("http", "https") and parts.netloc.lower() == self.origin.partition("://")[2].lower()
        match = re.fullmatch(r"/m/([0-9]{1,18})", parts.path, re.ASCII)
        if not is_here or match is None:
            raise NotFoundError("oembed")
        return int(match[1])

    def described(self, message: Message, most_wide: int, most_high: int) -> dict[str, object]:
        words, author = message.body or "", byline(message, ENGLISH)
        lines = sum(1 + len(line) // LINE_LENGTH for line in words.splitlines())
        width, height = min(WIDTH, most_wide), min(HEAD + LINE * lines, HEIGHT, most_high)
        title = f"{author}: {preview(words, 60)}"
        frame = (
            f'<iframe src="{escaped(self.origin)}/m/{message.id}/embed" width="{width}" height="{height}" '
            f'title="{escaped(title)}" style="border:0" loading="lazy"></iframe>'
        )
        return {
            "version": "1.0",
            "type": "rich",
            "html": frame,
            "width": width,
            "height": height,
            "title": title,
            "author_name": author,
            "provider_name": self.config.title,
            "provider_url": f"{self.origin}/",
        }
