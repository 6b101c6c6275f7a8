"""What attempts have cost, as absolute numbers: written twice they are still right.

One attempt belongs to one driver's process, which remembers its running totals.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Self

from storage.records import CheckpointRecord, Ending, EpochRecord, NetworkRecord, Report, Spent
from storage.states import RunState

_Name = tuple[str, int, str]
_SUMS = (
    *("startup_s", "train_s", "validation_s", "test_s", "checkpoint_s", "diagnostics_s"),
    *("samples", "grad_evals", "flops"),
)
COLUMNS = (*_SUMS, "epochs", "energy_j", "peak_memory_bytes")
"""Of `attempts`."""


@dataclass(slots=True)
class _Total:
    """All that one attempt has reported so far.

    Attributes:
        kept: Names of the reports that are in the database and in the sums.
        fresh: Names of those that are in the sums only, their transaction is not over.
    """

    token: int
    kept: set[_Name] = field(default_factory=set)
    fresh: set[_Name] = field(default_factory=set)
    sums: dict[str, float] = field(default_factory=lambda: dict.fromkeys(_SUMS, 0))
    epochs: int = 0
    energy_j: float | None = None
    peak_memory_bytes: int | None = None
    ended: bool = False

    def copy(self) -> Self:
        """One to add to, in a transaction that may fail."""
        return replace(self, fresh=set(), sums=dict(self.sums))

    def add(self, report: Report) -> None:
        """Count a report in, unless it was before."""
        name = _name(report)
        if name in self.kept or name in self.fresh:
            return
        self.fresh.add(name)
        # the epoch that went wrong was trained like the others
        self.epochs += isinstance(report, EpochRecord) or _is_diverged(report)
        self._spend(report.spent)
        if not isinstance(report, CheckpointRecord | NetworkRecord):
            self.peak_memory_bytes = _most(self.peak_memory_bytes, report.peak_memory_bytes)
        self.ended = self.ended or isinstance(report, Ending)

    def _spend(self, spent: Spent) -> None:
        for key in _SUMS:
            self.sums[key] += getattr(spent, key)
        if spent.energy_j is not None:
            self.energy_j = (self.energy_j or 0.0) + spent.energy_j

    def row(self, attempt: int) -> dict[str, Any]:
        return {
            "id": attempt,
            **self.sums,
            "epochs": self.epochs,
            "energy_j": self.energy_j,
            "peak_memory_bytes": self.peak_memory_bytes,
        }


class Costs:
    """Running totals of the attempts that this process reports on."""

    def __init__(self) -> None:
        self._totals: dict[int, _Total] = {}  # by run, of its newest attempt
        self._written: dict[int, _Total] = {}  # the same in a transaction that is not over

    def rows(self, accepted: Sequence[tuple[Report, Any]]) -> dict[int, dict[str, Any]]:
        """By run: the id of its attempt, and what that has cost with these reports."""
        self._written = {}
        rows: dict[int, int] = {}
        for report, row in accepted:
            if report.run not in self._written:
                known = self._totals.get(report.run)
                if known is None or known.token != report.token:
                    known = _Total(report.token)
                self._written[report.run] = known.copy()
            self._written[report.run].add(report)
            rows[report.run] = row.attempt
        return {run: self._written[run].row(attempt) for run, attempt in rows.items()}

    def keep(self) -> None:
        """The transaction was committed; attempts that have ended cost nothing any more."""
        for run, total in self._written.items():
            if total.ended:
                self._totals.pop(run, None)
            else:
                total.kept |= total.fresh
                self._totals[run] = total
        self._written = {}

    def forget(self) -> None:
        """The transaction was rolled back."""
        self._written = {}


def _is_diverged(report: Report) -> bool:
    return isinstance(report, Ending) and report.state is RunState.DIVERGED


def _name(report: Report) -> _Name:
    """What a report is about, the same when it is sent again."""
    path = report.path if isinstance(report, CheckpointRecord) else ""
    epoch = 0 if isinstance(report, NetworkRecord) else report.epoch  # once an attempt
    return type(report).__name__, epoch, path


def _most(one: int | None, other: int | None) -> int | None:
    known = [value for value in (one, other) if value is not None]
    return max(known, default=None)
