"""Cost versus performance: what it shows, and what it says when there is nothing to show."""

import numpy as np
import plotly.graph_objects as go
import pytest

from reports import budget_curve, load
from reports.figures import NoFigure, cost_versus_performance, method_colour
from tests.unit.reports import synthetic
from tests.unit.reports.drawn import drawn, is_line, lines, moved


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
        assert np.array_equal(np.asarray(line.customdata)[:, 1:3].T, [curve.low, curve.high])


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
    figure = drawn(cost_versus_performance(moved("ew", by=127.0)))
    texts = " ".join(note.text for note in figure.layout.annotations)
    assert figure.layout.yaxis.range[1] < 20
    assert "4 points lie above this view" in texts
    assert "▲</span> EW +1" in texts


def test_the_view_of_all_values_moves_the_labels_along() -> None:
    figure = drawn(cost_versus_performance(moved("ew", by=127.0)))
    whole = figure.layout.updatemenus[2].buttons[1]
    change = whole.args[0]
    assert whole.label == "All values"
    assert change["yaxis.range"][1] > 127
    assert change["annotations[0].y"] == pytest.approx(lines(figure)["EW"].y[-1])


def test_without_anything_finished_the_figure_says_so() -> None:
    answer = cost_versus_performance(synthetic.frames(empty=True))
    assert isinstance(answer, NoFigure)
    assert "No trial" in answer.reason


def test_a_sealed_study_has_no_figure_and_says_why() -> None:
    made = synthetic.reader()
    made.sealed = True
    for row in made.rows["run_results"]:
        row["delta_m_test"] = None
    answer = cost_versus_performance(load(made, synthetic.STUDY))
    assert isinstance(answer, NoFigure)
    assert "sealed" in answer.reason


def test_one_seed_has_a_line_and_no_band() -> None:
    figure = drawn(cost_versus_performance(synthetic.frames(seeds=(1,))))
    bands = [trace for trace in figure.data if trace.fill == "toself"]
    assert lines(figure)
    assert all(not len(trace.x) for trace in bands)


def test_one_seed_is_called_optimistic() -> None:
    figure = drawn(cost_versus_performance(synthetic.frames(seeds=(1,))))
    assert "optimistic" in figure.layout.yaxis.title.text


def test_a_band_begins_where_no_more_than_three_lines_are_left() -> None:
    frames = synthetic.frames()
    bands = {t.name: t for t in drawn(cost_versus_performance(frames)).data if t.fill == "toself"}
    ends = [budget_curve(frames, search) for search in frames.searches]
    first_end = min(curve.cost[-1] for curve in ends if curve)
    for name in ("UW-SO", "Scalarization"):
        assert min(bands[name].x) >= first_end


def test_lines_that_end_together_have_no_bands() -> None:
    made = synthetic.reader()
    runs, stages = made.rows["run_results"], made.rows["stage_trials"]
    mine = [row for row in runs if row["search"] == "scalarization"]
    trials = [row for row in stages if row["search"] == "scalarization"]
    for k in range(1, 5):
        runs += [row | {"search": f"s{k}", "run": row["run"] + 10_000 * k} for row in mine]
        stages += [row | {"search": f"s{k}"} for row in trials]
    figure = drawn(cost_versus_performance(load(made, synthetic.STUDY)))
    assert not [trace for trace in figure.data if trace.fill == "toself" and len(trace.x)]
