"""Gradients on the dashboard: curves of runs, and a view of studies that compare them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any

import pytest

from reports import load
from reports.dashboard.concluding.views import conflicts_picture
from reports.dashboard.showing.conflict_lines import (
    conflict_charts,
    conflicts_drawn,
    is_of_gradients,
)
from reports.dashboard.views import VIEWS
from tests.unit.reports import synthetic
from tests.unit.reports.conflicting import compared
from tests.unit.reports.dashboard.clouds import record

ASKS = {"diagnostics": {"gradients": {"every": 5, "samples": 8}}}


@dataclass(frozen=True)
class Row:
    run: int
    epoch: int
    pairing: str
    measure: str = "cosine"
    mean: float | None = 0.5
    percentile_2_5: float | None = -1.0
    percentile_97_5: float | None = 1.0


@dataclass(frozen=True)
class Rows:
    """A reader of these rows."""

    rows: tuple[Row, ...]

    def conflicts(self, _study: str, *, runs: Collection[int]) -> list[Row]:
        return [row for row in self.rows if row.run in runs]


def _lines(*rows: Row, runs: tuple[int, ...] = (1,)) -> dict[str, Any]:
    found = conflicts_drawn(Rows(rows), record(2), runs, "gradients.cosine")  # type: ignore[arg-type]
    return {line["name"]: (line["x"], line["y"]) for line in found["series"]}


def test_each_kind_of_pair_has_a_mean_and_two_percentiles() -> None:
    assert _lines(Row(1, 1, "tasks"), Row(1, 2, "tasks", mean=0.25), Row(2, 1, "tasks")) == {
        "between tasks": ([1, 2], [0.5, 0.25]),
        "between tasks, 2.5th percentile": ([1, 2], [-1.0, -1.0]),
        "between tasks, 97.5th percentile": ([1, 2], [1.0, 1.0]),
    }


def test_several_runs_are_averaged_as_far_as_each_has_come() -> None:
    rows = [Row(1, 1, "samples"), Row(1, 2, "samples"), Row(2, 1, "samples", mean=0.0)]
    assert _lines(*rows, runs=(1, 2))["between samples"] == ([1, 2], [0.25, 0.5])


def test_epochs_without_a_pair_and_other_measures_are_left_out() -> None:
    assert _lines(Row(1, 1, "tasks", mean=None), Row(1, 2, "tasks", measure="magnitude")) == {}


def test_only_studies_that_compare_gradients_show_them() -> None:
    plain = record(2)
    asks = replace(plain, spec={**plain.spec, **ASKS})
    (view,) = (view for view in VIEWS if view.key == "conflicts")
    assert not conflict_charts(plain)
    assert not view.is_of(plain)
    assert view.is_of(asks)
    assert all(is_of_gradients(chart["of"]) for chart in conflict_charts(asks))


def test_a_trainers_study_has_no_view_of_loss_weights() -> None:
    plain = record(2)
    trained = replace(plain, spec={**plain.spec, "trainer": "cam"})
    seen = [{view.key for view in VIEWS if view.is_of(one)} for one in (plain, trained)]
    assert seen[0] - seen[1] == {"simplex", "temperature", "tradeoff", "weights"}
    assert seen[1] - seen[0] == {"curves"}


@pytest.mark.parametrize("of", ["loss", "cosine", "gradients.", "gradients.sd", ""])
def test_other_curves_are_none_of_gradients(of: str) -> None:
    assert not is_of_gradients(of)


def test_the_view_says_in_words_what_it_draws() -> None:
    said = conflicts_picture(load(compared(), synthetic.STUDY))
    assert said.wide.startswith("<svg ")
    assert "point apart" in said.seen
    assert said.points.splitlines()[0].startswith("pairing,measure,epoch,mean")
