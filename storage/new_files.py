"""New files: they get their names only when they are complete, and the right owner. Also: file errors in words."""

import os


def in_words(error: Exception) -> str:
    """Returns an OSError as people read it, without its number: `copy.db.part: Read-only file system`.

    The text of other errors stays as it is.
    """
    said = getattr(error, "strerror", None)
    if not said:
        return str(error) or type(error).__name__
    name = getattr(error, "filename", None)
    return f"{name}: {said}" if name else said


def give_name(part: str, name: str) -> None:
    """Gives a complete file its name, unless there is a file of that name. Raises OSError."""
    file = os.open(part, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)
    try:
        os.link(part, name)  # unlike a rename, it never replaces a file that has appeared there
    except FileExistsError:
        raise
    except OSError:  # some file systems, such as those of memory sticks, have no links
        if os.path.exists(name):
            raise
        os.rename(part, name)
    sync_folder(name)


def make_private(path: str) -> None:
    """Makes a new, empty file that only its owner can read. Raises OSError, also if the file exists."""
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))


def belong_like(path: str, other: str) -> None:
    """If root made the file, gives it to the owner of the other one: its folder, or the file that it replaces."""
    if os.geteuid() == 0:
        status = os.stat(other)
        os.chown(path, status.st_uid, status.st_gid)


def sync_folder(path: str) -> None:
    """Writes the folder of this path to disk, so that the name itself survives a power failure."""
    folder = os.open(os.path.dirname(os.path.abspath(path)), os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
