"""The report of a training function's study: its first screen, its figures, its table."""

import functools
import json
import re
from html import unescape
from pathlib import Path

import numpy as np
import pytest

from reports import StudyFrames, html, load
from reports._importance import Importance, Share
from reports.figures import (
    NoFigure,
    importance_bars,
    learning_curves,
    parallel_coordinates,
    trial_history,
)
from reports.figures.points import importance_points, listed_points, step_points
from reports.html._function_seen import (
    curves_seen,
    history_seen,
    how_sure,
    parallel_seen,
    what_would_tell,
)
from reports.inference import Interval
from reports.trials import SearchTrials, ranked, trials
from tests.unit.reports import synthetic
from tests.unit.reports.drawn import drawn


@functools.cache
def study(n_trials: int = 40, seeds: tuple[int, ...] = (0, 1)) -> tuple[StudyFrames, SearchTrials]:
    frames = load(synthetic.function_reader(n_trials, seeds), synthetic.STUDY)
    return frames, trials(frames)[0]


def page(tmp_path: Path, frames: StudyFrames) -> str:
    html.write(frames, tmp_path / "report.html")
    return (tmp_path / "report.html").read_text(encoding="utf-8")


# -- figures --------------------------------------------------------------------------------


def test_the_course_is_the_best_so_far() -> None:
    frames, search = study()
    points, line = drawn(trial_history(frames, search)).data
    values = [row.value for row in search.trials if row.value is not None]
    assert line.y[-1] == min(values)
    assert (np.diff(line.y) <= 0).all()
    lost = [row.state for row in search.trials if row.value is None]
    assert sorted(t for t in points.text if t in ("pruned", "diverged")) == sorted(lost)


def test_of_very_many_trials_every_best_so_far_is_drawn() -> None:
    frames, search = study(5_000, (0,))
    points, line = drawn(trial_history(frames, search)).data
    assert len(points.x) <= 1_100
    assert set(np.unique(line.y)) <= set(points.y)


def test_curves_are_those_of_the_best_and_of_some_others() -> None:
    frames, search = study()
    figure = drawn(learning_curves(frames, search))
    best = ranked(search)[0]
    shown = [trace.text[0] for trace in figure.data]
    assert shown[-1] == f"trial {best.number} (done)"
    assert figure.data[-1].y[-1] == pytest.approx(best.value)
    assert {len(trace.x) for trace in figure.data} == {2, 6}
    named = [trace.name for trace in figure.data if trace.showlegend]
    assert named == ["30 of 30 others", "the next best", "the best"]


def test_best_trials_cross_an_axis_for_each_parameter_and_the_value() -> None:
    frames, search = study()
    figure = drawn(parallel_coordinates(frames, search))
    assert list(figure.layout.xaxis.ticktext) == ["act", "depth", "learning rate", "loss"]
    best = figure.data[-1]  # drawn over the others
    assert f"trial {ranked(search)[0].number}:" in best.text[0]
    assert best.y[-1] == 0.0
    places = np.array([trace.y for trace in figure.data])
    assert (places.min(axis=0), places.max(axis=0)) == (
        pytest.approx([0, 0, 0, 0]),
        pytest.approx([1, 1, 1, 1]),
    )
    assert set(places[:, 1]) == {0.0, 0.5, 1.0}  # depth


def test_a_rate_over_a_decade_has_a_logarithmic_axis() -> None:
    frames, search = study()
    figure = drawn(parallel_coordinates(frames, search))
    rates = {row.number: json.loads(row.params)["lr"] for row in search.trials if row.value}
    low, high = np.log(min(rates.values())), np.log(max(rates.values()))
    for trace in figure.data:
        number = int(re.findall(r"trial (\d+)", trace.text[0])[0])
        assert trace.y[2] == pytest.approx((np.log(rates[number]) - low) / (high - low))


@pytest.mark.parametrize("draw", [trial_history, learning_curves, parallel_coordinates])
def test_without_a_value_a_figure_says_why(draw: object) -> None:
    made = synthetic.function_reader(2)
    for row in made.rows["run_results"]:
        row |= {"state": "waiting", "value_val": None, "epochs": 0}
    made.rows["epoch_metrics"] = []
    frames = load(made, synthetic.STUDY)
    assert callable(draw)
    answer = draw(frames, trials(frames)[0])
    assert isinstance(answer, NoFigure)
    assert "`function`" in answer.reason


def test_bars_are_shares_and_lines_over_them_intervals() -> None:
    sure = Interval(low=0.1, high=0.5, df=1.0, level=0.95)
    shares = (
        Share(param="lr", value=0.7, interval=None),
        Share(param="depth", value=0.3, interval=sure),
    )
    found = Importance(
        search="f", title="f", method="M", answers="?", shares=shares, n_trials=9, n_left_out=0
    )
    figure = drawn(importance_bars([found]))
    bars, lines = figure.data
    assert list(figure.layout.yaxis.ticktext) == ["learning rate", "depth"]
    assert bars.x[1::3] == pytest.approx([70, 30])
    assert lines.x[3:5] == pytest.approx([10, 50])
    assert np.isnan(lines.x[0])
    assert importance_points([found])["high"].tolist() == [pytest.approx(np.nan, nan_ok=True), 0.5]
    assert isinstance(importance_bars([]), NoFigure)


# -- words ----------------------------------------------------------------------------------


def test_the_next_is_set_beside_what_seeds_do() -> None:
    frames, search = study()
    best, following = ranked(search)[:2]
    runs = frames.runs[frames.runs["trial"] == best.number]
    sd = runs["value_val"].std()
    (said,) = how_sure(frames, [search])
    assert said.startswith(f"The next, trial {following.number}, is ")
    assert f"standard deviation of {sd:.4g}" in said
    more = sd > (following.value or 0) - (best.value or 0)
    assert f"which is {'more' if more else 'less'}." in said


def test_one_seed_tells_no_luck() -> None:
    frames, search = study(40, (0,))
    assert "with one seed nothing tells" in how_sure(frames, [search])[0]
    assert "(one seed)" in history_seen(frames, search)
    assert "More seeds: there are 1" in " ".join(what_would_tell(frames, [search]))


def test_figures_say_what_is_to_be_seen() -> None:
    frames, search = study()
    order = [row for row in ranked(search) if row.value is not None]
    after = sum(row.number > order[0].number for row in order)
    said = history_seen(frames, search)
    assert f"Of 20 trials with a value, number {order[0].number} is the best" in said
    assert f"{after} came after it." in said
    assert curves_seen(search) == "Of 40 trials, 20 done, 19 pruned and 1 diverged."
    rates = [json.loads(row.params)["lr"] for row in order[:10]]
    assert f"lr {min(rates):.4g} to {max(rates):.4g}" in parallel_seen(search)


# -- page -----------------------------------------------------------------------------------


def test_values_come_first_and_figures_are_there(tmp_path: Path) -> None:
    text = page(tmp_path, study()[0])
    keys = re.findall(r'data-figure="data-([a-z]+)-function"', text)
    assert keys == ["history", "curves", "parallel"]
    heads = re.findall(r'<th scope="col">([^<]+)</th>', text)[:7]
    assert heads == ["Trial", "Value", "State", "device-seconds", "Epochs", "Seeds", "Parameters"]
    assert unescape(text).count("Which trial?") == 1


def test_points_are_those_of_each_figure() -> None:
    frames, search = study()
    every, best, steps = (
        listed_points(search),
        listed_points(search, most=5),
        step_points(frames, search),
    )
    assert list(every) == ["trial", "loss", "state", "epochs", "device_s", "act", "depth", "lr"]
    assert len(every) == 40
    assert best["loss"].tolist() == sorted(best["loss"])
    assert best["trial"].tolist() == [row.number for row in ranked(search)[:5]]
    assert len(steps) == sum(len(trace.x) for trace in drawn(learning_curves(frames, search)).data)


def test_a_light_page_of_ten_thousand_trials_goes_by_mail(tmp_path: Path) -> None:
    html.write(study(10_000, (0,))[0], tmp_path / "light.html", light=True)
    assert (tmp_path / "light.html").stat().st_size < 1_000_000


def test_of_many_trials_the_best_fifty_stand_with_the_count_of_the_rest(tmp_path: Path) -> None:
    frames, search = study(200, (0,))
    text = page(tmp_path, frames)
    box = text[text.index("Its trials") : text.index("What was run")]
    rows = re.findall(r'<tr><th scope="row">(\d+)</th>', box)
    assert rows == [str(row.number) for row in ranked(search)[:50]]
    assert "The best 50 of 200 trials (the others: 1 diverged, 50 done, 99 pruned; " in box


def test_what_matters_is_told_with_its_question(tmp_path: Path) -> None:
    frames, _ = study()
    assert "Which parameters matter" not in page(tmp_path, frames)
    html.write(
        frames,
        tmp_path / "report.html",
        estimators=lambda points, _: {"PED-ANOVA": dict.fromkeys(points[0], 1 / len(points[0]))},
    )
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "PED-ANOVA (what sets the best trials apart" in text
