"""Files that are only seen once they are whole."""

import os


def give_name(part: str, name: str) -> None:
    """Gives a file that is whole its name, unless there is one of that name. Raises OSError."""
    file = os.open(part, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)
    try:
        os.link(part, name)  # unlike a rename, it never replaces what came there meanwhile
    except FileExistsError:
        raise
    except OSError:  # some file systems, such as those of memory sticks, have no links
        if os.path.exists(name):
            raise
        os.rename(part, name)
    sync_folder(name)


def sync_folder(path: str) -> None:
    """So that the name itself survives a power failure."""
    folder = os.open(os.path.dirname(os.path.abspath(path)), os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
