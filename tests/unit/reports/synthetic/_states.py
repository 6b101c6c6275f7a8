"""A study that is not finished yet."""

from collections.abc import Sequence
from typing import Any

from tests.unit.reports.synthetic._reader import FakeReader


def wait(made: FakeReader, runs: Sequence[dict[str, Any]]) -> None:
    """Make these runs look as if nobody had started them."""
    gone = {row["run"] for row in runs}
    for row in runs:
        row |= dict.fromkeys(("epoch_selected", "delta_m_val", "delta_m_test", "diverged_epoch"))
        row |= {"state": "waiting", "epochs": 0, "device_s": 0.0, "method_cost_s": 0.0}
        row |= {"solo_cost_s": 0.0, "grad_evals": 0}
    for view in ("epoch_metrics", "attempt_costs"):
        made.rows[view] = [row for row in made.rows[view] if row["run"] not in gone]


def leave_unfinished(made: FakeReader) -> None:
    runs = made.rows["run_results"]
    grid = [row for row in runs if row["search"] == "scalarization" and row["role"] == "search"]
    wait(made, grid[2 * len(grid) // 3 :])
    failed = [row for row in runs if row["search"] == "uw-so" and row["role"] == "search"][-1:]
    wait(made, failed)
    failed[0]["state"] = "failed"
