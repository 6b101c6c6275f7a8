"""Trials as columns: what their runs come to together; filtered, sorted and cut into pages."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from reports.dashboard.mirror import STATES, Mirror
from storage.states import FINAL, RunState

TRIAL_STATES: Final = ("waiting", "running", "done", "pruned", "diverged", "failed")
PAGE_ROWS: Final = 100
SORTED_BY: Final[Mapping[str, str]] = {
    "number": "number",
    "search": "search",
    "state": "state",
    "value": "value",
    "test": "value_test",
    "epochs": "epochs",
    "cost": "device_s",
}
"""What trials can be sorted by: the column of each word."""

_WORSE: Final = (RunState.PRUNED, RunState.DIVERGED, RunState.FAILED)
_BEGUN: Final = tuple(state for state in RunState if state is not RunState.WAITING)


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
    state: NDArray[np.int64]
    runs: NDArray[np.int64]
    epochs: NDArray[np.int64]
    value: NDArray[np.float64]
    value_test: NDArray[np.float64]
    device_s: NDArray[np.float64]


def trial_columns(mirror: Mirror) -> TrialColumns:
    """All trials of a mirror, in its order."""
    n = len(mirror.trials)
    trial, state = mirror.column("trial"), mirror.column("state")
    own = ~mirror.column("confirms")

    def counted(which: NDArray[np.bool_]) -> NDArray[np.int64]:
        return np.bincount(trial[own & which], minlength=n)

    def summed(name: str, which: NDArray[np.bool_]) -> NDArray[np.float64]:
        weights = mirror.column(name)[which].astype(np.float64)
        found = np.bincount(trial[which], weights=weights, minlength=n)
        return found.astype(np.float64)

    every = np.ones(len(mirror), dtype=bool)
    runs = counted(every)
    names = np.array([one.search for one in mirror.trials], dtype=np.str_)
    return TrialColumns(
        number=np.array([one.number for one in mirror.trials], dtype=np.int64),
        search=np.unique(names, return_inverse=True)[1].astype(np.int64),
        state=_states(counted, state, runs),
        runs=runs,
        epochs=summed("epochs", own).astype(np.int64),
        value=summed("value_val", own) / np.maximum(runs, 1),
        value_test=summed("value_test", own) / np.maximum(runs, 1),
        device_s=summed("device_s", every),
    )


def parameter_columns(mirror: Mirror) -> Mapping[str, NDArray[Any]]:
    """The trials' parameters by name, ``[N]`` objects; None where a trial has no such one."""
    found: dict[str, NDArray[Any]] = {}
    for at, trial in enumerate(mirror.trials):
        for name, value in json.loads(trial.params).items():
            if name not in found:
                found[name] = np.full(len(mirror.trials), None, dtype=object)
            found[name][at] = value
    return found


def _states(
    counted: Callable[[NDArray[np.bool_]], NDArray[np.int64]],
    state: NDArray[np.int8],
    runs: NDArray[np.int64],
) -> NDArray[np.int64]:
    def of(*states: RunState) -> NDArray[np.int64]:
        return counted(np.isin(state, [STATES.index(one) for one in states]))

    found = np.full(len(runs), TRIAL_STATES.index("running"))
    found[of(*_BEGUN) == 0] = TRIAL_STATES.index("waiting")
    found[of(*FINAL) == runs] = TRIAL_STATES.index("done")
    for bad in _WORSE:
        found[of(bad) > 0] = TRIAL_STATES.index(bad.value)
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
    sort: str,
    descending: bool,
    after: int | None,
    n: int = PAGE_ROWS,
) -> Page:
    """The trials to show: those to `keep`, sorted, behind the trial `after`.

    What has no value is last in either direction; equal ones go by number. A page is found by the
    trial that ended the one before, so that trials that come in between repeat nothing.

    Args:
        keep: ``[N]``.
        sort: One of `SORTED_BY`.
        after: Position of the last trial of the page before; None for the first page.
    """
    key = getattr(columns, SORTED_BY[sort]).astype(np.float64)
    key = np.where(np.isnan(key), np.inf, -key if descending else key)
    every = np.arange(len(key))
    order = np.lexsort((every, columns.number, key))
    place = np.empty_like(every)
    place[order] = every
    order = order[keep[order]]
    known = after is not None and 0 <= after < len(key)
    start = int(np.count_nonzero(place[order] <= place[after])) if known else 0
    rows = order[start : start + n]
    more = start + n < len(order)
    return Page(rows=rows, matching=len(order), following=int(rows[-1]) if more else None)
