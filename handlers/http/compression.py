"""Compresses pages, styles and scripts for clients that accept it. Replies to polls are never compressed.

A poll's reply is short, and the same bytes for everyone. The attack BREACH (https://www.breachattack.com) guesses a
secret from the length of a compressed page. It needs a secret in pages that another site can request again and again
with words of its choice in them. Our pages contain no secret.
"""

import tornado.web
from tornado.httputil import HTTPHeaders, HTTPServerRequest

from handlers.http.negotiation import takes_gzip


class Compression(tornado.web.GZipContentEncoding):
    CONTENT_TYPES = {"image/svg+xml", "application/atom+xml", "application/manifest+json"}  # noqa: RUF012 - as Tornado has it
    """Types that are compressed besides all text. JSON is not."""

    def __init__(self, request: HTTPServerRequest) -> None:
        self._gzipping = takes_gzip(request.headers.get("Accept-Encoding", ""))

    def transform_first_chunk(
        self, status_code: int, headers: HTTPHeaders, chunk: bytes, finishing: bool
    ) -> tuple[int, HTTPHeaders, bytes]:
        kind = headers.get("Content-Type", "").partition(";")[0]
        if status_code == 304 or (status_code == 206 and self._compressible_type(kind)):
            others = headers.get_list("Vary")
            headers["Vary"] = ", ".join([*others, "Accept-Encoding"])  # as the complete reply has (RFC 9110, 15.4.5)
        if status_code != 200 or not self._compressible_type(kind):
            self._gzipping = False
            return status_code, headers, chunk
        return super().transform_first_chunk(status_code, headers, chunk, finishing)
