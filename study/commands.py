"""Commands that messages tell a user to type: complete, quoted for a shell, about the same study.

A line that is copied must reach the database that the message is about, in any shell.
"""

from __future__ import annotations

import os
import shlex

from storage import without_password

DEFAULT_STORAGE = "sqlite:///weighbridge.db"
STORAGE_VARIABLE = "WEIGHBRIDGE_STORAGE"


def default_storage() -> str:
    """The environment's ``WEIGHBRIDGE_STORAGE``, or a file in the working folder."""
    return os.environ.get(STORAGE_VARIABLE) or DEFAULT_STORAGE


def command_line(*words: str, storage: str | None = None) -> str:
    """``weighbridge`` with these words, as it is typed.

    Args:
        storage: URL of the study database that it is about; None for none in particular.
    """
    about = [] if storage is None else _storage_words(storage)
    return shlex.join(["weighbridge", *words, *about])


def _storage_words(url: str) -> list[str]:
    """``--storage URL`` where a bare command could find another; passwords are not repeated."""
    if url == DEFAULT_STORAGE and default_storage() == DEFAULT_STORAGE:
        return []
    shown = without_password(url)
    if "***" in shown and shown == without_password(default_storage()):
        return []  # the environment holds the password, and it alone may
    return ["--storage", shown]
