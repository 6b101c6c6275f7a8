"""The study database as reports see it: read-only, through the documented views."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy import bindparam

from storage.beginning import Beginning
from storage.changes import Following
from storage.database.opened import SCHEMA_VERSION, Database
from storage.database.retry import retried
from storage.exhibits import Exhibits
from storage.log import Log
from storage.networks import Networks
from storage.notifications import Notifications
from storage.planning.audit import AuditLog
from storage.planning.history import History
from storage.pulse import Beating
from storage.revisions import Revisions
from storage.schema.views import ORDER, SHOWS_TEST
from storage.spending import Spending
from storage.status import Status
from storage.workforce import Workforce

_QUERIES = {
    view: sa.text(f"SELECT * FROM {view} WHERE study = :study ORDER BY {order}").bindparams(
        bindparam("study")
    )
    for view, order in ORDER.items()
}

_CONFLICTS = sa.text(
    "SELECT * FROM gradient_conflicts WHERE study = :study AND run IN :runs ORDER BY run, epoch"
).bindparams(bindparam("study"), bindparam("runs", expanding=True))

_SERIES = sa.text(
    "SELECT s.id, s.task, s.metric FROM series s JOIN studies st ON st.id = s.study_id "
    "WHERE st.name = :study AND s.split = :split "
    f"AND (s.split <> 'test' OR {SHOWS_TEST}) ORDER BY s.task, s.metric"
)
_VALUES = "SELECT v.run_id, v.epoch, v.series_id, v.value FROM"
_OF_SERIES = "v.series_id IN :series"
_OF_RUNS = "v.run_id IN :runs"
_BY_EPOCH = " ORDER BY v.run_id, v.epoch"
_SELECTED = (
    f"{_VALUES} studies st JOIN runs r ON r.study_id = st.id AND r.state = 'done' "
    "JOIN scores sc ON sc.run_id = r.id JOIN epoch_values v ON v.run_id = r.id "
    "AND v.epoch > sc.epoch_selected - :last AND v.epoch <= sc.epoch_selected "
    f"WHERE st.name = :study AND {_OF_SERIES}"
)

_LOWEST_NEGATIVE = sa.text(
    "SELECT s.task, s.metric, MIN(lowest.value) FROM series s JOIN ("
    "SELECT v.series_id, MIN(v.value) AS value FROM studies st "
    "JOIN runs r ON r.study_id = st.id AND r.state = 'done' "
    "JOIN scores sc ON sc.run_id = r.id "
    "JOIN epoch_values v ON v.run_id = r.id AND v.epoch = sc.epoch_selected "
    "WHERE st.name = :study AND v.value < 0 GROUP BY v.series_id"
    ") lowest ON lowest.series_id = s.id JOIN studies st ON st.id = s.study_id "
    f"WHERE s.split = 'validation' OR (s.split = 'test' AND {SHOWS_TEST}) "
    "GROUP BY s.task, s.metric"
)


# by no index of the study's: all its runs would be looked at for a few
_SELECTED_OF_RUNS = _SELECTED.replace("r.study_id = st.id", "r.study_id + 0 = st.id")


def _values(text: str, *lists: str) -> sa.TextClause:
    statement = sa.text(text + _BY_EPOCH)
    return statement.bindparams(*(bindparam(name, expanding=True) for name in lists))


_EPOCHS = {
    (False, False): _values(f"{_VALUES} epoch_values v WHERE {_OF_SERIES}", "series"),
    (False, True): _values(
        f"{_VALUES} epoch_values v WHERE {_OF_SERIES} AND {_OF_RUNS}", "series", "runs"
    ),
    (True, False): _values(_SELECTED, "series"),
    (True, True): _values(f"{_SELECTED_OF_RUNS} AND r.id IN :runs", "series", "runs"),
}
"""By whether selected epochs are asked for, and some runs."""


class Reader(
    AuditLog,
    Beating,
    Beginning,
    Exhibits,
    Following,
    History,
    Log,
    Networks,
    Notifications,
    Revisions,
    Spending,
    Status,
    Workforce,
):
    """Reads one study database; it makes, changes and locks nothing, files beside it included.

    A SQLite file of an older schema is read from a migrated copy in memory.

    Args:
        url: As of `storage.Storage`.
        patience_s: How long a method waits for trouble to pass.

    Raises:
        StorageError: The URL is none that a study can be kept at.
        DatabaseUnusable: There is no such database, or it cannot be read.
    """

    def __init__(self, url: str, *, patience_s: float = 30.0) -> None:
        super().__init__(Database(url, create=False, read_only=True, patience_s=patience_s))

    @property
    def schema_version(self) -> str:
        """Version of the database's schema, an older one included."""
        return self._database.found_version or SCHEMA_VERSION

    @retried
    def view(self, view: str, study: str) -> tuple[tuple[str, ...], list[tuple[Any, ...]]]:
        """Columns and rows of a view for one study, in a fixed order."""
        with self._database.read() as connection:
            result = connection.execute(_QUERIES[view], {"study": study})
            return tuple(result.keys()), _fetched(result)

    @retried
    def epochs(
        self,
        study: str,
        *,
        split: str,
        task: str | None = None,
        metric: str | None = None,
        runs: Collection[int] | None = None,
        last: int | None = None,
    ) -> tuple[dict[int, tuple[str, str]], Sequence[tuple[int, int, int, float]]]:
        """Values of epochs: the series by id as (task, metric), and (run, epoch, series, value).

        Args:
            task: Of this task only.
            metric: Of this name only.
            runs: Of these runs only; as few as a statement can name.
            last: Of so many epochs up to the selected one of each finished run only.
        """
        with self._database.read() as connection:
            names = _names(connection, study, split, task, metric)
            if not names:
                return {}, []
            values = {"study": study, "series": list(names), "runs": runs, "last": last}
            statement = _EPOCHS[last is not None, runs is not None]
            used = {name: value for name, value in values.items() if name in statement._bindparams}
            return names, _fetched(connection.execute(statement, used))

    @retried
    def conflicts(self, study: str, *, runs: Collection[int]) -> Sequence[Any]:
        """Rows of the view ``gradient_conflicts`` of some runs, by run and epoch."""
        with self._database.read() as connection:
            return connection.execute(_CONFLICTS, {"study": study, "runs": [*runs]}).all()

    @retried
    def lowest_negative(self, study: str) -> dict[tuple[str, str], float]:
        """The lowest value of each (task, metric) that has one below 0 on validation or test.

        Selected epochs count, and no others.
        """
        with self._database.read() as connection:
            return {
                (task, metric): value
                for task, metric, value in connection.execute(_LOWEST_NEGATIVE, {"study": study})
            }


def _names(
    connection: sa.Connection, study: str, split: str, task: str | None, metric: str | None
) -> dict[int, tuple[str, str]]:
    """Series of a split by id, as (task, metric)."""
    found = connection.execute(_SERIES, {"study": study, "split": split})
    return {
        id_: (of, name) for id_, of, name in found if task in (None, of) and metric in (None, name)
    }


def _fetched(result: sa.CursorResult[Any]) -> list[tuple[Any, ...]]:
    """All rows as the driver gives them; by way of SQLAlchemy they take three times as long."""
    return [] if result.cursor is None else list(result.cursor.fetchall())
