"""A stage, weighting or problem that makes no sense is refused, with the way out."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import EntryPoint
from typing import Any

import pytest

from study.errors import BadSpec
from tests.unit.study.specs import a_plan, a_search
from trainers.optimizers import _registry, optimizer

RATES = {"lr": [0.001, 0.01]}
RANGE = {"lr": {"log_range": [0.001, 1]}}
LINE = {"temperature": {"line": [1, 4], "refine": 1}}


def refusal(weighting: str, *stages: dict[str, Any], **keys: Any) -> str:
    with pytest.raises(BadSpec) as caught:
        a_search(weighting, *stages, **keys)
    return str(caught.value)


def refusal_of(**keys: Any) -> str:
    with pytest.raises(BadSpec) as caught:
        a_plan(**keys)
    return str(caught.value)


def test_a_task_with_fewer_labels_is_one_of_the_problem() -> None:
    said = refusal_of(train_fraction={"lefd": 0.1})
    assert "`train_fraction` must name tasks of the problem: left, right, sum. Got `lefd`." in said
    assert "Did you mean `left`?" in said
    assert "Got `mid`" in refusal_of(train_fraction={"mid": 1.0})


def test_an_epoch_has_a_batch() -> None:
    said = refusal_of(training={"epochs": 1, "batch_size": 10**6, "drop_last": True})
    assert "`drop_last` leaves whole batches only. Got" in said
    assert "`batch_size = 1,000,000`: none. Lower `batch_size`." in said


STAGES = [
    ("ew", [{}], "value 1, must tune something. Got {}. Write a parameter"),
    ("ew", [{"at": {"lr": 1}}], "value 1, must tune something."),
    ("ew", [{"lr": []}], "Parameter `lr`: The list of values is empty."),
    ("ew", [{"lr": [0]}], "Parameter `lr`: Value 1 must be above 0. Got 0.0."),
    ("ew", [{"lr": [1, 1]}], "Parameter `lr`: Values must differ. Got 1.0 twice."),
    ("ew", [{"lr": 0.1}], "Parameter `lr`: An axis is a list or a table. Got 0.1."),
    ("ew", [{"lr": "neighbours"}], "Got it as the first stage. Put `{ lr = [1e-3, 1e-2] }`"),
    ("ew", [RATES, {"lr": "neighbours", "trials": 3}], '`lr = "neighbours"` is a stage by itself'),
    ("ew", [RATES | {"lrr": [1]}], "stage 1: unknown key `lrr`. Did you mean `lr`? Allowed: lr,"),
    ("ew", [RATES, {"task_weights": [[1]]}], "stage 2: unknown key `task_weights`. Allowed: lr,"),
    ("ew", [RATES | {"strategy": "rnd"}], "`strategy` must be one of grid, random, quasi-random,"),
    (
        "ew",
        [RATES | {"trials": 3}],
        "random, quasi-random, tpe or a sampler of Optuna. Got it with grid. Drop it,",
    ),
    ("ew", [RATES | {"strategy": "grid", "trials": 3}], "`trials` goes with the strategy random,"),
    ("ew", [RANGE], "Parameter `lr`: The range from 0.001 to 1.0 is continuous"),
    (
        "ew",
        [RANGE | {"strategy": "random"}],
        "`trials` is missing. Add it: how many points are tried.",
    ),
    (
        "ew",
        [RANGE | {"strategy": "tpe", "trials": 0}],
        "`trials` must be above 0. Got 0.",
    ),
    (
        "ew",
        [RATES | {"round_size": 3}],
        "`round_size` goes with the strategy tpe or a sampler of Optuna. Got it with",
    ),
    (
        "ew",
        [RANGE | {"strategy": "tpe", "trials": 3, "round_size": 1.5}],
        "`round_size` must be a whole number. Got 1.5.",
    ),
    (
        "ew",
        [{"lr": [1, 2], "weight_decay": {"line": [0, 1], "refine": 1}}],
        "`refine` goes with a line of one parameter. Got it in a stage of lr, weight_decay with",
    ),
    (
        "scalarization",
        [RATES, {"task_weights": {"simplex_step": 0.25, "refine": 1}}],
        "`refine` goes with a line of one parameter.",
    ),
    (
        "scalarization",
        [RATES, {"task_weights": {"line": [[0.5, 0.25, 0.25]], "refine": 1}}],
        "A value of the line must be a number.",
    ),
    ("uw", [RATES, {"s0": {"line": [-1, 1], "refine": 1}}], "needs values of 0 or above."),
    (
        "uw-so",
        [RATES, LINE | {"strategy": "random", "trials": 3}],
        "of temperature with the strategy random. Drop it, or write",
    ),
    (
        "uw-so",
        [RATES, {"temperature": {"line": [1, 4], "refine": 0}}],
        "`stages`, value 2, `temperature.refine` must be above 0. Got 0.",
    ),
    ("uw-so", [RATES, {"temperature": [0, 1]}], "Parameter `temperature`: Value 1 must be above 0"),
    ("uw-so", [RATES, {"temperature": [-1]}], "Parameter `temperature`: Value 1 must be above 0."),
    ("uw-so", [RATES, {"temperature": [1], "at": 3}], "`at` must be a table. Got 3."),
    (
        "uw-so",
        [RATES, {"temperature": [1], "at": {"temprature": 3}}],
        "stage 2, `at`: unknown key `temprature`. Did you mean `temperature`?",
    ),
    ("uw-so", [RATES, {"temperature": [1], "at": {"lr": -1}}], "Parameter `lr`: Value 1 must be"),
    ("uw-so", [RATES, RATES | {"at": {"lr": 1}}], "`at` fixes what the stage does not tune."),
    (
        "scalarization",
        [RATES, {"task_weights": [[0.5, 0.5, 0.1]]}],
        "Row 1 must sum to 1. Got [0.5, 0.5, 0.1], which sums to 1.1. Divide",
    ),
    (
        "scalarization",
        [RATES, {"task_weights": [[0.5, 0.5]]}],
        "Row 1 must have one weight for each of the 3 tasks. Got 2",
    ),
    (
        "scalarization",
        [RATES, {"task_weights": {"simplex_step": 0.3}}],
        "The step must divide 1 exactly",
    ),
    (
        "scalarization",
        [RATES, {"task_weights": {"simplex_step": 0.0005}}],
        "make 1,997,001 points, more than 100,000. Use { dirichlet = 50 }",
    ),
    ("uw-o", [RATES, {"normalise": [0.5]}], "`normalise` must be one of 0, 1. Got 0.5."),
    ("uw", [RATES, {"s0": ["a"]}], "`s0` must be a finite number. Got 'a'."),
]


@pytest.mark.parametrize(("weighting", "stages", "said"), STAGES)
def test_a_stage_that_cannot_be_tried_is_refused(
    weighting: str, stages: list[dict[str, Any]], said: str
) -> None:
    message = refusal(weighting, *stages)
    assert f"[[search]] {weighting}" in message or "[[search]] 1, `stages`, value" in message
    assert said in message


STOPS = [
    ("median", "`stop` must be a table. Got 'median'. Change it: rule that prunes"),
    (
        {"rungs": [1]},
        "`stop.rule` must be one of median, halving, worse-than-cohort, patience, pbt, or a",
    ),
    ({"rule": "asha", "rungs": [1]}, "MedianPruner\". Got 'asha'. Change it: which"),
    ({"rule": "median"}, "`stop.rungs` is missing. Add it: epochs after which"),
    ({"rule": "median", "rungs": []}, "`stop.rungs` must not be empty. Got []."),
    ({"rule": "median", "rungs": 1}, "`stop.rungs` must be a list. Got 1."),
    ({"rule": "median", "rungs": [0, 1]}, "`stop.rungs`, value 1, must be above 0. Got 0."),
    ({"rule": "median", "rungs": [1.5]}, "value 1, must be a whole number. Got 1.5."),
    ({"rule": "median", "rungs": [2, 1]}, "`stop.rungs` must rise. Got [2, 1]. Sort them, each"),
    ({"rule": "median", "rungs": [1, 1]}, "`stop.rungs` must rise. Got [1, 1]."),
    ({"rule": "median", "rungs": [1, 3]}, "below the 3 `epochs` of [training]. Got 3. Drop it:"),
    (
        {"rule": "median", "rungs": [1], "keep": 0.5},
        "`stop.keep` does not go with median. Drop it: share",
    ),
    ({"rule": "halving", "rungs": [1], "keep": 1}, "`stop.keep` must be below 1.0. Got 1."),
    ({"rule": "halving", "rungs": [1], "keep": 0}, "`stop.keep` must be above 0. Got 0."),
    ({"rule": "halving", "rungs": [1], "keep": "0.5"}, "`stop.keep` must be a number. Got '0.5'."),
    (
        {"rule": "halving", "rungs": [1], "asynchronous": 1},
        "`stop.asynchronous` must be true or false. Got 1. Change it: with `median` and `halving`",
    ),
    (
        {"rule": "worse-than-cohort", "rungs": [1], "asynchronous": True},
        "`stop.asynchronous` must be false. Got true. Change it: with `median` and `halving`",
    ),
    ({"rule": "halving", "rungs": [1], "asynchron": True}, "Did you mean `asynchronous`?"),
    (
        {"rule": "halving", "rung": [1]},
        "Unknown key `rung` in [[search]] 1, `stages`, value 1, `stop`. Did you mean `rungs`?",
    ),
]


@pytest.mark.parametrize(("stop", "said"), STOPS)
def test_a_stopping_rule_that_makes_no_sense_is_refused(stop: Any, said: str) -> None:
    message = refusal("ew", RATES | {"stop": stop})
    assert said in message


def test_neighbours_are_not_stopped() -> None:
    stop = {"rule": "median", "rungs": [1]}
    said = refusal("ew", RATES, {"lr": "neighbours", "stop": stop})
    assert '`lr = "neighbours"` is a stage by itself. Got it beside stop.' in said


def test_a_joint_stage_has_no_stopping_rule_of_one_of_its_parts() -> None:
    stop = {"rule": "median", "rungs": [1]}
    said = refusal("uw-so", RATES, {"temperature": [1, 2], "stop": stop}, joint=True)
    assert "`stop` belongs to one of them. Got it in the stage of temperature." in said


def test_single_tasks_have_no_cohort_of_tasks() -> None:
    stop = {"rule": "worse-than-cohort", "rungs": [1]}
    said = refusal("ew", RATES, baseline={"stop": stop})
    assert "[baseline] `stop.rule` must be one of median, halving, patience. Got 'worse" in said


def test_an_imported_baseline_cannot_be_stopped() -> None:
    stop = {"rule": "median", "rungs": [1]}
    said = refusal("ew", RATES, baseline={"metrics": {}, "stop": stop})
    assert "`stop` is for training the baseline, `metrics` for importing it. Got both." in said


def test_a_grid_that_nobody_could_train_is_refused_with_its_count() -> None:
    wide = {"log_range": [1e-6, 1], "points": 500}
    said = refusal("ew", {"lr": wide, "weight_decay": wide})
    assert "Got 500 lr x 500 weight_decay = 250,000. Take fewer values, or `strategy" in said


@pytest.mark.parametrize(
    ("weighting", "hyper", "said"),
    [
        ("uwso", {}, "There is no weighting `uwso`. Did you mean `uw-so`? Known: aligned-mtl,"),
        ("uw-so", {}, "UW-SO needs a value for `temperature`, which has no default."),
        ("uw-so", {}, "a stage, such as `{ temperature = { line = [1, 2, 5, 10] } }`, or fix it"),
        ("scalarization", {}, "Scalarization needs a value for `task_weights`"),
        ("scalarization", {}, "such as `{ task_weights = { simplex_step = 0.1 } }`, or fix it"),
        ("uw-so", {"temprature": 3}, "no hyperparameter `temprature`. Did you mean `temperature`?"),
        ("uw-so", {"temperature": 0}, "`temperature` must be a finite number above 0. Got 0."),
        ("uw-so", {"temperature": -1}, "`temperature` must be a finite number above 0. Got -1."),
        ("scalarization", {"task_weights": [0.5, 0.5, 0.5]}, "must sum to 1. Got a sum of 1.5."),
    ],
)
def test_a_weighting_that_cannot_be_used_is_refused(
    weighting: str, hyper: dict[str, Any], said: str
) -> None:
    assert said in refusal(weighting, RATES, hyper=hyper)


@pytest.mark.parametrize(
    ("stages", "said"),
    [
        ([RATES, LINE], "Got a stage of kind line over temperature."),
        ([RATES, {"temperature": [1]}, RATES], "Got a stage of kind grid over lr."),
        (
            [RATES, {"temperature": {"log_range": [1, 2]}, "strategy": "tpe", "trials": 3}],
            "Got a stage of kind tpe over temperature.",
        ),
    ],
)
def test_joint_takes_grids_of_different_parameters_only(
    stages: list[dict[str, Any]], said: str
) -> None:
    message = refusal("uw-so", *stages, joint=True)
    assert "`joint = true` needs grids of different parameters, without `refine`." in message
    assert said in message


def test_a_rate_that_is_neither_tuned_nor_given_is_refused() -> None:
    said = refusal("uw-so", {"temperature": [1, 4]})
    assert "the learning rate is neither tuned nor given. Add a stage `{ lr = [1e-3" in said


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        (
            {"problem": "digts"},
            "Unknown problem `digts`. Did you mean `digits`? Known: celeba, cifar-10, ",
        ),
        ({"problem": "no_such:Problem"}, "Module `no_such` was not found."),
        ({"problem_options": {"widht": 3}}, "Unknown key `widht` in [problem_options]"),
        ({"problem_options": {"width": -3}}, "`width` must be a whole number of at least 1."),
        ({"seeds": [10**9], "confirm": {}}, "Seeds from 1000000000 on are kept for [confirm]."),
    ],
)
def test_a_study_that_cannot_be_planned_is_refused(keys: dict[str, Any], said: str) -> None:
    with pytest.raises(BadSpec) as caught:
        a_plan(**keys)
    assert said in str(caught.value)


def test_two_searches_of_one_name_are_refused() -> None:
    search = {"weighting": "ew", "stages": [RATES]}
    with pytest.raises(BadSpec, match=r"different names\. Got ew more than once\. Give each"):
        a_plan(search, search)


def test_two_searches_of_one_weighting_go_by_their_names() -> None:
    search = {"weighting": "ew", "stages": [RATES]}
    plan = a_plan(search, search | {"name": "other"})
    assert [s.name for s in plan.searches if s.role == "search"] == ["ew", "other"]


@pytest.mark.parametrize("weighting", ["pcgrad", "famo"])
@pytest.mark.parametrize(("key", "value"), [("compile", True), ("data_parallel", 2)])
def test_what_needs_more_than_losses_refuses_what_it_cannot_be_trained_with(
    weighting: str, key: str, value: object
) -> None:
    training = {"epochs": 3, "batch_size": 8, key: value}
    said = refusal(weighting, RATES, training=training)
    assert said.startswith(f"[[search]] {weighting}: ")
    assert (
        f"and is not trained with `{key} = {str(value).lower()}`. Drop that, or the searches"
        in said
    )
    assert a_search("uw", RATES, training=training).weighting == "uw"


def test_a_weighting_whose_package_is_missing_is_refused_with_the_extra() -> None:
    said = refusal("tests.methods:Wanting", RATES)
    assert "needs torchjd and no_such_package. Not installed here: no_such_package." in said
    assert "pip install 'weighbridge[gradients]'" in said


@pytest.fixture
def task_adam(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """An optimiser of a plugin, which keeps something per task."""
    entry = EntryPoint("task-adam", "tests.optimizers:TaskAdam", _registry.GROUP)
    monkeypatch.setattr(_registry, "offered_by_name", lambda _: {entry.name: entry})
    yield "task-adam"
    optimizer.cache_clear()


@pytest.mark.parametrize(
    ("weighting", "key", "found"),
    [
        ("pcgrad", "threads", "a gradient-level weighting"),
        ("ew", "data_parallel", "`data_parallel"),
    ],
)
def test_an_optimiser_that_splits_tasks_refuses_what_gives_it_no_gradients(
    task_adam: str, weighting: str, key: str, found: str
) -> None:
    training = {"epochs": 3, "batch_size": 8, "optimizer": task_adam}
    said = refusal(weighting, RATES, training=training | {key: 2})
    assert f"`{task_adam}` keeps something of each task's own gradient" in said
    assert f"and does not train with {found}" in said
    assert a_search("uw", RATES, training=training).weighting == "uw"
