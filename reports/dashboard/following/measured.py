"""Columns of runs that are read when somebody sorts or filters by them, and kept up after that.

Metrics at selected epochs, and what attempts use beside device time, are in the database alone: a
mirror of all of them would be many times as large, and nobody looks at most. One thread a study
reads a column in blocks; who asks waits for a moment, and is told how much is still to be read.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from reports.dashboard.following.mirror import Mirror
from storage import Reader
from storage.records import StudyRecord

COSTS: Final[Mapping[str, str]] = {
    "samples": "Samples",
    "grad_evals": "Gradient evaluations",
    "flops": "FLOPs",
    "energy_j": "Energy in J",
    "money": "Money",
    "peak_memory_bytes": "Peak memory",
}
"""What attempts use beside device time and epochs, in words."""

LARGEST: Final = ("peak_memory_bytes",)
"""Of these the largest of several counts; of all others their sum."""

_SPLITS: Final = ("validation", "test")
_MOST: Final = 8  # columns that are kept of a study: 1.6 MB each at 100,000 runs
_AT_ONCE: Final = 5_000  # runs that a statement names


class Measure(NamedTuple):
    """What is read of a run: a metric of a task on a split, or a cost, whose split is empty."""

    name: str
    task: str = ""
    split: str = ""

    @property
    def key(self) -> str:
        """In a query string: ``test.digit.error_rate``, ``flops``."""
        return ".".join((self.split, self.task, self.name)) if self.split else self.name


def measures_of(record: StudyRecord) -> Mapping[Measure, Mapping[str, Any]]:
    """All that there are in a study, each metric with what the problem's card says of it.

    A sealed study has none on test.
    """
    splits = _SPLITS[:1] if record.sealed else _SPLITS
    found: dict[Measure, Mapping[str, Any]] = {
        Measure(metric["name"], task["name"], split): metric
        for split in splits
        for task in record.card.get("tasks", ())
        for metric in task["metrics"]
    }
    return found | {Measure(name): {} for name in COSTS}


def read(
    reader: Reader, study: str, measures: Collection[Measure], runs: Sequence[int]
) -> Mapping[Measure, Mapping[int, float]]:
    """Each measure of those runs that have it.

    Args:
        study: Its name.
        runs: At most 5,000.

    Raises:
        StorageError: The database cannot be read now.
    """
    found: dict[Measure, dict[int, float]] = {one: {} for one in measures}
    for split in dict.fromkeys(one.split for one in measures if one.split):
        of_split = [one for one in measures if one.split == split]
        alone = of_split[0] if len(of_split) == 1 else None
        names, values = reader.epochs(
            study,
            split=split,
            task=alone and alone.task,
            metric=alone and alone.name,
            runs=runs,
            last=1,
        )
        by_series = {
            series: found.get(Measure(name, task, split)) for series, (task, name) in names.items()
        }
        for run, _, series, value in values:
            of_runs = by_series[series]
            if of_runs is not None:
                of_runs[run] = value
    if costs := [one for one in measures if not one.split]:
        for run, of_run in reader.costs_of(runs).items():
            for one in costs:
                value = getattr(of_run, one.name)
                if value is not None:
                    found[one][run] = float(value)
    return found


@dataclass(slots=True)
class _Column:
    """Values ``[n]`` of a mirror's runs, and of which version of the mirror each is."""

    values: NDArray[np.float64]
    as_of: NDArray[np.int64]

    @classmethod
    def empty(cls) -> _Column:
        return cls(np.zeros(0), np.zeros(0, dtype=np.int64))

    def fit(self, n: int) -> None:
        """Have a row for each run; what was never read is of no version."""
        more = n - len(self.values)
        if more > 0:
            self.values = np.concatenate([self.values, np.full(more, np.nan)])
            self.as_of = np.concatenate([self.as_of, np.full(more, -1, dtype=np.int64)])


class Measured:
    """Columns of one study's runs, by measure.

    Args:
        lock: Held while the mirror or a column is written or read.
        read: Takes long; tells a measure of those runs that have it.
    """

    def __init__(
        self,
        mirror: Mirror,
        lock: threading.Lock,
        read: Callable[[Measure, Sequence[int]], Mapping[int, float]],
    ) -> None:
        self._mirror, self._lock, self._read = mirror, lock, read
        self._columns: dict[Measure, _Column] = {}
        self._turn = threading.Condition()
        self._asked: dict[Measure, int] = {}
        self._n_asked, self._ended = 0, False
        self._thread: threading.Thread | None = None
        self.number = 0
        """Grows whenever more has been read, or could not be."""
        self.trouble = ""
        """Why the last reading failed; empty if it did not."""

    def ask(self, measures: Collection[Measure], *, within_s: float) -> None:
        """Have some columns read up to now, or wait no longer than so many seconds.

        The lock is not held meanwhile.
        """
        if not measures:
            return
        with self._turn:
            self._n_asked += 1
            for one in measures:
                self._asked[one] = self._n_asked
            if self._thread is None:
                self._thread = threading.Thread(target=self._read_on, daemon=True)
                self._thread.start()
            self._turn.notify_all()
            self._turn.wait_for(
                lambda: self._ended or not any(one in self._asked for one in measures), within_s
            )

    def values(self, measure: Measure) -> NDArray[np.float64]:
        """``[n]``, NaN where a run has none or has not been read; with the lock held."""
        column = self._column(measure)
        return column.values[: len(self._mirror)]

    def unread(self, measure: Measure) -> int:
        """Runs that have not been read as they are now; with the lock held."""
        return len(self._stale(self._column(measure)))

    def end(self) -> None:
        """Nobody looks any more."""
        with self._turn:
            self._ended = True
            self._turn.notify_all()

    def join(self, within_s: float) -> None:
        """After the end: wait until nothing is read any more."""
        if self._thread is not None:
            self._thread.join(within_s)

    def _column(self, measure: Measure) -> _Column:
        """With the lock held; those that were looked at last are kept."""
        found = self._columns.pop(measure, None) or _Column.empty()
        found.fit(len(self._mirror))
        self._columns[measure] = found
        for old in list(self._columns)[:-_MOST]:
            del self._columns[old]
        return found

    def _stale(self, column: _Column) -> NDArray[np.int64]:
        """Rows of the trials that have changed since."""
        mirror = self._mirror
        changed = mirror.trials.version[mirror.column("trial")]
        return np.flatnonzero(column.as_of[: len(mirror)] < changed)

    def _read_on(self) -> None:
        while (asked := self._next()) is not None:
            measure, number = asked
            trouble = ""
            try:
                while not self._ended and self._read_some(measure):
                    pass
            except Exception as error:  # this thread must not end; pages say so
                trouble = str(error) or repr(error)
            with self._turn:
                self.number += bool(trouble)
                self.trouble = trouble
                if self._asked.get(measure) == number:  # else more may have come meanwhile
                    del self._asked[measure]
                self._turn.notify_all()

    def _next(self) -> tuple[Measure, int] | None:
        with self._turn:
            self._turn.wait_for(lambda: self._ended or self._asked)
            return None if self._ended else next(iter(self._asked.items()))

    def _read_some(self, measure: Measure) -> bool:
        """Read a block of what has changed; False if nothing has."""
        with self._lock:
            rows = self._stale(self._column(measure))[:_AT_ONCE]
            version, runs = self._mirror.version, self._mirror.column("run")[rows].tolist()
        if not runs:
            return False
        found = self._read(measure, runs)
        with self._lock:
            column = self._column(measure)
            for run in runs:
                row = self._mirror.row_of(run)
                if row is not None:
                    column.values[row], column.as_of[row] = found.get(run, np.nan), version
            self.number += 1
        return True
