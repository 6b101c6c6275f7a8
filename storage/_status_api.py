"""Status: how a study's runs stand, what they have cost and what went wrong."""

from __future__ import annotations

from storage import _status
from storage._opened_api import Opened
from storage._patience import patient
from storage.records import BadEnding, FailureGroup, SearchStatus, Totals


class Status(Opened):
    """The part of `storage.Storage` that sums up."""

    @patient
    def totals(self, study_id: int) -> Totals:
        """Runs by state and cost of all attempts."""
        with self._database.read() as connection:
            return _status.totals(connection, study_id)

    @patient
    def search_status(self, study_id: int) -> list[SearchStatus]:
        """How each search of a study stands, in the order of the spec."""
        with self._database.read() as connection:
            return _status.searches_of(connection, study_id)

    @patient
    def bad_endings(self, study_id: int, *, limit: int) -> list[BadEnding]:
        """Runs that failed or diverged, failed ones first."""
        with self._database.read() as connection:
            return _status.bad_endings(connection, study_id, limit)

    @patient
    def failure_groups(self, study_id: int) -> list[FailureGroup]:
        """Failed runs of a study by search and cause."""
        with self._database.read() as connection:
            return _status.failure_groups(connection, study_id)
