"""What runs show beside their metrics, as it is read."""

from __future__ import annotations

from collections.abc import Collection

import sqlalchemy as sa
from sqlalchemy import bindparam

from storage.database.retry import retried
from storage.planning.opened import OpenedDatabase
from storage.records import StoredExhibit

_COLUMNS = "run, round, epoch, name, kind, split, title, content"
_HERE = f"SELECT {_COLUMNS} FROM run_exhibits WHERE study = :study AND run IN :runs"
_OF_RUNS = sa.text(f"{_HERE} ORDER BY run, name, round, epoch").bindparams(
    bindparam("study"), bindparam("runs", expanding=True)
)
_NAMED = sa.text(f"{_HERE} AND name = :name ORDER BY run, round, epoch").bindparams(
    bindparam("study"), bindparam("runs", expanding=True), bindparam("name")
)


class Exhibits(OpenedDatabase):
    """The part of `storage.Reader` that reads exhibits; of a sealed study none of its test split.

    They are read by run: those of a whole study may hold thousands of pictures.
    """

    @retried
    def exhibits(
        self, study: str, *, runs: Collection[int], name: str | None = None
    ) -> list[StoredExhibit]:
        """What some runs show, by run, name, round and epoch.

        Args:
            name: Of this name only.
        """
        here = {"study": study, "runs": [*runs]}
        with self._database.read() as connection:
            if name is None:
                found = connection.execute(_OF_RUNS, here)
            else:
                found = connection.execute(_NAMED, {**here, "name": name})
            return [StoredExhibit(**row._mapping) for row in found]
