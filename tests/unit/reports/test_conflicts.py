"""Gradient conflicts in the report: in words, in a figure and as a table."""

from __future__ import annotations

import re

import plotly.graph_objects as go
import pytest

from reports import load
from reports._palette import LOOKS
from reports.conflicts import ComparedPairs, over_training, rows_of, sentences, winners_runs
from reports.conflicts import compared as found_in
from reports.figures import NoFigure
from reports.figures.conflicts import conflict_curves
from reports.frames import StudyFrames
from reports.html._conflicts import conflicts, conflicts_plot
from tests.unit.reports import synthetic
from tests.unit.reports.conflicting import compared

frames = pytest.fixture(lambda: load(compared(), synthetic.STUDY))


def _of(frames: StudyFrames, pairing: str) -> ComparedPairs:
    (found,) = (one for one in found_in(frames) if one.pairing == pairing)
    return found


def test_pairs_are_counted_over_epochs_and_runs(frames: StudyFrames) -> None:
    found = _of(frames, "tasks")
    assert (found.title, len(found.runs), found.n_pairs, found.n_left_out) == ("EW", 3, 60, 6)


def test_runs_weigh_the_same_however_many_epochs_they_have() -> None:
    made = compared(shifts=(0.0, 0.3))
    first = made.rows["gradient_conflicts"][0]["run"]
    made.rows["gradient_conflicts"] = [
        row for row in made.rows["gradient_conflicts"] if row["epoch"] == 1 or row["run"] != first
    ]
    found = _of(load(made, synthetic.STUDY), "tasks")
    assert found.statistics["cosine"]["mean"] == pytest.approx((0.0 + 0.3 + 0.0) / 3)


def test_it_is_said_with_its_spread_over_runs(frames: StudyFrames) -> None:
    first, *others = sentences(frames)
    assert "in 50 % (49 % to 51 %) of pairs" in first
    assert "0.60 (0.59 to 0.61) between tasks and 0.90 (0.90 to 0.90) between samples" in first
    assert any("batch normalisation goes by its running statistics" in text for text in others)
    assert any("Scalarization" in text and "nothing was compared" in text for text in others)


def test_what_was_taken_one_by_one_is_said() -> None:
    made = compared()
    made.rows["gradient_conflicts"][0]["one_by_one"] = 1
    assert "torch.func.vmap" in " ".join(sentences(load(made, synthetic.STUDY)))


def test_the_figure_has_a_line_and_a_band_for_each_kind_of_pair(frames: StudyFrames) -> None:
    rows = rows_of(frames, winners_runs(frames, "ew"))
    drawn = conflict_curves({"EW": rows})
    assert not isinstance(drawn, NoFigure)
    assert [trace.name for trace in drawn.data] == [
        *["between tasks"] * 2,
        *["between samples"] * 2,
    ] * 2
    line = drawn.data[1]
    assert [*line.y] == pytest.approx([0.0, 0.0])
    assert [*line.x] == [1.0, 2.0]


def test_lines_have_no_methods_colour(frames: StudyFrames) -> None:
    figure = conflicts_plot(frames).figure
    assert isinstance(figure, go.Figure)
    drawn = {trace.line.color for trace in figure.data if trace.line.color}
    assert len(drawn) == 2
    assert not drawn & {look.colour for look in LOOKS.values()}


def test_without_runs_there_is_no_figure() -> None:
    nothing = rows_of(load(compared(), synthetic.STUDY), ())
    assert isinstance(conflict_curves({"EW": nothing}), NoFigure)
    assert over_training(nothing).empty


def test_the_section_has_words_first_then_the_figure_and_all_numbers(frames: StudyFrames) -> None:
    section = str(conflicts(frames, light=True))
    words, picture, table = (section.index(part) for part in ("point apart", "<svg", "<table"))
    assert words < picture < table
    assert re.search(r"between tasks</td><td>60</td><td>6</td>", section)


def test_a_study_that_does_not_ask_has_no_section() -> None:
    assert conflicts(synthetic.frames(), light=True) is None


def test_epochs_without_a_pair_change_no_mean() -> None:
    made = compared()
    for row in made.rows["gradient_conflicts"]:
        if row["epoch"] == 2:
            empty = dict.fromkeys(("mean", "sd", "percentile_2_5", "median", "percentile_97_5"))
            row.update(n_pairs=0, n_left_out=11, **empty)
    found = _of(load(made, synthetic.STUDY), "samples")
    assert found.statistics["cosine"]["mean"] == pytest.approx(0.1)
    assert found.n_left_out == 36
