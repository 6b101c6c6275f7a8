"""The trials of a study as plain values."""

from dataclasses import replace
from typing import Any

import pytest

from reports.frames import StudyFrames, load
from reports.trials import SearchTrials, TrialRow, best_sentence, trials
from tests.unit.reports import synthetic


def search(frames: StudyFrames, name: str) -> SearchTrials:
    return next(found for found in trials(frames, courses=True) if found.search == name)


def test_baselines_come_first_then_the_searches_of_the_spec() -> None:
    names = [found.search for found in trials(synthetic.frames())]
    tasks = sorted(f"stl/{task}" for task in synthetic.TASKS)
    assert names == [*tasks, "ew", "uw", "uw-so", "scalarization"]


def test_every_trial_is_there_once_with_its_seeds() -> None:
    frames = synthetic.frames()
    planned = frames.runs.groupby("search")["trial"].unique()
    for found in trials(frames):
        assert [row.number for row in found.trials] == sorted(planned[found.search])
        assert {row.seeds for row in found.trials} == {(1, 2, 3)}


def test_the_value_is_the_seed_mean_of_validation_delta_m() -> None:
    frames = synthetic.frames()
    done = frames.runs[frames.runs["search"] == "uw-so"]
    means = done.groupby("trial")["delta_m_val"].mean()
    values = {row.number: row.value for row in search(frames, "uw-so").trials}
    assert values == pytest.approx(means.to_dict())


def test_the_curve_is_delta_m_by_epoch() -> None:
    frames = synthetic.frames(seeds=(1,))
    runs = frames.runs[frames.runs["search"] == "scalarization"].set_index("trial")
    for row in search(frames, "scalarization").trials:
        assert list(row.curve) == list(range(1, 31))
        at = int(runs.loc[row.number, "epoch_selected"])
        assert row.curve[at] == pytest.approx(row.value)
        assert min(row.curve.values()) == row.curve[at]


def test_a_baseline_is_judged_by_the_first_metric_of_its_task() -> None:
    frames = synthetic.frames(seeds=(1,))
    found = search(frames, "stl/sum")
    assert (found.metric, found.direction) == ("sum.mae", "min")
    for row in found.trials:
        assert row.value == pytest.approx(min(row.curve.values()))
        assert row.delta_m_test is None


def test_a_diverged_seed_makes_a_diverged_trial_without_a_value() -> None:
    (row,) = (r for r in search(synthetic.frames(), "uw").trials if r.state == "diverged")
    assert row.value is None
    assert list(row.curve) == list(range(1, 11)), "up to the epoch that all seeds have reached"


@pytest.mark.parametrize("unfinished", [False, True])
def test_epochs_are_those_that_all_seeds_have_reached(unfinished: bool) -> None:
    frames = synthetic.frames(unfinished=unfinished)
    for found in trials(frames, courses=True):
        for row in found.trials:
            assert row.epochs == max(row.curve, default=0)


def test_courses_are_read_only_if_asked_for() -> None:
    frames = synthetic.frames()
    shorn = {"curve": {}, "started": None, "ended": None}
    for with_courses, without in zip(trials(frames, courses=True), trials(frames), strict=True):
        assert without.trials == tuple(replace(row, **shorn) for row in with_courses.trials)


def test_unfinished_trials_have_no_value_and_no_end() -> None:
    rows = search(synthetic.frames(unfinished=True), "scalarization").trials
    states = {row.state for row in rows}
    assert states >= {"done"} and states & {"waiting", "running"}
    for row in rows:
        assert (row.value is not None) == (row.ended is not None) == (row.state == "done")


def test_a_failed_run_makes_a_failed_trial() -> None:
    rows = search(synthetic.frames(unfinished=True), "uw-so").trials
    assert sum(row.state == "failed" for row in rows) == 1


def test_what_has_not_begun_waits() -> None:
    for found in trials(synthetic.frames(empty=True)):
        for row in found.trials:
            assert (row.state, row.value, row.started) == ("waiting", None, None)


def test_fresh_seeds_of_winners_do_not_count() -> None:
    plain, confirmed = (trials(synthetic.frames(confirm=seeds)) for seeds in ((), (11, 12)))
    assert [[r.value for r in s.trials] for s in plain] == [
        [r.value for r in s.trials] for s in confirmed
    ]


def test_costs_are_those_of_all_seeds() -> None:
    frames = synthetic.frames()
    mine = frames.runs[frames.runs["search"] == "ew"].groupby("trial")
    rows = search(frames, "ew").trials
    assert [r.device_s for r in rows] == pytest.approx(mine["device_s"].sum().tolist())
    assert [r.cost_s for r in rows] == pytest.approx(mine["solo_cost_s"].sum().tolist())


def test_without_a_baseline_there_are_no_curves() -> None:
    reader = synthetic.reader()
    reader.rows["baseline_metrics"] = []
    frames = load(reader, synthetic.STUDY)
    unscored = replace(frames, runs=frames.runs.assign(value_val=float("nan")))
    for row in search(unscored, "ew").trials:
        assert (row.state, row.value, row.curve) == ("done", None, {})


@pytest.mark.parametrize(
    ("states", "said"),
    [
        (("diverged",) * 3, "f: no trial has a value: 3 diverged."),
        (
            ("failed", "diverged", "pruned"),
            "f: no trial has a value: 1 failed, 1 diverged, 1 pruned.",
        ),
        (("diverged", "waiting"), "f: no trial has a value yet."),
        ((), "f: no trial has a value yet."),
    ],
)
def test_a_value_is_awaited_only_where_one_can_come(states: tuple[str, ...], said: str) -> None:
    assert best_sentence([_search_of(states)]) == said


@pytest.mark.parametrize(("n_seeds", "said"), [(1, "1 seed)"), (2, "2 seeds)")])
def test_the_best_trial_counts_its_seeds(n_seeds: int, said: str) -> None:
    found = _search_of(("done",), value=0.5, seeds=tuple(range(n_seeds)))
    assert said in best_sentence([found])


def _search_of(states: tuple[str, ...], **changed: Any) -> SearchTrials:
    rows = tuple(
        TrialRow(
            **{
                "number": number,
                "params": "{}",
                "state": state,
                "value": None,
                "epochs": 0,
                "curve": {},
                "seeds": (0,),
                "delta_m_test": None,
                "device_s": 0.0,
                "cost_s": 0.0,
                "started": None,
                "ended": None,
                **changed,
            }
        )
        for number, state in enumerate(states)
    )
    return SearchTrials(search="f", weighting="function", metric="m", direction="min", trials=rows)
