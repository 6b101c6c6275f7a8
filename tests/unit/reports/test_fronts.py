"""The front of several objectives: who is on it, its volume, what it cost, and where it is told."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest

from reports import compare, load
from reports.errors import NoTable, UnknownFormat
from reports.export import export
from reports.figures import NoFigure, task_front, volume_versus_cost
from reports.frames import StudyFrames
from reports.html import write
from reports.inference.hulls import front
from reports.inference.volumes import hypervolume
from reports.spending.front import Front, front_of, front_table, volume_curves
from reports.trials import ranked, trials
from study.cli._trials import _plain, _print
from tests.unit.reports import synthetic

NAMES = ("left.error", "sum.within_1")


def made(*names: str, **changes: Any) -> StudyFrames:
    reader = synthetic.reader(seeds=(1, 2), epochs=4, **changes)
    return load(synthetic.search_front(reader, *names), synthetic.STUDY)


@pytest.fixture(scope="module")
def both() -> StudyFrames:
    return made(*NAMES)


@pytest.fixture(scope="module")
def found(both: StudyFrames) -> Front:
    known = front_of(both)
    assert known is not None
    return known


def means(frames: StudyFrames, search: str, split: str) -> dict[int, tuple[float, ...]]:
    """Trial to its objectives, by hand from the rows of epochs."""
    runs = frames.runs[(frames.runs["search"] == search) & (frames.runs["state"] == "done")]
    epochs = frames.epochs.rows(split=split)
    last = epochs[epochs["epoch"] == epochs["epoch"].max()]
    known = dict(
        zip(zip(last["run"], last["task"], last["metric"], strict=True), last["value"], strict=True)
    )
    keys = [tuple(name.split(".")) for name in NAMES]
    return {
        trial: tuple(np.mean([known[run, *key] for run in rows["run"]]) for key in keys)
        for trial, rows in runs.groupby("trial")
        if len(rows) == len(frames.seeds)
    }


def test_it_is_the_trials_that_none_beats_by_their_last_epoch(
    both: StudyFrames, found: Front
) -> None:
    for method in found.methods:
        known = means(both, method.search, "validation")
        turned = np.array([*known.values()]) * [1, -1]
        on_it = {trial for trial, there in zip(known, front(turned), strict=True) if there}
        assert {*method.trials.tolist()} == on_it
        for at, trial in enumerate(method.trials.tolist()):
            assert method.validation[at] == pytest.approx(known[trial])
            assert method.test[at] == pytest.approx(means(both, method.search, "test")[trial])


def test_the_shared_front_is_that_of_all_methods_together(found: Front) -> None:
    points = np.concatenate([method.validation for method in found.methods]) * [1, -1]
    shared = np.concatenate([method.shared for method in found.methods])
    assert shared.tolist() == front(points).tolist()
    assert 0 < shared.sum() < len(shared)


def test_the_reference_point_comes_from_validation_alone(both: StudyFrames) -> None:
    reader = synthetic.search_front(synthetic.reader(seeds=(1, 2), epochs=4), *NAMES)
    for row in reader.rows["epoch_metrics"]:
        row["value"] *= 1.0 if row["split"] == "validation" else 0.5
    moved, before = front_of(load(reader, synthetic.STUDY)), front_of(both)
    assert moved is not None
    assert before is not None
    assert moved.reference.tolist() == before.reference.tolist()
    assert [m.volume for m in moved.methods] == [m.volume for m in before.methods]
    assert [m.volume_test for m in moved.methods] != [m.volume_test for m in before.methods]


def test_the_reference_point_is_a_tenth_beyond_the_worst(both: StudyFrames, found: Front) -> None:
    every = np.concatenate(
        [[*means(both, search, "validation").values()] for search in both.searches]
    )
    (low, least), (high, most) = every.min(axis=0), every.max(axis=0)
    assert found.reference == pytest.approx(
        [high + 0.1 * (high - low), least - 0.1 * (most - least)]
    )
    assert found.best == pytest.approx([low, most])


def test_a_volume_is_the_share_of_the_box(found: Front) -> None:
    corner, best = found.reference * [1, -1], found.best * [1, -1]
    for method in found.methods:
        volume = hypervolume(method.validation * [1, -1], corner) / np.prod(corner - best)
        assert method.volume == pytest.approx(volume)
        assert 0 < method.volume <= 1
    assert [m.volume for m in found.methods] == sorted(m.volume for m in found.methods)[::-1]


def test_curves_rise_to_the_volume_of_the_whole_search(both: StudyFrames, found: Front) -> None:
    ends = {method.search: method for method in found.methods}
    for curve in volume_curves(both):
        assert (np.diff(curve.volume) >= 0).all()
        assert (np.diff(curve.cost) > 0).all()
        assert curve.volume[-1] == pytest.approx(ends[curve.search].volume)
        assert curve.n_trials[-1] == ends[curve.search].n_trials


def test_three_objectives_have_a_front_too() -> None:
    three = made(*NAMES, "right.error")
    known = front_of(three)
    assert known is not None
    assert all(method.validation.shape[1] == 3 for method in known.methods)
    for curve in volume_curves(three):
        assert (np.diff(curve.volume) >= 0).all()


def test_one_objective_has_none(both: StudyFrames) -> None:
    alone = synthetic.frames(seeds=(1, 2), epochs=4)
    assert front_of(alone) is None
    assert compare(alone).to_plain()["front"] is None
    assert volume_curves(alone) == ()
    assert isinstance(task_front(alone), NoFigure)
    with pytest.raises(NoTable, match="Got a study with one objective"):
        front_table(alone)


def test_before_a_trial_has_ended_there_is_none() -> None:
    waiting = made(*NAMES, empty=True)
    assert front_of(waiting) is None
    assert isinstance(volume_versus_cost(waiting), NoFigure)
    with pytest.raises(NoTable, match="No trial has all its seeds yet"):
        front_table(waiting)


def test_a_sealed_study_shows_no_test_value() -> None:
    sealed = synthetic.search_front(synthetic.reader(seeds=(1, 2), epochs=4), *NAMES)
    for rows in sealed.rows.values():
        rows[:] = [row for row in rows if row.get("split") != "test"]
    known = front_of(load(sealed, synthetic.STUDY))
    assert known is not None
    for method in known.to_plain()["methods"]:
        assert method["volume_test"] is None
        assert {value for point in method["points"] for value in point["test"]} == {None}


def test_what_comes_out_of_json_is_the_same(both: StudyFrames, found: Front) -> None:
    told = json.loads(json.dumps(compare(both).to_plain()))["front"]
    assert told == json.loads(json.dumps(found.to_plain()))
    assert [one["name"] for one in told["objectives"]] == [*NAMES]


def test_figures_show_every_method(both: StudyFrames, found: Front) -> None:
    for figure in (task_front(both), volume_versus_cost(both)):
        assert isinstance(figure, go.Figure)
        names = [trace.name for trace in figure.data]
        assert names == [method.title for method in found.methods]
    (first, *_) = task_front(both).data
    assert [*first.x] == found.methods[0].validation[:, 0].tolist()


def test_a_report_has_the_section(both: StudyFrames, tmp_path: Path) -> None:
    write(both, tmp_path / "light.html", light=True)
    text = (tmp_path / "light.html").read_text(encoding="utf-8")
    assert "<h2>The front</h2>" in text
    assert 'aria-label="Hypervolume against cost"' in text
    assert "none is best by several objectives" in text


def test_an_export_has_a_row_a_trial_on_the_front(
    both: StudyFrames, found: Front, tmp_path: Path
) -> None:
    export(both, tmp_path / "front.csv", front=True)
    head, *rows = (tmp_path / "front.csv").read_text().splitlines()
    assert head.startswith("search,trial,params,shared,validation_left.error,validation_sum.")
    assert len(rows) == sum(len(method.trials) for method in found.methods)


def test_an_export_of_a_front_is_a_table(both: StudyFrames, tmp_path: Path) -> None:
    with pytest.raises(UnknownFormat, match=r"a front ends in \.csv or \.parquet\. Got 'x\.npz'"):
        export(both, tmp_path / "x.npz", front=True)


def test_trials_have_their_other_objectives(both: StudyFrames) -> None:
    search = next(one for one in trials(both) if one.search == "scalarization")
    assert search.others == (("sum.within_1 (validation, %)", "max"),)
    known = means(both, "scalarization", "validation")
    for row in search.trials:
        assert row.others == pytest.approx(known[row.number][1:])


def test_of_trials_that_are_equal_by_the_first_objective_the_next_one_tells(
    both: StudyFrames,
) -> None:
    search = next(one for one in trials(both) if one.search == "scalarization")
    equal = [replace(row, value=1.0, others=(float(n),)) for n, row in enumerate(search.trials)]
    assert ranked(replace(search, trials=tuple(equal))) == equal[::-1], "higher is better"


def test_the_verb_lists_all_objectives(both: StudyFrames, capsys: Any) -> None:
    search = next(one for one in trials(both) if one.search == "scalarization")
    plain = _plain(search, ranked(search)[:1])
    assert plain["others"] == [{"metric": "sum.within_1 (validation, %)", "direction": "max"}]
    assert plain["trials"][0]["others"] == [*ranked(search)[0].others]
    _print(both, search, most=3)
    said = capsys.readouterr().out
    assert "left.error (validation, %) ↓" in said
    assert "sum.within_1 (validation, %) ↑" in said
