"""Styles, scripts and icons, read when the server starts. Their addresses change with their content, so browsers may
cache them.
"""

import datetime
import hashlib
import logging
import pathlib
import re
import urllib.parse
from typing import Any

import tornado.web
from tornado.iostream import StreamClosedError

from handlers.http.errors import as_refused
from handlers.http.headers import DATA_CSP, default_headers, is_known

log = logging.getLogger("longboard")

ROOT = pathlib.Path(__file__).parents[2]
STATIC = ROOT / "static"
SHEETS = {
    "board.css": ("theme", "base", "header", "controls", "composer", "messages", "live", "print"),
    "later.css": ("keys", "actions", "tools", "complete"),
    "forms.css": ("panels", "fields", "notices", "actions", "lists", "code"),
    "facebook.css": ("facebook",),
    "boards.css": ("rail", "board_head"),
    "board_forms.css": ("board_forms",),
    "history.css": ("history",),
    "search.css": ("search",),
    "reactions.css": ("reactions",),
    "quotes.css": ("quotes",),
    "mentions.css": ("mentions",),
    "pin.css": ("pin",),
    "since.css": ("since",),
    "order.css": ("order",),
    "embed.css": ("embed",),
    "api.css": ("api",),
}
"""The style sheets that pages load, and their parts in static/css/. A later rule wins, so the order counts."""
COMMENT = re.compile(rb"^[ \t]*(?://[^\n]*|/\*(?:(?!\*/).)*\*/[ \t]*)$", re.MULTILINE | re.DOTALL)
"""A script's comment on its own lines. None of our string literals looks like one: a test reads all of them."""
TAIL = re.compile(rb"(?<=[;{},]) // [^\n]*$", re.MULTILINE)
"""A comment after code. The same test looks that no string has it."""
CAST = re.compile(rb"/\*\* @(?:(?!\*/).)*\*/ ")
"""A type within a line of code."""
INDENT = re.compile(rb"^[ \t]+", re.MULTILINE)
EMPTY = re.compile(rb"^\n", re.MULTILINE)
SHARED = {
    name: b" ".join(re.sub(rb"/\*.*?\*/", b"", code, flags=re.S).split())
    for path in ("words.js", "shared.js", "order.js")
    for name, code in re.findall(
        rb"^export const (\w+) =\s+(.*?);\n(?=\n|\Z)", (STATIC / "js" / path).read_bytes(), re.M | re.S
    )
}
"""The code of what scripts import from these three, by name."""
IMPORT = re.compile(rb'^import \{ ([\w, ]+) \} from "\./(?:words|shared|order)\.js";$', re.MULTILINE)
CSS_COMMENT = re.compile(rb"/\*.*?\*/", re.DOTALL)
CSS_SPACE = re.compile(rb"\s*([{};,])\s*|\s*\n\s*")


def script(text: bytes) -> bytes:
    """Puts the code of words.js, shared.js and order.js in place of their imports: see there. Removes comments, indents and
    empty lines, which are a quarter of the first view.
    """
    imported = {name for match in IMPORT.finditer(text) for name in match[1].split(b", ")}
    text = IMPORT.sub(lambda match: with_shared(match[1].split(b", "), imported), text)
    text = INDENT.sub(b"", TAIL.sub(b"", CAST.sub(b"", COMMENT.sub(b"", text))))
    return EMPTY.sub(b"", text)


def with_shared(names: list[bytes], imported: set[bytes]) -> bytes:
    """Returns the line that defines them, and what their code calls and the script does not import."""
    for name in names:  # which may get longer
        found = (other for other in SHARED if re.search(rb"\b%s\(" % other, SHARED[name]))
        names += [other for other in found if other not in {*names, *imported}]
    return b"const " + b", ".join(name + b" = " + SHARED[name] for name in names) + b";"


def sheet(parts: tuple[str, ...]) -> bytes:
    """Joins parts to one style sheet, without comments, and without white space that says nothing."""
    text = b"\n".join((STATIC / "css" / f"{part}.css").read_bytes() for part in parts)
    return CSS_SPACE.sub(lambda match: match[1] or b"\n", CSS_COMMENT.sub(b"", text)).strip()


def themes() -> dict[str, bytes]:
    """Returns theme.css's colours by day and by night, for pages that have either of them in any browser."""
    light, dark = re.findall(rb":root\{(--paper.*?)\}", sheet(("theme",)), re.DOTALL)
    light = light.partition(b"--gap")[0]
    sheets = {"light": light, "dark": dark.rstrip(b";") + b";"}
    return {f"{name}.css": b":root{%scolor-scheme:%s}" % (colours, name.encode()) for name, colours in sheets.items()}


FILES = {path.name: path.read_bytes() for path in sorted(STATIC.iterdir()) if path.is_file()}
FILES |= {path.name: script(path.read_bytes()) for path in sorted((STATIC / "js").glob("*.js"))}
FILES |= {name: sheet(parts) for name, parts in SHEETS.items()} | themes()
"""What is sent, by name: icons, scripts, style sheets."""
MODIFIED = datetime.datetime.fromtimestamp(
    max(int(path.stat().st_mtime) for path in STATIC.rglob("*") if path.is_file()), datetime.UTC
)
VERSION = hashlib.sha256(b"\0".join(name.encode() + b"\0" + FILES[name] for name in FILES)).hexdigest()[:12]
FILES |= {f"boards/{name}": text for name, text in FILES.items() if name.endswith(".js")}
"""The scripts again, for the pages of sites with several boards, which begin with several.js: a server that knows of one
board only has no such addresses. Its scripts would take such a page for the first board's, and post there what waits for
that one.
"""
ICON = "data:image/svg+xml," + urllib.parse.quote(FILES["icon.svg"].decode().strip())
"""Part of the page: it needs no request, and static/js/main.js can put a dot on it while the server is away."""


def static_url(name: str) -> str:
    return f"/static/{VERSION}/{name}"


class Static(tornado.web.StaticFileHandler):
    """The version is in front of the name, so that modules that import each other get the same version."""

    def initialize(self) -> None:  # type: ignore[override]
        super().initialize("")

    async def get(self, version: str, name: str, include_body: bool = True) -> None:  # type: ignore[override]
        self._is_current = version == VERSION
        await super().get(name, include_body)

    async def head(self, version: str, name: str) -> None:  # type: ignore[override]
        await self.get(version, name, include_body=False)

    # --- Tornado's hooks for files that are not on a disk; their paths are the names

    @classmethod
    def get_absolute_path(cls, root: str, path: str) -> str:
        return path

    def validate_absolute_path(self, root: str, absolute_path: str) -> str:
        if absolute_path not in FILES:
            raise tornado.web.HTTPError(404)
        return absolute_path

    @classmethod
    def get_content(  # type: ignore[override]
        cls, abspath: str, start: int | None = None, end: int | None = None
    ) -> bytes:
        return FILES[abspath][start:end]

    def get_content_size(self) -> int:
        assert self.absolute_path is not None
        return len(FILES[self.absolute_path])

    def get_modified_time(self) -> datetime.datetime:
        return MODIFIED

    def set_default_headers(self) -> None:
        for name, value in default_headers(self.settings["context"].config, DATA_CSP):
            self.set_header(name, value)
        self.clear_header("Server")

    def compute_etag(self) -> str | None:
        """Weak, because the compressed file has the same ETag (RFC 9110, 8.8.3.3). Of Tornado's 128 digits, 16 are enough,
        because nobody else chooses what is in our files.
        """
        etag = super().compute_etag()
        return etag and f'W/{etag[:17]}"'

    def should_return_304(self) -> bool:
        assert self.modified is not None
        return is_known(self, int(self.modified.timestamp()))

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        refused = as_refused(status_code, None)
        if status_code == 405:
            self.set_header("Allow", "GET, HEAD, OPTIONS")
        self.finish({"error": {"code": refused.code, "message": refused.words}})

    def log_exception(self, typ: Any, value: BaseException | None, tb: Any) -> None:
        """Leaves out the address, because a client could put anything into the log with it."""
        if not isinstance(value, tornado.web.HTTPError | StreamClosedError):
            log.error("A static file could not be sent", exc_info=value)

    def set_extra_headers(self, path: str) -> None:
        # A page from before an update requests the old version and gets the new file, but may not cache it.
        self.set_header("Cache-Control", "public, max-age=31536000, immutable" if self._is_current else "no-store")
