"""/privacy: what the board keeps about people, in the operator's words or in ours."""

import re

from board.links import links
from handlers.http.base import Page


class Privacy(Page):
    for_whom = "anyone"
    forgives_old_sessions = True

    async def get(self) -> None:
        paragraphs = [text for text in re.split(r"\n\s*\n", self.config.privacy_text.replace("\r\n", "\n")) if text]
        labels = [provider.label for provider in self.context.providers.values() if provider.app_id]
        several = bool(self.site.waiters.directory.listed(await self.site.scope_of(self.caller), 1))
        await self.render("privacy.html", paragraphs=paragraphs, links=links, labels=labels, several=several)
