"""Beginnings: all runs and attempts of a study as columns, for who follows it from there on.

`Reader.changes` tells each of them as a record, which is right for the few that are new. Columns of
a hundred thousand runs are read in a tenth of the time. They come in blocks, a short transaction
each. Who takes the `Reader.cursor` first is told again what changes while they are read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import bindparam

from storage.database.retry import retried
from storage.leasing.budgets import DEVICE_S, MONEY
from storage.planning.opened import OpenedDatabase
from storage.planning.proposals import WRITTEN
from storage.schema.tables import attempts, runs, scores, searches, studies, trials, workers
from storage.states import RunState

Columns = Mapping[str, Sequence[Any]]

_IS_DONE = runs.c.state == RunState.DONE
_IS_SHOWN = sa.or_(studies.c.sealed_at.is_(None), studies.c.unsealed_at.is_not(None))
_RUNS: Final[Mapping[str, Any]] = {
    "run": runs.c.id,
    "search": searches.c.name,
    "role": runs.c.role,
    "trial": runs.c.trial_number,
    "params": WRITTEN,
    "seed": runs.c.seed,
    "state": runs.c.state,
    "planned": runs.c.planned,
    "epochs": runs.c.epochs_done,
    "value_val": sa.case((_IS_DONE, scores.c.value_val)),
    "value_test": sa.case((sa.and_(_IS_DONE, _IS_SHOWN), scores.c.value_test)),
}
_ATTEMPTS: Final[Mapping[str, Any]] = {
    "attempt": attempts.c.id,
    "run": attempts.c.run_id,
    "worker": attempts.c.worker_id,
    "state": attempts.c.state,
    "started_s": attempts.c.started_at,
    "ended_s": attempts.c.ended_at,
    "epochs": attempts.c.epochs,
    "device_s": DEVICE_S,
    "money": MONEY,
}

_STATES_BY_SEARCH = (
    sa.select(searches.c.name, runs.c.state, sa.func.count().label("n"))
    .join(runs, runs.c.search_id == searches.c.id)
    .where(searches.c.study_id == bindparam("study"))
    .group_by(runs.c.search_id, searches.c.name, runs.c.state)
)


def _block(columns: Mapping[str, Any], source: Any, table: sa.Table) -> sa.Select[Any]:
    """The next rows of a table by id, which is how it lies on disk."""
    mine = table.c.study_id + 0 == bindparam("study")  # by no index: they would be sorted anew
    return (
        sa.select(*(column.label(name) for name, column in columns.items()))
        .select_from(source)
        .where(mine, table.c.id > bindparam("after"))
        .order_by(table.c.id)
        .limit(bindparam("n"))
    )


_RUN_BLOCK = _block(
    _RUNS,
    runs.join(studies, studies.c.id == runs.c.study_id)
    .join(searches, searches.c.id == runs.c.search_id)
    .join(trials, trials.c.id == runs.c.trial_id)
    .outerjoin(scores, scores.c.run_id == runs.c.id),
    runs,
)
_ATTEMPT_BLOCK = _block(
    _ATTEMPTS, attempts.outerjoin(workers, workers.c.id == attempts.c.worker_id), attempts
)


class Beginning(OpenedDatabase):
    """The part of `storage.Reader` that tells all there is."""

    @retried
    def states_by_search(self, study_id: int) -> Mapping[str, Mapping[RunState, int]]:
        """Runs by state of each search that has any, from an index alone."""
        found: dict[str, dict[RunState, int]] = {}
        with self._database.read() as connection:
            for row in connection.execute(_STATES_BY_SEARCH, {"study": study_id}):
                found.setdefault(row.name, {})[RunState(row.state)] = row.n
        return found

    @retried
    def run_block(self, study_id: int, *, after: int, limit: int) -> Columns:
        """Columns of a study's next runs by id: those of `RunChange` that a mirror keeps.

        Args:
            after: The last run that was told; 0 to begin with.

        Returns:
            Each ``[n]`` by name; n is 0 behind the last one.
        """
        return self._columns(_RUN_BLOCK, _RUNS, study_id, after, limit)

    @retried
    def attempt_block(self, study_id: int, *, after: int, limit: int) -> Columns:
        """The same of its next attempts, those of `AttemptChange`; times in seconds since 1970."""
        found = self._columns(_ATTEMPT_BLOCK, _ATTEMPTS, study_id, after, limit)
        times = {name: [*map(_seconds, found[name])] for name in ("started_s", "ended_s")}
        return {**found, **times}

    def _columns(
        self, block: sa.Select[Any], named: Mapping[str, Any], study_id: int, after: int, n: int
    ) -> Columns:
        with self._database.read() as connection:
            result = connection.execute(block, {"study": study_id, "after": after, "n": n})
            assert result.cursor is not None
            rows = result.cursor.fetchall()  # past SQLAlchemy, which takes three times as long
        columns = zip(*rows, strict=True) if rows else [()] * len(named)
        return dict(zip(named, columns, strict=True))


def _seconds(written: datetime | str | None) -> float | None:
    """A moment as the driver gives it: SQLite's as a text."""
    found = datetime.fromisoformat(written) if isinstance(written, str) else written
    return None if found is None else found.timestamp()
