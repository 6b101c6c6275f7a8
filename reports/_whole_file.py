"""Files that appear whole: written aside and renamed, or not at all."""

import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from reports.errors import MissingFolder, NotAFile, NotWritten

_SQLITE = b"SQLite format 3\x00"


def writable(path: str | os.PathLike[str], *, what: str) -> Path:
    """Where a file is to be, links followed; asked before anything is computed for it.

    Args:
        what: What is to be written, to begin a message: ``A report``.

    Raises:
        MissingFolder: Its folder does not exist.
        NotAFile: Something else is there: a folder, a device, a pipe, an SQLite database.
        NotWritten: No file can have that name.
    """
    with _told(path):
        target = Path(os.path.realpath(path))
        is_folder, is_other = target.is_dir(), target.exists() and not target.is_file()
        is_database = not (is_folder or is_other) and _is_database(target)
        has_folder = target.parent.is_dir()
    if is_folder:
        raise NotAFile(f"{what} is written into a file. Got the folder {path}. Name a file in it.")
    if is_other:
        raise NotAFile(
            f"{what} is written into a file. Got {path}, a device or a pipe. Name another."
        )
    if is_database:
        raise NotAFile(
            f"{what} replaces what is there, and never an SQLite database. Got {path}, which is "
            "one. Name another file."
        )
    if not has_folder:
        folder = target.parent if os.path.islink(path) else Path(path).parent
        raise MissingFolder(
            f"{what} is written into a folder that exists. Got {folder}. Create it first."
        )
    return target


def write_whole(target: Path, write: Callable[[Path], None]) -> None:
    """Have a file written aside, with the rights that the umask leaves, and put it in its place.

    Raises:
        NotWritten: The system refuses it; nothing is left behind.
    """
    aside = target.with_name(f".{secrets.token_hex(8)}.part")
    try:
        with _told(target):
            aside.touch(mode=0o666, exist_ok=False)
            write(aside)
            aside.replace(target)
    finally:
        with suppress(OSError):  # on a disk that may only be read, not even what is not there
            aside.unlink()


def _is_database(target: Path) -> bool:
    """By its first bytes: it may be a study's, whatever its name."""
    if not target.exists():
        return False
    with target.open("rb") as file:
        return file.read(len(_SQLITE)) == _SQLITE


@contextmanager
def _told(path: object) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise NotWritten(
            f"Cannot write {path}: {error.strerror or error}. Name a file on a disk with room, in "
            "a folder you may write to."
        ) from error
