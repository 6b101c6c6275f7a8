"""Pruners of Optuna at rungs: what Optuna itself says where one worker trains trial after trial."""

from __future__ import annotations

import random
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import optuna
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storage import RunState
from storage.records import Claim
from study.deciding.rungs import due
from study.errors import BadSpec
from study.searches.optuna_pruners import Climb, pruned_by
from study.searches.samplers import refuse_unmade
from study.spec.stopping import OptunaPruner, OptunaRule
from tests.unit.study.fake_trainer import FakeStudy
from tests.unit.study.specs import a_plan
from tests.unit.study.test_conductor_rungs import METRICS, by_rate, ends
from tests.unit.study.test_rungs import a_run

EPOCHS = 6
PRUNERS: list[dict[str, Any]] = [
    {"optuna": "MedianPruner", "n_startup_trials": 2},
    {"optuna": "PercentilePruner", "percentile": 25.0, "n_startup_trials": 1},
    {"optuna": "SuccessiveHalvingPruner", "min_resource": 1, "reduction_factor": 2},
    {"optuna": "HyperbandPruner", "min_resource": 1, "max_resource": 4, "reduction_factor": 2},
    {"optuna": "ThresholdPruner", "upper": 0.9},
    {"optuna": "PatientPruner", "patience": 1},
    {
        "optuna": "PatientPruner",
        "patience": 1,
        "wrapped_pruner": {"optuna": "SuccessiveHalvingPruner", "reduction_factor": 2},
    },
]
pruners = pytest.mark.parametrize("pruner", PRUNERS, ids=lambda table: table["optuna"])
CURVES = st.lists(
    st.lists(st.sampled_from([0.1, 0.4, 0.5, 1.0]), min_size=EPOCHS, max_size=EPOCHS),
    min_size=1,
    max_size=8,
)


def by_optuna(pruner: dict[str, Any], curves: Sequence[Sequence[float]], rung: int) -> set[int]:
    """What a study of Optuna's ends whose objective asks at one epoch."""
    options = {key: value for key, value in pruner.items() if key != "optuna"}
    if "optuna" in pruner.get("wrapped_pruner", {}):
        wrapped = dict(options["wrapped_pruner"])
        options["wrapped_pruner"] = getattr(optuna.pruners, wrapped.pop("optuna"))(**wrapped)
    elif pruner["optuna"] == "PatientPruner":
        options["wrapped_pruner"] = None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made = getattr(optuna.pruners, pruner["optuna"])(**options)
    study = optuna.create_study(study_name="trials", pruner=made)

    def objective(trial: optuna.Trial) -> float:
        for epoch, value in enumerate(curves[trial.number][:rung], start=1):
            trial.report(value, epoch)
        if trial.should_prune():
            raise optuna.TrialPruned
        return curves[trial.number][rung - 1]

    study.optimize(objective, n_trials=len(curves))
    return {t.number for t in study.trials if t.state is optuna.trial.TrialState.PRUNED}


def asked(curves: Sequence[Sequence[float]], rung: int) -> list[Climb]:
    return [Climb(trial=n, values=c[:rung], fate=None) for n, c in enumerate(curves)]


def said(pruner: Mapping[str, Any], climbs: Sequence[Climb], rung: int) -> frozenset[int]:
    rule = OptunaPruner.model_validate(pruner)
    return pruned_by(rule, climbs, rungs=[rung], lower=True)


@pruners
@settings(max_examples=8)
@given(curves=CURVES, rung=st.integers(1, EPOCHS))
def test_it_says_what_optuna_says(
    pruner: dict[str, Any], curves: list[list[float]], rung: int
) -> None:
    assert said(pruner, asked(curves, rung), rung) == by_optuna(pruner, curves, rung)


@pruners
@settings(max_examples=8)
@given(curves=CURVES, order=st.randoms(use_true_random=False), n_known=st.integers(0, 8))
def test_neither_order_nor_a_kill_between_verdicts_changes_any(
    pruner: dict[str, Any], curves: list[list[float]], order: random.Random, n_known: int
) -> None:
    climbs = asked(curves, 2)
    gone = said(pruner, climbs, 2)
    written = [
        climb
        if n >= n_known
        else Climb(trial=n, values=climb.values, fate="prune" if n in gone else "keep")
        for n, climb in enumerate(climbs)
    ]
    order.shuffle(written)
    assert said(pruner, written, 2) == {n for n in gone if n >= n_known}


def test_higher_may_be_better() -> None:
    climbs = [Climb(trial=n, values=[v], fate=None) for n, v in enumerate([0.5, 0.4, 0.6])]
    rule = OptunaPruner.model_validate({"optuna": "MedianPruner", "n_startup_trials": 0})
    assert pruned_by(rule, climbs, rungs=[1], lower=False) == {1}
    assert pruned_by(rule, climbs, rungs=[1], lower=True) == {2}


def test_a_lost_trial_is_nothing_to_compare_with() -> None:
    rule = {"optuna": "MedianPruner", "n_startup_trials": 1}
    last = Climb(trial=1, values=[2.0], fate=None)
    assert said(rule, [Climb(trial=0, values=[1.0], fate="keep"), last], 1) == {1}
    assert said(rule, [Climb(trial=0, values=[1.0], fate="lost"), last], 1) == frozenset()


RULE = OptunaRule(rule=OptunaPruner(optuna="MedianPruner"), rungs=[2])
S = RunState


@pytest.mark.parametrize("first", [S.WAITING, S.LEASED, S.PAUSED])
def test_a_round_is_judged_once_those_before_have_ended(first: RunState) -> None:
    second = {1: {1: [a_run(S.PAUSED, 2)]}}
    assert due(0, RULE, {0: {0: [a_run(first, 9)]}, **second}) is None or first is S.PAUSED
    found = due(0, RULE, {0: {0: [a_run(S.DONE, 9)]}, **second})
    assert found is not None
    assert list(found.earlier) == [0]


FIVE = [0.001, 0.002, 0.003, 0.004, 0.005]


def spec(rule: object, *, rungs: Sequence[int] = (1, 2), **keys: Any) -> dict[str, Any]:
    stop = {"rule": rule, "rungs": [*rungs]}
    return {"weighting": "ew", "stages": [{"lr": [0.001, 0.002, 0.003], "stop": stop, **keys}]}


def planned(pruner: dict[str, Any], **keys: Any) -> Any:
    of_study = {"baseline": {"metrics": METRICS}, "seeds": [0, 1]}
    of_study |= {key: keys.pop(key) for key in ("baseline", "objective", "seeds") if key in keys}
    return a_plan(spec(pruner, **keys), training={"epochs": 4, "batch_size": 8}, **of_study)


MEDIAN = {"optuna": "MedianPruner", "n_startup_trials": 1}


def test_a_study_is_pruned_by_it_and_says_why() -> None:
    study = FakeStudy(planned(MEDIAN), level=by_rate).run()
    assert study.conductor.finished
    assert ends(study) == [(S.DONE, 4), (S.PRUNED, 1), (S.PRUNED, 1)]
    with study.storage._database.read() as connection:
        reasons = connection.exec_driver_sql("SELECT reason FROM runs WHERE state = 'pruned'")
        assert "by Optuna's MedianPruner" in reasons.scalars().first()


@pytest.mark.parametrize("shuffle", range(2))
def test_rounds_of_a_sampler_end_the_same_in_any_order(shuffle: int) -> None:
    keys = {"strategy": "tpe", "trials": 9, "round_size": 3, "lr": {"log_range": [1e-3, 1e-1]}}
    plan = planned({**MEDIAN, "n_startup_trials": 2}, **keys)
    straight = FakeStudy(plan).run()
    shuffled = FakeStudy(plan).run(random.Random(shuffle))
    assert straight.history("ew") == shuffled.history("ew")


@pytest.mark.parametrize("state", [S.FAILED, S.DIVERGED])
def test_a_run_that_was_lost_before_its_first_epoch_tells_later_rounds_nothing(
    state: RunState,
) -> None:
    lost: list[str] = []

    def level(claim: Claim, point: Mapping[str, Any]) -> float | RunState:
        lost[:] = lost or [claim.params]
        return state if claim.params in lost else by_rate(claim, point)

    keys = {"strategy": "tpe", "trials": 4, "round_size": 2, "lr": {"log_range": [1e-3, 1e-1]}}
    plan = planned(MEDIAN, **keys, baseline=None, objective="left.error_rate", seeds=[0])
    study = FakeStudy(plan, level=level).run()
    found = ends(study)
    assert study.conductor.finished
    assert (found[0], len(found)) == ((state, 0), 4)


def test_at_the_second_rung_one_that_was_pruned_at_the_first_is_told_as_pruned() -> None:
    levels = dict(zip(FIVE, [5.0, 1.0, 6.0, 5.0, 4.0], strict=True))
    halving = {"optuna": "SuccessiveHalvingPruner", "min_resource": 1, "reduction_factor": 2}
    plan = planned(halving, lr=FIVE, rungs=[2, 3])
    study = FakeStudy(plan, level=lambda _, point: levels[point["lr"]]).run()
    kept, gone = (S.DONE, 4), (S.PRUNED, 2)
    assert ends(study) == [kept, kept, gone, gone, kept]  # without the two, the last would end at 3


def test_it_stands_in_plans_and_in_the_database_by_its_name() -> None:
    (stage, *_) = next(s for s in planned(MEDIAN).searches if s.name == "ew").stages
    assert (stage.label, str(stage.stop)) == ("grid+Median", "MedianPruner at 1, 2")
    assert stage.to_plain()["stop"] == {"rule": MEDIAN, "rungs": [1, 2]}


@pytest.mark.parametrize(
    ("rule", "found"),
    [
        ({"optuna": "MedianPrune"}, "has no pruner MedianPrune. Did you mean `MedianPruner`?"),
        ({"optuna": "NopPruner"}, "it ends no trial. Leave `stop` out"),
        ({"optuna": "WilcoxonPruner"}, "epochs of one training are not independent"),
        ({"optuna": "MedianPruner", "n_startup": 3}, "Did you mean `n_startup_trials`?"),
        ({"optuna": "PercentilePruner"}, "does not take these options"),
        ({"optuna": "PercentilePruner", "percentile": 101.0}, "does not take these options"),
        ({"optuna": "MedianPruner", "n_startup_trials": "few"}, "must be a whole number. Got"),
        ({"optuna": "ThresholdPruner", "upper": "high"}, "must be a number. Got 'high'."),
        ({"optuna": "HyperbandPruner", "max_resource": -1}, "fails with these options"),
        ({"optuna": "MedianPruner", "wrapped_pruner": {}}, "has no option `wrapped_pruner`"),
        ({"optuna": "PatientPruner", "patience": 1, "wrapped_pruner": "x"}, "names a pruner of"),
        (
            {"optuna": "PatientPruner", "patience": 1, "wrapped_pruner": {"optuna": "Median"}},
            "has no pruner Median.",
        ),
    ],
)
def test_what_optuna_cannot_make_is_refused_when_it_is_planned(
    rule: dict[str, Any], found: str
) -> None:
    with pytest.raises(BadSpec, match=r"\[\[search\]\] ew, stage 1, `stop.rule`: ") as caught:
        refuse_unmade(planned(rule).searches)
    assert found in str(caught.value)


@pytest.mark.parametrize(
    ("rule", "found"),
    [
        ("best", "worse-than-cohort, patience, pbt, or a table that names a pruner"),
        (3, "must be one of median"),
        ({}, "`stop.rule.optuna` is missing"),
        ({"optuna": 3}, "`stop.rule.optuna` must be text in quotes"),
    ],
)
def test_other_rules_are_refused_with_what_there_is(rule: object, found: str) -> None:
    with pytest.raises(BadSpec) as caught:
        planned(rule)  # type: ignore[arg-type]
    assert found in str(caught.value)
