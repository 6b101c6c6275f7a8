"""What runs show beside their metrics: of which run, and how it is drawn."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from reports import html, load
from reports._exhibiting import exhibiting_runs
from reports.drawing import still
from reports.drawing._exhibits import Moment, curves, histograms
from reports.exhibits import by_name, cell_said, grid_class
from reports.figures.points import bin_points, line_points
from reports.frames import StudyFrames
from reports.html._exhibits import exhibits_section
from reports.trials import ranked, trials
from storage.records import StoredExhibit
from tests.unit.reports import synthetic
from tests.unit.reports.shown import CONTENTS, PNG, shown


def study(*rows: dict[str, Any], sealed: bool = False) -> StudyFrames:
    """Trials 0 to 7 of two seeds; each run shows the rows that say no run of their own."""
    made = synthetic.function_reader(8, (3, 5))
    made.sealed = sealed
    made.rows["run_exhibits"] = list(rows)
    return load(made, synthetic.STUDY)


def best_run(frames: StudyFrames) -> int:
    best = ranked(trials(frames)[0])[0]
    runs = frames.runs
    return int(runs[(runs["trial"] == best.number) & (runs["seed"] == 3)]["run"].iloc[0])


BEST = best_run(study())


def moments(kind: str, n: int, **changed: Any) -> list[Moment]:
    return [
        Moment(round=1, epoch=at, content={**CONTENTS[kind], **changed}) for at in range(1, n + 1)
    ]


def section(*rows: dict[str, Any], light: bool = True, sealed: bool = False) -> str:
    return str(exhibits_section(study(*rows, sealed=sealed), light=light))


# -- of which run ----------------------------------------------------------------------------


def test_it_is_that_of_the_best_trial_on_the_first_seed() -> None:
    frames = study(*(shown("table", run=run) for run in range(1, 17)))
    (one,) = exhibiting_runs(frames)
    assert (one.run, one.seed, one.trial) == (BEST, 3, ranked(trials(frames)[0])[0].number)


def test_a_study_whose_best_trials_show_nothing_has_no_section() -> None:
    assert section() == "None"
    assert section(shown("table", run=BEST + 1)) == "None"


def test_a_trainer_has_a_section_and_a_study_of_weightings_asks_for_none() -> None:
    made = synthetic.reader()
    made.rows["run_exhibits"] = [
        shown("table", run=row["run"])
        for row in made.rows["run_results"]
        if row["role"] == "search"
    ]
    assert exhibiting_runs(load(made, synthetic.STUDY)) == ()
    made.spec["trainer"] = "cam"
    found = exhibiting_runs(load(made, synthetic.STUDY))
    assert {one.search for one in found} == {
        row["search"] for row in made.rows["run_results"] if row["role"] == "search"
    }


def test_the_page_says_whose_it_is() -> None:
    text = section(shown("table", run=BEST))
    assert "the run of the first seed (3) of trial" in text
    assert "on validation (loss)" in text


def test_a_sealed_study_says_that_something_is_hidden() -> None:
    row = shown("table", run=BEST)
    assert "stays hidden while the study is sealed" in section(row, sealed=True)
    assert "hidden" not in section(row)


def test_rows_of_one_name_are_one_exhibit_in_the_order_of_rounds() -> None:
    rows = [
        StoredExhibit(**{k: v for k, v in row.items() if k != "study"})
        for row in (
            shown("table", round_=2, epoch=9),
            shown("histogram", epoch=2),
            shown("table", round_=1, epoch=4),
            shown("histogram", epoch=1),
        )
    ]
    found = by_name(rows)
    assert [(one.kind, [m.epoch for m in one.moments]) for one in found] == [
        ("histogram", [1, 2]), ("table", [4, 9])
    ]  # fmt: skip


# -- drawings --------------------------------------------------------------------------------


def test_bins_are_shares_of_their_group() -> None:
    sketch, _ = histograms(moments("histogram", 1))
    clean, wrong = sketch.traces
    assert clean["x"].tolist() == [0, 0, 0.5, 0.5, 1, 1]
    assert clean["y"].tolist() == [0, 75, 75, 25, 25, 0]
    assert wrong["y"].tolist() == [0, 25, 25, 75, 75, 0]


@pytest.mark.parametrize("n", [1, 2, 8, 9, 100])
def test_of_many_epochs_the_first_the_last_and_some_between_are_drawn(n: int) -> None:
    _, drawn = histograms(moments("histogram", n))
    epochs = [one.epoch for one in drawn]
    assert (epochs[0], epochs[-1], len(epochs)) == (1, n, min(n, 8))
    gaps = np.diff(epochs)
    assert n <= 8 or gaps.max() - gaps.min() <= 1


def test_a_group_without_samples_lies_on_the_axis() -> None:
    sketch, _ = histograms(moments("histogram", 1, counts={"clean": [0, 0]}))
    assert not sketch.traces[0]["y"].any()


def test_a_logarithmic_axis_of_few_values_names_them() -> None:
    sketch, _ = curves(moments("curve", 1))
    assert sketch.layout["xaxis"]["ticktext"] == ["1/8", "1", "4"]
    band, line = sketch.traces
    assert band["y"].tolist() == [0.5, 1, 0.8, 0.3]
    assert line["y"].tolist() == [0.4, 0.75, 0.9]


@pytest.mark.parametrize(
    ["high", "ticks"],
    [(4.0, ["1/8", "1/4", "1/2", "1", "2", "4"]), (3.9, ["1/8", "1/4", "1/2", "1", "2"])],
)
def test_a_logarithmic_axis_of_many_values_names_doublings(high: float, ticks: list[str]) -> None:
    points = {"a": [[x, 0.5] for x in np.geomspace(0.125, high, 26).tolist()]}
    sketch, _ = curves(moments("curve", 1, points=points, intervals={}))
    assert sketch.layout["xaxis"]["ticktext"] == ticks


def test_a_logarithmic_axis_of_many_decades_is_left_to_itself() -> None:
    points = {"a": [[10.0**x, 0.5] for x in range(12)]}
    sketch, _ = curves(moments("curve", 1, points=points, intervals={}))
    assert "tickvals" not in sketch.layout["xaxis"]


def test_a_line_without_points_is_left_out() -> None:
    sketch, _ = curves(moments("curve", 1, points={"a": []}, intervals={}))
    assert sketch.traces == []
    assert still(sketch).startswith("<svg ")


@pytest.mark.parametrize("draw", [histograms, curves])
@pytest.mark.parametrize("n", [1, 3])
def test_still_pictures_have_a_title_for_a_screen_reader(draw: Any, n: int) -> None:
    sketch, _ = draw(moments("histogram" if draw is histograms else "curve", n))
    for page in ("wide", "narrow"):
        assert 'role="img" aria-label="FROC"' in still(sketch, page=page, label="FROC")


def test_points_are_what_is_drawn() -> None:
    bins, lines = bin_points(moments("histogram", 2)), line_points(moments("curve", 1))
    assert bins["count"].tolist() == [30, 10, 1, 3] * 2
    assert lines[["x", "y", "low", "high"]].fillna(-1).values.tolist() == [
        [0.125, 0.4, 0.3, 0.5], [1, 0.75, -1, -1], [4, 0.9, 0.8, 1]
    ]  # fmt: skip


# -- the page --------------------------------------------------------------------------------


@pytest.mark.parametrize("light", [True, False])
def test_every_kind_is_drawn(light: bool, tmp_path: Path) -> None:
    rows = [shown(kind, run=BEST) for kind in CONTENTS]
    html.write(study(*rows), tmp_path / "report.html", light=light)
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    for kind in CONTENTS:
        assert f">A {kind}</h3>" in text
    assert f'src="data:image/png;base64,{PNG}" alt="tile 7 &lt;b&gt;"' in text
    assert "<b>" not in text.partition('id="exhibits"')[2].partition("<script")[0]


def test_earlier_rounds_are_folded_and_the_last_one_stands_first() -> None:
    text = section(*(shown("table", run=BEST, round_=at, epoch=3 * at) for at in (1, 2, 3)))
    order = [int(at) for at in re.findall(r"<span>Round (\d)", text)]
    assert order == [3, 2, 1]
    assert "<summary>2 earlier rounds</summary>" in text


def test_of_a_long_table_the_first_rows_are_shown_and_all_can_be_had() -> None:
    text = section(shown("table", run=BEST, columns=["n"], rows=[[at] for at in range(30)]))
    assert "The first 20 of 30 rows." in text
    assert text.count('scope="row"') == 20
    (link,) = re.findall(r'href="data:text/csv[^,]*,([^"]*)"', text)
    assert link == "n%0A" + "".join(f"{at}%0A" for at in range(30))


def test_long_names_of_axes_stand_in_the_caption_of_several_panels() -> None:
    rows = [shown("curve", run=BEST, round_=at, epoch=at) for at in (1, 2)]
    assert "Horizontally: False positives an image." in section(*rows)
    assert "Horizontally" not in section(rows[0])


@pytest.mark.parametrize(
    ["width", "height", "classes"],
    [
        (28, 28, "pictures"),
        (96, 96, "pictures"),
        (64, 20, "pictures"),
        (97, 48, "pictures wide"),
        (300, 300, "pictures wide smooth"),
    ],
)
def test_wide_pictures_have_wide_places(width: int, height: int, classes: str) -> None:
    assert grid_class([{"width": 8, "height": 8}, {"width": width, "height": height}]) == classes


@pytest.mark.parametrize(
    ["cell", "said"],
    [
        (None, "–"),
        (True, "yes"),
        (1234, "1234"),
        (-123456, "−123,456"),
        (-0.25, "−0.25"),
        (0.98765, "0.9877"),
        ("a", "a"),
    ],
)
def test_cells_are_said(cell: object, said: str) -> None:
    assert cell_said(cell) == said
