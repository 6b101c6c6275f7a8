"""Made-up studies of several problems: the synthetic one, with other values."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

from reports.frames import StudyFrames, load
from tests.unit.reports import synthetic


@functools.cache
def plain_study(problem: str = "one") -> StudyFrames:
    """One that many tests share, and none changes."""
    return study(problem)


def study(
    problem: str = "one",
    *,
    better: Mapping[str, float] | None = None,
    spec: Mapping[str, Any] | None = None,
    without: tuple[str, ...] = ("scalarization",),
    sealed: bool = False,
    **changes: Any,
) -> StudyFrames:
    """A study of its own birth.

    Args:
        problem: Name of its problem.
        better: Search to points by which each of its runs is better than elsewhere.
        spec: Keys of the spec to be replaced.
        without: Searches that it does not have; by default that with the most rows.
        sealed: Show no test value, as the views of a sealed study do not.
        changes: As of `synthetic.reader`.
    """
    known = _made(**changes)
    runs = [dict(row) for row in known.rows["run_results"] if row["search"] not in without]
    kept = {row["run"] for row in runs}
    epochs = [row for row in known.rows["epoch_metrics"] if row["run"] in kept]
    made = synthetic.FakeReader(
        spec={**known.spec, **(spec or {})},
        rows=known.rows | {"run_results": runs, "epoch_metrics": epochs},
        sealed=sealed,
    )
    made.card["name"] = problem
    for row in runs:
        for column in ("delta_m_val", "delta_m_test"):
            if row.get(column) is not None:
                row[column] -= (better or {}).get(row["search"], 0.0)
        if sealed:
            row |= {"delta_m_test": None, "value_test": None}
    return load(made, synthetic.STUDY)


@functools.cache
def _made(**changes: Any) -> synthetic.FakeReader:
    return synthetic.reader(epochs=3, **changes)
