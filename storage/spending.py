"""Spending: what each search has used of what can be limited, and which drivers go on with it."""

from __future__ import annotations

from collections.abc import Mapping

import sqlalchemy as sa
from sqlalchemy import bindparam

from storage.database.retry import retried
from storage.leasing.budgets import Settled, Used
from storage.planning.opened import OpenedDatabase
from storage.records import DriverAtWork
from storage.schema.dialects import now_s
from storage.schema.tables import holders, runs, searches, trials
from storage.states import RunState

_TRIALS = (
    sa.select(searches.c.id, searches.c.name, sa.func.count(trials.c.id).label("n"))
    .outerjoin(trials, trials.c.search_id == searches.c.id)
    .where(searches.c.study_id == bindparam("study"))
    .group_by(searches.c.id, searches.c.name, searches.c.position)
    .order_by(searches.c.position)
)
_DRIVERS = (
    sa.select(holders.c.host, holders.c.pid, holders.c.started_at)
    .distinct()
    .join(runs, runs.c.holder_id == holders.c.id)
    .where(
        runs.c.study_id == bindparam("study"),
        runs.c.state == RunState.LEASED,
        runs.c.lease_until_s > bindparam("now"),
    )
    .order_by(holders.c.started_at, holders.c.host, holders.c.pid)
)


class Spending(OpenedDatabase):
    """The part of `storage.Reader` that tells what is used up."""

    @retried
    def used_by_search(self, study_id: int) -> Mapping[str, Mapping[str, float]]:
        """By the search's name, then by the key of a budget: ``epochs`` and the others."""
        with self._database.read() as connection:
            paid = Settled().used(connection, study_id)
            found = connection.execute(_TRIALS, {"study": study_id}).all()
        amounts = {row.name: paid.get(row.id, Used()).amount for row in found}
        return {
            row.name: {
                "trials": row.n,
                "epochs": amounts[row.name].epochs,
                "device_s": amounts[row.name].device_s,
                "money": amounts[row.name].money,
            }
            for row in found
        }

    @retried
    def drivers(self, study_id: int) -> list[DriverAtWork]:
        """Those that hold runs whose leases have not run out, the longest at work first."""
        with self._database.read() as connection:
            here = {"study": study_id, "now": now_s(connection)}
            return [
                DriverAtWork(host=row.host, pid=row.pid, since=row.started_at)
                for row in connection.execute(_DRIVERS, here)
            ]
