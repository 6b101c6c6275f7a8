"""Status: how a study's runs stand, what they have cost and what went wrong."""

from __future__ import annotations

from collections.abc import Sequence

from storage.database.patience import patient
from storage.planning.opened import Opened
from storage.records import BadEnding, BestTrial, FailureGroup, SearchStatus, Totals
from storage.status import queries as _status


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
    def best_trials(
        self, study_id: int, *, n_seeds: int, highest: Sequence[str] = ()
    ) -> list[BestTrial]:
        """The best trial of each search so far, of those with values on enough seeds.

        Args:
            highest: Names of the searches where the highest mean is the best one.
        """
        with self._database.read() as connection:
            return _status.best_trials(connection, study_id, n_seeds, highest)

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
