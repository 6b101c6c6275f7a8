"""A study is deleted with all its rows, or gets another name; not while somebody trains it."""

from __future__ import annotations

import json
from collections.abc import Callable

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from storage.errors import NameTaken, StudyInUse
from storage.leasing.leases import leased
from storage.planning.studies import find, lock_study
from storage.records import Holder
from storage.schema.tables import (
    attempts,
    baseline_values,
    baselines,
    checkpoints,
    decisions,
    epoch_values,
    epochs,
    looks,
    networks,
    proposals,
    runs,
    scores,
    searches,
    series,
    stages,
    studies,
    trials,
    workers,
)
from storage.states import Liveness


def delete(
    connection: Connection, study_id: int, *, time_s: float, liveness: Callable[[Holder], Liveness]
) -> None:
    """Delete all rows of a study, children first.

    Raises:
        StudyInUse: A driver that may be alive trains it.
        StudyChanged: It is gone already.
    """
    _refuse_in_use(connection, study_id, time_s, liveness)
    of_study = {table: table.c.study_id == study_id for table in (runs, searches, baselines)}
    its_runs, its_searches, its_baselines = (
        sa.select(table.c.id).where(here) for table, here in of_study.items()
    )
    for table in (scores, epoch_values, epochs, checkpoints, networks):
        connection.execute(table.delete().where(table.c.run_id.in_(its_runs)))
    connection.execute(attempts.delete().where(attempts.c.study_id == study_id))
    connection.execute(runs.delete().where(of_study[runs]))
    connection.execute(
        baseline_values.delete().where(baseline_values.c.baseline_id.in_(its_baselines))
    )
    connection.execute(baselines.delete().where(of_study[baselines]))
    for of_search in (decisions, proposals, trials, stages):
        connection.execute(of_search.delete().where(of_search.c.search_id.in_(its_searches)))
    connection.execute(searches.delete().where(of_study[searches]))
    for of_all in (series, looks, workers):
        connection.execute(of_all.delete().where(of_all.c.study_id == study_id))
    connection.execute(studies.delete().where(studies.c.id == study_id))


def rename(
    connection: Connection,
    study_id: int,
    name: str,
    *,
    time_s: float,
    liveness: Callable[[Holder], Liveness],
) -> None:
    """Give a study another name, in its spec as well; runs, draws and files know it as before.

    Raises:
        StudyInUse: A driver that may be alive trains it.
        NameTaken: Another study has that name.
        StudyChanged: It is gone.
    """
    _refuse_in_use(connection, study_id, time_s, liveness)
    here = studies.c.id == study_id
    spec = json.loads(connection.execute(sa.select(studies.c.spec).where(here)).scalar_one())
    values = {"name": name, "spec": json.dumps({**spec, "name": name})}
    if find(connection, name) is None:
        try:
            connection.execute(studies.update().where(here).values(values))
        except IntegrityError:
            pass  # another command was faster to take the name
        else:
            return
    raise NameTaken(
        f"Studies of one database have different names. Got {name!r}, which is taken. "
        "Choose another."
    )


def _refuse_in_use(
    connection: Connection, study_id: int, time_s: float, liveness: Callable[[Holder], Liveness]
) -> None:
    lock_study(connection, study_id)
    # no run of it is claimed or reported on until this is done
    connection.execute(
        sa.select(runs.c.id)
        .where(runs.c.study_id == study_id)
        .order_by(runs.c.id)
        .with_for_update()
    ).all()
    for _, _, until_s, holder in leased(connection, study_id):
        found = liveness(holder)
        if found is Liveness.ALIVE or (found is Liveness.UNKNOWN and until_s >= time_s):
            raise StudyInUse(
                "A study is left alone while it is trained. Got one that process "
                f"{holder.pid} on {holder.host} works on. End that one first, with Ctrl-C."
            )
