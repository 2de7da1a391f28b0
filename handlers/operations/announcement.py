"""What a server says once it is there: where the board is, and how to become its moderator, if it has none."""

import logging

from board.site import Site
from settings import Settings, inherited_place
from storage.errors import UnavailableError
from version import VERSION

log = logging.getLogger("longboard")


async def announce(site: Site, settings: Settings, local: str) -> None:
    """Prints the address; `local` is the one at which this process listens."""
    where = f"{settings.public_url}/ (listening at {local})" if settings.public_url else local
    print(f"Longboard {VERSION} is at {where}", flush=True)
    if inherited_place().rpartition("/")[2] not in ("", "1"):  # the first of the nodes behind this socket says it
        return
    try:
        secret = await site.make_owner_link()
    except UnavailableError as error:
        log.warning("The board has no link for its first moderator: %s", error)
        return
    if secret:
        log.info(
            "This board has no moderator yet. To make that account, open this link within an hour; it works once: "
            "%s/signup?owner#%s%s",
            settings.origin,  # browsers do not send what is behind the #
            secret,
            "" if settings.public_url else " (if browsers find the board elsewhere, with that address before /signup)",
        )
