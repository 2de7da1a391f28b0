"""Addresses without a page: those that have another one now, and all that are not in ROUTES."""

from typing import NoReturn

import tornado.web

from handlers.http.base import Page


class Moved(Page):
    """Redirects an address, such as the tutorial's /li, to its name here."""

    for_whom = "anyone"
    identifies = False

    def initialize(self, url: str) -> None:
        self.url = url

    @property
    def counts_as_reading(self) -> bool:
        return False

    async def get(self) -> None:
        self.redirect(self.url, permanent=True)


class NotFoundPage(Page):
    """Answers every address that is not in ROUTES."""

    for_whom = "anyone"
    takes_tokens = False
    forgives_old_sessions = True

    @property
    def wants_json(self) -> bool:
        return self.request.path.startswith("/api/") or super().wants_json

    async def prepare(self) -> NoReturn:
        await super().prepare()
        raise tornado.web.HTTPError(404)
