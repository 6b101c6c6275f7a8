"""Figures: what they show, what they say when there is nothing to show."""

import json
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest
from hypothesis import given
from hypothesis import strategies as st

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
from reports.figures._labels import apart
from reports.figures._lattice import hexagons, on_grid, step_of
from reports.figures._marks import short
from reports.figures._palette import LOOKS, OTHERS, PAGE_DARK, PAGE_LIGHT, TASKS, look
from reports.figures._steps import band
from reports.figures._window import window
from tests.unit.reports import synthetic


def drawn(figure: go.Figure | NoFigure) -> go.Figure:
    assert isinstance(figure, go.Figure)
    return figure


def lines(figure: go.Figure) -> dict[str, Any]:
    """The method lines that are visible at first, by name."""
    shown = (t for t in figure.data if t.visible in (None, True) and t.mode == "lines+markers")
    return {trace.name: trace for trace in shown}


def without_value(**changes: float) -> StudyFrames:
    """A study in which EW's delta_m is moved by so much."""
    made = synthetic.reader()
    for row in made.rows["run_results"]:
        if row["search"] == "ew":
            row["delta_m_test"] += changes["ew"]
            row["delta_m_val"] += changes["ew"]
    return load(made, synthetic.STUDY)


# -- palette --------------------------------------------------------------------------------


def contrast(one: str, other: str) -> float:
    """WCAG 2.2 contrast ratio."""

    def luminance(colour: str) -> float:
        shares = np.array([int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)])
        linear = np.where(shares <= 0.04045, shares / 12.92, ((shares + 0.055) / 1.055) ** 2.4)
        return float(linear @ [0.2126, 0.7152, 0.0722])

    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("page", [PAGE_LIGHT, PAGE_DARK])
def test_every_colour_can_be_seen_on_both_pages(page: str) -> None:
    colours = [item.colour for item in (*LOOKS.values(), *OTHERS)] + list(TASKS)
    assert min(contrast(colour, page) for colour in colours) >= 3


def test_no_two_known_weightings_look_alike() -> None:
    assert len({item.colour for item in LOOKS.values()}) == len(LOOKS)
    assert len({item.symbol for item in LOOKS.values()}) == len(LOOKS)


def test_an_unknown_weighting_keeps_its_look() -> None:
    assert look("mine") == look("mine")
    assert look("mine") in OTHERS


# -- parts ----------------------------------------------------------------------------------

FINITE = st.floats(-100, 100)


@given(st.lists(FINITE, min_size=1, max_size=12), st.floats(1, 20))
def test_labels_stand_apart_and_keep_their_order(positions: list[float], gap: float) -> None:
    before = np.array(positions)
    after = apart(before, gap=gap, limit=1000.0)
    assert (np.diff(np.sort(after)) >= gap - 1e-9).all()
    assert (np.argsort(after) == np.argsort(before, kind="stable")).all()


def test_labels_that_have_room_do_not_move() -> None:
    before = np.array([30.0, 0.0, 60.0])
    assert (apart(before, gap=10, limit=100) == before).all()


def test_the_window_cuts_a_diverging_value() -> None:
    values = np.array([-5.0, -4.0, 1.0, 3.0, 0.0, 127.0])
    view = window(values, core=values)
    assert view.high < 10
    assert view.n_cut == 1


@given(st.lists(FINITE, min_size=1, max_size=20))
def test_the_window_never_cuts_what_is_good(values: list[float]) -> None:
    drawn_values = np.array(values)
    assert window(drawn_values, core=drawn_values).low <= drawn_values.min()


def test_a_window_of_nothing_has_a_width() -> None:
    view = window(np.array([np.nan, np.inf]), core=np.array([]))
    assert view.low < view.high


@pytest.mark.parametrize("step", [0.1, 0.05, 0.25])
def test_the_step_of_a_grid_is_found(step: float) -> None:
    assert step_of(np.array(synthetic.simplex(step))) == pytest.approx(step)


def test_an_anchor_off_the_grid_does_not_hide_it() -> None:
    weights = np.array([*synthetic.simplex(0.1), (1 / 3, 1 / 3, 1 / 3)])
    assert step_of(weights) == pytest.approx(0.1)
    assert on_grid(weights, 0.1).tolist() == [True] * 36 + [False]


def test_random_weights_have_no_grid() -> None:
    assert step_of(np.random.default_rng(0).dirichlet(np.ones(3), size=20)) is None


def test_hexagons_tile_the_simplex() -> None:
    """Inside the simplex the cells of a grid cover the area of their lattice, no more, no less."""
    weights = np.array(synthetic.simplex(0.1))
    x, y = hexagons(weights, 0.1)[..., 0], hexagons(weights, 0.1)[..., 1]
    area = np.abs((x[:, :-1] * y[:, 1:] - x[:, 1:] * y[:, :-1]).sum(axis=1)) / 2
    # In coordinates (a, b) the simplex has area 1/2 and its lattice 0.1 has cells of 0.1 squared.
    assert area == pytest.approx(np.full(36, 0.01))


def test_hexagons_stay_inside_the_simplex() -> None:
    cells = hexagons(np.array([(0.0, 0.0, 1.0), (0.0, 0.5, 0.5)]), 0.1)
    assert cells.min() >= 0
    assert cells.sum(axis=-1) == pytest.approx(1)


def test_a_band_is_the_area_between_two_steps() -> None:
    x, y = band(np.array([1.0, 2.0]), np.array([0.0, 1.0]), np.array([3.0, 4.0]))
    assert x.tolist() == [1, 2, 2, 2, 2, 1, 1]
    assert y.tolist() == [3, 3, 4, 1, 0, 0, 3]


def test_a_band_leaves_out_what_has_no_bounds() -> None:
    x, _ = band(np.array([1.0, 2.0]), np.array([np.nan, np.nan]), np.array([1.0, 1.0]))
    assert x.size == 0


@pytest.mark.parametrize(
    ("value", "text"),
    [(3e-4, "3e-4"), (0.05, "0.05"), (16.0, "16"), (0.0, "0"), (2.5e-5, "2.5e-5")],
)
def test_values_are_written_short(value: float, text: str) -> None:
    assert short(value) == text


# -- cost versus performance ------------------------------------------------------------------


@pytest.fixture(scope="module")
def cost() -> go.Figure:
    return drawn(cost_versus_performance(synthetic.frames()))


def test_every_method_has_a_line_in_its_colour(cost: go.Figure) -> None:
    expected = {"EW": "ew", "UW": "uw", "UW-SO": "uw-so", "Scalarization": "scalarization"}
    found = {name: trace.line.color for name, trace in lines(cost).items()}
    assert found == {name: method_colour(weighting) for name, weighting in expected.items()}


def test_a_line_is_the_budget_curve(cost: go.Figure) -> None:
    curve = budget_curve(synthetic.frames(), "scalarization", axis="device_s")
    assert curve is not None
    line = lines(cost)["Scalarization"]
    assert (np.asarray(line.x) == curve.cost).all()
    assert (np.asarray(line.y) == curve.value).all()


def test_the_pointer_reads_the_trials_so_far(cost: go.Figure) -> None:
    assert np.asarray(lines(cost)["EW"].customdata)[:, 0].tolist() == [1, 2, 3, 4]


def test_a_button_changes_the_axis_and_only_its_traces(cost: go.Figure) -> None:
    epochs = cost.layout.updatemenus[0].buttons[1]
    visible = epochs.args[0]["visible"]
    third = len(cost.data) // 3
    assert epochs.label == "Epochs"
    assert [bool(state) for state in visible] == [
        third <= at < 2 * third for at in range(3 * third)
    ]


def test_order_spread_waits_in_the_legend(cost: go.Figure) -> None:
    orders = [trace for trace in cost.data if trace.legendgroup == "orders"]
    assert {trace.visible for trace in orders} <= {"legendonly", False}
    assert sum(bool(trace.showlegend) for trace in orders) == 3  # one entry an axis


def test_the_zero_line_is_named(cost: go.Figure) -> None:
    texts = [note.text for note in cost.layout.annotations]
    assert "STL (single-task networks)" in texts
    assert any("better than single-task" in text for text in texts)


def test_a_diverging_method_does_not_squash_the_others() -> None:
    figure = drawn(cost_versus_performance(without_value(ew=127.0)))
    texts = " ".join(note.text for note in figure.layout.annotations)
    assert figure.layout.yaxis.range[1] < 20
    assert "4 points lie above this view" in texts
    assert "▲</span> EW +1" in texts


def test_without_anything_finished_the_figure_says_so() -> None:
    answer = cost_versus_performance(synthetic.frames(empty=True))
    assert isinstance(answer, NoFigure)
    assert "No trial" in answer.reason


def test_one_seed_has_a_line_and_no_band() -> None:
    figure = drawn(cost_versus_performance(synthetic.frames(seeds=(1,))))
    bands = [trace for trace in figure.data if trace.fill == "toself"]
    assert lines(figure)
    assert all(not len(trace.x) for trace in bands)


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
    arrows = [
        list(t.marker.symbol).count("triangle-up-open") for t in figure.data if t.text is not None
    ]
    assert sum(arrows) == 3  # one a seed, on test


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
    with pytest.raises(UnknownSearch, match="Got `nobody`. Searches: ew, uw"):
        draw(synthetic.frames(), "nobody")


@pytest.mark.parametrize("page", ["wide", "narrow"])
@pytest.mark.parametrize("draw", [cost_versus_performance, weight_trajectories, sensitivity])
def test_page_changes_are_valid_layout(draw: Any, page: str) -> None:
    figure = drawn(draw(synthetic.frames()))
    for key, value in figure.layout.meta[page].items():
        figure.layout[key] = value
