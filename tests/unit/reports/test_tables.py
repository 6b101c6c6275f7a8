"""The table for a paper: what is bold, what each cell rests on, and how the formats write it."""

from __future__ import annotations

import csv
import io
import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports import compare, load
from reports._digits import format_of, written
from reports.comparing.differences import adjusted, difference
from reports.errors import NoTable, UnknownFormat
from reports.frames import StudyFrames
from reports.tables import MethodTable, format_of_file, method_table, rendered
from reports.tables.latex import escaped as escaped_latex
from reports.tables.markdown import escaped as escaped_markdown
from tests.unit.reports import synthetic

FRESH = (11, 12, 13, 14, 15)


def table(**changes: Any) -> MethodTable:
    return method_table(synthetic.frames(**({"epochs": 3} | changes)))


def bold(found: MethodTable, column: int = 0) -> set[str]:
    return {line.search for line in found.lines if line.cells[column].bold}


def named(name: str) -> StudyFrames:
    """A study whose names hold what formats have a meaning for."""
    made = synthetic.reader(epochs=3)
    made.card = json.loads(json.dumps(made.card))
    made.card["tasks"][0]["title"] = name
    made.card["tasks"][0]["metrics"][0]["title"] = name
    made.card["weightings"] = {**made.card.get("weightings", {}), "uw": name}
    return load(made, synthetic.STUDY)


# -- the cells ------------------------------------------------------------------------------


@pytest.mark.parametrize("confirm", [(), FRESH])
def test_values_and_intervals_are_those_of_the_comparison(confirm: tuple[int, ...]) -> None:
    rows = {row.search: row for row in compare(synthetic.frames(confirm=confirm, epochs=3)).rows}
    found = table(confirm=confirm)
    assert [line.search for line in found.lines] == [*rows]
    for line in found.lines:
        row = rows[line.search]
        assert (line.cells[0].value, line.cells[0].interval) == (row.value_test, row.interval)
        for column, cell in zip(found.columns[1:-1], line.cells[1:-1], strict=True):
            assert cell.value == pytest.approx(row.metrics[column.key], rel=1e-12)
        assert line.cells[-1].value == pytest.approx(row.cost_solo_s, rel=1e-12)


def test_a_cell_is_the_mean_of_the_runs_it_names() -> None:
    frames = synthetic.frames(epochs=3)
    runs = frames.runs.set_index("run")
    for line in method_table(frames).lines[1:]:
        of = list(line.cells[0].runs)
        assert line.cells[0].value == pytest.approx(runs.loc[of, "value_test"].mean())
        assert tuple(runs.loc[of, "seed"]) == line.seeds


def test_single_task_networks_rest_on_each_tasks_own_runs() -> None:
    frames = synthetic.frames(epochs=3)
    runs, found = frames.runs.set_index("run"), method_table(frames)
    for column, cell in zip(found.columns[:-1], found.lines[0].cells, strict=False):
        searches = {f"stl/{column.task}"} if column.task else {f"stl/{t}" for t in frames.tasks}
        assert set(runs.loc[list(cell.runs), "search"]) == searches
        assert not cell.bold


def test_bold_are_the_best_and_those_that_cannot_be_told_from_it() -> None:
    frames = synthetic.frames(epochs=3)
    gaps = adjusted(
        [
            found
            for other in ("uw-so", "uw", "ew")
            if (found := difference(frames, "scalarization", other))
        ]
    )
    near = {gap.b for gap in gaps if gap.interval and not gap.interval.excludes(0.0)}
    assert bold(method_table(frames)) == {"scalarization", *near} == {"scalarization", "uw-so"}


def test_the_best_of_a_column_is_by_its_own_direction() -> None:
    found = table()
    for at, column in enumerate(found.columns[:-1]):
        values = {line.search: line.cells[at].value for line in found.lines[1:]}
        best = (min if column.direction == "min" else max)(values, key=values.__getitem__)
        assert best in bold(found, at)


def test_methods_that_differ_by_noise_only_are_all_bold() -> None:
    made = synthetic.reader(epochs=3)
    for row in made.rows["run_results"]:
        if row["role"] == "search" and row["state"] == "done":
            row["value_test"] = row["delta_m_test"] = float(row["run"] * 37 % 11)
    found = method_table(load(made, "x"))
    assert bold(found) == {"scalarization", "uw-so", "uw", "ew"}


def test_with_one_seed_nothing_is_bold_and_the_caption_says_so() -> None:
    found = table(seeds=(1,))
    assert not any(cell.bold for line in found.lines for cell in line.cells)
    assert "Nothing is bold" in found.caption


def test_unfinished_methods_have_values_and_take_no_part() -> None:
    found = table(unfinished=True)
    open_ = next(line for line in found.lines if line.search == "scalarization")
    assert not any(cell.bold for cell in open_.cells)
    assert re.search(r"Unfinished: \d+ of \d+ runs", found.caption)


def test_a_study_with_nothing_finished_has_a_table_of_dashes() -> None:
    found = table(empty=True)
    assert {cell.runs for line in found.lines for cell in line.cells} == {()}
    assert "| UW | – |" in rendered(found, format="markdown")


def test_a_winner_that_diverges_is_said_to() -> None:
    made = synthetic.reader(epochs=3, confirm=FRESH)
    last = [row for row in made.rows["run_results"] if row["search"] == "uw-so"][-1]
    last |= {"state": "diverged", "value_val": None, "value_test": None}
    last |= {"delta_m_val": None, "delta_m_test": None}
    found = method_table(load(made, "x"))
    assert "uw-so" not in bold(found)
    for format in ("latex", "markdown"):
        assert "diverged" in rendered(found, format=format)


def test_a_metric_that_methods_are_ranked_by_comes_first_and_once() -> None:
    made = synthetic.reader(epochs=3)
    synthetic.rank_by(made, "sum.within_1")
    found = method_table(load(made, "x"))
    assert [column.key for column in found.columns] == [
        *(("sum", "within_1"), ("", "delta_m"), ("left", "error"), ("right", "error")),
        *(("sum", "mae"), ("", "cost_solo_s")),
    ]
    assert found.lines[1].cells[0].interval is not None


def test_delta_m_beside_a_metric_is_that_of_the_same_runs() -> None:
    made = synthetic.reader(epochs=3, confirm=FRESH)
    by_delta_m = method_table(load(made, "x"))
    synthetic.rank_by(made, "sum.within_1")
    frames = load(made, "x")
    found, runs = method_table(frames), frames.runs.set_index("run")["delta_m_test"]
    wanted = {line.search: line.cells[0].interval for line in by_delta_m.lines}
    for line in found.lines[1:]:
        cell, interval = line.cells[1], wanted[line.search]
        assert cell.value == pytest.approx(runs.loc[list(cell.runs)].mean())
        # The single-task networks' own seeds are in it; metrics are those of other epochs.
        assert cell.interval is not None
        assert interval is not None
        assert cell.interval.half_width == pytest.approx(interval.half_width, rel=0.02)
    assert bold(found, 1) == bold(by_delta_m), "fresh seeds train the same trials"
    assert found.lines[0].cells[1].value == 0.0


def test_without_single_task_networks_there_is_no_delta_m_beside_a_metric() -> None:
    made = synthetic.rank_by(synthetic.reader(epochs=3), "sum.within_1", baseline=False)
    assert ("", "delta_m") not in {column.key for column in method_table(load(made, "x")).columns}


def test_a_cost_is_that_of_the_whole_search_without_fresh_seeds() -> None:
    frames = synthetic.frames(epochs=3, confirm=FRESH)
    found = method_table(frames)
    runs = frames.runs.set_index("run")
    for line in found.lines:
        cell = line.cells[-1]
        role = "baseline" if line.search == "stl" else "search"
        assert set(runs.loc[list(cell.runs), "role"]) == {role}
        assert cell.value == pytest.approx(runs.loc[list(cell.runs), "solo_cost_s"].sum())
        assert not cell.bold
    assert "without those on fresh seeds" in found.caption


def test_in_packs_that_were_not_timed_the_cost_is_in_epochs() -> None:
    found = table(fused=True)
    assert found.columns[-1].unit == "epochs"
    assert found.lines[1].cells[-1].value == 3 * len(found.lines[1].cells[-1].runs)


def test_the_caption_tells_protocol_and_seeds() -> None:
    said = table().caption
    for part in ("3 epochs", "batch size 128", "adam", "best epoch on validation", "(1, 2, 3)"):
        assert part in said
    said = table(confirm=FRESH).caption
    assert "5 seeds (11, 12, 13, 14, 15)" in said


@pytest.mark.parametrize("change", ["sealed", "function"])
def test_where_there_are_no_test_values_of_methods_it_says_so(change: str) -> None:
    made = synthetic.reader(epochs=3)
    if change == "function":
        made.card["kind"] = "function"
    frames = load(made, "x")
    if change == "sealed":
        object.__setattr__(frames, "sealed", True)
    with pytest.raises(NoTable, match=r"weighbridge (unseal|export)"):
        method_table(frames)


# -- the formats ----------------------------------------------------------------------------


def test_latex_has_as_many_cells_in_each_row_and_closes_what_it_opens() -> None:
    text = rendered(table(), format="latex")
    body = text[text.index(r"\toprule") : text.index(r"\bottomrule")]
    rows = [line for line in body.splitlines() if line.rstrip().endswith(r"\\")]
    heads, *others = rows
    spans = sum(int(n) - 1 for n in re.findall(r"multicolumn\{(\d+)\}", heads))
    counts = [heads.count("&") + spans, *(row.count("&") for row in others)]
    assert counts == [len(table().columns)] * len(rows)
    assert text.count("{") == text.count("}")
    assert re.findall(r"\\begin\{(\w+)\}", text) == [*re.findall(r"\\end\{(\w+)\}", text)][::-1]


def test_latex_names_the_runs_behind_each_method_in_comments() -> None:
    found = table()
    comments = [c for c in rendered(found, format="latex").splitlines() if c.startswith("%")]
    for line in found.lines[1:]:
        runs = " ".join(map(str, sorted(line.cells[0].runs)))
        mine = [comment for comment in comments if comment.startswith(f"% {line.method}, ")]
        assert mine[0] == f"% {line.method}, all values: 3 runs, {runs}"
        assert re.fullmatch(r"% [^,]+, Cost: \d+ runs, \d+-\d+", mine[1])
    assert sum(comment.startswith("% STL, ") for comment in comments) == 5


def test_bold_is_bold_in_both_and_intervals_stand_beside() -> None:
    found = table()
    value = f"{found.lines[1].cells[0].value:.2f}"
    assert f"$\\mathbf{{{value}}}$ {{\\scriptsize $[" in rendered(found, format="latex")
    assert f"**{value.replace('-', '−')}** \\[−" in rendered(found, format="markdown")


NASTY = "50% & co_1 {x} #2 $3 ~ ^ \\ <b>|`*[y](z)\nnew\r\n% line"


def test_latex_prints_names_as_they_are() -> None:
    text = rendered(method_table(named(NASTY)), format="latex")
    body = text[: text.index(r"\end{table}")]
    said = (
        r"50\% \& co\_1 \{x\} \#2 \$3 \textasciitilde{} \textasciicircum{} \textbackslash{} "
        r"\textless{}b\textgreater{}\textbar{}`*[y](z) new \% line"
    )
    assert body.count(said) >= 3
    after = text[text.index(r"\end{table}") :].splitlines()[1:]
    assert all(line.startswith("%") for line in after)


def test_markdown_shows_names_as_they_are() -> None:
    text = rendered(method_table(named(NASTY)), format="markdown")
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert len(rows) == 2 + 5
    n_columns = len(table().columns) + 1
    assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} == {n_columns + 1}
    assert "\\<b\\>" in text


@given(st.text())
def test_nothing_in_a_name_is_a_command(name: str) -> None:
    said = escaped_latex(name)
    for command in (r"\textbackslash{}", r"\textasciitilde{}", r"\textasciicircum{}"):
        said = said.replace(command, "")
    said = re.sub(r"\\text(less|greater|bar|quotedbl|degree)\{\}", "", said)
    said = re.sub(r"\$(\\Delta|\\mu|\\sigma|\\times|-|\^2)\$", "", said)
    assert not re.search(r"[\\&%$#_{}~^]", re.sub(r"\\[&%$#_{}]", "", said))
    assert "\n" not in said
    assert not re.search(r"[|`*<]", re.sub(r"\\.", "", escaped_markdown(name)))


def test_csv_has_a_row_a_cell_with_all_digits() -> None:
    found = table()
    rows = list(csv.DictReader(io.StringIO(rendered(found, format="csv"))))
    cells = [cell for line in found.lines for cell in line.cells]
    assert [float(row["value"]) for row in rows] == [cell.value for cell in cells]
    assert [row["runs"] for row in rows] == [" ".join(map(str, cell.runs)) for cell in cells]
    assert [row["bold"] == "yes" for row in rows] == [cell.bold for cell in cells]


def test_csv_keeps_names_as_they_are() -> None:
    rows = csv.DictReader(io.StringIO(rendered(method_table(named(NASTY)), format="csv")))
    assert NASTY in {row["method"] for row in rows}


def test_another_format_is_refused() -> None:
    with pytest.raises(UnknownFormat, match=r"latex, markdown, csv. Got 'html'"):
        rendered(table(), format="html")


@pytest.mark.parametrize(
    ("file", "format"),
    [("t.tex", "latex"), ("t.CSV", "csv"), ("t.md", "markdown"), ("t", "markdown"), (None,) * 2],
)
def test_a_files_suffix_names_its_format(file: str | None, format: str | None) -> None:
    assert format_of_file(file) == (format or "markdown")


# -- digits ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ((0.85421, 0.9), "0.8542"),
        ((12345.6,), "12346"),
        ((2.13e-10, 4e-10), "2.130e-10"),
        ((0.0, 1.0), "0.000"),
        ((float("nan"),), "nan"),
    ],
)
def test_digits_follow_the_scale(values: tuple[float, ...], expected: str) -> None:
    assert f"{written(values[0], format_of(values))}" == expected


def test_zero_has_no_sign() -> None:
    assert [written(value, "+.1f") for value in (-0.04, 0.0, 0.04, -0.06)] == [
        *("0.0", "0.0", "0.0", "-0.1")
    ]
