"""Judging: what finished runs are worth, and what was decided by it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from storage.database.patience import patient
from storage.judging import scores as _scores
from storage.planning import history as _history
from storage.planning.opened import Opened
from storage.records import Baseline, Decision
from storage.scoring import Selection


class Judging(Opened):
    """The part of `storage.Storage` that scores runs and keeps decisions."""

    @patient
    def decide(self, search_id: int, decision: Decision, *, plan: str | None = None) -> None:
        """Store a stage's winner; later stages are decided anew.

        Args:
            plan: Of the study, as it was when this was decided.

        Raises:
            StudyChanged: It has another one by now, or is gone.
        """
        with self._database.write() as connection:
            _history.decide(connection, search_id, decision, plan=plan)

    @patient
    def reopen_decisions(self, study_id: int) -> int:
        """Let a study's decisions be taken again; returns how many stood."""
        with self._database.write() as connection:
            return _history.reopen_decisions(connection, study_id)

    @patient
    def baseline(self, study_id: int) -> Baseline | None:
        """The baseline in force."""
        with self._database.read() as connection:
            return _history.standing_baseline(connection, study_id)

    @patient
    def set_baseline(self, study_id: int, baseline: Baseline, *, plan: str | None = None) -> None:
        """Put a baseline in force.

        Args:
            plan: Of the study, as it was when this was measured.

        Raises:
            StudyChanged: It has another one by now, or is gone.
        """
        with self._database.write() as connection:
            _history.set_baseline(connection, study_id, baseline, plan=plan)

    @patient
    def score_stl(
        self,
        study_id: int,
        primary: Mapping[str, _scores.Metric],
        selection: Selection,
        *,
        only: Sequence[int] | None = None,
    ) -> None:
        """Score finished single-task runs (all, or among `only`).

        Args:
            primary: (task, metric, direction) by search name.
        """
        with self._database.write() as connection:
            _scores.score_stl(connection, study_id, primary, selection, only)

    @patient
    def score_mtl(
        self,
        study_id: int,
        metrics: Sequence[_scores.Metric],
        baseline: Baseline,
        selection: Selection,
        *,
        only: Sequence[int] | None = None,
    ) -> None:
        """Score finished multi-task runs (all, or among `only`) under a baseline."""
        with self._database.write() as connection:
            _scores.score_mtl(connection, study_id, metrics, baseline, selection, only)

    @patient
    def run_table(self, run: int) -> _scores.Table:
        """Split -> (task, metric) -> values by epoch of one run."""
        with self._database.read() as connection:
            return _scores.run_table(connection, run)
