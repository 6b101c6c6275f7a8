"""Files that runs leave: checkpoints and networks, which ones are stored, and which are gone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

import sqlalchemy as sa
from sqlalchemy import bindparam

from storage.database.retry import retried
from storage.errors import StudyChanged
from storage.planning.opened import OpenedDatabase
from storage.planning.writing import now
from storage.records import CheckpointFile, InitialNetwork, NetworkFile, ParentNetworks
from storage.schema.tables import attempts, checkpoints, networks, runs, searches
from storage.states import RunState

_OF_STUDY = (
    sa.select(
        checkpoints.c.path,
        checkpoints.c.size_bytes,
        checkpoints.c.run_id,
        runs.c.state,
        checkpoints.c.epoch,
    )
    .join(runs, runs.c.id == checkpoints.c.run_id)
    # The sum keeps SQLite from walking all runs of the study by their index: checkpoints are few.
    .where(runs.c.study_id + 0 == bindparam("study"))
    .order_by(checkpoints.c.id)
)
_FORGET = checkpoints.delete().where(checkpoints.c.path == bindparam("gone"))
_BEGUN = sa.select(searches.c.id, searches.c.initial).where(
    searches.c.study_id == bindparam("study"), searches.c.initial.is_not(None)
)
_LAST_ATTEMPT = (
    sa.select(attempts.c.id.label("attempt_id"), attempts.c.study_id, runs.c.run_key)
    .join(runs, sa.and_(runs.c.id == attempts.c.run_id, runs.c.token == attempts.c.token))
    .where(runs.c.id == bindparam("run"))
)
_FORGET_EPOCH = networks.delete().where(
    networks.c.run_id == bindparam("run"), networks.c.epoch == bindparam("after")
)
_FORGET_NETWORKS = networks.delete().where(networks.c.path == bindparam("gone"))


class Checkpoints(OpenedDatabase):
    """The part of `storage.Storage` that knows files from which runs can go on."""

    @retried
    def checkpoint_files(self, study_id: int) -> list[CheckpointFile]:
        """All checkpoints of a study, oldest first; a file stands once a run in it."""
        with self._database.read() as connection:
            return [
                CheckpointFile(
                    path=row.path,
                    size_bytes=row.size_bytes,
                    run=row.run_id,
                    state=RunState(row.state),
                    epoch=row.epoch,
                )
                for row in connection.execute(_OF_STUDY, {"study": study_id})
            ]

    @retried
    def forget_checkpoints(self, paths: Sequence[str]) -> None:
        """Let no run go on from these files any more."""
        if paths:
            with self._database.write() as connection:
                connection.execute(_FORGET, [{"gone": path} for path in sorted(paths)])

    @retried
    def keep_network(self, run: int, file: NetworkFile) -> None:
        """Keep a network that a run was trained again for, instead of one after the same epoch.

        Searches that begin from that one find it.

        Raises:
            StudyChanged: The run is gone.
        """
        with self._database.write() as connection:
            found = connection.execute(_LAST_ATTEMPT, {"run": run}).first()
            if found is None:
                raise StudyChanged(f"Run {run} is not in this database any more. Look at `status`.")
            connection.execute(_FORGET_EPOCH, {"run": run, "after": file.epoch})
            ids = {"study_id": found.study_id, "run_id": run, "attempt_id": found.attempt_id}
            connection.execute(networks.insert(), {**ids, **asdict(file), "created_at": now()})
            there = InitialNetwork(
                run_key=found.run_key, epoch=file.epoch, path=file.path, sha256=file.sha256
            )
            for row in connection.execute(_BEGUN, {"study": found.study_id}).all():
                of = ParentNetworks.of_text(row.initial)
                if of is not None and any(there.is_same(one) for one in of.networks):
                    here = searches.update().where(searches.c.id == row.id)
                    connection.execute(here.values(initial=of.replaced(there).to_text()))

    @retried
    def forget_networks(self, paths: Sequence[str]) -> None:
        """Let nobody read these kept networks any more."""
        if paths:
            with self._database.write() as connection:
                connection.execute(_FORGET_NETWORKS, [{"gone": path} for path in sorted(paths)])
