"""Folders: where a board is kept if DATABASE_URL is not set, and where catalogues are."""

import os
import sys
from collections.abc import Mapping

from commands import IS_INSTALLED


def default_database(environ: Mapping[str, str] = os.environ) -> str:
    """Returns a file in the folder where a checkout is started, but the same file wherever an installed Longboard is.

    That one is in the user's folder for data (https://specifications.freedesktop.org/basedir-spec/latest/).
    """
    if not IS_INSTALLED:
        return "sqlite:///board.db"
    home = environ.get("XDG_DATA_HOME", "")
    if not os.path.isabs(home):  # the specification says to ignore it then
        home = os.path.expanduser("~/.local/share")
    return f"sqlite:///{home}/longboard/board.db"


DATABASE_URL = default_database()


def make_folder(database_url: str) -> None:
    """Makes the folder of an installed Longboard's default database. Ends the program with 1 if it can't be made."""
    folder = os.path.dirname(DATABASE_URL.removeprefix("sqlite:///"))
    if not IS_INSTALLED or database_url != DATABASE_URL or os.path.isdir(folder):
        return
    try:
        if not os.path.isabs(folder):
            raise OSError(0, "this user has no home")
        os.makedirs(folder, mode=0o700)
    except OSError as error:
        sys.exit(f"longboard: the folder {folder} can't be made ({error.strerror}): set DATABASE_URL to another place")
    print(f"longboard: the board is kept in {folder}", file=sys.stderr)


def check_locales(folder: str) -> None:
    """Ends the program with 1 if the operator's catalogues are in no folder. One that can't be read is only warned of."""
    if folder and not os.path.isdir(folder):
        sys.exit(f"longboard: LOCALES={folder} is no folder, so there are no catalogues to read")
