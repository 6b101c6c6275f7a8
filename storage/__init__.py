"""The study database: what is to be done, who does it, what came of it and what it cost.

`Storage` is for drivers, `Reader` for reports. Records are frozen values; SQLAlchemy stays inside,
and is loaded when one of the two is first used: planning a study needs neither.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from storage.database.file_systems import unsafe_file_system
from storage.database.plain_urls import database_file, without_password
from storage.errors import (
    DatabaseUnusable,
    IllegalMove,
    SchemaMismatch,
    StorageError,
    StudyChanged,
    UnknownStudy,
)
from storage.states import FINAL, MOVES, Liveness, RunState

if TYPE_CHECKING:
    from storage.reader import Reader
    from storage.storage import Storage

__all__ = [
    "FINAL",
    "MOVES",
    "DatabaseUnusable",
    "IllegalMove",
    "Liveness",
    "Reader",
    "RunState",
    "SchemaMismatch",
    "Storage",
    "StorageError",
    "StudyChanged",
    "UnknownStudy",
    "database_file",
    "unsafe_file_system",
    "without_password",
]

_SQL_BOUND = {"Reader": "reader", "Storage": "storage"}


def __getattr__(name: str) -> Any:
    if name not in _SQL_BOUND:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_SQL_BOUND[name]}"), name)
