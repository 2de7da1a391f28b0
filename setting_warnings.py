"""Warnings about settings when a server starts. It starts anyway, because the settings may be intended."""

import logging

from settings import Settings, variables

log = logging.getLogger("longboard")


def warn_of_settings(settings: Settings) -> None:
    """Warns about what may be a mistake. It could be meant for another program, so the board starts."""
    for words in [odd.words for odd in variables(None)[1]] + doubts(settings):
        log.warning("%s", words)


def warn_of_dyno(settings: Settings) -> None:
    """Warns about settings that a board on Heroku needs and this one lacks."""
    if settings.dyno and not settings.public_url:
        log.warning(
            "PASSWORDS MAY BE SENT UNENCRYPTED: on a dyno, set PUBLIC_URL=https://… to the board's address. Heroku "
            "serves http as well; only with PUBLIC_URL is that redirected to https, and are cookies Secure."
        )
    if settings.disk_is_wiped:
        log.warning(
            "ALL MESSAGES AND ACCOUNTS WILL BE LOST: DATABASE_URL=%s is a file on the disk of dyno %s, which Heroku "
            "wipes at each restart and deploy, at least once a day. That is for trying out only; docs/deploy.md says "
            "how to keep a board.",
            settings.database_url, settings.dyno,
        )  # fmt: skip


def doubts(settings: Settings) -> list[str]:
    """Returns warnings about settings that are allowed but probably not intended."""
    found = []
    if not settings.max_parked:
        found.append("MAX_PARKED=0: no poll is held, so pages see new messages only when they ask again")
    if settings.scheme_header and not settings.public_url:
        found.append("SCHEME_HEADER is set, but not PUBLIC_URL, so http has nowhere to be redirected to")
    for name, origins in (("EMBED_FROM", settings.embed_from), ("CORS_FROM", settings.cors_from)):
        if origins and settings.reading == "members":
            found.append(f"{name} does nothing with READING=members: other sites get what everyone may read")
    return found
