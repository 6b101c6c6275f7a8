"""What happened in a search, its decisions, and the baseline they rest on."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, bindparam

from storage.planning.studies import WRITTEN, add, lock_study, lock_study_of, now
from storage.records import (
    Baseline,
    BaselineValue,
    Decision,
    RunOutcome,
    SearchHistory,
    StageEntry,
)
from storage.schema.tables import (
    baseline_values,
    baselines,
    decisions,
    epochs,
    proposals,
    runs,
    scores,
    searches,
    trials,
)
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
_BASELINE = sa.select(baselines).where(
    baselines.c.study_id == bindparam("study"), baselines.c.standing
)
_BASELINE_VALUES = (
    sa.select(baseline_values, trials.c.params)
    .outerjoin(trials, trials.c.id == baseline_values.c.trial_id)
    .where(baseline_values.c.baseline_id == bindparam("baseline"))
    .order_by(baseline_values.c.task, baseline_values.c.metric, baseline_values.c.split)
)


def search_history(connection: Connection, search_id: int) -> SearchHistory:
    """Standing proposals, run outcomes and standing decisions of a search."""
    here = {"search": search_id}
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
            )
            for row in connection.execute(_OUTCOMES, here)
        ),
        decisions=tuple(_decision(row) for row in connection.execute(_DECISIONS, here)),
    )


def busy_searches(connection: Connection, study_id: int) -> frozenset[int]:
    """Searches of a study with planned runs that are trained or wait for it."""
    return frozenset(connection.scalars(_BUSY, {"study": study_id}))


def paused_searches(connection: Connection, study_id: int) -> frozenset[int]:
    """Searches of a study with planned runs that stand at a rung."""
    return frozenset(connection.scalars(_PAUSED, {"study": study_id}))


def decide(connection: Connection, search_id: int, decision: Decision, *, plan: str | None) -> None:
    """Store a stage's winner; decisions of this and later stages no longer stand.

    A decision that stands already, taken by another driver, is left alone.
    """
    lock_study_of(connection, search_id, plan)
    standing = connection.execute(_DECISIONS, {"search": search_id})
    if any(_decision(row) == decision for row in standing):
        return
    connection.execute(
        decisions.update()
        .where(decisions.c.search_id == search_id, decisions.c.stage >= decision.stage)
        .values(standing=False)
    )
    trial_id = connection.scalar(
        sa.select(trials.c.id).where(
            trials.c.search_id == search_id, trials.c.params == decision.params
        )
    )
    connection.execute(
        decisions.insert(),
        {
            "search_id": search_id,
            "stage": decision.stage,
            "trial_id": trial_id,
            "value": decision.value,
            "members": decision.members,
            "baseline_hash": decision.baseline_hash,
            "objective": decision.objective,
            "standing": True,
            "decided_at": now(),
        },
    )


def reopen_decisions(connection: Connection, study_id: int) -> int:
    """Let all decisions of a study be taken again; returns how many stood."""
    ours = sa.select(searches.c.id).where(searches.c.study_id == study_id)
    result = connection.execute(
        decisions.update()
        .where(decisions.c.search_id.in_(ours), decisions.c.standing)
        .values(standing=False)
    )
    return int(result.rowcount)


def standing_baseline(connection: Connection, study_id: int) -> Baseline | None:
    """The baseline in force, or None."""
    row = connection.execute(_BASELINE, {"study": study_id}).first()
    if row is None:
        return None
    values = tuple(
        BaselineValue(task=v.task, metric=v.metric, split=v.split, value=v.value, params=v.params)
        for v in connection.execute(_BASELINE_VALUES, {"baseline": row.id})
    )
    return Baseline(hash=row.hash, source=row.source, values=values)


def set_baseline(
    connection: Connection, study_id: int, baseline: Baseline, *, plan: str | None
) -> None:
    """Put a baseline in force; the one before is kept, decisions may rest on it."""
    lock_study(connection, study_id, plan)
    mine = baselines.c.study_id == study_id
    connection.execute(baselines.update().where(mine).values(standing=False))
    same = connection.execute(
        baselines.update().where(mine, baselines.c.hash == baseline.hash).values(standing=True)
    )
    if same.rowcount:
        return
    baseline_id = add(
        connection,
        baselines.insert(),
        {
            "study_id": study_id,
            "hash": baseline.hash,
            "source": baseline.source,
            "standing": True,
            "created_at": now(),
        },
    )
    connection.execute(
        baseline_values.insert(),
        [
            {
                "baseline_id": baseline_id,
                "task": value.task,
                "metric": value.metric,
                "split": value.split,
                "value": value.value,
                "trial_id": _stl_trial(connection, study_id, value),
            }
            for value in baseline.values
        ],
    )


def _stl_trial(connection: Connection, study_id: int, value: BaselineValue) -> int | None:
    if value.params is None:
        return None
    return connection.scalar(
        sa.select(trials.c.id)
        .join(searches, searches.c.id == trials.c.search_id)
        .where(
            searches.c.study_id == study_id,
            searches.c.name == f"stl/{value.task}",
            trials.c.params == value.params,
        )
    )


def _decision(row: Any) -> Decision:
    return Decision(
        stage=row.stage,
        params=row.params,
        value=row.value,
        members=row.members,
        baseline_hash=row.baseline_hash,
        objective=row.objective,
    )
