"""Boards beside the first, from the command line, which sees and may do all: also what is for the invited only."""

import argparse
from collections.abc import Awaitable, Callable

from admin.numbers import counted
from admin.people import find, opened
from board.errors import DeniedError
from board.site.board_changes import cleaned
from board.slugs import FIRST, as_typed, fold_slug
from board.wire import iso
from commands import ADMIN
from settings import Settings
from storage import Storage
from storage.boards import BoardChange
from storage.errors import NotFoundError, SlugTakenError, StorageError, TooManyBoardsError
from storage.records import OPERATOR, ORDERS, READERS, WRITERS, Board

ROWS_AT_ONCE = 100
Act = Callable[[Storage, argparse.Namespace], Awaitable[None]]


def add_boards(command: Callable[..., argparse.ArgumentParser]) -> None:
    """Adds `boards` with its actions."""
    boards = command("boards", list_boards, "list the boards beside the first, or make and change them")
    actions = boards.add_subparsers(title="actions", metavar="ACTION", dest="action")

    def action(name: str, act: Act, help: str, *arguments: str) -> argparse.ArgumentParser:
        added = actions.add_parser(name, help=help, description=f"{help[0].upper()}{help[1:]}.", allow_abbrev=False)
        added.set_defaults(run=run, act=act)
        for argument in arguments:
            added.add_argument(argument, help=HELP[argument])
        return added

    actions.add_parser("list", help="list them, as no action does", allow_abbrev=False)
    made = action("make", make, "make a board", "slug", "name")
    made.add_argument("--owner", metavar="USERNAME", help="who looks after it beside the moderators")
    changed = action("change", change, "change what is said of a board, its short name or its rights", "slug")
    changed.add_argument("--slug", dest="new_slug", metavar="SLUG", help="another short name; the old one leads to it")
    changed.add_argument("--name", help="its name")
    for added in (made, changed):
        add_words(added)
    action("archive", archive, "let nobody write on a board any more", "slug")
    action("unarchive", archive, "let people write again on a board that was archived", "slug")
    action("delete", delete, "delete a board with all that is on it", "slug", "name")
    action("members", members, "list who is invited to a board", "slug")
    action("invite", invite, "let a member read a board", "slug", "username")
    action("uninvite", invite, "take an invitation back", "slug", "username")
    action("owner", own, "give a board to another member, who then looks after it", "slug", "username")


HELP = {
    "slug": "its short name, in addresses; one for the invited gets a random one",
    "name": "its name, as people see it",
    "username": "the member",
}


def add_words(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--about", metavar="LINE", help="a line about it")
    parser.add_argument("--rules", metavar="TEXT", help="its rules")
    parser.add_argument("--read-by", choices=READERS, help="who may read it")
    parser.add_argument("--write-by", choices=WRITERS, help="who may post there")
    parser.add_argument("--order", choices=ORDERS, help="which message its page has first")


async def run(settings: Settings, options: argparse.Namespace) -> None:
    """Runs an action. Raises StorageError with words for the operator."""
    async with opened(settings, for_reading=options.act is members) as storage:
        try:
            await options.act(storage, options)
        except DeniedError as error:
            raise StorageError(str(error)) from None
        except SlugTakenError:
            raise StorageError("another board has this short name, or had it") from None
        except TooManyBoardsError as error:
            raise StorageError(f"there is no room: {error}") from None


async def board_of(storage: Storage, slug: str) -> Board:
    """Raises StorageError with words for the operator."""
    if slug == FIRST:
        raise StorageError("the settings say what the first board is, such as TITLE, READING and POSTING")
    try:
        return await storage.board(fold_slug(slug) or "", OPERATOR)
    except NotFoundError:
        raise StorageError(f"there is no board {slug}; {ADMIN} boards lists them") from None


async def list_boards(settings: Settings, options: argparse.Namespace) -> None:
    async with opened(settings, for_reading=True) as storage:
        after, count = "", 0
        while rows := await storage.listed(OPERATOR, after, ROWS_AT_ONCE, {}):
            for board, standing in rows:
                print(f"{described(board)}  {'no message' if standing.newest is None else f'newest {standing.newest}'}")
            after, count = rows[-1][0].slug, count + len(rows)
    print(f"{counted(count, 'boards')} beside the first.")


def described(board: Board) -> str:
    state = f"  archived {iso(board.archived_at)[:10]}" if board.archived_at is not None else ""
    order = "  oldest first" if board.order == "oldest" else ""
    return f"{board.slug:<20}  {board.name:<24}  read by {board.read_by}, written by {board.write_by}{order}{state}"


def tell(board: Board | None) -> None:
    """Prints a board as it is then. None is not met: the command line reads all."""
    assert board is not None
    print(described(board))


def change_in(options: argparse.Namespace, slug: str | None) -> BoardChange:
    return BoardChange(
        slug=slug,
        name=options.name,
        about=options.about,
        rules=options.rules,
        read_by=options.read_by,
        write_by=options.write_by,
        order=options.order,
    )


async def make(storage: Storage, options: argparse.Namespace) -> None:
    owner = await find(storage, options.owner) if options.owner else None
    said = cleaned(change_in(options, None if options.read_by == "invited" else options.slug))
    board = await storage.create_board(
        None,
        said.slug or "",
        said.name or "",
        about=said.about or "",
        rules=said.rules or "",
        read_by=said.read_by or "everyone",
        write_by=said.write_by or "guests",
        order=said.order or "newest",
        owner_id=owner.id if owner else None,
    )
    tell(board)


async def change(storage: Storage, options: argparse.Namespace) -> None:
    board = await board_of(storage, options.slug)
    tell(await storage.set_board(None, board.id, cleaned(change_in(options, options.new_slug), board.read_by)))


async def archive(storage: Storage, options: argparse.Namespace) -> None:
    """Runs archive and unarchive."""
    board = await board_of(storage, options.slug)
    is_archived = options.action == "archive"
    tell(await storage.set_board(None, board.id, BoardChange(is_archived=is_archived)))


async def delete(storage: Storage, options: argparse.Namespace) -> None:
    board = await board_of(storage, options.slug)
    if as_typed(options.name) != as_typed(board.name):
        raise StorageError(f"the board {board.slug} has another name; nothing was deleted")
    await storage.delete_board(None, board.id)
    print(f"The board {board.slug} is deleted. Its messages leave the database within the hour.")


async def members(storage: Storage, options: argparse.Namespace) -> None:
    board, after = await board_of(storage, options.slug), 0
    while rows := await storage.invited(board.id, OPERATOR, after, ROWS_AT_ONCE):
        for account in rows:
            print(f"{account.username:<32}  {account.name}")
        after = rows[-1].id


async def invite(storage: Storage, options: argparse.Namespace) -> None:
    """Runs invite and uninvite."""
    board, account = await board_of(storage, options.slug), await find(storage, options.username)
    if options.action == "invite":
        await storage.invite(None, board.id, account.id)
        print(f"{account.username} is invited to {board.slug}.")
    else:
        await storage.uninvite(None, board.id, account.id)
        print(f"{account.username} has no invitation to {board.slug}.")


async def own(storage: Storage, options: argparse.Namespace) -> None:
    board, account = await board_of(storage, options.slug), await find(storage, options.username)
    await storage.give_board(board.id, account.id)
    print(f"{account.username} owns {board.slug}.")
