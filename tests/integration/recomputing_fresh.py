"""Winners on fresh seeds, worked out again: these choose for each other among several trials."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.integration.recomputing import Study

Row = Mapping[str, Any]


def fresh_table(study: Study, search: str) -> dict[int, dict[int, Row]]:
    """Trial to fresh seed to run; empty where nothing is confirmed."""
    found: dict[int, dict[int, Row]] = {}
    for run in study.runs:
        if run["search"] == search and run["role"] == "confirm":
            found.setdefault(run["trial"], {})[run["seed"]] = run
    return found


def _best(study: Study, table: Mapping[int, Mapping[int, Row]], seeds: Sequence[int]) -> int:
    """The trial with the best mean validation value on these fresh seeds."""

    def quality(trial: int) -> tuple[float, float, int]:
        values = [study.scored(table[trial][seed], "validation") for seed in seeds]
        return statistics.fmean(values), sum(r["grad_evals"] for r in table[trial].values()), trial

    return min(table, key=quality)


def fresh_runs(study: Study, search: str, *, without: int | None = None) -> list[Row]:
    """For each fresh seed the run of the trial that the other fresh ones choose."""
    table = fresh_table(study, search)
    if not table:
        return []
    seeds = sorted(seed for seed in next(iter(table.values())) if seed != without)
    return [
        table[_best(study, table, [other for other in seeds if other != seed])][seed]
        for seed in seeds
    ]


def fresh_layout(study: Study, search: str) -> tuple[list[list[float]], float] | None:
    """Test values of confirmed trials by seed, and how often their rest counts."""
    table = fresh_table(study, search)
    values = [
        [study.scored(runs[seed], "test") for seed in sorted(runs)] for runs in table.values()
    ]
    assert all(math.isfinite(value) for row in values for value in row)
    return (values, mixed(fresh_runs(study, search))) if table else None


def winners_own(study: Study, search: str) -> list[Row]:
    """The runs of the trial that all fresh seeds choose."""
    table = fresh_table(study, search)
    if not table:
        return []
    return list(table[_best(study, table, sorted(next(iter(table.values()))))].values())


def mixed(chosen: Sequence[Row]) -> float:
    """1 + 0.3 m, where on average m other seeds have another trial chosen for them."""
    trials = [run["trial"] for run in chosen]
    return 1 + 0.3 * statistics.fmean(sum(x != y for y in trials) for x in trials)
