"""Status: how a study's runs stand, what they have cost and what went wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy import bindparam

from storage.database.retry import retried
from storage.leasing.budgets import DEVICE_S, MONEY
from storage.objectives import Objective
from storage.planning.history import in_force
from storage.planning.opened import OpenedDatabase
from storage.planning.proposals import WRITTEN, count_trials
from storage.records import (
    BadEnding,
    BestTrial,
    FailureGroup,
    PackCosts,
    SearchStatus,
    Totals,
    Unfinished,
)
from storage.schema.tables import attempts, environments, runs, scores, searches, trials, workers
from storage.states import FINAL, RunState

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
_PAID_BY_SEARCH = (
    sa.select(runs.c.search_id, *_PAID.selected_columns)
    .select_from(
        attempts.join(runs, runs.c.id == attempts.c.run_id).outerjoin(
            workers, workers.c.id == attempts.c.worker_id
        )
    )
    .where(attempts.c.study_id == bindparam("study"))
    .group_by(runs.c.search_id)
)
_BY_SEARCH = (
    sa.select(
        searches.c.id,
        searches.c.name,
        runs.c.state,
        runs.c.planned,
        runs.c.epochs_planned,
        sa.func.count().label("n"),
        sa.func.sum(runs.c.epochs_done).label("epochs"),
    )
    .outerjoin(runs, runs.c.search_id == searches.c.id)
    .where(searches.c.study_id == bindparam("study"))
    .group_by(
        *(searches.c.id, searches.c.name, searches.c.position),
        *(runs.c.state, runs.c.planned, runs.c.epochs_planned),
    )
    .order_by(searches.c.position, runs.c.epochs_planned)
)
_TRIAL_VALUES = (
    sa.select(
        runs.c.search_id,
        runs.c.trial_id,
        sa.func.row_number()
        .over(
            partition_by=runs.c.search_id,
            order_by=(
                sa.case(
                    (runs.c.search_id.in_(bindparam("highest", expanding=True)), -1.0), else_=1.0
                )
                * sa.func.avg(scores.c.value_val),
                runs.c.trial_id,
            ),
        )
        .label("place"),
    )
    .join(scores, scores.c.run_id == runs.c.id)
    .where(
        runs.c.study_id == bindparam("study"),
        runs.c.state == RunState.DONE,
        runs.c.role != "confirm",
        in_force(bindparam("study")),
    )
    .group_by(runs.c.search_id, runs.c.trial_id)
    .having(sa.func.count() >= bindparam("n_seeds"))
    .subquery()
)
_NAMED = sa.select(searches.c.id, searches.c.name).where(
    searches.c.study_id == bindparam("study"),
    searches.c.name.in_(bindparam("names", expanding=True)),
)
_BEST = (
    sa.select(searches.c.name, scores.c.value_val)
    .select_from(_TRIAL_VALUES)
    .join(searches, searches.c.id == _TRIAL_VALUES.c.search_id)
    .join(runs, runs.c.trial_id == _TRIAL_VALUES.c.trial_id)
    .join(scores, scores.c.run_id == runs.c.id)
    .where(_TRIAL_VALUES.c.place == 1, runs.c.role != "confirm")
    .order_by(searches.c.position, runs.c.seed)
)
_BAD = (
    sa.select(runs, searches.c.name, WRITTEN)
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
_PACKS = (
    sa.select(
        runs.c.search_id,
        environments.c.device,
        attempts.c.worker_id,
        attempts.c.started_at,
        sa.cast(sa.func.sum(attempts.c.epochs), sa.Float(53)).label("epochs"),
        sa.func.sum(DEVICE_S).label("device_s"),
    )
    .select_from(
        attempts.join(runs, runs.c.id == attempts.c.run_id)
        .outerjoin(workers, workers.c.id == attempts.c.worker_id)
        .outerjoin(environments, environments.c.id == workers.c.environment_id)
    )
    .where(attempts.c.study_id == bindparam("study"), attempts.c.epochs > 0)
    .group_by(
        *(runs.c.search_id, environments.c.device, attempts.c.worker_id, attempts.c.started_at)
    )
    .subquery()
)
_IN_TURN = sa.select(
    _PACKS,
    *(
        sa.func.lag(_PACKS.c[name])
        .over(
            partition_by=(_PACKS.c.search_id, _PACKS.c.device),
            order_by=(_PACKS.c.started_at, _PACKS.c.worker_id),
        )
        .label(f"{name}_before")
        for name in ("epochs", "device_s")
    ),
).subquery()
_E, _D, _E1, _D1 = (
    _IN_TURN.c[name] for name in ("epochs", "device_s", "epochs_before", "device_s_before")
)
_PACK_COSTS = (
    sa.select(
        searches.c.name,
        _IN_TURN.c.device,
        sa.func.count().label("packs"),
        *(
            sa.func.coalesce(sa.func.sum(of), 0.0).label(name)
            for name, of in (
                ("epochs", _E),
                ("device_s", _D),
                ("epochs_squared", _E * _E),
                ("device_s_squared", _D * _D),
                ("product", _E * _D),
                ("epochs_in_turn", _E * _E1),
                ("device_s_in_turn", _D * _D1),
                ("products_in_turn", _E * _D1 + _D * _E1),
            )
        ),
    )
    .select_from(_IN_TURN.join(searches, searches.c.id == _IN_TURN.c.search_id))
    .group_by(searches.c.position, searches.c.name, _IN_TURN.c.device)
    .order_by(searches.c.position, _IN_TURN.c.device)
)
_BESIDE_RUNS = sa.select(sa.func.coalesce(sa.func.sum(DEVICE_S), 0.0)).where(
    attempts.c.study_id == bindparam("study"), attempts.c.run_id.is_(None)
)
_BUSY_WORKERS = (
    sa.select(sa.func.count(sa.distinct(attempts.c.worker_id)))
    .join(runs, sa.and_(runs.c.id == attempts.c.run_id, runs.c.token == attempts.c.token))
    .where(runs.c.study_id == bindparam("study"), runs.c.state == RunState.LEASED)
)


class Status(OpenedDatabase):
    """The part of `storage.Storage` and `storage.Reader` that sums up."""

    @retried
    def totals(self, study_id: int) -> Totals:
        """Runs by state and cost of all attempts."""
        here = {"study": study_id}
        with self._database.read() as connection:
            states = {RunState(state): n for state, n in connection.execute(_STATES, here)}
            paid = connection.execute(_PAID, here).one()
            return Totals(
                states=states,
                device_s=float(paid.device_s),
                money=paid.money,
                epochs=int(paid.epochs),
                trials=count_trials(connection, study_id),
            )

    @retried
    def search_status(self, study_id: int) -> list[SearchStatus]:
        """How each search of a study stands, in the order of the spec."""
        here = {"study": study_id}
        found: dict[int, list[sa.Row[Any]]] = {}
        with self._database.read() as connection:
            paid = {row.search_id: row for row in connection.execute(_PAID_BY_SEARCH, here)}
            for row in connection.execute(_BY_SEARCH, here):
                found.setdefault(row.id, []).append(row)
        return [_search_status(rows, paid.get(search)) for search, rows in found.items()]

    @retried
    def pack_costs(self, study_id: int) -> list[PackCosts]:
        """What the packs of each search that has begun took on each device, in the spec's order."""
        with self._database.read() as connection:
            return [
                PackCosts(
                    search=row.name,
                    device=row.device or "",
                    packs=row.packs,
                    epochs=int(row.epochs),
                    device_s=row.device_s,
                    epochs_squared=row.epochs_squared,
                    device_s_squared=row.device_s_squared,
                    product=row.product,
                    epochs_in_turn=row.epochs_in_turn,
                    device_s_in_turn=row.device_s_in_turn,
                    products_in_turn=row.products_in_turn,
                )
                for row in connection.execute(_PACK_COSTS, {"study": study_id})
            ]

    @retried
    def beside_runs_s(self, study_id: int) -> float:
        """Device-seconds that were no run's: workers' own starts, and timings."""
        with self._database.read() as connection:
            return float(connection.execute(_BESIDE_RUNS, {"study": study_id}).scalar_one())

    @retried
    def busy_workers(self, study_id: int) -> int:
        """Workers that have runs of the study on loan."""
        with self._database.read() as connection:
            return int(connection.execute(_BUSY_WORKERS, {"study": study_id}).scalar_one())

    @retried
    def best_trials(
        self, study_id: int, objectives: Mapping[str, Objective], *, n_seeds: int
    ) -> list[BestTrial]:
        """The best trial of each search so far, of those with values on enough seeds.

        Args:
            objectives: What its trials are ranked by, by name of the search.
        """
        values: dict[str, list[float]] = {}
        with self._database.read() as connection:
            here = {"study": study_id, "names": list(objectives)}
            named = [(row.id, objectives[row.name]) for row in connection.execute(_NAMED, here)]
            wanted = {
                "study": study_id,
                "n_seeds": n_seeds,
                "highest": [search for search, of in named if of.direction == "max"],
            }
            for row in connection.execute(_BEST, wanted):
                values.setdefault(row.name, []).append(row.value_val)
        return [BestTrial(search=name, values=of_seeds) for name, of_seeds in values.items()]

    @retried
    def bad_endings(self, study_id: int, *, limit: int) -> list[BadEnding]:
        """Runs that failed or diverged, failed ones first."""
        with self._database.read() as connection:
            return [
                BadEnding(
                    run=row.id,
                    search=row.name,
                    trial=row.trial_number,
                    params=row.written,
                    seed=row.seed,
                    state=RunState(row.state),
                    epochs=row.epochs_done,
                    reason=row.reason,
                )
                for row in connection.execute(_BAD, {"study": study_id, "n": limit})
            ]

    @retried
    def failure_groups(self, study_id: int) -> list[FailureGroup]:
        """Failed runs of a study by search and cause, the largest groups of a search first."""
        with self._database.read() as connection:
            return [
                FailureGroup(
                    search=row.name, failure_key=row.failure_key, failure=row.failure, runs=row.n
                )
                for row in connection.execute(_FAILURES, {"study": study_id})
            ]


def _search_status(rows: Sequence[sa.Row[Any]], paid: sa.Row[Any] | None) -> SearchStatus:
    states: Counter[RunState] = Counter()
    with_runs = [row for row in rows if row.state is not None]
    for row in with_runs:
        states[RunState(row.state)] += row.n
    return SearchStatus(
        search=rows[0].name,
        states=dict(states),
        epochs_done=sum(int(row.epochs) for row in with_runs),
        unfinished=[
            Unfinished(until_epoch=row.epochs_planned, runs=row.n, epochs_done=int(row.epochs))
            for row in with_runs
            if row.planned and RunState(row.state) not in FINAL
        ],
        epochs_paid=0 if paid is None else int(paid.epochs),
        device_s=0.0 if paid is None else float(paid.device_s),
        money=None if paid is None else paid.money,
    )
