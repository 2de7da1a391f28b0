"""The pictures that people have at providers."""

from storage.errors import NotFoundError
from storage.people import Picture
from storage.tx import Nouns, Tx


class Pictures(Nouns):
    async def set_picture(self, identity_id: int, picture: Picture | None) -> None:
        values = (picture.kind, picture.content) if picture else (None, None)

        async def unit(tx: Tx) -> None:
            await tx.run("UPDATE identities SET picture_kind = $2, picture = $3 WHERE id = $1", identity_id, *values)

        await self._write(unit)

    async def picture(self, account_id: int, provider: str | None = None) -> Picture:
        """Returns the picture of this provider, or the first that there is. Raises NotFoundError."""
        return await self._read(read_picture, account_id, provider)


async def read_picture(tx: Tx, account_id: int, provider: str | None) -> Picture:
    row = await tx.one(
        "SELECT picture_kind, picture FROM identities "
        "WHERE account_id = $1 AND provider = coalesce($2, provider) AND picture IS NOT NULL ORDER BY id",
        account_id,
        provider,
    )
    if row is None:
        raise NotFoundError("picture")
    return Picture(*row)
