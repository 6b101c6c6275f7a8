"""Exports: one row a run."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from reports.errors import MissingFolder, UnknownFormat
from reports.export import export, table
from tests.unit.reports import synthetic


def test_there_is_one_row_a_run() -> None:
    frames = synthetic.frames()
    assert table(frames)["run"].tolist() == sorted(frames.runs["run"])


def test_parameters_are_columns() -> None:
    rows = table(synthetic.frames())
    mine = rows[(rows["search"] == "scalarization") & (rows["state"] == "done")]
    sums = mine[["w_left", "w_right", "w_sum"]].sum(axis=1)
    assert sums.to_numpy() == pytest.approx(np.ones(len(mine)))
    assert set(rows["lr"]) == set(synthetic.LRS)


def test_test_metrics_are_those_of_the_selected_epoch() -> None:
    frames = synthetic.frames()
    row = table(frames).query("search == 'uw-so'").iloc[0]
    epochs = frames.epochs.query("split == 'test' and task == 'sum' and metric == 'mae'")
    at = epochs[(epochs["run"] == row["run"]) & (epochs["epoch"] == row["epoch_selected"])]
    assert row["test_sum_mae"] == at["value"].iloc[0]


def test_a_run_without_a_selected_epoch_has_no_test_metric() -> None:
    rows = table(synthetic.frames()).query("state == 'diverged'")
    assert rows["test_sum_mae"].isna().all()


def test_nothing_finished_is_a_table_too(tmp_path: Path) -> None:
    frames = synthetic.frames(empty=True)
    export(frames, tmp_path / "runs.csv")
    assert len(pd.read_csv(tmp_path / "runs.csv")) == len(frames.runs)


def test_csv_gives_the_table_back(tmp_path: Path) -> None:
    frames = synthetic.frames()
    export(frames, tmp_path / "runs.csv")
    back = pd.read_csv(tmp_path / "runs.csv")
    assert back["delta_m_test"].tolist() == pytest.approx(
        table(frames)["delta_m_test"].tolist(), nan_ok=True
    )


def test_parquet_keeps_values_and_types(tmp_path: Path) -> None:
    frames = synthetic.frames()
    export(frames, str(tmp_path / "runs.parquet"))
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "runs.parquet"), table(frames))


def test_nothing_is_left_aside(tmp_path: Path) -> None:
    export(synthetic.frames(), tmp_path / "runs.csv")
    assert [path.name for path in tmp_path.iterdir()] == ["runs.csv"]


def test_another_suffix_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnknownFormat, match=r"\.csv or \.parquet\. Got 'runs\.xlsx'"):
        export(synthetic.frames(), tmp_path / "runs.xlsx")


def test_a_missing_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MissingFolder, match="Create it first"):
        export(synthetic.frames(), tmp_path / "nowhere" / "runs.csv")
