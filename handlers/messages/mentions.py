"""Members who can be mentioned, for those who write."""

from handlers.http.base import Base
from handlers.http.errors import RefusedError

MEMBERS_AT_ONCE = 20


class ApiMentionable(Base):
    """Members by the beginning of their usernames. Guests are not told which usernames there are."""

    for_whom = "members"

    async def get(self) -> None:
        if (prefix := self.query("prefix")) is None:
            raise RefusedError(400, "bad_field", "The query “prefix” is missing.")
        found = await self.site.mentionable(prefix, MEMBERS_AT_ONCE)
        self.write_json({"members": [{"id": id, "username": username, "name": name} for id, username, name in found]})
