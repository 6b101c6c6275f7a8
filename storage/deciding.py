"""Deciding: the winners of stages, and the baseline that they rest on."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import Connection, bindparam

from storage.database.retry import retried
from storage.planning.audit import Audited
from storage.planning.history import standing_decisions
from storage.planning.studies import record_of
from storage.planning.writing import add, lock_study, lock_study_of, next_change, now
from storage.records import Baseline, BaselineValue, Decision
from storage.schema.tables import baseline_values, baselines, decisions, searches, trials

_BASELINE = sa.select(baselines).where(
    baselines.c.study_id == bindparam("study"), baselines.c.standing
)
_BASELINE_VALUES = (
    sa.select(baseline_values, trials.c.params)
    .outerjoin(trials, trials.c.id == baseline_values.c.trial_id)
    .where(baseline_values.c.baseline_id == bindparam("baseline"))
    .order_by(baseline_values.c.task, baseline_values.c.metric, baseline_values.c.split)
)
_TRIAL = sa.select(trials.c.id).where(
    trials.c.search_id == bindparam("search"), trials.c.params == bindparam("point")
)
_STL_TRIAL = (
    sa.select(trials.c.id)
    .join(searches, searches.c.id == trials.c.search_id)
    .where(
        searches.c.study_id == bindparam("study"),
        searches.c.name == bindparam("named"),
        trials.c.params == bindparam("point"),
    )
)


class Deciding(Audited):
    """The part of `storage.Storage` that keeps decisions and what they rest on."""

    @retried
    def decide(self, search_id: int, decision: Decision, *, plan: str | None = None) -> None:
        """Store a stage's winner; decisions of this and later stages no longer stand.

        A decision that stands already, taken by another driver, is left alone.

        Args:
            plan: Of the study, as it was when this was decided.

        Raises:
            StudyChanged: It has another one by now, or is gone.
        """
        later = (
            decisions.c.search_id == search_id,
            decisions.c.stage >= decision.stage,
            decisions.c.standing,
        )
        with self._database.write() as connection:
            study_id = lock_study_of(connection, search_id, plan)
            if decision in standing_decisions(connection, search_id):
                return
            change = {"change": next_change(connection, study_id)}
            connection.execute(decisions.update().where(*later).values(standing=False, **change))
            point = {"search": search_id, "point": decision.params}
            connection.execute(
                decisions.insert(),
                {
                    "search_id": search_id,
                    "stage": decision.stage,
                    "trial_id": connection.scalar(_TRIAL, point),
                    "value": decision.value,
                    "members": decision.members,
                    "baseline_hash": decision.baseline_hash,
                    "objective": decision.objective,
                    "standing": True,
                    "decided_at": now(),
                    **change,
                },
            )

    @retried
    def reopen_decisions(self, study_id: int) -> int:
        """Let a study's decisions be taken again; returns how many stood.

        Raises:
            StudyChanged: It is gone.
        """
        ours = sa.select(searches.c.id).where(searches.c.study_id == study_id)
        standing = (decisions.c.search_id.in_(ours), decisions.c.standing)
        with self._database.write() as connection:
            lock_study(connection, study_id)
            gone = {"standing": False, "change": next_change(connection, study_id)}
            result = connection.execute(decisions.update().where(*standing).values(**gone))
            if n_stood := int(result.rowcount):
                before, after = ({"decisions in force": n} for n in (n_stood, 0))
                study = record_of(connection, study_id)
                self._note(connection, study, "redecide", before=before, after=after)
            return n_stood

    @retried
    def baseline(self, study_id: int) -> Baseline | None:
        """The baseline in force, or None."""
        with self._database.read() as connection:
            row = connection.execute(_BASELINE, {"study": study_id}).first()
            if row is None:
                return None
            values = tuple(
                BaselineValue(
                    task=value.task,
                    metric=value.metric,
                    split=value.split,
                    value=value.value,
                    params=value.params,
                )
                for value in connection.execute(_BASELINE_VALUES, {"baseline": row.id})
            )
            return Baseline(hash=row.hash, source=row.source, values=values)

    @retried
    def set_baseline(self, study_id: int, baseline: Baseline, *, plan: str | None = None) -> None:
        """Put a baseline in force; the one before is kept, decisions may rest on it.

        Args:
            plan: Of the study, as it was when this was measured.

        Raises:
            StudyChanged: It has another one by now, or is gone.
        """
        mine = baselines.c.study_id == study_id
        same = (mine, baselines.c.hash == baseline.hash)
        with self._database.write() as connection:
            lock_study(connection, study_id, plan)
            next_change(connection, study_id)
            connection.execute(baselines.update().where(mine).values(standing=False))
            if connection.execute(baselines.update().where(*same).values(standing=True)).rowcount:
                return
            values = {
                "study_id": study_id,
                "hash": baseline.hash,
                "source": baseline.source,
                "standing": True,
                "created_at": now(),
            }
            baseline_id = add(connection, baselines.insert(), values)
            _add_values(connection, study_id, baseline_id, baseline)


def _add_values(
    connection: Connection, study_id: int, baseline_id: int, baseline: Baseline
) -> None:
    rows = [
        {
            "baseline_id": baseline_id,
            "task": value.task,
            "metric": value.metric,
            "split": value.split,
            "value": value.value,
            "trial_id": _stl_trial(connection, study_id, value),
        }
        for value in baseline.values
    ]
    connection.execute(baseline_values.insert(), rows)


def _stl_trial(connection: Connection, study_id: int, value: BaselineValue) -> int | None:
    if value.params is None:
        return None
    here = {"study": study_id, "named": f"stl/{value.task}", "point": value.params}
    return connection.scalar(_STL_TRIAL, here)
