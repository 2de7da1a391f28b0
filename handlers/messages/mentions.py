"""Members who can be mentioned, for those who write."""

import unicodedata

from handlers.http.base import Base
from handlers.http.errors import RefusedError

MEMBERS_AT_ONCE = 20
PREFIX_MAX = 32
"""Characters, as a username has at most."""


class ApiMembers(Base):
    """Members by the beginning of their usernames or names, or by their ids. Guests are not told which there are."""

    for_whom = "members"

    async def get(self) -> None:
        ids, prefix = self.ids(), self.query("prefix")
        if ids is not None and prefix is None:
            found = await self.site.members_with(ids)
        elif prefix is not None and ids is None and is_beginning(prefix):
            found = await self.site.members_beginning(prefix, MEMBERS_AT_ONCE)
        else:
            words = f"The query needs either “ids”, or “prefix”: 1 to {PREFIX_MAX} letters, digits and _."
            raise RefusedError(400, "bad_field", words)
        self.write_json({"members": [one._asdict() for one in found]})


def is_beginning(text: str) -> bool:
    """Whether a word can begin with this, in any script: letters may have marks behind them."""
    kinds = ["L" if c == "_" else unicodedata.category(c)[0] for c in text]
    return 0 < len(kinds) <= PREFIX_MAX and kinds[0] != "M" and set(kinds) <= {"L", "M", "N"}
