"""A reader that follows a study by its cursor, and the picture that it comes to."""

from __future__ import annotations

from typing import Any

from storage import Reader
from storage.records import Changes

Facts = dict[Any, tuple[Any, ...]]
Picture = tuple[Facts, Facts, list[tuple[Any, ...]]]
"""Runs and attempts by number, and decisions in order."""

_RUN = ("search", "role", "trial", "params", "seed", "state", "planned", "epochs")
_SCORE = ("epoch_selected", "value_val", "value_test", "reason")
_ATTEMPT = ("run", "kind", "state", "failure", "epochs", "device_s")
_DECISION = ("search", "stage", "trial", "value", "objective", "standing")


class Follower:
    """Follows the study ``demo`` of a database, a page at a time."""

    def __init__(self, url: str) -> None:
        self.reader = Reader(url)
        self.cursor = ""
        self.epochs: dict[int, int] = {}  # of runs, when some of them were told to be new
        self._runs: Facts = {}
        self._attempts: Facts = {}
        self._decisions: Facts = {}

    def page(self, limit: int = 1_000) -> Changes:
        changes = self.reader.changes("demo", self.cursor, limit=limit)
        if changes.anew:
            self._runs, self._attempts, self._decisions = {}, {}, {}
        self._runs |= {run.run: _facts(run, *_RUN, *_SCORE) for run in changes.runs}
        self._attempts |= {one.attempt: _facts(one, *_ATTEMPT) for one in changes.attempts}
        self._decisions |= {one.decision: _facts(one, *_DECISION) for one in changes.decisions}
        self.epochs |= {run.run: run.epochs for run in changes.runs if run.new_epochs}
        self.cursor = changes.cursor
        return changes

    def catch_up(self, limit: int = 1_000) -> Picture:
        while self.page(limit).more:
            pass
        return self._runs, self._attempts, sorted(self._decisions.values())


def full_picture(url: str) -> Picture:
    """The same by the views, which know of no changes."""
    reader = Reader(url)
    runs, attempts, decisions = (
        _rows(reader, view) for view in ("run_results", "attempt_costs", "stage_decisions")
    )
    reader.close()
    return (
        {row["run"]: tuple(row[name] for name in (*_RUN, *_SCORE)) for row in runs},
        {row["attempt"]: tuple(row[name] for name in _ATTEMPT) for row in attempts},
        sorted(tuple(row[name] for name in _DECISION) for row in decisions),
    )


def _facts(found: Any, *names: str) -> tuple[Any, ...]:
    return tuple(getattr(found, name) for name in names)


def _rows(reader: Reader, view: str) -> list[dict[str, Any]]:
    columns, rows = reader.view(view, "demo")
    return [dict(zip(columns, row, strict=True)) for row in rows]


def ids_of(changes: Changes) -> tuple[list[int], list[int], list[int]]:
    return (
        [run.run for run in changes.runs],
        [attempt.attempt for attempt in changes.attempts],
        [one.decision for one in changes.decisions],
    )


def size_of(changes: Changes) -> int:
    """What counts towards a page: attempts at runs come along with them."""
    alone = [attempt for attempt in changes.attempts if attempt.run is None]
    return len(changes.runs) + len(alone) + len(changes.decisions)
