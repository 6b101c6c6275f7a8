"""What the limits of a study and its searches still allow, asked within a claim."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import sqlalchemy as sa
from sqlalchemy import Connection, bindparam

from storage.limits import NOTHING, Amount, Limit, Limits, exceeded
from storage.planning.writing import lock_study
from storage.schema.prepared import PreparedStatement
from storage.schema.tables import attempts, runs, workers
from storage.states import RunState

DEVICE_S = (
    attempts.c.startup_s
    + attempts.c.train_s
    + attempts.c.validation_s
    + attempts.c.test_s
    + attempts.c.checkpoint_s
    + attempts.c.diagnostics_s
)
MONEY = DEVICE_S / 3600.0 * workers.c.price_per_h
_FINISHED = sa.and_(attempts.c.kind == "run", attempts.c.state == "finished")
_RESERVED = PreparedStatement(
    sa.select(
        runs.c.search_id,
        sa.func.count().label("n"),
        sa.func.sum(runs.c.epochs_planned - runs.c.epochs_done).label("epochs"),
    )
    .where(runs.c.study_id == bindparam("study"), runs.c.state == RunState.LEASED)
    .group_by(runs.c.search_id)
)
_OLDEST_RUNNING = PreparedStatement(
    sa.select(attempts.c.id)
    .where(
        attempts.c.study_id == bindparam("study"),
        attempts.c.id > bindparam("after"),
        attempts.c.state == "running",
    )
    .order_by(attempts.c.id)
    .limit(1)
)
_USED = PreparedStatement(
    sa.select(
        runs.c.search_id,
        sa.func.max(attempts.c.id).label("last"),
        sa.func.sum(attempts.c.epochs).label("epochs"),
        sa.func.sum(DEVICE_S).label("device_s"),
        sa.func.coalesce(sa.func.sum(MONEY), 0.0).label("money"),
        sa.func.sum(sa.case((_FINISHED, 1), else_=0)).label("n"),
        sa.func.sum(sa.case((_FINISHED, DEVICE_S), else_=0.0)).label("finished_s"),
        sa.func.coalesce(sa.func.sum(sa.case((_FINISHED, MONEY))), 0.0).label("finished_money"),
    )
    .select_from(
        attempts.outerjoin(runs, runs.c.id == attempts.c.run_id).outerjoin(
            workers, workers.c.id == attempts.c.worker_id
        )
    )
    .where(
        attempts.c.study_id == bindparam("study"),
        attempts.c.id > bindparam("after"),
        attempts.c.id < bindparam("before"),
    )
    .group_by(runs.c.search_id)
    .order_by(runs.c.search_id)
)
_BEYOND_ALL = 2**62


@dataclass(frozen=True, slots=True, kw_only=True)
class Used:
    """What attempts of one search, or of none, have taken.

    Attributes:
        finished: Taken by those that came to an end of their own, `n` of them.
    """

    amount: Amount = NOTHING
    n: int = 0
    finished: Amount = NOTHING

    def __add__(self, other: Used) -> Used:
        return Used(
            amount=self.amount + other.amount,
            n=self.n + other.n,
            finished=self.finished + other.finished,
        )


class Settled:
    """Sums of a study's attempts that lie before its oldest running one: they change no more.

    One driver asks with every claim, so that each attempt is added up about once.
    """

    def __init__(self) -> None:
        self._last = 0
        self._by_search: dict[int | None, Used] = {}

    def used(self, connection: Connection, study_id: int) -> dict[int | None, Used]:
        """What each search has used until now."""
        here = {"study": study_id, "after": self._last}
        running = _OLDEST_RUNNING.rows(connection, here)
        first = running[0].id if running else _BEYOND_ALL
        for row in _USED.rows(connection, {**here, "before": first}):
            _add(self._by_search, row)
            self._last = max(self._last, row.last)
        now = dict(self._by_search)
        for row in _USED.rows(
            connection, {"study": study_id, "after": first - 1, "before": _BEYOND_ALL}
        ):
            _add(now, row)
        return now


def _add(by_search: dict[int | None, Used], row: Any) -> None:
    used = Used(
        amount=Amount(epochs=int(row.epochs), device_s=row.device_s, money=float(row.money)),
        n=int(row.n),
        finished=Amount(device_s=row.finished_s, money=float(row.finished_money)),
    )
    by_search[row.search_id] = by_search.get(row.search_id, Used()) + used


class Room:
    """What a study's limits still allow; what is taken counts as reserved.

    Args:
        limits: Of the study and its searches.
        committed: Search -> used by all attempts and reserved by leased runs; None: in no search.
        mean: What a finished attempt took on average, without its epochs.
    """

    def __init__(
        self, limits: Limits, committed: dict[int | None, Amount], mean: Amount = NOTHING
    ) -> None:
        self._limits, self._by_search, self._mean = limits, committed, mean
        self._study = sum(committed.values(), Amount())

    @classmethod
    def of(cls, connection: Connection, study_id: int, limits: Limits, settled: Settled) -> Self:
        """Look; other claims with limits on this study wait until the transaction ends.

        Reservations are read before costs: a report that comes between counts twice, never not.
        """
        if connection.dialect.name == "postgresql":
            lock_study(connection, study_id)
        reserved = _RESERVED.rows(connection, {"study": study_id})
        used = settled.used(connection, study_id)
        total = sum(used.values(), Used())
        mean = Amount(
            device_s=total.finished.device_s / total.n if total.n else 0.0,
            money=total.finished.money / total.n if total.n else 0.0,
        )
        committed = {search: of_search.amount for search, of_search in used.items()}
        for row in reserved:
            held = Amount(epochs=int(row.epochs)) + mean.times(row.n)
            committed[row.search_id] = committed.get(row.search_id, Amount()) + held
        return cls(limits, committed, mean)

    def study_refuses(self, epochs: int) -> str:
        """The study's limit that forbids a run of so many epochs; empty if none does."""
        return exceeded(self._limits.study, self._study, self._need(epochs))

    def search_refuses(self, search: int, epochs: int) -> str:
        """The search's limit that forbids it; empty if none does."""
        limit = self._limits.searches.get(search, Limit())
        return exceeded(limit, self._by_search.get(search, Amount()), self._need(epochs))

    def take(self, search: int, epochs: int) -> None:
        """Reserve a run."""
        need = self._need(epochs)
        self._by_search[search] = self._by_search.get(search, Amount()) + need
        self._study += need

    def _need(self, epochs: int) -> Amount:
        return Amount(epochs=epochs) + self._mean
