"""A database in memory: the columns of its views, and the rows of one study."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.unit.reports.synthetic._papers import CARD
from tests.unit.reports.synthetic._world import STUDY

COLUMNS: dict[str, tuple[str, ...]] = {
    view: tuple(columns.split())
    for view, columns in {
        "run_results": "study search weighting role trial run params seed state planned epochs "
        "epoch_selected delta_m_val delta_m_test baseline_hash diverged_epoch device_s "
        "method_cost_s solo_cost_s grad_evals",
        "epoch_metrics": "study run epoch split task metric value",
        "attempt_costs": "study attempt run worker kind state failure device hardware "
        "code_version code_fingerprint started ended device_s startup_s train_s validation_s "
        "test_s checkpoint_s diagnostics_s epochs samples grad_evals",
        "stage_trials": "study search stage kind params_tuned round position trial",
        "stage_decisions": "study search stage trial value baseline_hash standing",
        "baseline_metrics": "study baseline_hash task metric split value source trial standing",
    }.items()
}


@dataclass(kw_only=True)
class FakeReader:
    """A study in memory: rows as dicts, one list a view. Tests may change them before `load`."""

    name: str = STUDY
    spec: dict[str, Any] = field(default_factory=dict)
    card: dict[str, Any] = field(default_factory=lambda: json.loads(json.dumps(CARD)))
    rows: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    engine: str | None = "solo"
    engine_reason: str = "made up"

    def study(self, name: str) -> "FakeReader":
        return self

    def view(self, view: str, study: str) -> tuple[tuple[str, ...], Sequence[tuple[Any, ...]]]:
        rows = self.rows[view]
        return COLUMNS[view], [tuple(row.get(c) for c in COLUMNS[view]) for row in rows]
