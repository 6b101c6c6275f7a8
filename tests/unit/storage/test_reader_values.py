"""What a reader picks out of many values is what the documented view says."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pandas as pd
import pytest

from benchmarks.report_database import FUNCTION, MTL, make
from storage import Reader


@pytest.fixture(scope="module", params=[MTL, FUNCTION])
def reader(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Reader]:
    path = tmp_path_factory.mktemp("read") / "study.db"
    make(path, request.param, n_runs=16, n_epochs=3)
    with (
        closing(sqlite3.connect(path)) as connection,
        connection,
    ):  # of some series, some values are negative
        connection.execute("UPDATE epoch_values SET value = value - 0.75 * (series_id % 2)")
    connection.close()
    reader = Reader(f"sqlite:///{path}")
    yield reader
    reader.close()


def of_view(reader: Reader, view: str) -> pd.DataFrame:
    (study,) = reader.studies()
    columns, rows = reader.view(view, study.name)
    return pd.DataFrame(rows, columns=list(columns))


def test_the_lowest_negative_values_are_those_at_selected_epochs(reader: Reader) -> None:
    (study,) = reader.studies()
    values = of_view(reader, "epoch_metrics").merge(of_view(reader, "run_results"), on="run")
    at = values[(values["epoch"] == values["epoch_selected"]) & (values["split"] != "train")]
    lowest = at.groupby(["task", "metric"])["value"].min()
    assert (lowest < 0).any()
    assert reader.lowest_negative(study.name) == lowest[lowest < 0].to_dict()
