"""The HTML report: complete, escaped, self-contained."""

import json
import math
import re
from dataclasses import replace
from html import unescape
from html.parser import HTMLParser
from io import StringIO
from pathlib import Path
from urllib.parse import unquote

import pandas as pd
import pytest

from reports import StudyFrames, budget_curve, compare, html, load
from reports.comparing.answer import answer
from reports.errors import MissingFolder
from reports.html._budgets import budgets
from reports.html._metrics import metric_numbers, metric_table
from reports.html._tags import Markup, join, tag
from reports.html._words import number, percent, seconds
from reports.spending import equal_budgets, value_said
from tests.unit.reports import synthetic


def written(frames: StudyFrames, folder: Path) -> str:
    html.write(frames, folder / "report.html")
    return (folder / "report.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    return written(synthetic.frames(), tmp_path_factory.mktemp("report"))


def body(text: str) -> str:
    """The page without Plotly's script."""
    return text[: text.index("<script>")]


class Outline(HTMLParser):
    """Collects headings and checks that every element is closed where it should be."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.headings: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag not in ("meta", "link", "br", "hr"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] in ("h1", "h2"):
            self.headings.append(data)


def test_sections_come_in_the_readers_order(page: str) -> None:
    outline = Outline()
    outline.feed(page)
    assert outline.open == []
    assert outline.headings == [
        "synthetic",
        "Problem: Synthetic digits",
        "Comparison",
        "Cost versus performance",
        "At equal budgets",
        "How far that holds",
        "Claims",
        "Fair-play notes",
        "A closer look",
        "What was run",
        "How to read this",
    ]


def test_the_first_screen_has_the_answer_and_the_comparisons_sentence(page: str) -> None:
    frames = synthetic.frames()
    comparison = compare(frames)
    found = answer(frames, comparison, equal_budgets(frames))
    assert found is not None
    header = page[page.index("<header>") : page.index("</header>")]
    for text in (*found.which, *found.sure, *found.surer, comparison.sentence):
        assert f"{text}</p>" in header
    assert '<a href="#notes">' in header
    assert 'id="notes"' in page


@pytest.fixture(scope="module")
def fused_page(tmp_path_factory: pytest.TempPathFactory) -> str:
    return written(synthetic.frames(fused=True), tmp_path_factory.mktemp("fused"))


def test_a_study_in_packs_shows_both_costs_and_the_break_even(fused_page: str) -> None:
    frames = synthetic.frames(fused=True)
    found = compare(frames)
    assert found.break_even is not None
    assert f"<p>{found.break_even.sentence}</p>" in fused_page
    assert '<th scope="col">device-seconds<span class="unit">each run alone</span>' in fused_page
    assert '<th scope="col">device-seconds<span class="unit">as run</span>' in fused_page
    for cost in (found.rows[1].cost_solo_s, found.rows[1].cost_as_run_s):
        assert f'<td class="value">{number(cost, 3)}</td>' in fused_page
    assert "Buttons switch to the time as run" in fused_page


def test_a_study_without_packs_has_one_cost_and_no_break_even(page: str) -> None:
    shell = body(page)
    assert shell.count('<th scope="col">device-seconds<span class="unit"></span>') == 1
    assert "each run alone" not in shell
    assert "In packs" not in shell


def test_the_engine_is_named_with_its_reason(page: str, fused_page: str) -> None:
    assert "<dt>Engine</dt><dd>solo: made up</dd>" in page
    assert "<dt>Engine</dt><dd>fused: made up</dd>" in fused_page


def test_searches_with_another_engine_are_named(tmp_path: Path) -> None:
    made = synthetic.reader(epochs=3, fused=True)
    made.solo_only["ew"] = "it is so"
    page = written(load(made, synthetic.STUDY), tmp_path)
    assert "uw-so, scalarization: made up; solo for ew: it is so</dd>" in page


def test_an_engine_that_is_not_fixed_yet_is_left_out(tmp_path: Path) -> None:
    made = synthetic.reader(empty=True)
    made.engine = None
    assert "<dt>Engine</dt>" not in written(load(made, synthetic.STUDY), tmp_path)


@pytest.mark.parametrize(
    ("lr", "said"), [(None, "learning rate tuned; momentum 0.9"), (1e-3, "lr 0.001; momentum 0.9")]
)
def test_settings_that_are_not_set_are_left_out(
    lr: float | None, said: str, tmp_path: Path
) -> None:
    made = synthetic.reader(empty=True)
    made.spec["training"] = {"epochs": 30, "lr": lr, "momentum": 0.9, "clip_norm": None}
    assert f"epochs 30; {said}<" in body(written(load(made, synthetic.STUDY), tmp_path))


def test_plotly_is_there_once(page: str) -> None:
    assert page.count("plotly.js v") == 1


def test_the_file_is_small_enough(page: str) -> None:
    assert len(page.encode()) < 6_000_000


def test_nothing_is_loaded_from_elsewhere(page: str) -> None:
    shell = body(page)
    assert not re.search(r'(src|href)="(?!data:|#)', shell)
    assert "@import" not in shell
    assert "url(" not in shell


def test_every_figure_has_its_data_and_caption(page: str) -> None:
    keys = re.findall(r'data-figure="([^"]+)"', page)
    for key in keys:
        found = re.search(rf'<script type="application/json" id="{key}">(.*?)</script>', page)
        assert found is not None
        assert set(json.loads(found.group(1))) >= {"data", "layout"}
    assert body(page).count("<figcaption>") == len(keys) == 5


def test_every_figure_has_a_sentence_on_this_study(page: str) -> None:
    said = re.findall(r'<p class="seen">(.*?)</p>', page)
    assert len(said) == 5
    assert said[0].startswith("Scalarization ends lowest, at −4.86 % (95 % interval ")
    assert "the best on validation is Left digit 0.2, Right digit 0.3" in said[2]
    assert all("standard deviation" in text for text in (said[1], said[2], said[4]))
    assert "“Sum of digits”" in said[3]


def test_the_points_of_a_figure_are_there_as_csv(page: str) -> None:
    frames = synthetic.frames()
    links = re.findall(r'href="data:text/csv;charset=utf-8,([^"]*)" download="([^"]*)"', page)
    tables = {name: pd.read_csv(StringIO(unquote(unescape(text)))) for text, name in links}
    assert list(tables) == [
        f"synthetic-{key}.csv" for key in ("cost", "temperature-2", "simplex-3", "weights", "lr")
    ]
    curve = budget_curve(frames, "scalarization", axis="epochs")
    assert curve is not None
    cost = tables["synthetic-cost.csv"]
    mine = cost[(cost["method"] == "Scalarization") & (cost["cost_unit"] == "epochs")]
    assert mine["test_value"].to_numpy() == pytest.approx(curve.value, rel=1e-5)
    runs = tables["synthetic-temperature-2.csv"]
    assert len(runs) == (frames.runs["search"] == "uw-so").sum()
    assert set(runs["temperature"].dropna()) == set(synthetic.TEMPERATURES)


def test_numpy_data_is_written_as_typed_arrays(page: str) -> None:
    assert '"bdata"' in page


def test_the_best_value_of_a_column_is_marked(page: str) -> None:
    rows = compare(synthetic.frames()).rows
    best = min(row.delta_m_test for row in rows)
    assert f'<td class="best">{percent(best)} [' in page


def test_a_metric_that_rises_is_best_at_its_maximum(page: str) -> None:
    within = [row.metrics["sum", "within_1"] for row in compare(synthetic.frames()).rows]
    assert f'<td class="best">{number(max(within))}</td>' in page


def test_a_name_from_the_database_cannot_become_markup(tmp_path: Path) -> None:
    made = synthetic.reader()
    made.name = "<img src=x onerror=alert(1)>"
    made.card["title"] = "</script><b>"
    made.card["tasks"][0]["title"] = "</script><script>alert(2)</script>"
    text = body(written(load(made, synthetic.STUDY), tmp_path))
    assert "<img" not in text
    assert "<b>" not in text.replace(r"\u003c", "")
    assert "<script>alert" not in text


def test_an_unfinished_study_has_a_banner(tmp_path: Path) -> None:
    frames = synthetic.frames(unfinished=True)
    made = compare(frames)
    text = body(written(frames, tmp_path))
    assert f"{made.finished_runs} of the {made.planned_runs} runs planned so far have" in text
    assert 'id="plot-cost"' in text


def test_a_finished_study_has_no_banner(page: str) -> None:
    assert 'class="banner"' not in page


def test_a_study_with_nothing_finished_says_so(tmp_path: Path) -> None:
    text = body(written(synthetic.frames(empty=True), tmp_path))
    assert "There is nothing to compare yet." in text
    assert "data-figure" not in text


def test_cost_lines_add_up_to_the_total(page: str) -> None:
    box = page[page.index("Where the device-seconds went") :]
    values = [float(v) for v in re.findall(r"<td>([\d.]+) s</td>", box)]
    *parts, total = values
    assert sum(parts) == pytest.approx(total, abs=1.0)
    assert total == pytest.approx(synthetic.frames().attempts["device_s"].sum(), abs=1.0)


def test_a_missing_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MissingFolder, match="Create it first"):
        html.write(synthetic.frames(), tmp_path / "nowhere" / "report.html")


def test_an_older_report_is_replaced_and_nothing_is_left_aside(tmp_path: Path) -> None:
    (tmp_path / "report.html").write_text("old")
    assert "old" not in written(synthetic.frames(empty=True), tmp_path)[:9]
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]


# -- parts ----------------------------------------------------------------------------------


def test_text_is_escaped_and_markup_is_not() -> None:
    assert join(["a<b", Markup("<i>x</i>")]) == "a&lt;b<i>x</i>"


def test_attributes_are_escaped() -> None:
    assert tag("p", class_='a"b', aria_label="<") == '<p class="a&quot;b" aria-label="&lt;"></p>'


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (float("nan"), "–"),
        (float("inf"), "diverged"),
        (0.0, "0"),
        (-0.01234, "−0.01234"),
        (12345.6, "12,346"),
        (2.134e-10, "2.134e−10"),
        (-4.5e-4, "−4.500e−4"),
    ],
)
def test_numbers(value: float, text: str) -> None:
    assert number(value) == text


@pytest.mark.parametrize(
    ("unit", "share", "said", "value"),
    [("1", True, "↓ %", "12.34"), ("1", False, "↓", "0.1234"), ("mm", False, "↓ mm", "0.1234")],
)
def test_shares_are_written_in_percent(unit: str, share: bool, said: str, value: str) -> None:
    made = synthetic.reader(epochs=3)
    made.card["tasks"][0]["metrics"][0] |= {"unit": unit, "share": share}
    frames = load(made, synthetic.STUDY)
    rows = [replace(compare(frames).rows[0], metrics={("left", "error"): 0.1234})]
    metric = metric_numbers(frames, rows)[0]
    assert (metric.unit, metric.text(rows[0])) == (said, value)


def test_a_diverged_winner_has_no_metrics_of_its_other_seeds() -> None:
    frames = synthetic.frames()
    rows = [replace(row, value_test=math.inf) for row in compare(frames).rows]
    metrics = metric_numbers(frames, rows)
    assert {metric.text(row) for metric in metrics for row in rows} == {"diverged"}


def test_many_metrics_have_a_row_each() -> None:
    frames = synthetic.frames()
    rows = compare(frames).rows
    table = metric_table(metric_numbers(frames, rows), rows)
    assert re.findall(r'<th scope="col" style="[^"]+">([^<]+)</th>', table) == [
        row.title for row in rows
    ]
    heads = re.findall(r'<th scope="row">([^<]+) <span class="unit">([^<]+)<', table)
    assert heads == [
        ("Left digit", "error rate, ↓ %"),
        ("Right digit", "error rate, ↓ %"),
        ("Sum of digits", "mean absolute error, ↓"),
        ("Sum of digits", "within one, ↑ %"),
    ]


@pytest.mark.parametrize(("value", "text"), [(0.0, "0"), (-5.0, "−5.00"), (1.234, "+1.23")])
def test_percent(value: float, text: str) -> None:
    assert percent(value) == text


def test_many_seconds_are_told_in_hours_too() -> None:
    assert seconds(7200.0) == "7,200 s (2.00 h)"


def test_equal_budgets_and_cost_to_match_stand_in_tables(page: str) -> None:
    frames = synthetic.frames()
    for budget in equal_budgets(frames):
        assert f'<th scope="col">{budget.budget.said}</th>' in page
        for one in budget.methods:
            assert value_said(frames, one) in page
            assert f"rank {one.rank_said}" in page
    for one in compare(frames).matches:
        assert f"<td>{one.fair.said}{one.fair.spread}</td>" in page
    assert "Cost to match Scalarization" in page


def test_a_study_without_a_grid_over_weights_has_no_cost_to_match() -> None:
    made = synthetic.reader()
    for row in made.rows["stage_trials"]:
        row["params_tuned"] = row["params_tuned"].replace("task_weights", "s0")
    made.spec = json.loads(json.dumps(made.spec).replace("task_weights", "s0"))
    frames = load(made, synthetic.STUDY)
    assert "Cost to match" not in str(budgets(frames, compare(frames), equal_budgets(frames)))
