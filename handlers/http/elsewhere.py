"""Answers requests for a name that is not the board's, or by plain http: redirects pages and refuses the rest."""

from handlers.http.base import Page
from handlers.http.errors import RefusedError
from handlers.http.hosts import is_redirected


class Elsewhere(Page):
    for_whom = "anyone"
    identifies = False

    def initialize(self, refused: RefusedError) -> None:
        self.refused = refused

    @property
    def wants_json(self) -> bool:
        return self.request.path.startswith(("/api/", "/get", "/hooks/")) or super().wants_json

    async def prepare(self) -> None:
        self.context.under_way.add(self)
        if not is_redirected(self.request):
            raise self.refused
        path = self.request.uri or ""
        self.redirect(self.config.public_url + (path if path.startswith("/") else "/"), status=301)
