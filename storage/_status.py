"""How studies and searches stand, and what they have cost so far."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import Connection, bindparam

from storage._tables import attempts, runs, searches, trials
from storage.records import BadEnding, SearchStatus, Totals
from storage.states import RunState

_STATES = (
    sa.select(runs.c.state, sa.func.count())
    .where(runs.c.study_id == bindparam("study"))
    .group_by(runs.c.state)
)
_PAID = sa.select(
    sa.func.coalesce(
        sa.func.sum(
            attempts.c.startup_s
            + attempts.c.train_s
            + attempts.c.validation_s
            + attempts.c.test_s
            + attempts.c.checkpoint_s
            + attempts.c.diagnostics_s
        ),
        0.0,
    ),
    sa.func.coalesce(sa.func.sum(attempts.c.epochs), 0),
).where(attempts.c.study_id == bindparam("study"))
_PAID_SEARCH = (
    sa.select(*_PAID.selected_columns)
    .select_from(attempts.join(runs, runs.c.id == attempts.c.run_id))
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


def totals(connection: Connection, study_id: int) -> Totals:
    """Runs by state, and the cost of all attempts."""
    here = {"study": study_id}
    states = {RunState(state): n for state, n in connection.execute(_STATES, here)}
    device_s, n_epochs = connection.execute(_PAID, here).one()
    return Totals(
        states=states,
        device_s=float(device_s),
        epochs=int(n_epochs),
        trials=connection.scalar(_TRIAL_COUNT, here) or 0,
    )


def search_totals(connection: Connection, search_id: int) -> tuple[float, int]:
    """Device-seconds and epochs that all attempts of a search have used."""
    device_s, n_epochs = connection.execute(_PAID_SEARCH, {"search": search_id}).one()
    return float(device_s), int(n_epochs)


def searches_of(connection: Connection, study_id: int) -> list[SearchStatus]:
    """How each search stands, in the order of the spec."""
    states: dict[tuple[int, str], dict[RunState, int]] = {}
    for search_id, name, state, count in connection.execute(_BY_SEARCH, {"study": study_id}):
        found = states.setdefault((search_id, name), {})
        if state is not None:
            found[RunState(state)] = count
    return [
        SearchStatus(search=name, states=found, device_s=search_totals(connection, search_id)[0])
        for (search_id, name), found in states.items()
    ]


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
