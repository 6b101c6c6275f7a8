"""Reading a study into DataFrames."""

from typing import Any

import pandas as pd
import pytest

from reports import load, with_params
from reports._rows import typed_frame
from reports.errors import BadView
from reports.frames import stages_tuning
from tests.unit.reports import synthetic


def test_columns_have_their_types() -> None:
    frames = synthetic.frames()
    assert frames.runs["planned"].dtype == bool
    assert frames.runs["epoch_selected"].dtype == "Int64"
    assert pd.api.types.is_string_dtype(frames.runs["params"])
    epochs = frames.epochs.rows(split="train")
    assert epochs["value"].dtype == "float64"
    assert pd.api.types.is_string_dtype(epochs["task"])
    assert str(frames.attempts["started"].dtype) == "datetime64[us, UTC]"


def test_the_engine_and_its_reason_come_along() -> None:
    frames = synthetic.frames(fused=True)
    assert set(frames.engines.values()) == {("fused", "made up")}
    assert frames.packed
    assert not synthetic.frames().packed


def test_solo_runs_share_packs_where_they_have_a_cost_alone() -> None:
    made = synthetic.reader(epochs=3, fused=True)
    made.engine = "solo"
    assert load(made, synthetic.STUDY).packed


def test_a_study_whose_engine_is_not_fixed_yet_has_no_packs() -> None:
    made = synthetic.reader(epochs=3)
    made.engine = None
    assert not load(made, synthetic.STUDY).packed


def test_a_search_that_is_solo_in_a_study_of_stacks_shares_no_packs() -> None:
    made = synthetic.reader(epochs=3, fused=True)
    made.solo_only["ew"] = "it is so"
    for row in made.rows["run_results"]:
        if row["search"] == "ew":
            row["solo_cost_s"] = row["method_cost_s"]
    frames = load(made, synthetic.STUDY)
    packed = frames.in_packs(frames.runs)
    assert frames.engines["ew"] == ("solo", "it is so")
    assert set(frames.runs.loc[~packed, "search"]) == {"ew"}
    assert frames.packed


def test_an_empty_study_has_the_same_types() -> None:
    full, empty = synthetic.frames(), synthetic.frames(empty=True)
    assert dict(full.epochs.rows(split="test").dtypes) == dict(
        empty.epochs.rows(split="test").dtypes
    )
    for name in ("runs", "attempts", "stages", "decisions", "baseline"):
        assert dict(getattr(full, name).dtypes) == dict(getattr(empty, name).dtypes)


def test_values_of_epochs_are_read_in_parts() -> None:
    epochs = synthetic.frames().epochs
    whole = epochs.rows(split="validation")
    runs = whole["run"].unique()[:2]
    few = epochs.rows(split="validation", metric="error", runs=runs)
    same = whole[whole["run"].isin(runs) & (whole["metric"] == "error")]
    pd.testing.assert_frame_equal(few, same.reset_index(drop=True))


def test_many_runs_are_picked_out_here_and_not_by_a_long_statement() -> None:
    epochs = synthetic.frames().epochs
    whole = epochs.rows(split="validation")
    half = whole["run"].unique()[::2]
    asked = [*half, *range(10**6, 10**6 + 600)]
    pd.testing.assert_frame_equal(
        epochs.rows(split="validation", runs=asked), whole[whole["run"].isin(half)]
    )


def test_a_view_without_a_needed_column_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    short = tuple(c for c in synthetic.COLUMNS["run_results"] if c != "seed")
    monkeypatch.setitem(synthetic.COLUMNS, "run_results", short)
    with pytest.raises(BadView, match=r"`run_results` must have every column read. Missing: seed"):
        load(synthetic.reader(epochs=3), synthetic.STUDY)


@pytest.mark.parametrize("params", ["no json", "[1]", ""])
def test_parameters_that_are_none_are_refused(params: str) -> None:
    columns, rows = synthetic.reader(epochs=3).view("run_results", synthetic.STUDY)
    at = columns.index("params")
    strange = [*rows[:-1], (*rows[-1][:at], params, *rows[-1][at + 1 :])]
    with pytest.raises(BadView, match=r"must be a JSON object, .* in the view `run_results`"):
        typed_frame("run_results", columns, strange)


def test_a_view_may_have_more_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    more = (*synthetic.COLUMNS["run_results"], "energy_kwh")
    monkeypatch.setitem(synthetic.COLUMNS, "run_results", more)
    assert "energy_kwh" in load(synthetic.reader(epochs=3), synthetic.STUDY).runs


def test_the_card_gives_tasks_and_metrics_in_order() -> None:
    frames = synthetic.frames()
    assert frames.tasks == ("left", "right", "sum")
    found = [(metric.task, metric.name, metric.sign) for metric in frames.metrics]
    assert found == list(synthetic.METRICS)


def test_searches_come_in_the_order_of_the_spec() -> None:
    assert synthetic.frames().searches == ("ew", "uw", "uw-so", "scalarization")


@pytest.mark.parametrize(
    "parts",
    [
        [{"weighting": ["uw-so", "ew"]}, {"weighting": "uw"}, {"weighting": "scalarization"}],
        [
            {"weighting": "uw-so", "name": None},
            {"weighting": "ew", "name": "ew"},
            {"weighting": "uw"},
        ],
    ],
)
def test_searches_without_names_of_their_own_come_in_the_order_of_the_spec(
    parts: list[dict[str, Any]],
) -> None:
    made = synthetic.reader(epochs=3)
    made.spec["search"] = parts
    frames = load(made, synthetic.STUDY)
    assert frames.searches == ("uw-so", "ew", "uw", "scalarization")
    assert frames.searches_alone == ("stl/left", "stl/right", "stl/sum"), "as on the card"


def test_seeds_are_those_of_the_searches_where_the_spec_has_none() -> None:
    made = synthetic.reader(epochs=3, confirm=(11, 12))
    del made.spec["seeds"]
    assert load(made, synthetic.STUDY).seeds == (1, 2, 3)


def test_params_become_columns() -> None:
    frames = synthetic.frames()
    table = with_params(frames, frames.runs).set_index("search")
    assert table.loc["ew", "lr"].unique().tolist() == list(synthetic.LRS)
    assert table.loc["ew", "temperature"].isna().all()
    sums = table.loc["scalarization", ["w_left", "w_right", "w_sum"]].sum(axis=1)
    assert sums.to_numpy() == pytest.approx(1.0)


def test_a_parameter_does_not_hide_a_column_of_the_view() -> None:
    made = synthetic.reader(epochs=3)
    made.rows["run_results"][0]["params"] = '{"epochs":99}'
    frames = load(made, synthetic.STUDY)
    table = with_params(frames, frames.runs)
    assert (table["epochs"].iloc[0], table["param_epochs"].iloc[0]) == (3, 99)


def test_stages_that_tune_a_parameter_are_found_by_its_whole_name() -> None:
    made = synthetic.reader(epochs=3)
    for row in made.rows["stage_trials"]:
        row["params_tuned"] = "lr,weight_decay" if row["search"] == "ew" else "lr_warmup"
    frames = load(made, synthetic.STUDY)
    assert len(stages_tuning(frames, "ew", "weight_decay")) == len(synthetic.LRS)
    assert stages_tuning(frames, "uw", "lr").empty


def test_views_are_read_when_they_are_asked_for_and_once(monkeypatch: pytest.MonkeyPatch) -> None:
    reader, read = synthetic.reader(epochs=3), []
    view = reader.view
    monkeypatch.setattr(reader, "view", lambda name, study: read.append(name) or view(name, study))
    frames = load(reader, synthetic.STUDY)
    assert read == ["run_results"]
    assert frames.attempts is frames.attempts
    assert read == ["run_results", "attempt_costs"]
