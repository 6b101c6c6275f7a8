"""Moving: another try for failed runs, and what becomes of paused ones."""

from __future__ import annotations

from collections.abc import Sequence

from storage.database.patience import patient
from storage.moving import moves as _moves
from storage.planning.opened import Opened
from storage.records import Verdict


class Moving(Opened):
    """The part of `storage.Storage` that moves runs which no worker holds."""

    @patient
    def retry(self, study_id: int, which: _moves.Retried) -> int:
        """Return failed runs to the queue, or only those lost with their workers; how many."""
        with self._database.write() as connection:
            return _moves.retry(connection, study_id, which)

    @patient
    def judge(self, verdicts: Sequence[Verdict]) -> frozenset[int]:
        """Let runs that are paused at a rung go on, or end for good; returns those that were moved.

        All of them at once, so that a rung is judged by one driver and one baseline. Runs that
        were moved meanwhile are left alone.
        """
        with self._database.write() as connection:
            return _moves.judge(connection, verdicts)
