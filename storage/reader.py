"""The study database as reports see it: read-only, through the documented views."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import bindparam

from storage._database import SCHEMA_VERSION, Database
from storage._log_api import Log
from storage._patience import patient
from storage._status_api import Status
from storage._views import ORDER

_QUERIES = {
    view: sa.text(f"SELECT * FROM {view} WHERE study = :study ORDER BY {order}").bindparams(
        bindparam("study")
    )
    for view, order in ORDER.items()
}


class Reader(Log, Status):
    """Reads one study database; it makes, changes and locks nothing, files beside it included.

    A SQLite file of an older schema is read from a migrated copy in memory.

    Args:
        url: As of `storage.Storage`.
        patience_s: How long a method waits for trouble to pass.

    Raises:
        StorageError: The URL is none that a study can be kept at.
        DatabaseUnusable: There is no such database, or it cannot be read.
    """

    def __init__(self, url: str, *, patience_s: float = 30.0) -> None:
        super().__init__(Database(url, create=False, read_only=True, patience_s=patience_s))

    @property
    def schema_version(self) -> str:
        """Version of the database's schema, an older one included."""
        return self._database.found_version or SCHEMA_VERSION

    @patient
    def view(self, view: str, study: str) -> tuple[tuple[str, ...], list[tuple[object, ...]]]:
        """Columns and rows of a view for one study, in a fixed order."""
        with self._database.read() as connection:
            result = connection.execute(_QUERIES[view], {"study": study})
            return tuple(result.keys()), [tuple(row) for row in result]
