"""Styles, scripts and icons. Their addresses change with their content, so browsers may cache them."""

import functools
import hashlib
import logging
import pathlib
import re
import urllib.parse
from collections.abc import Generator
from typing import Any

import tornado.web
from tornado.iostream import StreamClosedError

from handlers.errors import as_refused
from handlers.headers import DATA_CSP, default_headers, is_known

log = logging.getLogger("longboard")

ROOT = pathlib.Path(__file__).parent.parent
STATIC = str(ROOT / "static")


def hash_of(folder: str) -> str:
    digest = hashlib.sha256()
    for path in sorted(pathlib.Path(folder).rglob("*")):
        if path.is_file():
            digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:12]


VERSION = hash_of(STATIC)
ICON = "data:image/svg+xml," + urllib.parse.quote((ROOT / "static" / "icon.svg").read_text().strip())
"""Part of the page: it needs no request, and static/main.js can put a dot on it while the server is away."""


def static_url(path: str) -> str:
    return f"/static/{VERSION}/{path}"


COMMENT = re.compile(rb"^[ \t]*(?://[^\n]*|/\*(?:(?!\*/).)*\*/[ \t]*)$", re.MULTILINE | re.DOTALL)
"""A comment on its own lines. None of our string literals looks like one: a test reads all of them."""
INDENT = re.compile(rb"^[ \t]+", re.MULTILINE)


@functools.lru_cache(100)
def slimmed(path: str) -> bytes:
    """Removes a file's comments and indents, which are a sixth of the first view. Line numbers stay the same."""
    return INDENT.sub(b"", COMMENT.sub(lambda match: b"\n" * match[0].count(b"\n"), pathlib.Path(path).read_bytes()))


class Static(tornado.web.StaticFileHandler):
    """The version is in front of the path, so that modules that import each other get the same version."""

    def initialize(self) -> None:  # type: ignore[override]
        super().initialize(STATIC)

    async def get(self, version: str, path: str, include_body: bool = True) -> None:  # type: ignore[override]
        if "\0" in path:
            raise tornado.web.HTTPError(404)
        self._is_current = version == VERSION
        await super().get(path, include_body)

    async def head(self, version: str, path: str) -> None:  # type: ignore[override]
        await self.get(version, path, include_body=False)

    @classmethod
    def get_content(  # type: ignore[override]
        cls, abspath: str, start: int | None = None, end: int | None = None
    ) -> bytes | Generator[bytes, None, None]:
        if abspath.endswith((".js", ".css")):
            return slimmed(abspath)[start:end]
        return super().get_content(abspath, start, end)

    def get_content_size(self) -> int:
        assert self.absolute_path is not None
        if self.absolute_path.endswith((".js", ".css")):
            return len(slimmed(self.absolute_path))
        return super().get_content_size()

    def set_default_headers(self) -> None:
        for name, value in default_headers(self.settings["context"].config, DATA_CSP):
            self.set_header(name, value)
        self.clear_header("Server")

    def compute_etag(self) -> str | None:
        """Weak, because the compressed file has the same ETag (RFC 9110, 8.8.3.3)."""
        etag = super().compute_etag()
        return etag and f"W/{etag}"

    def should_return_304(self) -> bool:
        assert self.modified is not None
        return is_known(self, int(self.modified.timestamp()))

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        if status_code == 403 and self.request.method in ("GET", "HEAD"):  # Tornado's answer to a path with `..`
            status_code = 404
            self.set_status(404)
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
