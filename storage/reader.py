"""The study database as reports see it: read-only, through the documented views."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import bindparam

from storage import _studies
from storage._database import SCHEMA_VERSION, Database
from storage._patience import Patience, patient
from storage._views import ORDER
from storage.records import StudyRecord

_QUERIES = {
    view: sa.text(f"SELECT * FROM {view} WHERE study = :study ORDER BY {order}").bindparams(
        bindparam("study")
    )
    for view, order in ORDER.items()
}


class Reader:
    """Reads one study database; it cannot write.

    Args:
        url: SQLAlchemy URL of SQLite or PostgreSQL.
        patience_s: How long a method waits for trouble to pass.

    Raises:
        DatabaseUnusable: There is no such database, or it cannot be read.
    """

    def __init__(self, url: str, *, patience_s: float = 30.0) -> None:
        self._database = Database(url, create=False, read_only=True, patience_s=patience_s)

    @property
    def patience(self) -> Patience:
        """How long a method waits for trouble to pass."""
        return self._database.patience

    def close(self) -> None:
        """Close all connections."""
        self._database.engine.dispose()

    @property
    def url(self) -> str:
        """Where it is, without a password."""
        return self._database.shown_url

    @property
    def schema_version(self) -> str:
        """Version of the database's schema."""
        return SCHEMA_VERSION

    @patient
    def studies(self) -> list[StudyRecord]:
        """All studies, oldest first."""
        with self._database.read() as connection:
            return _studies.list_all(connection)

    @patient
    def study(self, name: str) -> StudyRecord:
        """The study of that name.

        Raises:
            UnknownStudy: With the names that exist.
        """
        with self._database.read() as connection:
            return _studies.get(connection, name)

    @patient
    def view(self, view: str, study: str) -> tuple[tuple[str, ...], list[tuple[object, ...]]]:
        """Columns and rows of a view for one study, in a fixed order."""
        with self._database.read() as connection:
            result = connection.execute(_QUERIES[view], {"study": study})
            return tuple(result.keys()), [tuple(row) for row in result]
