"""What every opened study database tells: where it is, its studies, and measured packs."""

from __future__ import annotations

from storage.database.opened import Database
from storage.database.retry import Retry, retried
from storage.planning import networks as _networks
from storage.planning import studies as _studies
from storage.records import Calibration, SearchRecord, StudyRecord


class OpenedDatabase:
    """An opened database; the roles of `storage.Storage` and `storage.Reader` share it.

    Each method is one transaction, and waits out trouble that passes.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    @property
    def url(self) -> str:
        """Where it is, without a password."""
        return self._database.shown_url

    @property
    def retries(self) -> Retry:
        """How long a method waits for trouble to pass."""
        return self._database.retries

    def close(self) -> None:
        """Close all connections."""
        self._database.engine.dispose()

    @retried
    def studies(self) -> list[StudyRecord]:
        """All studies, oldest first."""
        with self._database.read() as connection:
            return _studies.list_all(connection)

    @retried
    def study(self, name: str) -> StudyRecord:
        """The study of that name.

        Raises:
            UnknownStudy: With the names that exist.
        """
        with self._database.read() as connection:
            return _studies.get(connection, name)

    @retried
    def searches(self, study_id: int) -> list[SearchRecord]:
        """A study's searches, in the order of its spec."""
        with self._database.read() as connection:
            return _studies.list_searches(connection, study_id)

    @retried
    def calibrations(self, shape: str) -> list[Calibration]:
        """What was measured of a shape of network on any hardware."""
        with self._database.read() as connection:
            return _networks.calibrations_of(connection, shape)
