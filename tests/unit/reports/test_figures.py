"""Figures: what they show, what they say when there is nothing to show."""

import json
from dataclasses import replace
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest

from reports import StudyFrames, load
from reports.errors import UnknownSearch
from reports.figures import (
    NoFigure,
    cost_versus_performance,
    sensitivity,
    temperature_curve,
    weight_simplex,
    weight_trajectories,
)
from tests.unit.reports import synthetic
from tests.unit.reports.drawn import drawn


def test_the_simplex_marks_the_best_weights() -> None:
    figure = drawn(weight_simplex(synthetic.frames(), "scalarization"))
    ring = next(trace for trace in figure.data if trace.name == "best")
    assert (*ring.a, *ring.b, *ring.c) == pytest.approx(synthetic.BEST_WEIGHTS)


def test_the_simplex_has_all_weights_once() -> None:
    figure = drawn(weight_simplex(synthetic.frames(), "scalarization"))
    points = next(trace for trace in figure.data if trace.hovertemplate)
    assert len(points.a) == 37  # the grid, and the uniform weights of the first stage


def test_the_colour_bar_says_that_it_is_clipped() -> None:
    figure = drawn(weight_simplex(synthetic.frames(), "scalarization"))
    points = next(trace for trace in figure.data if trace.hovertemplate)
    assert points.marker.colorbar.ticktext[-1].startswith("≥")


def test_a_method_without_weights_has_no_simplex() -> None:
    answer = weight_simplex(synthetic.frames(), "ew")
    assert isinstance(answer, NoFigure)
    assert "`ew`" in answer.reason


def test_two_tasks_make_a_line() -> None:
    made = synthetic.reader()
    del made.card["tasks"][2]
    for row in made.rows["run_results"]:
        params = json.loads(row["params"])
        if "task_weights" in params:
            params["task_weights"] = params["task_weights"][:2]
            row["params"] = json.dumps(params)
    figure = drawn(weight_simplex(load(made, synthetic.STUDY), "scalarization"))
    assert figure.data[0].type == "scatter"
    assert (np.diff(figure.data[0].x) > 0).all()


def test_four_tasks_have_no_simplex() -> None:
    made = synthetic.reader()
    made.card["tasks"].append({"name": "more", "title": "More", "loss": "L1", "metrics": []})
    answer = weight_simplex(load(made, synthetic.STUDY), "scalarization")
    assert isinstance(answer, NoFigure)
    assert "has 4" in answer.reason


def test_the_temperature_line_has_every_temperature() -> None:
    figure = drawn(temperature_curve(synthetic.frames(), "uw-so"))
    means = [trace for trace in figure.data if trace.mode == "lines"]
    assert [trace.name.split(",")[0] for trace in means] == ["validation", "test"]
    assert all(tuple(trace.x) == synthetic.TEMPERATURES for trace in means)


def test_a_temperature_off_the_scale_becomes_an_arrow() -> None:
    made = synthetic.reader()
    for row in made.rows["run_results"]:
        if json.loads(row["params"]).get("temperature") == 16.0:
            row["delta_m_test"] += 90
    figure = drawn(temperature_curve(load(made, synthetic.STUDY), "uw-so"))
    points = [trace for trace in figure.data if trace.text is not None]
    symbols = [symbol for trace in points for symbol in trace.marker.symbol]
    assert symbols.count("triangle-up-open") == 3  # one a seed, on test


def test_a_method_without_temperature_has_no_curve() -> None:
    assert isinstance(temperature_curve(synthetic.frames(), "ew"), NoFigure)


def test_weight_shares_sum_to_one() -> None:
    figure = drawn(weight_trajectories(synthetic.frames()))
    uw_so = [np.asarray(trace.y) for trace in figure.data if trace.xaxis == "x3"]
    assert len(uw_so) == 3
    assert sum(uw_so) == pytest.approx(np.ones(30))


def test_many_tasks_share_an_axis_that_shows_their_differences() -> None:
    made = synthetic.reader(epochs=3)
    shown = drawn(weight_trajectories(load(made, synthetic.STUDY))).layout.yaxis.range
    assert shown == (-0.03, 1.03)  # one task has half of the weight
    for row in made.rows["epoch_metrics"]:
        if row["metric"] == "weight":
            row["value"] = 1.0
    low, high = drawn(weight_trajectories(load(made, synthetic.STUDY))).layout.yaxis.range
    assert (low, high) == pytest.approx((-0.03 * 1.1 / 3, 1.03 * 1.1 / 3))


def test_a_narrow_page_has_few_tick_labels_and_a_wide_one_all() -> None:
    figure = drawn(sensitivity(synthetic.frames()))
    assert list(figure.layout.meta["wide"]["xaxis.ticktext"]) == ["3e-4", "1e-3", "3e-3", "0.01"]
    narrow = list(figure.layout.meta["narrow"]["xaxis.ticktext"])
    assert (narrow[0], narrow[-1], narrow.count("")) == ("3e-4", "0.01", 1)
    line = drawn(temperature_curve(synthetic.frames(), "uw-so")).layout.meta
    assert list(line["narrow"]["xaxis.ticktext"]) == ["0.25", "", "1", "2", "4", "", "16"]


def test_without_weights_there_is_no_trajectory() -> None:
    assert isinstance(weight_trajectories(synthetic.frames(empty=True)), NoFigure)


def test_a_diverged_trial_is_an_arrow_in_the_sensitivity() -> None:
    figure = drawn(sensitivity(synthetic.frames()))
    points = next(t for t in figure.data if t.mode == "markers" and t.xaxis == "x2")
    said = dict(zip(points.customdata, points.text, strict=True))
    assert said["at 0.01"] == "diverged"
    assert list(points.marker.symbol).count("triangle-up-open") == 1


def with_pruned(search: str, trial: int, *epochs: int) -> StudyFrames:
    """A study in which a trial's first runs were pruned, the others with the first."""
    made = synthetic.reader()
    mine = (r for r in made.rows["run_results"] if (r["search"], r["trial"]) == (search, trial))
    for row, epoch in zip(mine, epochs, strict=True):
        row |= dict.fromkeys(("epoch_selected", "delta_m_val", "delta_m_test", "diverged_epoch"))
        row |= {"state": "pruned", "epochs": epoch}
    return load(made, synthetic.STUDY)


def said_by(figure: go.Figure) -> set[str]:
    """All that the pointer reads off a figure's markers."""
    marks = (trace for trace in figure.data if trace.mode == "markers" and trace.text is not None)
    return {str(text) for trace in marks for text in trace.text}


def test_a_pruned_trial_says_at_which_epoch_in_the_sensitivity() -> None:
    said = said_by(drawn(sensitivity(with_pruned("ew", 0, 5, 5, 5))))
    assert {text for text in said if not text.startswith("Δm")} == {
        "pruned at epoch 5",
        "diverged",  # of UW
    }


def test_seeds_that_were_pruned_at_different_rungs_tell_the_last() -> None:
    said = said_by(drawn(sensitivity(with_pruned("ew", 0, 5, 10, 5))))
    assert "pruned at epoch 10" in said
    assert "pruned at epoch 5" not in said


def test_what_was_pruned_beside_a_diverged_seed_is_a_diverged_trial() -> None:
    frames = with_pruned("uw", 3, 5, 5, 5)
    runs = frames.runs.copy()
    runs.loc[(runs["search"] == "uw") & (runs["trial"] == 3) & (runs["seed"] == 3), "state"] = (
        "diverged"
    )
    said = said_by(drawn(sensitivity(replace(frames, runs=runs))))
    assert {text for text in said if not text.startswith("Δm")} == {"diverged"}


def test_a_pruned_run_says_at_which_epoch_along_the_temperature() -> None:
    said = said_by(drawn(temperature_curve(with_pruned("uw-so", 4, 5, 5, 10), "uw-so")))
    ends = {text for text in said if not text.startswith("Δm")}
    assert ends == {"pruned at epoch 5", "pruned at epoch 10"}


def test_pruned_weights_have_a_mark_of_their_own_on_the_simplex() -> None:
    figure = drawn(weight_simplex(with_pruned("scalarization", 5, 8, 8, 8), "scalarization"))
    (mark,) = (trace for trace in figure.data if trace.name in ("pruned", "diverged"))
    assert (mark.name, list(mark.text)) == ("pruned", ["pruned at epoch 8"])
    assert mark.hovertemplate == "%{text}<extra></extra>"


def test_weight_decay_that_was_not_tuned_has_no_figure() -> None:
    assert isinstance(sensitivity(synthetic.frames(), param="weight_decay"), NoFigure)


def test_a_weight_decay_of_zero_has_a_place() -> None:
    made = synthetic.reader()
    for row in made.rows["run_results"]:
        if row["search"] == "ew" and row["trial"] > 0:
            row["params"] = row["params"].replace(
                '"weight_decay":0.0', f'"weight_decay":1e-{row["trial"]}'
            )
    figure = drawn(sensitivity(load(made, synthetic.STUDY), param="weight_decay"))
    assert list(figure.layout.xaxis.ticktext) == ["0", "1e-3", "0.01", "0.1"]


@pytest.mark.parametrize("draw", [weight_simplex, temperature_curve])
def test_an_unknown_search_is_refused(draw: Any) -> None:
    with pytest.raises(UnknownSearch, match=r"Got `nobody`\. Searches: ew, uw"):
        draw(synthetic.frames(), "nobody")


@pytest.mark.parametrize("page", ["wide", "narrow"])
@pytest.mark.parametrize("draw", [cost_versus_performance, weight_trajectories, sensitivity])
def test_page_changes_are_valid_layout(draw: Any, page: str) -> None:
    figure = drawn(draw(synthetic.frames()))
    for key, value in figure.layout.meta[page].items():
        figure.layout[key] = value
