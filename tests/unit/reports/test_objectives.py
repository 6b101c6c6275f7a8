"""Reports of studies that are ranked by a metric, higher or lower is better."""

import json
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import plotly.graph_objects as go
import pytest

from reports import budget_curve, compare, fair_play_notes, load
from reports._ranking import objective_of, reference
from reports.figures import (
    cost_versus_performance,
    sensitivity,
    temperature_curve,
    weight_simplex,
)
from reports.frames import StudyFrames
from reports.html import write
from reports.trials import ranked, trials
from tests.unit.reports import synthetic

HIGH, LOW = "sum.within_1", "left.error"


def a_study(name: str = HIGH, *, baseline: bool = True) -> StudyFrames:
    made = synthetic.reader(seeds=(1, 2, 3), epochs=6)
    return load(synthetic.rank_by(made, name, baseline=baseline), synthetic.STUDY)


@pytest.fixture(scope="module")
def high() -> StudyFrames:
    return a_study()


def is_sorted(values: Sequence[float], *, by: float) -> bool:
    return list(values) == sorted(values, key=lambda value: by * value)


@pytest.mark.parametrize(("name", "sign"), [(HIGH, -1.0), (LOW, 1.0)])
def test_methods_are_listed_best_first(name: str, sign: float) -> None:
    comparison = compare(a_study(name))
    stl, *methods = comparison.rows
    assert stl.search == "stl"
    assert is_sorted([row.value_test for row in methods], by=sign)
    assert comparison.objective.name == name


def test_a_method_is_worth_the_metric_of_its_winner_at_its_epoch(high: StudyFrames) -> None:
    for row in compare(high).rows:
        assert row.value_test == pytest.approx(row.metrics["sum", "within_1"])


def test_delta_m_is_beside_it(high: StudyFrames) -> None:
    stl, *methods = compare(high).rows
    assert stl.delta_m_test == 0.0
    assert stl.value_test == reference(high, "test")
    assert all(math.isfinite(row.delta_m_test) for row in methods)


def test_without_a_baseline_there_is_no_delta_m_and_no_stl() -> None:
    comparison = compare(a_study(baseline=False))
    assert "stl" not in [row.search for row in comparison.rows]
    assert not comparison.against_stl
    assert all(math.isfinite(row.value_test) for row in comparison.rows)
    assert "single-task" not in comparison.sentence


def test_what_comes_out_of_json_says_what_it_is_ranked_by(high: StudyFrames) -> None:
    plain = json.loads(json.dumps(compare(high).to_plain(), allow_nan=False))
    assert plain["objective"] == {"name": HIGH, "direction": "max", "unit": "%"}
    assert plain["rows"][1]["value_test"] > plain["rows"][-1]["value_test"]


def test_the_headline_is_in_the_metric_s_own_words(high: StudyFrames) -> None:
    said = compare(high).sentence
    assert "reaches a test sum.within_1 of " in said
    assert "better than single-task networks (STL, " in said
    assert "margin" not in said, "a margin is one of delta_m"
    assert "It is better than" in said or "undecided at this resolution: −" in said


@pytest.mark.parametrize(("name", "sign"), [(HIGH, -1.0), (LOW, 1.0)])
@pytest.mark.parametrize("search", ["ew", "uw-so", "scalarization"])
def test_a_curve_never_gets_worse_on_what_it_chooses_by(
    name: str, sign: float, search: str
) -> None:
    """With one seed, a trial's test value is what validation says: so it only gets better."""
    made = synthetic.rank_by(synthetic.reader(seeds=(1,), epochs=6), name)
    for row in made.rows["run_results"]:
        if row.get("value_val") is not None:
            row["value_test"] = row["value_val"]
    curve = budget_curve(load(made, synthetic.STUDY), search)
    assert curve is not None
    assert (np.diff(sign * curve.value) <= 1e-9).all()
    assert curve.objective.name == name


def test_a_curve_ends_at_the_winner_s_value(high: StudyFrames) -> None:
    for row in compare(high).rows[1:]:
        curve = budget_curve(high, row.search)
        assert curve is not None
        assert curve.value[-1] == pytest.approx(row.value_test)


def test_a_diverged_trial_is_the_worst_where_higher_is_better(high: StudyFrames) -> None:
    found = next(search for search in trials(high) if search.search == "uw")
    *_, last = ranked(found)
    assert last.state == "diverged"
    values = [row.value for row in ranked(found) if row.value is not None]
    assert is_sorted(values, by=-1.0)


def test_trials_say_what_they_are_judged_by(high: StudyFrames) -> None:
    named = {search.search: (search.metric, search.direction) for search in trials(high)}
    assert named["ew"] == ("sum.within_1 (validation, %)", "max")
    assert named["stl/sum"] == ("sum.mae", "min")


class TestFigures:
    def test_the_axis_and_the_line_of_single_task_networks(self, high: StudyFrames) -> None:
        figure = cost_versus_performance(high)
        assert isinstance(figure, go.Figure)
        assert figure.layout.yaxis.title.text.startswith("Test sum.within_1 in % (")
        (line,) = figure.layout.shapes
        assert line.y0 == line.y1 == reference(high, "test")
        texts = [note.text for note in figure.layout.annotations]
        assert "↑ above = better than single-task" in texts

    def test_without_a_baseline_there_is_no_line(self) -> None:
        figure = cost_versus_performance(a_study(baseline=False))
        assert isinstance(figure, go.Figure)
        assert figure.layout.shapes == ()
        assert not any("single-task" in note.text for note in figure.layout.annotations)

    def test_the_best_is_ringed(self, high: StudyFrames) -> None:
        ring = self.named(weight_simplex(high, "scalarization"), "best")
        winner = max(
            (t for t in self.trials(high, "scalarization") if t.value is not None),
            key=lambda row: row.value or 0.0,
        )
        weights = json.loads(winner.params)["task_weights"]
        assert [ring.a[0], ring.b[0], ring.c[0]] == pytest.approx(weights)

    def test_the_colour_bar_has_true_values(self, high: StudyFrames) -> None:
        figure = weight_simplex(high, "scalarization")
        (bar,) = (t.marker.colorbar for t in figure.data if t.marker.colorbar.title.text)
        assert bar.title.text == "Validation sum.within_1 in %, higher is better"
        assert bar.ticktext[-1].startswith("≤ ")
        shown = [float(text.removeprefix("≤ ")) for text in bar.ticktext]
        assert shown == sorted(shown, reverse=True)

    def test_what_diverged_lies_at_the_lower_edge(self, high: StudyFrames) -> None:
        figure = sensitivity(high)
        arrows = [
            (symbol, value, figure.layout.yaxis.range[0])
            for trace in figure.data
            if trace.mode == "markers" and np.ndim(trace.marker.symbol)
            for symbol, value in zip(trace.marker.symbol, trace.y, strict=True)
            if symbol.endswith("-open") and symbol.startswith("triangle")
        ]
        assert arrows
        assert {symbol for symbol, *_ in arrows} == {"triangle-down-open"}
        assert all(value == low for _, value, low in arrows)

    def test_a_line_search_is_told_which_side_is_better(self, high: StudyFrames) -> None:
        figure = temperature_curve(high, "uw-so")
        assert figure.layout.yaxis.title.text == "sum.within_1 in %, higher is better"

    @staticmethod
    def named(figure: go.Figure, name: str) -> go.Scatterternary:
        return next(trace for trace in figure.data if trace.name == name)

    @staticmethod
    def trials(frames: StudyFrames, name: str) -> tuple:  # type: ignore[type-arg]
        return next(search.trials for search in trials(frames) if search.search == name)


@pytest.mark.parametrize("baseline", [True, False])
def test_the_page_is_in_the_objective_s_words(tmp_path: Path, baseline: bool) -> None:
    frames = a_study(baseline=baseline)
    write(frames, tmp_path / "r.html")
    page = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert "ranked by sum.within_1, of which higher is better" in page
    assert ("Test Δm" in page) is baseline
    assert ("single-task networks (STL" in page) is baseline


def test_notes_in_points_of_delta_m_are_silent(high: StudyFrames) -> None:
    assert "small validation" not in {note.kind for note in fair_play_notes(high)}


def test_the_objective_is_the_spec_s() -> None:
    assert objective_of(a_study(LOW)).name == LOW
    assert objective_of(synthetic.frames()).name == "delta_m"
    assert objective_of(a_study(LOW), "stl/right").name == "right.error"
