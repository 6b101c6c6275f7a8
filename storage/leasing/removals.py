"""A study is deleted with all its rows, or gets another name; not while somebody trains it."""

from __future__ import annotations

import json
from collections.abc import Callable

import sqlalchemy as sa
from sqlalchemy import Connection, bindparam
from sqlalchemy.exc import IntegrityError

from storage.database.retry import retried
from storage.errors import NameTaken, StudyInUse
from storage.leasing.leases import Leases, leased
from storage.planning.audit import Audited
from storage.planning.opened import find_study
from storage.planning.studies import record_of
from storage.planning.writing import lock_study, next_change
from storage.records import Holder
from storage.schema.tables import (
    attempts,
    baseline_values,
    baselines,
    change_counters,
    checkpoints,
    decisions,
    epoch_values,
    epochs,
    exhibits,
    gradient_pairs,
    looks,
    networks,
    notifications,
    proposals,
    revisions,
    runs,
    scores,
    searches,
    series,
    stages,
    studies,
    timings,
    trials,
    workers,
)
from storage.states import Liveness

_N_RUNS = sa.select(sa.func.count()).where(runs.c.study_id == bindparam("study"))


class Removals(Audited, Leases):
    """The part of `storage.Storage` that deletes and renames studies."""

    @retried
    def delete_study(self, study_id: int, *, liveness: Callable[[Holder], Liveness]) -> None:
        """Delete all rows of a study.

        Raises:
            StudyInUse: A driver that may be alive trains it.
            StudyChanged: It is gone already.
        """
        with self._database.write() as connection:
            self._refuse_in_use(connection, study_id, liveness)
            study = record_of(connection, study_id)
            n_runs = connection.scalar(_N_RUNS, {"study": study_id})
            self._note(connection, study, "delete", before={"runs": n_runs}, after={})
            next_change(connection, study_id)  # nobody begins to change it any more
            its_runs, its_searches, its_baselines = (
                sa.select(table.c.id).where(table.c.study_id == study_id)
                for table in (runs, searches, baselines)
            )
            of_epochs = (epoch_values, gradient_pairs, exhibits, epochs)
            for table in (scores, *of_epochs, checkpoints, networks):
                connection.execute(table.delete().where(table.c.run_id.in_(its_runs)))
            connection.execute(timings.delete().where(timings.c.search_id.in_(its_searches)))
            for table in (attempts, runs):
                connection.execute(table.delete().where(table.c.study_id == study_id))
            values = baseline_values.delete()
            connection.execute(values.where(baseline_values.c.baseline_id.in_(its_baselines)))
            for table in (decisions, proposals, trials, stages):
                connection.execute(table.delete().where(table.c.search_id.in_(its_searches)))
            for table in (baselines, searches, series, looks, workers, revisions, change_counters):
                connection.execute(table.delete().where(table.c.study_id == study_id))
            here = studies.c.id == study_id
            its_news = notifications.c.study_birth == study.birth
            connection.execute(notifications.delete().where(its_news))
            connection.execute(studies.delete().where(here))

    @retried
    def rename_study(
        self, study_id: int, name: str, *, liveness: Callable[[Holder], Liveness]
    ) -> None:
        """Give a study another name; its runs, random draws and files stay what they are.

        Raises:
            StudyInUse: A driver that may be alive trains it.
            NameTaken: Another study has that name.
            StudyChanged: It is gone.
        """
        with self._database.write() as connection:
            self._refuse_in_use(connection, study_id, liveness)
            here, study = studies.c.id == study_id, record_of(connection, study_id)
            found = connection.execute(sa.select(studies.c.spec).where(here))
            spec = json.loads(found.scalar_one())
            values = {"name": name, "spec": json.dumps({**spec, "name": name})}
            if find_study(connection, name) is None:
                try:
                    connection.execute(studies.update().where(here).values(values))
                except IntegrityError:
                    pass  # another command was faster to take the name
                else:
                    before, after = ({"name": one} for one in (study.name, name))
                    self._note(connection, study, "rename", before=before, after=after)
                    next_change(connection, study_id)
                    return
            raise NameTaken(
                f"Studies of one database have different names. Got {name!r}, which is taken. "
                "Choose another."
            )

    def _refuse_in_use(
        self, connection: Connection, study_id: int, liveness: Callable[[Holder], Liveness]
    ) -> None:
        lock_study(connection, study_id)
        # no run of it is claimed or reported on until this is done
        connection.execute(
            sa.select(runs.c.id)
            .where(runs.c.study_id == study_id)
            .order_by(runs.c.id)
            .with_for_update()
        ).all()
        time_s = self._now_s(connection)
        for _, _, until_s, holder in leased(connection, study_id):
            found = liveness(holder)
            if found is Liveness.ALIVE or (found is Liveness.UNKNOWN and until_s >= time_s):
                name = record_of(connection, study_id).name
                raise StudyInUse(
                    "A study is left alone while it is trained. Got one that process "
                    f"{holder.pid} on {holder.host} works on. End that one first: with Ctrl-C "
                    f"there, or from anywhere by `weighbridge stop {name}`."
                )
