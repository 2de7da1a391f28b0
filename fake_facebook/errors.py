"""Errors as the Graph API words them: https://developers.facebook.com/docs/graph-api/guides/error-handling"""

import secrets
from typing import Any


class GraphError(Exception):
    """An error that is answered with HTTP 400."""

    def __init__(self, message: str, code: int, subcode: int | None = None, type: str = "OAuthException") -> None:
        super().__init__(message)
        self.message, self.code, self.subcode, self.type = message, code, subcode, type

    def as_json(self) -> dict[str, Any]:
        error: dict[str, Any] = {"message": self.message, "type": self.type, "code": self.code}
        if self.subcode is not None:
            error["error_subcode"] = self.subcode
        return {"error": {**error, "fbtrace_id": "A" + secrets.token_urlsafe(16)}}
