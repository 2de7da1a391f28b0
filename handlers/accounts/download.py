"""The download of everything that is kept about an account, sent while it is read."""

import base64
import dataclasses
import json
from collections.abc import AsyncIterator, Callable
from typing import Any, TypeVar

from board.wire import as_json, iso
from handlers.accounts.page import AccountPage
from handlers.accounts.tokens import account_json
from storage.about import Notes, Posted
from storage.audit import AuditEntry
from storage.people import Identity, Picture
from storage.reactions import Reaction
from storage.records import FIRST_BOARD, Credential
from storage.webhooks import Webhook

Row = TypeVar("Row", Posted, AuditEntry, Reaction)


class AccountDownload(AccountPage):
    async def get(self) -> None:
        """Sends all columns that are kept about an account, except secrets and values derived from others. A test goes
        through the tables."""
        account = self.caller.member_credential.account
        self.set_header("Content-Type", "application/json")
        self.set_header("Content-Disposition", f'attachment; filename="{account.username}.json"')
        about = json.dumps(await self.about(), ensure_ascii=False)
        self.write(about[:-1] + ', "audit_log": [')
        await self.send_rows(self.site.audit_about(account), lambda row: entry(row, account.id))
        self.write('], "messages": [')
        await self.send_rows(self.site.posted_by(account), posted)
        self.write('], "reactions": [')
        await self.send_rows(self.site.reacted_by(account), reacted)
        self.finish("]}\n")

    async def about(self) -> dict[str, Any]:
        account, overview = self.caller.member_credential.account, self.overview
        assert overview is not None
        (notes, credentials), password = await self.site.kept_about(account), overview.password
        return {
            "account": account_json(account),
            "tutorial_name": password.tutorial_name,
            "password_set_at": iso(password.set_at) if password.set_at else None,
            "password_links": [{"expires_at": iso(until)} for until in notes.links_until],
            "access_changes": [iso(at) for at in notes.access_changes],
            **dict.fromkeys(self.context.providers),
            **{one.provider: identity_data(one, await self.site.picture_of(one)) for one in overview.identities},
            "failed_sign_ins": dataclasses.asdict(overview.failed),
            "sessions_and_tokens": [self.describe(c) for c in credentials],
            **boards_data(notes),
        }

    def describe(self, credential: Credential) -> dict[str, Any]:
        used = iso(self.site.credentials.last_used(credential))
        return {"id": credential.id, "kind": credential.kind, "name": credential.name,
                "created_at": iso(credential.created_at), "last_used_at": used,
                **({} if credential.board_id is None else {"board_id": credential.board_id}),
                **{f"by_{name}": credential.provider == name for name in self.context.providers}}  # fmt: skip

    async def send_rows(self, parts: AsyncIterator[list[Row]], shape: Callable[[Row], dict[str, Any]]) -> None:
        """`shape` returns what is sent of a row."""
        separator = "\n"
        async for rows in parts:
            async with self.context.making.turns.turn():
                text = ",\n".join(json.dumps(shape(row), ensure_ascii=False) for row in rows)
            self.write(separator + text)
            await self.flush()
            separator = ",\n"


def identity_data(identity: Identity, picture: Picture | None) -> dict[str, Any]:
    """What came from a provider, with the picture as a data: URL."""
    url = f"data:{picture.kind};base64,{base64.b64encode(picture.content).decode()}" if picture else None
    notice_at = iso(identity.notice_at) if identity.notice_at else None
    return {"app_id": identity.app_id, "id": identity.subject, "name": identity.name,
            "linked_at": iso(identity.created_at), "notice_at": notice_at, "picture": url}  # fmt: skip


def boards_data(notes: Notes) -> dict[str, Any]:
    """The boards that the account owns, its invitations to others, how far it has read each, and the webhooks that it has
    made in both directions, if any.
    """
    owned = [
        {name: value for name, value in board._asdict().items() if name not in ("owner_id", "floor", "changed")}
        | {"created_at": iso(board.created_at), "archived_at": iso(board.archived_at) if board.archived_at else None}
        for board in notes.boards
    ]
    invitations = [{"board_id": board_id, "at": iso(at)} for board_id, at in notes.invitations]
    marks = [{"board_id": board_id, "last_read": id} for board_id, id in notes.marks]
    hooks = [one._asdict() | {"created_at": iso(one.created_at)} for one in notes.hooks]
    webhooks = [webhook_data(webhook) for webhook in notes.webhooks]
    lists = {
        "boards": owned, "invitations": invitations, "read_marks": marks, "incoming_webhooks": hooks, "webhooks": webhooks,
    }  # fmt: skip
    return {name: rows for name, rows in lists.items() if rows}


def webhook_data(webhook: Webhook) -> dict[str, Any]:
    """Without its address, of which the path is often a secret, and without its own secrets."""
    times = {name: getattr(webhook, name) for name in ("created_at", "paused_at", "succeeded_at", "failed_at")}
    return {
        "id": webhook.id,
        "board_id": webhook.board_id,
        "shape": webhook.shape,
        "ended": webhook.ended,
        "error": webhook.error,
        **{name: None if at is None else iso(at) for name, at in times.items()},
    }


def entry(row: AuditEntry, account_id: int) -> dict[str, Any]:
    """Says only whether the member did it: which other person did it is data about that person."""
    where = {} if row.board_id is None else {"board_id": row.board_id}
    by_you = row.actor_id == account_id
    return {"at": iso(row.at), "by_you": by_you, "action": row.action, "target": row.target} | where


def posted(row: Posted) -> dict[str, Any]:
    """The message as the API has it, with what only its author may know. A deleted message has no words any more."""
    message = row.message
    where = {} if message.board_id == FIRST_BOARD else {"board_id": message.board_id}
    return (
        as_json(message)
        | where
        | {
            "created_at": iso(message.created_at),
            "key": row.key,
            "address": row.address,
        }
    )


def reacted(row: Reaction) -> dict[str, Any]:
    return {"message_id": row.message_id, "kind": row.kind, "created_at": iso(row.created_at)}
