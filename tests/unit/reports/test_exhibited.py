"""Tables that runs show, as a file of their own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from reports import load
from reports._exhibited import exhibited_table
from reports.errors import NoTable, UnknownFormat
from reports.export import export
from reports.frames import StudyFrames
from tests.unit.reports import synthetic
from tests.unit.reports.shown import shown

COLUMNS = ["index", "given", "proposed", "score"]
FIRST, LAST = [[4, 1, 0, 0.9]], [[7, 2, 3, 0.99], [4, 1, 0, 0.8]]


def study(*rows: dict[str, Any]) -> StudyFrames:
    made = synthetic.function_reader(4, (3,))
    made.rows["run_exhibits"] = list(rows)
    return load(made, synthetic.STUDY)


def suspects(**changed: Any) -> list[dict[str, Any]]:
    """A table of each run, of two rounds."""
    tables = [
        {"round_": 1, "epoch": 3, "rows": FIRST, **changed},
        {"round_": 2, "epoch": 6, "rows": LAST, **changed},
    ]
    return [
        shown("table", run=run, name="suspects", columns=COLUMNS, **table)
        for run in range(1, 5)
        for table in tables
    ]


def test_it_is_the_table_of_the_last_round(tmp_path: Path) -> None:
    export(study(*suspects()), tmp_path / "suspects.csv", exhibit="suspects")
    found = pd.read_csv(tmp_path / "suspects.csv")
    assert [*found.columns] == COLUMNS
    assert found.to_numpy().tolist() == LAST


def test_a_name_that_is_not_shown_is_told_which_are() -> None:
    frames = study(*suspects(), shown("histogram", run=1))
    with pytest.raises(NoTable, match=r"no table 'histogram'\. Tables that they show: suspects\."):
        exhibited_table(frames, "histogram")
    with pytest.raises(NoTable, match="Tables that they show: none"):
        exhibited_table(study(), "suspects")


def test_a_search_that_shows_none_is_told_which_do() -> None:
    frames = study(*suspects())
    (name,) = {*frames.runs["search"]}
    assert len(exhibited_table(frames, "suspects", name)) == len(LAST)
    with pytest.raises(NoTable, match=f"Search 'x' shows no table 'suspects'. .*: {name}"):
        exhibited_table(frames, "suspects", "x")


def test_of_several_searches_one_must_be_named() -> None:
    made = synthetic.function_reader(4, (3,))
    made.rows["run_exhibits"] = suspects()
    for row in made.rows["run_results"][2:]:
        row["search"] = "other"
    with pytest.raises(NoTable, match="Name one with --search"):
        exhibited_table(load(made, synthetic.STUDY), "suspects")


def test_arrays_are_no_format_of_it(tmp_path: Path) -> None:
    with pytest.raises(UnknownFormat, match=r"An export of an exhibit ends in \.csv or \.parquet"):
        export(study(*suspects()), tmp_path / "x.npz", exhibit="suspects")
