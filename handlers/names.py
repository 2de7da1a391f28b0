"""Reserved names: nobody else can take the names of the board and of moderators."""

from board import account_names
from board.text import BadTextError
from handlers.base import Base
from storage.records import Account


async def check_is_free(handler: Base, *names: str) -> None:
    """Checks the names of a new member or an account. An account may keep its current ones. Raises BadTextError."""
    moderators = await handler.board.storage.moderators()
    for name in names:
        check(handler, name, moderators, handler.account)


async def is_free(handler: Base, name: str, account: Account | None = None) -> bool:
    """Whether the name is free for this account, or for a new one."""
    try:
        check(handler, name, await handler.board.storage.moderators(), account)
    except BadTextError:
        return False
    return True


def check(handler: Base, name: str, moderators: list[Account], own: Account | None) -> None:
    if own is None or name not in (own.name, own.username):
        others = [account for account in moderators if own is None or account.id != own.id]
        account_names.check_is_free(name, handler.config.title, others)
