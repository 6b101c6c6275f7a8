"""Trials as columns: what their runs come to together; filtered, sorted and cut into pages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from reports.dashboard.following.mirror import STATES, Mirror
from storage.states import FINAL, RunState

TRIAL_STATES: Final = ("waiting", "running", "done", "pruned", "diverged", "failed")
_WORSE: Final = (RunState.PRUNED, RunState.DIVERGED, RunState.FAILED)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialColumns:
    """One row a trial, over its seeds; runs on fresh seeds count as cost alone.

    Attributes:
        search: ``[N]``, positions in the searches' names, sorted.
        state: ``[N]``, positions in `TRIAL_STATES`.
        value: ``[N]``, mean over the seeds on validation; NaN until all of them have one.
        value_test: ``[N]``, the same on test.
    """

    number: NDArray[np.int64]
    search: NDArray[np.int64]
    state: NDArray[np.int8]
    runs: NDArray[np.int32]
    epochs: NDArray[np.int64]
    value: NDArray[np.float64]
    value_test: NDArray[np.float64]
    device_s: NDArray[np.float64]


_SUMMED: Final[Mapping[str, Any]] = {
    "state": np.int8,
    "runs": np.int32,
    "epochs": np.int64,
    "value": np.float64,
    "value_test": np.float64,
    "device_s": np.float64,
}


class TrialRows:
    """The trials of a mirror, summed over their runs; anew only where a run has changed."""

    def __init__(self, mirror: Mirror) -> None:
        self._mirror = mirror
        self._version = -1
        self._columns = {name: np.zeros(0, dtype=dtype) for name, dtype in _SUMMED.items()}
        self._latest: TrialColumns | None = None

    def latest(self) -> TrialColumns:
        """All trials, in the mirror's order; views that later changes write into."""
        mirror, trials = self._mirror, self._mirror.trials
        if self._latest is not None and mirror.version == self._version:
            return self._latest
        n = len(trials)
        self._make_room(n)
        changed = np.flatnonzero(trials.version > self._version)
        for name, values in _summed(mirror, changed).items():
            self._columns[name][changed] = values
        self._version = mirror.version
        rank = np.argsort(np.argsort(np.array(trials.searches, dtype=np.str_)))
        columns = {name: column[:n] for name, column in self._columns.items()}
        self._latest = TrialColumns(number=trials.number, search=rank[trials.search], **columns)
        return self._latest

    def _make_room(self, n: int) -> None:
        for name, column in self._columns.items():
            if len(column) < n:
                more = np.zeros(max(n, 2 * len(column)) - len(column), dtype=column.dtype)
                self._columns[name] = np.concatenate([column, more])


def _summed(mirror: Mirror, trials: NDArray[np.int64]) -> dict[str, NDArray[Any]]:
    """Some trials ``[k]`` as columns.

    Args:
        trials: ``[k]``, their places.
    """
    k, place = len(trials), np.full(len(mirror.trials), -1, dtype=np.int64)
    place[trials] = np.arange(k)
    every = np.flatnonzero(place[mirror.column("trial")] >= 0)
    own = every[~mirror.column("confirms")[every]]

    def of(rows: NDArray[np.int64]) -> NDArray[np.int64]:
        return np.asarray(place[mirror.column("trial")[rows]])

    def summed(name: str, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        found = np.bincount(of(rows), weights=mirror.column(name)[rows], minlength=k)
        return found.astype(np.float64, copy=False)

    of_state = of(own) * len(STATES) + mirror.column("state")[own]
    in_state = np.bincount(of_state, minlength=k * len(STATES)).reshape(k, len(STATES))
    runs = in_state.sum(axis=1)
    return {
        "state": _states(in_state, runs),
        "runs": runs,
        "epochs": summed("epochs", own),
        "value": summed("value_val", own) / np.maximum(runs, 1),
        "value_test": summed("value_test", own) / np.maximum(runs, 1),
        "device_s": summed("device_s", every),
    }


def _states(in_state: NDArray[np.int64], runs: NDArray[np.int64]) -> NDArray[np.int64]:
    """``[k]``, positions in `TRIAL_STATES`.

    Args:
        in_state: ``[k, states]``, how many runs of a trial are in each.
        runs: ``[k]``, how many it has.
    """

    def of(*states: RunState) -> NDArray[np.int64]:
        columns = (in_state[:, STATES.index(one)] for one in states)
        return np.asarray(sum(columns, start=np.zeros(len(runs), dtype=np.int64)))

    found = np.full(len(runs), TRIAL_STATES.index("running"))
    found[of(RunState.WAITING) == runs] = TRIAL_STATES.index("waiting")
    found[of(*FINAL) == runs] = TRIAL_STATES.index("done")
    for bad in _WORSE:
        found[in_state[:, STATES.index(bad)] > 0] = TRIAL_STATES.index(bad.value)
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Some trials of many.

    Attributes:
        rows: Positions of the trials, in the order asked for.
        matching: How many there are in all.
        following: The last of them, to ask for what comes behind it; None at the end.
    """

    rows: NDArray[np.int64]
    matching: int
    following: int | None


def page_of(
    columns: TrialColumns,
    *,
    keep: NDArray[np.bool_],
    key: NDArray[np.float64],
    descending: bool,
    after: int | None,
    n: int,
) -> Page:
    """The trials to show: those to `keep`, sorted, behind the trial `after`.

    What has no value is last in either direction; equal ones go by number. A page is found by the
    trial that ended the one before, so that trials that come in between repeat nothing.

    Args:
        keep: ``[N]``.
        key: ``[N]``, what to sort by.
        after: Position of the last trial of the page before; None for the first page.
    """
    key = np.where(np.isnan(key), np.inf, -key if descending else key)
    left = np.flatnonzero(keep)
    matching = len(left)
    if after is not None and 0 <= after < len(key):
        left = left[_is_behind(after, left, key, columns.number)]
    if more := len(left) > n:  # to sort them all would take most of the time
        left = left[key[left] <= np.partition(key[left], n - 1)[n - 1]]
    rows = left[np.lexsort((left, columns.number[left], key[left]))][:n]
    return Page(rows=rows, matching=matching, following=int(rows[-1]) if more else None)


def _is_behind(
    trial: int, others: NDArray[np.int64], key: NDArray[np.float64], number: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Of each of the others, whether it comes after the trial."""
    of_key, of_number = key[others], number[others]
    same = of_key == key[trial]
    later = (of_number > number[trial]) | ((of_number == number[trial]) & (others > trial))
    return np.asarray((of_key > key[trial]) | (same & later))
