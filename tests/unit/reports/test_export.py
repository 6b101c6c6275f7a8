"""Exports: one row a run, or one a winner, metric and seed."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from reports import compare
from reports.errors import MissingFolder, NoTable, UnknownFormat
from reports.export import export, table
from reports.frames import StudyFrames, load
from reports.tables.by_seed import gains_by_seed, scores_by_seed
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


@pytest.mark.parametrize("split", ["validation", "test"])
def test_metrics_are_those_of_the_selected_epoch(split: str) -> None:
    frames = synthetic.frames()
    row = table(frames).query("search == 'uw-so'").iloc[0]
    epochs = frames.epochs.rows(split=split, metric="mae", runs=[row["run"]])
    at = epochs[(epochs["task"] == "sum") & (epochs["epoch"] == row["epoch_selected"])]
    assert row[f"{split}_sum_mae"] == at["value"].iloc[0]


def test_a_functions_metrics_are_called_by_their_names_alone() -> None:
    made = synthetic.reader(epochs=3)
    made.card["kind"] = "function"
    epochs = made.rows["epoch_metrics"]
    made.rows["epoch_metrics"] = [row for row in epochs if row["task"] == "sum"]
    columns = set(table(load(made, synthetic.STUDY)).columns)
    assert {"validation_mae", "test_mae"} <= columns
    assert "validation_sum_mae" not in columns


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


def _varied(points: Sequence[dict[str, Any]]) -> StudyFrames:
    """A study whose first runs have these parameters."""
    made = synthetic.reader(epochs=3)
    for row, point in zip(made.rows["run_results"], points, strict=False):
        row["params"] = json.dumps({"lr": 0.1, **point})
    return load(made, synthetic.STUDY)


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_whole_numbers_stay_whole(tmp_path: Path, suffix: str) -> None:
    target = tmp_path / f"runs{suffix}"
    export(_varied([{"depth": 2, "rate": 1.0}, {"depth": 3, "rate": 2}]), target)
    back = pd.read_parquet(target) if suffix == ".parquet" else pd.read_csv(target, dtype=str)
    found = back[["depth", "rate"]].head(2).astype(str).to_numpy().tolist()
    assert found == [["2", "1.0"], ["3", "2.0"]], "though other runs have no depth"


def test_kinds_in_a_mix_are_json(tmp_path: Path) -> None:
    mixed = ["relu", 2, None, [8, 16], {"name": "sgd", "momentum": 0.9}, True]
    frames = _varied([{"x": value, "hidden": [8, 16]} for value in mixed])
    export(frames, tmp_path / "runs.parquet")
    back = pd.read_parquet(tmp_path / "runs.parquet")
    texts = back["x"].head(len(mixed)).tolist()
    assert [None if pd.isna(text) else json.loads(text) for text in texts] == mixed
    assert list(back["hidden"].iloc[0]) == [8, 16]


def test_scores_by_seed_are_what_evaluma_asks_for(tmp_path: Path) -> None:
    frames = synthetic.frames()
    export(frames, tmp_path / "scores.csv", by_seed=True)
    rows = pd.read_csv(tmp_path / "scores.csv")
    cells = rows.groupby(["model", "dataset"])
    assert (cells["metric"].nunique() == 1).all(), "a data set has one metric"
    assert len(cells) == rows["model"].nunique() * rows["dataset"].nunique(), "no cell is missing"
    assert not rows.duplicated(["model", "dataset", "seed"]).any()
    means = cells["score"].mean()
    for row in compare(frames).rows:
        for (task, metric), value in row.metrics.items():
            assert means[row.title, f"synthetic/{task}/{metric}"] == pytest.approx(value)


def test_a_score_is_that_of_the_run_beside_it() -> None:
    frames = synthetic.frames()
    runs = table(frames).set_index("run")
    for row in scores_by_seed(frames).itertuples():
        assert row.score == runs.loc[row.run, f"test_{row.task}_{row.metric}"]
        assert (row.seed, row.search) == tuple(runs.loc[row.run, ["seed", "search"]])


def test_nothing_finished_has_no_scores() -> None:
    rows = scores_by_seed(synthetic.frames(empty=True))
    assert rows.empty
    assert [*rows.columns[:5]] == ["model", "dataset", "metric", "score", "seed"]


def test_gains_for_rliable_have_a_row_a_seed_and_higher_is_better(tmp_path: Path) -> None:
    frames = synthetic.frames()
    export(frames, tmp_path / "gains.npz")
    gains = dict(np.load(tmp_path / "gains.npz"))
    rows = {row.title: row for row in compare(frames).rows if row.search != "stl"}
    assert {*gains} == {*rows}
    for title, found in gains.items():
        assert found.shape == (3, len(synthetic.METRICS))
        assert found.mean() == pytest.approx(-rows[title].delta_m_test)


def test_a_run_that_diverges_is_the_worst_there_is() -> None:
    made = synthetic.reader(epochs=3, confirm=(11, 12))
    last = [row for row in made.rows["run_results"] if row["search"] == "uw-so"][-1]
    last |= {"state": "diverged", "value_val": None, "value_test": None}
    epochs = made.rows["epoch_metrics"]
    made.rows["epoch_metrics"] = [row for row in epochs if row["run"] != last["run"]]
    frames = load(made, synthetic.STUDY)
    assert (gains_by_seed(frames)["UW-SO"] == -np.inf).all(axis=1).tolist() == [False, True]
    rows = scores_by_seed(frames).query(f"run == {last['run']}").set_index("metric")
    assert (rows["score"] == np.where(rows["direction"] == "min", np.inf, -np.inf)).all()


def test_gains_need_single_task_networks() -> None:
    made = synthetic.rank_by(synthetic.reader(epochs=3), "sum.mae", baseline=False)
    with pytest.raises(NoTable, match="--by-seed"):
        gains_by_seed(load(made, synthetic.STUDY))


def test_nothing_is_left_aside(tmp_path: Path) -> None:
    export(synthetic.frames(), tmp_path / "runs.csv")
    assert [path.name for path in tmp_path.iterdir()] == ["runs.csv"]


def test_another_suffix_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnknownFormat, match=r"\.csv, \.parquet or \.npz\. Got 'runs\.xlsx'"):
        export(synthetic.frames(), tmp_path / "runs.xlsx")


def test_a_missing_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MissingFolder, match="Create it first"):
        export(synthetic.frames(), tmp_path / "nowhere" / "runs.csv")


def test_a_parameter_called_like_a_metric_hides_nothing(tmp_path: Path) -> None:
    point = {"test_left_error": 1, "state": "solid", "param_state": "x", "param_param_state": 0.5}
    frames = _varied([point])
    export(frames, tmp_path / "runs.parquet")
    first = pd.read_parquet(tmp_path / "runs.parquet").iloc[0]
    usual = table(synthetic.frames(epochs=3)).iloc[0]
    for column in ("state", "test_left_error", "validation_left_error"):
        pd.testing.assert_series_equal(first[[column]], usual[[column]])
    named = ("param_test_left_error", "param_state", "param_param_state", "param_param_param_state")
    assert [first[name] for name in named] == [1, "x", 0.5, "solid"]
