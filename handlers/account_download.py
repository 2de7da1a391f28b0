"""The download of everything that is kept about an account, sent while it is read."""

import base64
import dataclasses
import json
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from board.recent import as_json, iso
from handlers.account import AccountPage
from handlers.base import signed_in
from handlers.tokens import account_json
from storage.about import Posted
from storage.errors import NotFoundError
from storage.records import AuditEntry, Credential, Picture

ROWS_AT_ONCE = 100
"""Rows that are read at once, and encoded as JSON in one turn."""
Row = TypeVar("Row", Posted, AuditEntry)


class AccountDownload(AccountPage):
    async def get(self) -> None:
        """Sends all columns that are kept about an account, except secrets and values derived from others. A test goes
        through the tables."""
        account, storage = signed_in(self).account, self.board.storage
        self.set_header("Content-Type", "application/json")
        self.set_header("Content-Disposition", f'attachment; filename="{account.username}.json"')
        about = json.dumps(await self.about(), ensure_ascii=False)
        self.write(about[:-1] + ', "audit_log": [')
        await self.send_rows(lambda after: storage.audit_about(account, after, ROWS_AT_ONCE), self.entry)
        self.write('], "messages": [')
        await self.send_rows(lambda after: storage.posted_by(account.id, after, ROWS_AT_ONCE), posted)
        self.finish("]}\n")

    async def about(self) -> dict[str, Any]:
        account, storage = signed_in(self).account, self.board.storage
        notes, credentials = await storage.notes_about(account.id), await storage.credentials(account.id)
        return {
            "account": account_json(account),
            "tutorial_name": self.password.tutorial_name,
            "password_set_at": iso(self.password.set_at) if self.password.set_at else None,
            "password_links": [{"expires_at": iso(until)} for until in notes.links_until],
            "access_changes": [iso(at) for at in notes.access_changes],
            "facebook": await self.facebook_data(),
            "failed_sign_ins": dataclasses.asdict(self.failed),
            "sessions_and_tokens": [self.describe(c) for c in credentials],
        }

    async def facebook_data(self) -> dict[str, Any] | None:
        """What came from Facebook, with the picture as a data: URL."""
        if (identity := self.identity) is None:
            return None
        try:
            picture: Picture | None = await self.board.storage.picture(identity.account.id)
        except NotFoundError:
            picture = None
        url = f"data:{picture.kind};base64,{base64.b64encode(picture.content).decode()}" if picture else None
        notice_at = iso(identity.notice_at) if identity.notice_at else None
        return {"app_id": identity.app_id, "id": identity.subject, "name": identity.name,
                "linked_at": iso(identity.created_at), "notice_at": notice_at, "picture": url}  # fmt: skip

    def describe(self, credential: Credential) -> dict[str, Any]:
        used = iso(self.board.credentials.last_used(credential))
        return {"id": credential.id, "kind": credential.kind, "name": credential.name,
                "created_at": iso(credential.created_at), "last_used_at": used,
                "by_facebook": credential.provider == "facebook"}  # fmt: skip

    def entry(self, entry: AuditEntry) -> tuple[int, dict[str, Any]]:
        """Says only whether the member did it: which other person did it is data about that person."""
        by_you = entry.actor_id == signed_in(self).account.id
        return entry.id, {"at": iso(entry.at), "by_you": by_you, "action": entry.action, "target": entry.target}

    async def send_rows(
        self,
        read: Callable[[int], Awaitable[list[Row]]],
        shape: Callable[[Row], tuple[int, dict[str, Any]]],
    ) -> None:
        """`shape` returns a row's number and what is sent of the row. The next rows are read after that number."""
        after, separator = 0, "\n"
        while rows := await read(after):
            async with self.application.making.turns.turn():
                shaped = [shape(row) for row in rows]
                text = ",\n".join(json.dumps(value, ensure_ascii=False) for _, value in shaped)
            self.write(separator + text)
            await self.flush()
            after, separator = shaped[-1][0], ",\n"


def posted(row: Posted) -> tuple[int, dict[str, Any]]:
    """The message as the API has it, with what only its author may know. A deleted message has no words any more."""
    message = row.message
    return message.id, as_json(message) | {
        "created_at": iso(message.created_at),
        "key": row.key,
        "address": row.address,
    }
