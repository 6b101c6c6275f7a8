"""Where a study's files go: checkpoints, folders of training functions, what runs have printed.

Each study has a folder of its own, named by its birth. Names and numbers come again: when a
database is made anew, or lies beside another one. A database can be copied, too; then two studies
have one birth, of which the second that is run is given another. The folder says whose it is.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from storage.records import StudyRecord
from study.errors import BadSpec
from trainers.keeping import paths

if TYPE_CHECKING:
    from storage import Storage

_DEFAULT = "weighbridge.checkpoints"
_OWNER = "database.json"


def checkpoint_place(given: str) -> str:
    """A folder or URL as a user gives it, in the form in which it is kept.

    Raises:
        BadSpec: It is a file, or fsspec cannot open it.
    """
    if not given.strip() or Path(given).is_file():
        raise BadSpec(
            f"--checkpoints is a folder, or a URL that fsspec opens. Got {given!r}, "
            f"{'a file' if given.strip() else 'an empty word'}. Name a folder, or drop it."
        )
    try:
        return paths.settled(given)
    except OSError as error:
        raise BadSpec(
            f"--checkpoints is a folder, or a URL that fsspec opens. Got {given!r}: {error}. "
            "Install the package of its store (s3fs for s3://, gcsfs for gs://), or give a folder."
        ) from error


def check_folder_of_function(place: str) -> None:
    """Check where training functions are to have their folders; they write there by themselves.

    Raises:
        BadSpec: It is no folder of a file system.
    """
    if paths.is_url(place):
        raise BadSpec(
            "A training function or trainer is given a folder to write to. Got --checkpoints "
            f"{place}, a URL. Give a folder, on several machines one that all have under the same "
            "path, or drop it."
        )


def beside(database: Path | None) -> Path:
    """Where the files of all studies are unless a user names a place: beside their database.

    Args:
        database: None for a server; the files are in the working folder.
    """
    return (database or Path(_DEFAULT)).resolve().parent / _DEFAULT


def settle_files(
    given: str | None, storage: Storage, study: StudyRecord
) -> tuple[str, StudyRecord]:
    """The folder of one study, and the study, which as a copy is given a birth of its own.

    Args:
        given: What `checkpoint_place` returned.
    """
    place = given or str(beside(storage.file))
    here = storage.whereabouts()
    while True:
        folder = paths.inside(place, study.birth)
        owner = _owner(folder)
        if owner is None or _is_same(owner, here) or not _is_there(owner):
            if owner != here:
                _own(folder, here)
            return folder, study
        study = storage.give_birth(study)


def remove_files(folders: list[str]) -> None:
    """Remove folders of studies, with all that is in them; see `storage.Storage.file_folders`."""
    for folder in folders:
        paths.remove_folder(folder)


def _owner(folder: str) -> Mapping[str, str] | None:
    try:
        found = json.loads(paths.content(paths.inside(folder, _OWNER)))
    except (OSError, ValueError):
        return None
    is_whole = isinstance(found, dict) and isinstance(found.get("place"), str)
    return found if is_whole else None


def _own(folder: str, here: Mapping[str, str]) -> None:
    try:
        paths.put(paths.inside(folder, _OWNER), json.dumps(here).encode())
    except OSError:
        return  # then there are no files either, of which the first checkpoint will tell


def _is_same(owner: Mapping[str, str], here: Mapping[str, str]) -> bool:
    """The same database, if need be under another name, or put back from a copy."""
    same = [owner.get(key) == here[key] for key in ("place", "number")]
    return any(same) if _is_file(here) else all(same)


def _is_there(owner: Mapping[str, str]) -> bool:
    """Whether the folder's database exists beside the one that asks; of a server nobody knows."""
    if not _is_file(owner):
        return True
    try:
        found = Path(owner["place"]).stat()
    except OSError:
        return False
    return f"{found.st_dev}:{found.st_ino}" == owner.get("number")


def _is_file(owner: Mapping[str, str]) -> bool:
    return Path(owner["place"]).is_absolute()
