"""What a site does with incoming webhooks. Those who moderate a board look after those of that board."""

import itertools
import secrets
from typing import NamedTuple

from board.account_names import clean_name, usernames
from board.caller import Caller
from board.credentials import hash_secret
from board.site.boards import Boards, finding_board
from board.text import clean
from storage.errors import NoSuchHookError
from storage.hooks import Hook
from storage.records import Board, Message

SECRET_BYTES = 20
"""As hexadecimal digits: some senders take nothing but small letters and digits."""
USERNAMES_TRIED = 20


class FoundHook(NamedTuple):
    id: int
    hash: bytes
    """Of its secret."""
    board_id: int


def usernames_for(name: str) -> list[str]:
    """Returns usernames for a webhook of this name, the most similar first; the last is random, so that one is free.

    All begin with `bot_`: a username stays taken as long as there is a message of the webhook, and no member's name is.
    """
    named = itertools.islice(usernames(f"bot {name}"), USERNAMES_TRIED)
    return [*(one for one in named if one.startswith("bot_")), f"bot_{secrets.token_hex(8)}"]


def new_hook_secret() -> str:
    return secrets.token_hex(SECRET_BYTES)


class Hooks(Boards):
    async def hooks(self, caller: Caller, slug: str) -> tuple[Board, list[Hook]]:
        """Returns the board, and its webhooks. Raises DeniedError."""
        board, credential = await self.board_to_moderate(caller, slug), caller.member_credential
        with finding_board():
            return board, await self.storage.hooks_on(credential.account, board.id, credential=credential.id)

    async def make_hook(self, caller: Caller, slug: str, name: str) -> tuple[str, Hook]:
        """Makes a webhook. Returns its secret, which is kept nowhere, and the hook. Raises DeniedError, BadTextError,
        NameReservedError, TooManyHooksError.
        """
        name = clean_name(name)
        credential, board = await self._moderate(caller, slug)
        self.limits.changing.check(caller.key)
        secret = new_hook_secret()
        what = board.id, name, usernames_for(name), hash_secret(secret)
        with finding_board():
            return secret, await self.storage.make_hook(credential.account, *what, credential=credential.id)

    async def set_hook(
        self,
        caller: Caller,
        slug: str,
        id: int,
        *,
        name: str | None = None,
        drops_repeats: bool | None = None,
        renews: bool = False,
    ) -> tuple[str | None, Hook]:
        """Changes what is given. With `renews`, the webhook gets a new secret, which is returned, and the old one ends.
        Raises DeniedError, BadTextError, NameReservedError, NoSuchHookError.
        """
        name = None if name is None else clean_name(name)
        credential, board = await self._moderate(caller, slug)
        secret = new_hook_secret() if renews else None
        with finding_board():
            return secret, await self.storage.set_hook(
                credential.account,
                board.id,
                id,
                name=name,
                drops_repeats=drops_repeats,
                hash=None if secret is None else hash_secret(secret),
                credential=credential.id,
            )

    async def revoke_hook(self, caller: Caller, slug: str, id: int) -> None:
        """Raises DeniedError, NoSuchHookError."""
        credential, board = await self._moderate(caller, slug)
        with finding_board():
            await self.storage.revoke_hook(credential.account, board.id, id, credential=credential.id)

    async def try_hook(self, caller: Caller, slug: str, id: int, words: str) -> Message:
        """Posts these words as a webhook does. Raises DeniedError, NoSuchHookError, ArchivedError, NotAllowedError."""
        credential, board = await self._moderate(caller, slug)
        what = board.id, id, clean(words, self.rules.message_length), caller.address
        with finding_board():
            return await self.storage.try_hook(credential.account, *what, credential=credential.id)

    # --- posting

    async def find_hook(self, address: str, id: int, secret: str) -> FoundHook:
        """Finds the webhook with this secret, and counts its post. Only wrong secrets count for the address, and these stop
        nothing else: many programs share one. Whether the number or the secret is wrong is not told, and takes equally
        long. Raises DeniedError, NoSuchHookError.
        """
        hash = hash_secret(secret)
        try:
            account_id, board_id = await self.storage.hook_by(id, hash)
        except NoSuchHookError:
            self.limits.no_hook_from.check(address)
            raise
        self.limits.posting.check(f"account {account_id}")
        return FoundHook(id, hash, board_id)

    async def post_by_hook(self, hook: FoundHook, body: str, digest: str, address: str) -> Message | None:
        """Posts. Returns None if the webhook has just posted what has the same digest. Nobody is mentioned: what other
        programs pass on may be anybody's words. Raises NoSuchHookError, BoardGoneError, ArchivedError, NotAllowedError.
        """
        return await self.storage.post_by_hook(hook.id, hook.hash, hook.board_id, body, digest, address)
