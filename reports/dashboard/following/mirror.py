"""A study's numbers in memory: one row a run, kept up by what has changed.

Lists, plots and counts are made from here, so that no page asks the database for all trials.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from secrets import token_hex
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from reports.dashboard.following.columns import Columns
from reports.dashboard.following.trial_keys import TrialKeys
from storage.records import AttemptChange, Changes, DecisionChange, Totals
from storage.states import RunState

STATES: Final = tuple(RunState)
"""States by the code that the mirror keeps."""

_CODE: Final[Mapping[str, int]] = {state: code for code, state in enumerate(STATES)}
_RUN: Final[Mapping[str, Any]] = {
    "run": np.int64,
    "trial": np.int32,
    "seed": np.int64,
    "state": np.int8,
    "confirms": np.bool_,
    "planned": np.bool_,
    "epochs": np.int32,
    "value_val": np.float64,
    "value_test": np.float64,
}
_OWED: Final[Mapping[str, Any]] = {
    "standing": np.int64,  # the code of the search times the number of states, and the state's code
    "device_s": np.float64,  # of all attempts
    "attempts": np.int64,
}
"""Of a run beside what is told of it."""

_ATTEMPT: Final[Mapping[str, Any]] = {
    "run": np.int64,
    "row": np.int32,  # of its run
    "worker": np.int64,
    "started_s": np.float64,
    "ended_s": np.float64,
    "epochs": np.int32,
    "device_s": np.float64,
    "money": np.float64,
    "lost": np.bool_,
    "running": np.bool_,
}
_TOLD: Final = (
    *("role", "search", "trial", "params", "run", "seed"),
    *("state", "planned", "epochs", "value_val", "value_test"),
)
"""Of a run that has changed: what `take_runs` asks for."""

_RUNNING: Final = "running"
_LOST: Final = "lost"
_NO_RUN: Final = -1  # the row of a worker's start and of a calibration


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchTotals:
    """How a search's runs stand, and what their attempts have cost; None while that is read."""

    states: Mapping[RunState, int]
    device_s: float | None


def summed_states(by_search: Mapping[str, SearchTotals]) -> Mapping[RunState, int]:
    """How many runs of all searches together are in each state."""
    found = Counter[RunState]()
    for one in by_search.values():
        found.update(one.states)
    return found


@dataclass(slots=True)
class Mirror:
    """Runs as columns ``[n]``, the trials they belong to, attempts ``[m]``, and decisions.

    Attributes:
        cursor: What has been seen; it moves whenever anything of the study does. Empty until all
            has been seen once.
        version: Grows with every change that was applied.
        birth: Of no other mirror: versions of several cannot be taken for one another.
        trials: By the number that the column ``trial`` holds.
        decisions: By id.
        attempts: By id; 0 where an attempt has no run or no worker; times are seconds since the
            epoch, NaN of an end that is still to come, and of money where a worker has no price.
        workers: Ids of those that have attempts.
    """

    cursor: str = ""
    version: int = 0
    birth: str = field(default_factory=partial(token_hex, 8))
    trials: TrialKeys = field(default_factory=TrialKeys)
    decisions: dict[int, DecisionChange] = field(default_factory=dict)
    attempts: Columns = field(default_factory=lambda: Columns(_ATTEMPT))
    workers: set[int] = field(default_factory=set)
    _runs: Columns = field(default_factory=lambda: Columns({**_RUN, **_OWED}))
    _unsummed: list[NDArray[np.int64]] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self._runs)

    def column(self, name: str) -> NDArray[Any]:
        """One column ``[n]``, by row; a view that later changes write into.

        Beside those of runs there are ``device_s`` and ``attempts``, summed over their attempts.
        """
        if name in _OWED and self._unsummed:
            self._sum_attempts()
        return self._runs[name]

    def row_of(self, run: int) -> int | None:
        """The row of a run; None of one that is not known."""
        return self._runs.row_of(run)

    @property
    def idle_s(self) -> float:
        """Device-seconds of workers' starts and of calibrations, which are no run's."""
        alone = self.attempts["row"] == _NO_RUN
        return float(self.attempts["device_s"][alone].sum())

    def totals(self) -> Totals:
        """What `storage.Reader.totals` says."""
        money = self.attempts["money"]
        known = ~np.isnan(money)
        return Totals(
            states=_counted(self._by_state().sum(axis=0)),
            device_s=float(self.attempts["device_s"].sum()),
            money=float(money[known].sum()) if known.any() else None,
            epochs=int(self.attempts["epochs"].sum(dtype=np.int64)),
            trials=int(np.count_nonzero(~self.trials.alone)),
        )

    def by_search(self) -> Mapping[str, SearchTotals]:
        """Each search that has runs, by name."""
        names = self.trials.searches
        n, device_s = self._by_state(), self._by_state(self.column("device_s")).sum(axis=1)
        return {
            name: SearchTotals(states=_counted(n[code]), device_s=float(device_s[code]))
            for code, name in enumerate(names)
        }

    def used_by_search(self) -> Mapping[str, Mapping[str, float]]:
        """What `storage.Reader.used_by_search` says, of searches that have runs."""
        names, of = self.trials.searches, self.search_of_attempts()
        mine = of >= 0
        summed = {
            kind: np.bincount(
                of[mine], weights=np.nan_to_num(self.attempts[kind][mine]), minlength=len(names)
            ).tolist()
            for kind in ("epochs", "device_s", "money")
        }
        n_trials = np.bincount(self.trials.search, minlength=len(names)).tolist()
        return {
            name: {"trials": n_trials[code], **{kind: of[code] for kind, of in summed.items()}}
            for code, name in enumerate(names)
        }

    def search_of_attempts(self) -> NDArray[np.int64]:
        """``[m]``: the position in `trials.searches` of each attempt's search, -1 of no run's."""
        if not len(self):
            return np.full(len(self.attempts), _NO_RUN, dtype=np.int64)
        row = self.attempts["row"]
        found = self.trials.search[self.column("trial")[row]].astype(np.int64)
        return np.where(row == _NO_RUN, _NO_RUN, found)

    def begin(self, decisions: Sequence[DecisionChange] = ()) -> None:
        """Forget all that was known; `take_runs` and `take_attempts` tell the rest."""
        self.__init__(version=self.version + 1)  # type: ignore[misc]
        self.decisions = {one.decision: one for one in decisions}

    def take_runs(self, block: Mapping[str, Sequence[Any]]) -> None:
        """Take in runs, new ones and such as have changed, of `storage.Reader.run_block`."""
        self.version += 1
        roles = block["role"]
        trial = self.trials.places(block["search"], block["trial"], block["params"], roles)
        plain = ("run", "seed", "planned", "epochs", "value_val", "value_test")
        columns = {name: np.array(block[name], dtype=_RUN[name]) for name in plain}
        state = np.array([_CODE[one] for one in block["state"]], dtype=np.int64)
        columns |= {
            "trial": trial,
            "state": state,
            "confirms": np.array([role == "confirm" for role in roles], dtype=np.bool_),
            "standing": self.trials.search[trial] * np.int64(len(STATES)) + state,
        }
        self._runs.put(block["run"], columns)
        self.trials.version[trial] = self.version

    def take_attempts(self, block: Mapping[str, Sequence[Any]]) -> None:
        """Take in attempts, new ones and such as have changed, of `storage.Reader.attempt_block`.

        Those at runs that have been added since are told again, with their runs.
        """
        self.version += 1
        rows = [_NO_RUN if run is None else self._runs.row_of(run) for run in block["run"]]
        known = [at for at, row in enumerate(rows) if row is not None]
        columns = {
            name: np.array(block[name], dtype=_ATTEMPT[name])[known]
            for name in ("started_s", "ended_s", "epochs", "device_s", "money")
        }
        columns |= {name: [block[name][at] or 0 for at in known] for name in ("run", "worker")} | {
            "row": [rows[at] for at in known],
            "lost": [block["state"][at] == _LOST for at in known],
            "running": [
                block["state"][at] == _RUNNING and block["ended_s"][at] is None for at in known
            ],
        }
        self.attempts.put([block["attempt"][at] for at in known], columns)
        self.workers.update(worker for worker in columns["worker"] if worker)
        of_runs = np.array([rows[at] for at in known if rows[at] != _NO_RUN], dtype=np.int64)
        self._unsummed.append(of_runs)
        self.trials.version[self.column("trial")[of_runs]] = self.version

    def apply(self, changes: Changes) -> None:
        """Take in a page of changes; one that begins anew forgets all that was known."""
        if changes.anew:
            self.begin()
        if changes.cursor != self.cursor:
            self.version += 1
        if changes.runs:
            self.take_runs({name: [getattr(one, name) for one in changes.runs] for name in _TOLD})
        if changes.attempts:
            self.take_attempts(_block_of(changes.attempts))
        for decision in changes.decisions:
            self.decisions[decision.decision] = decision
        self.cursor = changes.cursor

    def _by_state(self, weights: NDArray[np.float64] | None = None) -> NDArray[Any]:
        """``[searches, states]``: how many runs, or the sum of their weights ``[n]``."""
        n = len(self.trials.searches) * len(STATES)
        found = np.bincount(self._runs["standing"], weights=weights, minlength=n)
        return found.reshape(-1, len(STATES))

    def _sum_attempts(self) -> None:
        """Sum up the attempts at those runs where one has changed."""
        is_stale = np.zeros(len(self) + 1, dtype=np.bool_)  # the last is that of no run
        is_stale[np.concatenate(self._unsummed)] = True
        self._unsummed.clear()
        at = np.flatnonzero(is_stale[self.attempts["row"]])
        row, stale = self.attempts["row"][at], np.flatnonzero(is_stale)
        device_s = np.bincount(row, weights=self.attempts["device_s"][at], minlength=len(self))
        self._runs["device_s"][stale] = device_s[stale]
        self._runs["attempts"][stale] = np.bincount(row, minlength=len(self))[stale]


def _block_of(attempts: Sequence[AttemptChange]) -> Mapping[str, Sequence[Any]]:
    """What `storage.Reader.attempt_block` has of them."""
    plain = ("attempt", "run", "worker", "state", "epochs", "device_s", "money")
    return {name: [getattr(one, name) for one in attempts] for name in plain} | {
        "started_s": [one.started.timestamp() for one in attempts],
        "ended_s": [one.ended and one.ended.timestamp() for one in attempts],
    }


def _counted(n: NDArray[np.int64]) -> Mapping[RunState, int]:
    return {state: int(n[code]) for code, state in enumerate(STATES) if n[code]}
