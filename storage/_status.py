"""How studies and searches stand, and what they have cost so far."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import Connection, bindparam

from storage._budgets import DEVICE_S, MONEY
from storage._tables import attempts, runs, searches, trials, workers
from storage.records import BadEnding, FailureGroup, SearchStatus, Totals
from storage.states import RunState

_STATES = (
    sa.select(runs.c.state, sa.func.count())
    .where(runs.c.study_id == bindparam("study"))
    .group_by(runs.c.state)
)
_PAID = (
    sa.select(
        sa.func.coalesce(sa.func.sum(DEVICE_S), 0.0).label("device_s"),
        sa.func.coalesce(sa.func.sum(attempts.c.epochs), 0).label("epochs"),
        sa.func.sum(MONEY).label("money"),
    )
    .select_from(attempts.outerjoin(workers, workers.c.id == attempts.c.worker_id))
    .where(attempts.c.study_id == bindparam("study"))
)
_PAID_SEARCH = (
    sa.select(*_PAID.selected_columns)
    .select_from(
        attempts.join(runs, runs.c.id == attempts.c.run_id).outerjoin(
            workers, workers.c.id == attempts.c.worker_id
        )
    )
    .where(runs.c.search_id == bindparam("search"))
)
_TRIAL_COUNT = (
    sa.select(sa.func.count())
    .select_from(trials.join(searches, searches.c.id == trials.c.search_id))
    .where(searches.c.study_id == bindparam("study"), searches.c.role != "baseline")
)
_BY_SEARCH = (
    sa.select(searches.c.id, searches.c.name, runs.c.state, sa.func.count())
    .outerjoin(runs, runs.c.search_id == searches.c.id)
    .where(searches.c.study_id == bindparam("study"))
    .group_by(searches.c.id, searches.c.name, searches.c.position, runs.c.state)
    .order_by(searches.c.position)
)
_BAD = (
    sa.select(runs, searches.c.name, trials.c.params)
    .join(searches, searches.c.id == runs.c.search_id)
    .join(trials, trials.c.id == runs.c.trial_id)
    .where(
        runs.c.study_id == bindparam("study"),
        runs.c.state.in_([RunState.FAILED, RunState.DIVERGED]),
    )
    .order_by(runs.c.state.desc(), runs.c.queue_rank, runs.c.id)
    .limit(bindparam("n"))
)
_FAILURES = (
    sa.select(
        searches.c.name,
        attempts.c.failure_key,
        attempts.c.failure,
        sa.func.count().label("n"),
    )
    .select_from(runs)
    .join(searches, searches.c.id == runs.c.search_id)
    # the attempt that counts is the last one
    .join(attempts, sa.and_(attempts.c.run_id == runs.c.id, attempts.c.token == runs.c.token))
    .where(runs.c.study_id == bindparam("study"), runs.c.state == RunState.FAILED)
    .group_by(searches.c.position, searches.c.name, attempts.c.failure_key, attempts.c.failure)
    .order_by(searches.c.position, sa.desc("n"), attempts.c.failure, attempts.c.failure_key)
)


def totals(connection: Connection, study_id: int) -> Totals:
    """Runs by state, and the cost of all attempts."""
    here = {"study": study_id}
    states = {RunState(state): n for state, n in connection.execute(_STATES, here)}
    paid = connection.execute(_PAID, here).one()
    return Totals(
        states=states,
        device_s=float(paid.device_s),
        money=paid.money,
        epochs=int(paid.epochs),
        trials=connection.scalar(_TRIAL_COUNT, here) or 0,
    )


def searches_of(connection: Connection, study_id: int) -> list[SearchStatus]:
    """How each search stands, in the order of the spec."""
    states: dict[tuple[int, str], dict[RunState, int]] = {}
    for search_id, name, state, count in connection.execute(_BY_SEARCH, {"study": study_id}):
        found = states.setdefault((search_id, name), {})
        if state is not None:
            found[RunState(state)] = count
    listed = []
    for (search_id, name), found in states.items():
        paid = connection.execute(_PAID_SEARCH, {"search": search_id}).one()
        listed.append(
            SearchStatus(search=name, states=found, device_s=float(paid.device_s), money=paid.money)
        )
    return listed


def bad_endings(connection: Connection, study_id: int, limit: int) -> list[BadEnding]:
    """Runs that failed or diverged, failed ones first."""
    return [
        BadEnding(
            search=row.name,
            trial=row.trial_number,
            params=row.params,
            seed=row.seed,
            state=RunState(row.state),
            epochs=row.epochs_done,
            reason=row.reason,
        )
        for row in connection.execute(_BAD, {"study": study_id, "n": limit})
    ]


def failure_groups(connection: Connection, study_id: int) -> list[FailureGroup]:
    """Failed runs by search and cause, the largest groups of a search first."""
    return [
        FailureGroup(search=row.name, failure_key=row.failure_key, failure=row.failure, runs=row.n)
        for row in connection.execute(_FAILURES, {"study": study_id})
    ]
