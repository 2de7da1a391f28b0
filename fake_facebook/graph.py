"""The fake's Graph API: exchanges codes for tokens, and tells who a token belongs to."""

import re
import struct
import time
import zlib
from typing import Any

from fake_facebook.errors import GraphError
from fake_facebook.memory import TOKEN_SECONDS, Person
from fake_facebook.pages import PageHandler

FIELDS = {"id", "name", "first_name", "last_name", "middle_name", "short_name", "name_format", "picture", "email"}
"""Some of the fields that an app gets without a review. `email` is left out if the person did not agree to it."""
PIXELS = 160


class Graph(PageHandler):
    def set_default_headers(self) -> None:
        self.set_header("Content-Type", "application/json; charset=UTF-8")
        self.set_header("Cache-Control", "private, no-cache, no-store, must-revalidate")

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        error = kwargs.get("exc_info", (None, None, None))[1]
        if not isinstance(error, GraphError):
            error = GraphError("An unknown error has occurred.", 1)
        self.set_status(400)
        self.set_header("WWW-Authenticate", f'OAuth "Facebook Platform" "invalid_request" "{error.message}"')
        self.set_header("Content-Type", "application/json; charset=UTF-8")
        self.finish(error.as_json())

    def log_exception(self, typ: Any, value: BaseException | None, tb: Any) -> None:
        if not isinstance(value, GraphError):
            super().log_exception(typ, value, tb)

    def get(self, version: str, path: str = "") -> None:
        raise GraphError(f"Unknown path components: /{path}", 2500)

    post = get

    def sent(self, name: str) -> str:
        return self.get_argument(name, "", strip=False)


class AccessToken(Graph):
    def get(self, version: str, path: str = "") -> None:
        token = self.memory.redeem(*(self.sent(n) for n in ("client_id", "client_secret", "redirect_uri", "code")))
        self.finish({"access_token": token, "token_type": "bearer", "expires_in": TOKEN_SECONDS})

    post = get


class Me(Graph):
    def get(self, version: str, path: str = "") -> None:
        person = self.memory.bearer(self.sent("access_token"), self.sent("appsecret_proof"))
        fields = re.findall(r"([^,.(]+)(?:[.(][^,]*)?(?:,|$)", self.sent("fields") or "id,name")
        for field in fields:
            if field not in FIELDS:
                raise GraphError(f"(#100) Tried accessing nonexisting field ({field}) on node type (User)", 100)
        answer = {"id": self.memory.scoped_id(person), "name": person.name}
        if "picture" in fields:
            self.finish({**answer, "picture": {"data": self.picture(person)}})
        else:
            self.finish(answer)

    def picture(self, person: Person) -> dict[str, Any]:
        where = f"{self.request.protocol}://{self.request.host}/platform/profilepic/"
        url = f"{where}?asid={self.memory.scoped_id(person)}&ext={int(time.time()) + 3600}&n={person.number}"
        return {"height": PIXELS, "is_silhouette": not person.has_picture, "url": url, "width": PIXELS}


class ProfilePicture(PageHandler):
    """The picture. Its address expires, as those of the real Facebook do."""

    def get(self) -> None:
        person = self.person(self.get_argument("n"))
        if self.get_argument("asid") != self.memory.scoped_id(person) or int(self.get_argument("ext")) < time.time():
            self.set_status(403)
            self.finish("URL signature expired")
            return
        self.set_header("Content-Type", "image/png")
        self.finish(png(person.number))


def png(number: int) -> bytes:
    """Returns a square with a circle in it. Each number has another colour."""
    colour, rows = bytes([60 * number % 256, 40 + 150 // number, 200 - 30 * number]), []
    for y in range(PIXELS):
        row = b"".join(b"\xff\xf0\xd8" if (x - 80) ** 2 + (y - 80) ** 2 < 50**2 else colour for x in range(PIXELS))
        rows.append(b"\0" + row)
    header = struct.pack(">IIBBBBB", PIXELS, PIXELS, 8, 2, 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(b"".join(rows))), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in parts
    )
