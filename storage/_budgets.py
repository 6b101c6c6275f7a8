"""What the limits of a study and its searches still allow, asked within a claim."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Self

import sqlalchemy as sa
from sqlalchemy import Connection, bindparam

from storage._hot import Hot
from storage._studies import lock_study
from storage._tables import attempts, runs, workers
from storage.limits import Limit, Limits
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
_RESERVED = Hot(
    sa.select(
        runs.c.search_id,
        sa.func.count().label("n"),
        sa.func.sum(runs.c.epochs_planned - runs.c.epochs_done).label("epochs"),
    )
    .where(runs.c.study_id == bindparam("study"), runs.c.state == RunState.LEASED)
    .group_by(runs.c.search_id)
)
_USED = Hot(
    sa.select(
        runs.c.search_id,
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
    .where(attempts.c.study_id == bindparam("study"))
    .group_by(runs.c.search_id)
    .order_by(runs.c.search_id)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Amount:
    """A quantity of everything that can be limited."""

    epochs: int = 0
    device_s: float = 0.0
    money: float = 0.0

    def __add__(self, other: Amount) -> Amount:
        return Amount(
            epochs=self.epochs + other.epochs,
            device_s=self.device_s + other.device_s,
            money=self.money + other.money,
        )

    def times(self, n: int) -> Amount:
        """This `n` times."""
        return Amount(epochs=n * self.epochs, device_s=n * self.device_s, money=n * self.money)


def exceeded(limit: Limit, before: Amount, need: Amount) -> str:
    """Which limit forbids `need` on top of what was used and reserved before; empty if none does.

    What is used up is used up, even if nothing is known yet of what a run needs.
    """
    after = before + need
    for kind in (field.name for field in fields(limit)):
        most = getattr(limit, kind)
        if most is not None and (getattr(before, kind) >= most or getattr(after, kind) > most):
            return kind
    return ""


class Room:
    """What a study's limits still allow; what is taken counts as reserved.

    Args:
        limits: Of the study and its searches.
        committed: Search -> used by all attempts and reserved by leased runs; None: in no search.
        mean: What a finished attempt took on average, without its epochs.
    """

    def __init__(
        self, limits: Limits, committed: dict[int | None, Amount], mean: Amount = Amount()
    ) -> None:
        self._limits, self._by_search, self._mean = limits, committed, mean
        self._study = sum(committed.values(), Amount())

    @classmethod
    def of(cls, connection: Connection, study_id: int, limits: Limits) -> Self:
        """Look; other claims with limits on this study wait until the transaction ends.

        Reservations are read before costs: a report that comes between counts twice, never not.
        """
        if connection.dialect.name == "postgresql":
            lock_study(connection, study_id)
        reserved = _RESERVED.rows(connection, {"study": study_id})
        used = _USED.rows(connection, {"study": study_id})
        n = sum(row.n for row in used)
        mean = Amount(
            device_s=sum(row.finished_s for row in used) / n if n else 0.0,
            money=sum(row.finished_money for row in used) / n if n else 0.0,
        )
        committed = {
            row.search_id: Amount(
                epochs=int(row.epochs), device_s=row.device_s, money=float(row.money)
            )
            for row in used
        }
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
