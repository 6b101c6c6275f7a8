"""The study database: what is to be done, who does it, what came of it and what it cost.

`Storage` is for drivers, `Reader` for reports. Records are frozen values; SQLAlchemy stays inside.
"""

from storage.errors import (
    DatabaseUnusable,
    IllegalMove,
    SchemaMismatch,
    StorageError,
    UnknownStudy,
)
from storage.reader import Reader
from storage.states import FINAL, MOVES, RunState
from storage.storage import Storage

__all__ = [
    "FINAL",
    "MOVES",
    "DatabaseUnusable",
    "IllegalMove",
    "Reader",
    "RunState",
    "SchemaMismatch",
    "Storage",
    "StorageError",
    "UnknownStudy",
]
