"""What boards are, in a few lines without a database: the tests compare storage with this, whatever is done to both."""

import dataclasses

from storage.errors import (
    ArchivedError,
    KeyReusedError,
    MembersOnlyError,
    ModeratorsOnlyError,
    NotAllowedError,
    NotAuthorError,
    NotFoundError,
    OutdatedError,
    SlugTakenError,
)
from storage.records import FIRST_BOARD, Asker
from storage.slugs import RANDOM


@dataclasses.dataclass
class Place:
    slug: str
    read_by: str
    write_by: str
    owner: int | None
    invited: dict[int, None] = dataclasses.field(default_factory=dict)
    """In the order in which they were."""
    slugs: set[str] = dataclasses.field(default_factory=set)
    """Those that lead to it."""
    is_archived: bool = False


@dataclasses.dataclass
class Post:
    board: int
    author: int | None
    body: str | None
    key: str | None
    first_body: str | None
    """What a retry must bring; None for a deleted message, for which any words will do."""


class Model:
    def __init__(self) -> None:
        self.boards: dict[int, Place] = {}
        self.ended: dict[int, str] = {}
        """Who could read boards that are deleted."""
        self.slug_owners: dict[str, int] = {}
        """Every slug that was ever given, and to whom."""
        self.posts: dict[int, Post] = {}
        self.roles: dict[int, str] = {}
        self.suspended: set[int] = set()
        self.bots: dict[int, tuple[int, int | None]] = {}
        """Credentials of bots that are in force: whose each is, and the board that it was made for."""
        self.marks: dict[tuple[int, int], int] = {}
        """By account and board."""

    def is_active(self, account: int | None) -> bool:
        return account in self.roles and account not in self.suspended

    def reads(self, asker: Asker, board: int) -> bool:
        place = self.boards.get(board)
        if board == FIRST_BOARD or place is None:
            return board == FIRST_BOARD
        if asker.is_operator or place.read_by == "everyone":
            return True
        if not self.is_active(asker.account_id):
            return False
        is_invited = asker.account_id == place.owner or asker.account_id in place.invited
        reaches = asker.credential_id is None or self.bots.get(asker.credential_id) == (asker.account_id, board)
        return place.read_by == "members" or (is_invited and reaches)

    def is_told_of(self, asker: Asker) -> set[int]:
        """The boards about which the audit log has entries for them, beside those by themselves."""
        ended = {
            id for id, read_by in self.ended.items()
            if asker.is_operator or read_by == "everyone"
            or (read_by == "members" and self.is_active(asker.account_id))
        }  # fmt: skip
        return ended | {id for id in self.boards if self.reads(asker, id)}

    def moderates(self, account: int | None, board: int) -> bool:
        place = self.boards.get(board)
        is_owner = account is not None and place is not None and place.owner == account
        return self.roles.get(account) == "moderator" or is_owner

    def refusal_of_words(self, account: int | None, board: int) -> type[Exception] | None:
        """Of new words, by the board alone."""
        if board == FIRST_BOARD:
            return None
        place = self.boards[board]
        who = {"guests": True, "members": account is not None, "moderators": self.moderates(account, board)}
        if place.is_archived or who[place.write_by]:
            return ArchivedError if place.is_archived else None
        return {"members": MembersOnlyError, "moderators": ModeratorsOnlyError}[place.write_by]

    # --- what becomes of a request: the error, or None

    def refusal_of_actor(self, actor: Asker, board: int) -> type[Exception] | None:
        """The refusal for an actor who wants to change a board, or None."""
        if not self.reads(actor, board):
            return NotFoundError
        if not actor.is_operator and not (self.is_active(actor.account_id) and self.moderates(actor.account_id, board)):
            return NotAllowedError
        return None

    def retry(self, author: int | None, board: int, key: str | None) -> int | None:
        for id, post in self.posts.items():
            if key is not None and (post.board, post.author, post.key) == (board, author, key):
                return id
        return None

    def refusal_of_post(self, asker: Asker, board: int, body: str, key: str | None) -> type[Exception] | None:
        if not self.reads(asker, board):
            return NotFoundError
        if (first := self.retry(asker.account_id, board, key)) is not None:
            return KeyReusedError if self.posts[first].first_body not in (None, body) else None
        if asker.account_id is not None and not self.is_active(asker.account_id):
            return NotAllowedError
        if asker.credential_id is not None and asker.credential_id not in self.bots:
            return OutdatedError
        return self.refusal_of_words(asker.account_id, board)

    def refusal_of_change(
        self, by: Asker, id: int, board: int, *, edits: bool, moderates: bool
    ) -> type[Exception] | None:
        post = self.posts.get(id)
        if not self.reads(by, board) or post is None or post.board != board or post.body is None:
            return NotFoundError
        if by.is_operator:
            return None
        if post.author != by.account_id and not moderates:
            return NotAuthorError
        if not self.is_active(by.account_id):
            return NotAllowedError
        if by.credential_id is not None and by.credential_id not in self.bots:
            return OutdatedError
        if post.author != by.account_id and not self.moderates(by.account_id, board):
            return NotAllowedError
        return self.refusal_of_words(by.account_id, board) if edits else None

    def refusal_of_slug(self, slug: str, board: int) -> type[Exception] | None:
        return SlugTakenError if self.slug_owners.get(slug, board) != board or RANDOM.fullmatch(slug) else None

    # --- what is done

    def give_slug(self, board: int, slug: str) -> None:
        self.slug_owners[slug] = board
        self.boards[board].slugs.add(slug)
        self.boards[board].slug = slug

    def delete_account(self, account: int, *, keeps: bool) -> None:
        del self.roles[account]
        self.suspended.discard(account)
        self.end_bots(account)
        self.marks = {(whose, board): mark for (whose, board), mark in self.marks.items() if whose != account}
        for board, place in list(self.boards.items()):
            place.invited.pop(account, None)
            if place.owner == account:
                self.leave_board(board, place)
        if not keeps:
            self.posts = {id: post for id, post in self.posts.items() if post.author != account}

    def leave_board(self, board: int, place: Place) -> None:
        """Its owner's account is deleted."""
        heirs = sorted(
            place.invited, key=lambda account: account in self.suspended
        )  # the first of them, if all are alike
        place.owner = heirs[0] if heirs and place.read_by == "invited" else None
        if place.owner is not None:
            del place.invited[place.owner]
        elif place.read_by == "invited":
            self.ended[board] = self.boards.pop(board).read_by

    def give(self, board: int, account: int, *, stays: bool) -> None:
        """Another owner. Who had a board for the invited stays invited, unless the operator takes it away."""
        place = self.boards[board]
        if account != place.owner:
            place.invited.pop(account, None)
            if stays and place.read_by == "invited" and place.owner is not None:
                place.invited.setdefault(place.owner)
            place.owner = account

    def end_bots(self, account: int) -> None:
        self.bots = {credential: one for credential, one in self.bots.items() if one[0] != account}

    def mark(self, account: int, board: int, id: int) -> None:
        """What an account has read: the greater of this and what is kept, at most the newest message."""
        newest = max((id for id, post in self.posts.items() if post.board == board), default=None)
        others = [other for other in self.boards if other != FIRST_BOARD and self.reads(Asker(account), other)]
        is_kept = board != FIRST_BOARD or others  # it would tell of boards that the account may not read
        if account in self.roles and newest is not None and self.reads(Asker(account), board) and is_kept:
            id = min(id, newest)
            self.marks[account, board] = max(id, self.marks.get((account, board), id))

    def shown(self, board: int) -> dict[int, str]:
        return {id: post.body for id, post in self.posts.items() if post.board == board and post.body is not None}
