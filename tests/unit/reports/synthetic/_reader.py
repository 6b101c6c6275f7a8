"""A database in memory: the columns of its views, and the rows of one study."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from storage.records import StoredExhibit
from tests.unit.reports.synthetic._papers import CARD
from tests.unit.reports.synthetic._world import STUDY

COLUMNS: dict[str, tuple[str, ...]] = {
    view: tuple(columns.split())
    for view, columns in {
        "run_results": "study search weighting role trial run params seed state planned epochs "
        "epoch_selected delta_m_val delta_m_test baseline_hash diverged_epoch device_s "
        "method_cost_s solo_cost_s grad_evals objective value_val value_test",
        "epoch_metrics": "study run epoch split task metric value",
        "attempt_costs": "study attempt run worker kind state failure device hardware "
        "code_version code_fingerprint started ended device_s startup_s train_s validation_s "
        "test_s checkpoint_s diagnostics_s epochs samples grad_evals flops energy_j money",
        "stage_trials": "study search stage kind params_tuned round position trial",
        "stage_decisions": "study search stage trial value baseline_hash standing",
        "baseline_metrics": "study baseline_hash task metric split value source trial standing",
        "gradient_conflicts": "study run epoch pairing measure n_pairs n_left_out mean sd "
        "percentile_2_5 median percentile_97_5 one_by_one",
        "run_exhibits": "study run round epoch name kind split title content",
        "training_rounds": "study run round first_epoch last_epoch train_s validation_s grad_evals",
        "epoch_timings": "study search weighting role attempt sweep hardware measured epoch_s",
    }.items()
}


@dataclass(frozen=True, kw_only=True)
class FakeSearch:
    """What a reader tells about a search."""

    name: str
    engine: str | None
    engine_reason: str = "made up"


@dataclass(kw_only=True)
class FakeReader:
    """A study in memory: rows as dicts, one list a view. Tests may change them before `load`.

    Attributes:
        engine: Of all searches, but those that are `solo_only`, with the reason.
    """

    id: int = 1
    name: str = STUDY
    spec: dict[str, Any] = field(default_factory=dict)
    card: dict[str, Any] = field(default_factory=lambda: json.loads(json.dumps(CARD)))
    rows: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    engine: str | None = "solo"
    solo_only: dict[str, str] = field(default_factory=dict)
    sealed: bool = False
    birth: str = field(default_factory=lambda: uuid4().hex)
    _sorted_out: tuple[int, int, Any] = field(default=(0, 0, None), init=False, repr=False)

    def study(self, name: str) -> "FakeReader":
        return self

    def searches(self, study_id: int) -> list[FakeSearch]:
        names = dict.fromkeys(row["search"] for row in self.rows["run_results"])
        return [
            FakeSearch(name=name, engine="solo", engine_reason=self.solo_only[name])
            if name in self.solo_only
            else FakeSearch(name=name, engine=self.engine)
            for name in names
        ]

    def view(self, view: str, study: str) -> tuple[tuple[str, ...], Sequence[tuple[Any, ...]]]:
        rows = self.rows.get(view, [])
        return COLUMNS[view], [tuple(_cell(row, c) for c in COLUMNS[view]) for row in rows]

    def exhibits(self, study: str, *, runs: Collection[int]) -> list[StoredExhibit]:
        of_runs = [row for row in self.rows.get("run_exhibits", []) if row["run"] in runs]
        return [
            StoredExhibit(**{name: row[name] for name in COLUMNS["run_exhibits"][1:]})
            for row in of_runs
        ]

    def epochs(
        self,
        study: str,
        *,
        split: str,
        metric: str | None = None,
        runs: Collection[int] | None = None,
        last: int | None = None,
    ) -> tuple[dict[int, tuple[str, str]], list[tuple[int, int, int, float]]]:
        of_runs = self._epochs_by_run().get(split, {})
        if runs is not None:
            of_runs = {run: of_runs[run] for run in set(runs) & of_runs.keys()}
        if last is not None:
            ends = {row["run"]: row.get("epoch_selected") for row in self.rows["run_results"]}
            of_runs = {
                run: [row for row in rows if end - last < row["epoch"] <= end]
                for run, rows in of_runs.items()
                if (end := ends.get(run)) is not None
            }
        rows = [row for rows in of_runs.values() for row in rows if metric in (None, row["metric"])]
        names = sorted({(row["task"], row["metric"]) for row in rows})
        ids = {name: k for k, name in enumerate(names)}
        found = [
            (row["run"], row["epoch"], ids[row["task"], row["metric"]], row["value"])
            for row in rows
        ]
        return {k: name for name, k in ids.items()}, sorted(found)

    def _epochs_by_run(self) -> Mapping[str, Mapping[int, Sequence[dict[str, Any]]]]:
        """By split and run; sorted out again only if there are other rows."""
        rows = self.rows["epoch_metrics"]
        if self._sorted_out[:2] != (id(rows), len(rows)):
            found: dict[str, dict[int, list[dict[str, Any]]]] = {}
            for row in rows:
                found.setdefault(row["split"], {}).setdefault(row["run"], []).append(row)
            self._sorted_out = (id(rows), len(rows), found)
        return self._sorted_out[2]

    def lowest_negative(self, study: str) -> dict[tuple[str, str], float]:
        found: dict[tuple[str, str], float] = {}
        for split in ("validation", "test"):
            names, rows = self.epochs(study, split=split, last=1)
            for _, _, series, value in rows:
                if value < 0:
                    found[names[series]] = min(value, found.get(names[series], value))
        return found


def _cell(row: dict[str, Any], column: str) -> Any:
    """A run's value is its delta_m unless the row says another one."""
    if column in ("value_val", "value_test"):
        return row.get(column, row.get(column.replace("value", "delta_m")))
    return row.get(column)
