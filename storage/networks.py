"""Networks that are kept of finished runs: which files there are, and of which epoch."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import sqlalchemy as sa
from sqlalchemy import bindparam

from storage.database.retry import retried
from storage.planning.history import in_force
from storage.planning.opened import OpenedDatabase
from storage.records import NetworkFile, SelectedEpoch, StoredNetwork
from storage.schema.tables import networks, runs, scores

_STUDY: sa.BindParameter[int] = bindparam("study")
_FILES = (
    sa.select(networks, scores.c.epoch_selected.label("selected"))
    .select_from(networks)
    .outerjoin(scores, sa.and_(scores.c.run_id == networks.c.run_id, in_force(_STUDY)))
    .where(networks.c.study_id == _STUDY)
    .order_by(networks.c.id)
)
_FILES_OF = _FILES.where(networks.c.run_id.in_(bindparam("runs", expanding=True)))
_BYTES = sa.select(sa.func.coalesce(sa.func.sum(networks.c.size_bytes), 0)).where(
    networks.c.study_id == _STUDY
)
_OF_RUN = (
    sa.select(runs.c.run_key, scores.c.epoch_selected, networks)
    .select_from(runs)
    .join(scores, scores.c.run_id == runs.c.id)
    .outerjoin(
        networks,
        sa.and_(networks.c.run_id == runs.c.id, networks.c.epoch == scores.c.epoch_selected),
    )
    .where(runs.c.id == bindparam("run"), in_force(runs.c.study_id))
)


class Networks(OpenedDatabase):
    """The part of `storage.Storage` and `storage.Reader` that knows of kept networks."""

    @retried
    def network_files(
        self, study_id: int, *, runs: Collection[int] | None = None
    ) -> list[StoredNetwork]:
        """Kept networks of a study, oldest first.

        Args:
            runs: Of these only, as few as a statement can name.
        """
        with self._database.read() as connection:
            here: dict[str, Any] = {"study": study_id}
            if runs is None:
                found = connection.execute(_FILES, here)
            else:
                found = connection.execute(_FILES_OF, {**here, "runs": list(runs)})
            return [
                StoredNetwork(run=row.run_id, file=_file(row), selected=row.selected)
                for row in found
            ]

    @retried
    def network_bytes(self, study_id: int) -> int:
        """What all kept networks of a study take."""
        with self._database.read() as connection:
            return int(connection.scalar(_BYTES, {"study": study_id}) or 0)

    @retried
    def selected_epoch(self, run: int) -> SelectedEpoch | None:
        """A run's selected epoch with its network; None while the run has no score."""
        with self._database.read() as connection:
            row = connection.execute(_OF_RUN, {"run": run}).first()
        if row is None:
            return None
        return SelectedEpoch(
            run_key=row.run_key,
            epoch=row.epoch_selected,
            network=None if row.path is None else _file(row),
        )


def _file(row: Any) -> NetworkFile:
    return NetworkFile(epoch=row.epoch, path=row.path, size_bytes=row.size_bytes, sha256=row.sha256)
