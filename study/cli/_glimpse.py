"""What ``weighbridge run`` sees of its study before anything heavy is loaded."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from storage import StorageError, database_file
from storage.glimpse import ended_at
from study.commands import default_storage
from study.errors import BadSpec
from study.spec._toml import plain_of, text_of

_ASKS_FOR_MORE = ("--budget", "--redecide")
_STORAGE = "--storage"


def all_has_ended(arguments: Sequence[str]) -> bool:
    """Whether all runs of the study are over, and its spec is older than the last of them.

    A guess: of what it does not see at once, it says no.

    Args:
        arguments: What was typed, ``run`` first.
    """
    study = next(iter(arguments[1:]), "-")
    if study.startswith("-") or any(word.startswith(_ASKS_FOR_MORE) for word in arguments):
        return False
    try:
        database = database_file(_storage(arguments))
        name, written_s = _spec(study)
    except (BadSpec, StorageError, OSError, ValueError):
        return False  # who reads it to work with it says what the matter is
    ended = ended_at(database, name) if database is not None else None
    return ended is not None and written_s < ended.timestamp()


def _storage(arguments: Sequence[str]) -> str:
    following = dict(pairwise(arguments))
    joined = [word.partition("=")[2] for word in arguments if word.startswith(f"{_STORAGE}=")]
    return joined[-1] if joined else following.get(_STORAGE) or default_storage()


def _spec(study: str) -> tuple[str, float]:
    """A study's name, and when its file was written: long ago if it is known by its name alone."""
    path = Path(study)
    if not path.is_file():
        return study, 0.0
    return str(plain_of(text_of(path), source=study).get("name")), path.stat().st_mtime
