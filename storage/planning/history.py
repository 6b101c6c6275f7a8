"""What has come of searches: their proposals, the outcomes of runs, and decisions."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy import Connection, bindparam

from storage.database.retry import retried
from storage.planning.opened import OpenedDatabase
from storage.planning.proposals import WRITTEN
from storage.records import Decision, RunOutcome, SearchHistory, StageEntry
from storage.schema.tables import (
    baselines,
    decisions,
    epoch_values,
    epochs,
    proposals,
    runs,
    scores,
    searches,
    series,
    trials,
)
from storage.scoring import mean
from storage.states import RunState

_GRAD_EVALS = (
    sa.select(sa.func.coalesce(sa.func.sum(epochs.c.grad_evals), 0))
    .where(epochs.c.run_id == runs.c.id)
    .scalar_subquery()
)
_OUTCOMES = (
    sa.select(
        runs.c.id,
        runs.c.trial_number,
        trials.c.params,
        runs.c.seed,
        runs.c.role,
        runs.c.state,
        runs.c.token,
        runs.c.epochs_planned,
        scores.c.value_val,
        _GRAD_EVALS.label("grad_evals"),
    )
    .join(trials, trials.c.id == runs.c.trial_id)
    .outerjoin(scores, scores.c.run_id == runs.c.id)
    .where(runs.c.search_id == bindparam("search"))
    .order_by(runs.c.trial_number, runs.c.role, runs.c.seed)
)
_BESIDE = (
    sa.select(runs.c.id, series.c.task, series.c.metric, epoch_values.c.value)
    .join(scores, scores.c.run_id == runs.c.id)
    .join(epoch_values, epoch_values.c.run_id == runs.c.id)
    .join(series, series.c.id == epoch_values.c.series_id)
    .where(
        runs.c.search_id == bindparam("search"),
        runs.c.state == RunState.DONE,
        epoch_values.c.epoch > scores.c.epoch_selected - bindparam("last", type_=sa.Integer),
        epoch_values.c.epoch <= scores.c.epoch_selected,
        series.c.split == "validation",
        sa.tuple_(series.c.task, series.c.metric).in_(bindparam("beside", expanding=True)),
    )
)
_ENTRIES = (
    sa.select(proposals.c.stage, proposals.c.round, trials.c.number, trials.c.params, WRITTEN)
    .join(trials, trials.c.id == proposals.c.trial_id)
    .where(proposals.c.search_id == bindparam("search"), proposals.c.standing)
    .order_by(proposals.c.stage, proposals.c.number)
)
_DECISIONS = (
    sa.select(decisions, trials.c.params)
    .join(trials, trials.c.id == decisions.c.trial_id)
    .where(decisions.c.search_id == bindparam("search"), decisions.c.standing)
    .order_by(decisions.c.stage)
)


def _searches_with_runs(*states: RunState) -> sa.Select[tuple[int]]:
    return sa.select(searches.c.id).where(
        searches.c.study_id == bindparam("study"),
        sa.exists().where(
            runs.c.search_id == searches.c.id, runs.c.state.in_(states), runs.c.planned
        ),
    )


_BUSY = _searches_with_runs(RunState.WAITING, RunState.LEASED)
_PAUSED = _searches_with_runs(RunState.PAUSED)


class History(OpenedDatabase):
    """The part of `storage.Storage` and `storage.Reader` that tells what has come of searches."""

    @retried
    def history(
        self, search_id: int, *, beside: Sequence[tuple[str, str]] = (), last: int = 1
    ) -> SearchHistory:
        """All that happened in one search.

        Args:
            beside: (task, metric) of objectives beside the first; outcomes have their values.
            last: Of how many epochs, up to the selected one, these are the mean.
        """
        here = {"search": search_id}
        with self._database.read() as connection:
            others = _others(connection, search_id, beside, last) if beside else {}
            return SearchHistory(
                entries=tuple(
                    StageEntry(
                        stage=row.stage,
                        round=row.round,
                        trial=row.number,
                        params=row.params,
                        written=row.written,
                    )
                    for row in connection.execute(_ENTRIES, here)
                ),
                outcomes=tuple(
                    RunOutcome(
                        run=row.id,
                        trial=row.trial_number,
                        params=row.params,
                        seed=row.seed,
                        role=row.role,
                        state=RunState(row.state),
                        token=row.token,
                        until_epoch=row.epochs_planned,
                        value=row.value_val,
                        grad_evals=int(row.grad_evals),
                        others=others.get(row.id, ()),
                    )
                    for row in connection.execute(_OUTCOMES, here)
                ),
                decisions=tuple(standing_decisions(connection, search_id)),
            )

    @retried
    def busy_searches(self, study_id: int) -> frozenset[int]:
        """Searches of a study with planned runs that are trained or wait for it."""
        with self._database.read() as connection:
            return frozenset(connection.scalars(_BUSY, {"study": study_id}))

    @retried
    def paused_searches(self, study_id: int) -> frozenset[int]:
        """Searches with planned runs that are paused at a rung."""
        with self._database.read() as connection:
            return frozenset(connection.scalars(_PAUSED, {"study": study_id}))


def _others(
    connection: Connection, search_id: int, beside: Sequence[tuple[str, str]], last: int
) -> dict[int, tuple[float, ...]]:
    """Run to its values of objectives beside the first, on validation at the selected epoch."""
    found: dict[int, dict[tuple[str, str], list[float]]] = {}
    here = {"search": search_id, "last": last, "beside": [*beside]}
    for row in connection.execute(_BESIDE, here):
        found.setdefault(row.id, {}).setdefault((row.task, row.metric), []).append(row.value)
    return {run: tuple(mean(of[name]) for name in beside) for run, of in found.items()}


def in_force(study: sa.ColumnElement[int]) -> sa.ColumnElement[bool]:
    """Whether a score counts: one under an earlier baseline of its study says nothing any more."""
    standing = sa.select(baselines.c.hash).where(
        baselines.c.study_id == study, baselines.c.standing
    )
    return sa.or_(scores.c.baseline_hash == "", scores.c.baseline_hash.in_(standing))


def standing_decisions(connection: Connection, search_id: int) -> list[Decision]:
    """The decisions of a search that stand, by stage."""
    return [
        Decision(
            stage=row.stage,
            params=row.params,
            value=row.value,
            members=row.members,
            baseline_hash=row.baseline_hash,
            objective=row.objective,
        )
        for row in connection.execute(_DECISIONS, {"search": search_id})
    ]
