"""What runs show beside their metrics, as it is read."""

from __future__ import annotations

from collections.abc import Collection

import sqlalchemy as sa
from sqlalchemy import bindparam

from storage.database.retry import retried
from storage.planning.opened import OpenedDatabase
from storage.records import StoredExhibit

_COLUMNS = "run, round, epoch, name, kind, split, title, content"
_OF_RUNS = sa.text(
    f"SELECT {_COLUMNS} FROM run_exhibits WHERE study = :study AND run IN :runs "
    "ORDER BY run, name, round, epoch"
).bindparams(bindparam("study"), bindparam("runs", expanding=True))
_RUNS = sa.text("SELECT DISTINCT run FROM run_exhibits WHERE study = :study").bindparams(
    bindparam("study")
)


class Exhibits(OpenedDatabase):
    """The part of `storage.Reader` that reads exhibits; of a sealed study none of its test split.

    They are read by run: those of a whole study may hold thousands of pictures.
    """

    @retried
    def exhibits(self, study: str, *, runs: Collection[int]) -> list[StoredExhibit]:
        """All that some runs show, by run, name, round and epoch."""
        with self._database.read() as connection:
            found = connection.execute(_OF_RUNS, {"study": study, "runs": [*runs]})
            return [StoredExhibit(**row._mapping) for row in found]

    @retried
    def exhibiting(self, study: str) -> frozenset[int]:
        """The runs that show anything."""
        with self._database.read() as connection:
            return frozenset(connection.scalars(_RUNS, {"study": study}))
