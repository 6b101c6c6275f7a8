"""Moving: another try for failed runs, and what becomes of paused ones."""

from __future__ import annotations

from storage import _moves
from storage._opened_api import Opened
from storage._patience import patient


class Moving(Opened):
    """The part of `storage.Storage` that moves runs which no worker holds."""

    @patient
    def retry(self, study_id: int, which: _moves.Retried) -> int:
        """Return failed runs to the queue, or only those lost with their workers; how many."""
        with self._database.write() as connection:
            return _moves.retry(connection, study_id, which)

    @patient
    def prune(self, run: int, token: int) -> bool:
        """End a paused run for good; False if it was moved meanwhile."""
        with self._database.write() as connection:
            return _moves.prune(connection, run, token)

    @patient
    def resume(self, run: int, token: int) -> bool:
        """Return a paused run to the queue; False if it was moved meanwhile."""
        with self._database.write() as connection:
            return _moves.resume(connection, run, token)
