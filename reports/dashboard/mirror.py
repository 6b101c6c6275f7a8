"""A study's numbers in memory: one row a run, kept up by what has changed.

Lists, plots and counts are made from here, so that no page asks the database for all trials.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from storage.records import AttemptChange, Changes, DecisionChange, RunChange
from storage.states import RunState

STATES: Final = tuple(RunState)
"""States by the code that the mirror keeps."""

_CODE: Final = {state: code for code, state in enumerate(STATES)}
_COLUMNS: Final[Mapping[str, Any]] = {
    "run": np.int64,
    "trial": np.int64,
    "seed": np.int64,
    "state": np.int8,
    "confirms": np.bool_,
    "planned": np.bool_,
    "epochs": np.int64,
    "value_val": np.float64,
    "value_test": np.float64,
    "device_s": np.float64,
    "attempts": np.int32,
}
_FIRST_ROWS: Final = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialKey:
    """A trial by its place in a study."""

    search: str
    number: int
    params: str
    role: str


@dataclass(slots=True)
class Mirror:
    """Runs as columns ``[n]``, the trials they belong to, and decisions.

    Attributes:
        cursor: What has been seen; it moves whenever anything of the study does.
        version: Grows with every change that was applied.
        trials: By the number that the column ``trial`` holds.
        decisions: By id.
        idle_s: Device-seconds of workers' starts and of calibrations, which are no run's.
    """

    cursor: str = ""
    version: int = 0
    trials: list[TrialKey] = field(default_factory=list)
    decisions: dict[int, DecisionChange] = field(default_factory=dict)
    idle_s: float = 0.0
    _n: int = 0
    _columns: dict[str, NDArray[Any]] = field(default_factory=dict)
    _row_of: dict[int, int] = field(default_factory=dict)
    _trial_of: dict[tuple[str, int], int] = field(default_factory=dict)
    _paid_s: dict[int, float] = field(default_factory=dict)  # by attempt

    def __len__(self) -> int:
        return self._n

    def column(self, name: str) -> NDArray[Any]:
        """One column ``[n]``, by row; a view that later changes write into."""
        if name not in self._columns:
            return np.zeros(0, dtype=_COLUMNS[name])
        return self._columns[name][: self._n]

    def row_of(self, run: int) -> int | None:
        """The row of a run; None of one that is not known."""
        return self._row_of.get(run)

    def apply(self, changes: Changes) -> None:
        """Take in a page of changes; one that begins anew forgets all that was known."""
        if changes.anew:
            self.__init__(version=self.version)  # type: ignore[misc]
        for run in changes.runs:
            self._put_run(run)
        for attempt in changes.attempts:
            self._put_attempt(attempt)
        for decision in changes.decisions:
            self.decisions[decision.decision] = decision
        if changes.cursor != self.cursor:
            self.version += 1
        self.cursor = changes.cursor

    def _put_run(self, run: RunChange) -> None:
        row = self._row_of.get(run.run)
        if row is None:
            row = self._new_row(run.run)
        values = {
            "run": run.run,
            "trial": self._trial(run),
            "seed": run.seed,
            "state": _CODE[run.state],
            "confirms": run.role == "confirm",
            "planned": run.planned,
            "epochs": run.epochs,
            "value_val": np.nan if run.value_val is None else run.value_val,
            "value_test": np.nan if run.value_test is None else run.value_test,
        }
        for name, value in values.items():
            self._columns[name][row] = value

    def _trial(self, run: RunChange) -> int:
        key = run.search, run.trial
        if key not in self._trial_of:
            self._trial_of[key] = len(self.trials)
            role = "search" if run.role == "confirm" else run.role
            self.trials.append(
                TrialKey(search=run.search, number=run.trial, params=run.params, role=role)
            )
        return self._trial_of[key]

    def _put_attempt(self, attempt: AttemptChange) -> None:
        known = self._paid_s.get(attempt.attempt)
        more_s = attempt.device_s - (known or 0.0)
        self._paid_s[attempt.attempt] = attempt.device_s
        row = None if attempt.run is None else self._row_of.get(attempt.run)
        if row is None:
            self.idle_s += more_s
            return
        self._columns["device_s"][row] += more_s
        self._columns["attempts"][row] += known is None

    def _new_row(self, run: int) -> int:
        room = len(self._columns["run"]) if self._columns else 0
        if self._n == room:
            self._grow(max(_FIRST_ROWS, 2 * room))
        self._row_of[run] = self._n
        self._n += 1
        return self._n - 1

    def _grow(self, room: int) -> None:
        for name, dtype in _COLUMNS.items():
            larger = np.zeros(room, dtype=dtype)
            larger[: self._n] = self.column(name)
            self._columns[name] = larger
