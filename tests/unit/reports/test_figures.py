"""Figures: what they show, what they say when there is nothing to show."""

import json
from dataclasses import replace
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest

from reports import StudyFrames, budget_curve, load
from reports.errors import UnknownSearch
from reports.figures import (
    NoFigure,
    cost_versus_performance,
    method_colour,
    sensitivity,
    temperature_curve,
    weight_simplex,
    weight_trajectories,
)
from tests.unit.reports import synthetic


def drawn(figure: go.Figure | NoFigure) -> go.Figure:
    assert isinstance(figure, go.Figure)
    return figure


def is_line(trace: Any, name: str | None = None) -> bool:
    """Whether a trace is a method's line, of one method or any."""
    return trace.mode == "lines+markers" and name in (None, trace.name)


def lines(figure: go.Figure) -> dict[str, Any]:
    """The method lines that are visible at first, by name."""
    shown = (t for t in figure.data if t.visible in (None, True) and is_line(t))
    return {trace.name: trace for trace in shown}


def with_moved_ew(points: float) -> StudyFrames:
    """A study in which EW's delta_m is moved by so much."""
    made = synthetic.reader()
    for row in made.rows["run_results"]:
        if row["search"] == "ew":
            row["delta_m_test"] += points
            row["delta_m_val"] += points
    return load(made, synthetic.STUDY)


# -- cost versus performance ------------------------------------------------------------------


@pytest.fixture(scope="module")
def cost() -> go.Figure:
    return drawn(cost_versus_performance(synthetic.frames()))


def test_every_method_has_a_line_in_its_colour(cost: go.Figure) -> None:
    expected = {"EW": "ew", "UW": "uw", "UW-SO": "uw-so", "Scalarization": "scalarization"}
    found = {name: trace.line.color for name, trace in lines(cost).items()}
    assert found == {name: method_colour(weighting) for name, weighting in expected.items()}


def test_a_line_is_the_budget_curve(cost: go.Figure) -> None:
    curve = budget_curve(synthetic.frames(), "scalarization", axis="solo_s")
    assert curve is not None
    line = lines(cost)["Scalarization"]
    assert (np.asarray(line.x) == curve.cost).all()
    assert (np.asarray(line.y) == curve.value).all()


def test_the_pointer_reads_the_trials_so_far(cost: go.Figure) -> None:
    assert np.asarray(lines(cost)["EW"].customdata)[:, 0].tolist() == [1, 2, 3, 4]


def test_a_button_moves_all_traces_to_another_cost(cost: go.Figure) -> None:
    menu = cost.layout.updatemenus[0]
    labels = [button.label for button in menu.buttons]
    assert labels == ["Device time", "Epochs", "Samples", "FLOPs", "Runs"]
    change, layout = menu.buttons[1].args
    curve = budget_curve(synthetic.frames(), "scalarization", axis="epochs")
    assert curve is not None
    at = next(k for k, t in enumerate(cost.data) if is_line(t, "Scalarization"))
    assert len(change["x"]) == len(change["hovertemplate"]) == len(cost.data)
    assert change["x"][at] == pytest.approx(curve.cost, rel=1e-5)
    assert "%{x:,.4~r} epochs" in change["hovertemplate"][at]
    assert layout["xaxis.title.text"] == "Epochs trained"


def test_what_the_legend_shows_stays_so_from_axis_to_axis(cost: go.Figure) -> None:
    for button in cost.layout.updatemenus[0].buttons:
        assert set(button.args[0]) == {"x", "hovertemplate"}


def test_long_lines_have_a_band_and_all_have_their_interval_in_the_label(cost: go.Figure) -> None:
    bands = {t.name: t for t in cost.data if t.fill == "toself"}
    assert {name for name, band in bands.items() if len(band.x)} == {"UW-SO", "Scalarization"}
    texts = " ".join(note.text for note in cost.layout.annotations)
    for name, line in lines(cost).items():
        curve = budget_curve(synthetic.frames(), name.lower())
        assert curve is not None
        half = curve.high[-1] - curve.value[-1]
        said = f"{curve.value[-1]:+.1f} ± {half:.1f}".replace("-", "−")
        assert f"{name} {said}" in texts
        assert (np.asarray(line.customdata)[:, 1:3].T == [curve.low, curve.high]).all()


def test_single_runs_wait_in_the_legend(cost: go.Figure) -> None:
    runs = [trace for trace in cost.data if trace.legendgroup == "runs"]
    curve = budget_curve(synthetic.frames(), "scalarization", unit="run")
    assert curve is not None
    assert {trace.visible for trace in runs} == {"legendonly"}
    assert sum(bool(trace.showlegend) for trace in runs) == 1
    assert np.asarray(runs[-1].x) == pytest.approx(curve.cost)


def test_a_curve_of_many_trials_is_drawn_with_as_many_points_as_can_be_seen() -> None:
    values = np.random.default_rng(0).normal(size=(800, 2)).tolist()
    frames = load(synthetic.tabled(values, values, [("random", range(800))]), synthetic.STUDY)
    curve = budget_curve(frames, "ew")
    assert curve is not None
    line = lines(drawn(cost_versus_performance(frames)))["EW"]
    assert len(line.x) <= 150 < len(curve.cost)
    assert (line.x[0], line.x[-1]) == (curve.cost[0], curve.cost[-1])


def test_studies_in_packs_can_switch_to_the_time_as_run() -> None:
    figure = drawn(cost_versus_performance(synthetic.frames(fused=True)))
    menu = figure.layout.updatemenus[0]
    labels = [button.label for button in menu.buttons[:2]]
    assert labels == ["Device time, each run alone", "Device time, as run"]
    at = next(k for k, trace in enumerate(figure.data) if is_line(trace, "UW-SO"))
    ends = [button.args[0]["x"][at][-1] for button in menu.buttons[:2]]
    assert ends[0] == pytest.approx(2 * ends[1], rel=1e-4)
    assert lines(figure)["UW-SO"].x[-1] == pytest.approx(ends[0], rel=1e-5)  # what is seen first


def test_order_spread_waits_in_the_legend(cost: go.Figure) -> None:
    orders = [trace for trace in cost.data if trace.legendgroup == "orders"]
    assert {trace.visible for trace in orders} == {"legendonly"}
    assert sum(bool(trace.showlegend) for trace in orders) == 1


def test_the_zero_line_is_named(cost: go.Figure) -> None:
    texts = [note.text for note in cost.layout.annotations]
    assert "STL (single-task networks)" in texts
    assert any("better than single-task" in text for text in texts)


def test_a_diverging_method_does_not_squash_the_others() -> None:
    figure = drawn(cost_versus_performance(with_moved_ew(127.0)))
    texts = " ".join(note.text for note in figure.layout.annotations)
    assert figure.layout.yaxis.range[1] < 20
    assert "4 points lie above this view" in texts
    assert "▲</span> EW +1" in texts


def test_the_view_of_all_values_moves_the_labels_along() -> None:
    figure = drawn(cost_versus_performance(with_moved_ew(127.0)))
    whole = figure.layout.updatemenus[2].buttons[1]
    change = whole.args[0]
    assert whole.label == "All values"
    assert change["yaxis.range"][1] > 127
    assert change["annotations[0].y"] == pytest.approx(lines(figure)["EW"].y[-1])


def test_without_anything_finished_the_figure_says_so() -> None:
    answer = cost_versus_performance(synthetic.frames(empty=True))
    assert isinstance(answer, NoFigure)
    assert "No trial" in answer.reason


def test_one_seed_has_a_line_and_no_band() -> None:
    figure = drawn(cost_versus_performance(synthetic.frames(seeds=(1,))))
    bands = [trace for trace in figure.data if trace.fill == "toself"]
    assert lines(figure)
    assert all(not len(trace.x) for trace in bands)


def test_one_seed_is_called_optimistic() -> None:
    figure = drawn(cost_versus_performance(synthetic.frames(seeds=(1,))))
    assert "optimistic" in figure.layout.yaxis.title.text


# -- the other figures ------------------------------------------------------------------------


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
