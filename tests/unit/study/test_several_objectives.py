"""Several objectives: what may be said of them, and the front that a search looks for."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from storage import RunState
from storage.objectives import on_front
from storage.records import Claim, Decision
from study.deciding.trials import contest, trials_of
from study.errors import BadSpec
from study.planning.keys import plan_key
from study.planning.plan import Plan
from study.searches.samplers import refuse_unmade
from tests.unit.study.fake_trainer import FakeStudy
from tests.unit.study.specs import a_plan, spec_of
from tests.unit.study.test_function_plan import spec as function_spec

BOTH = ["left.error_rate", "right.error_rate"]
RATES = {"lr": [0.001, 0.003, 0.01, 0.03]}
LOG = {"lr": {"log_range": [0.001, 0.1]}}
NSGA = {"optuna": "NSGAIISampler", "population_size": 4}
STRATEGIES: dict[str, dict[str, Any]] = {
    "grid": RATES,
    "random": LOG | {"strategy": "random", "trials": 8},
    "tpe": LOG | {"strategy": "tpe", "trials": 12, "round_size": 4},
    "NSGA-II": LOG | {"strategy": NSGA, "trials": 12, "round_size": 4},
}


def planned(*stages: dict[str, Any], objective: Any = BOTH, **keys: Any) -> Plan:
    search = {"weighting": "ew", "stages": list(stages or [RATES]), **keys.pop("part", {})}
    training = {"epochs": 2, "batch_size": 8, "lr": 0.01}
    return a_plan(search, objective=objective, training=training, seeds=[0], **keys)


def torn(_claim: Claim, point: Mapping[str, Any]) -> dict[str, float]:
    """A low rate is good for the left task, a high one for the right; 0.03 is no good for both."""
    lr = point["lr"] if point["lr"] < 0.03 else 0.2
    return {"left": 1.0 + lr, "right": 2.0 - lr + 5.0 * (lr == 0.2), "sum": 1.0}


class TestSpec:
    def test_a_run_counts_by_its_last_epoch(self) -> None:
        assert spec_of(objective=BOTH).compare.select_epoch == "last"
        assert spec_of().compare.select_epoch == "best"

    def test_a_mean_over_epochs_may_be_asked_for(self) -> None:
        plan = planned(compare={"select_epoch": "mean_last_2"})
        assert plan.spec.compare.select_epoch == "mean_last_2"

    def test_it_comes_back_from_its_plain_form(self) -> None:
        spec = spec_of(objective=BOTH)
        assert spec_of(**spec.to_plain()) == spec

    @pytest.mark.parametrize(
        ("objective", "said"),
        [
            ([], "must name two objectives or more as a list. Got none. Write"),
            (BOTH[:1], "Got 'left.error_rate' alone. Write `objective = 'left.error_rate'`"),
            ([*BOTH, BOTH[0]], "must not repeat an objective"),
            (["delta_m", BOTH[0]], "Got delta_m, which is the mean over all"),
            ([f"{k}.mae" for k in range(6)], "must name 5 objectives at most. Got 6"),
            ([*BOTH, 3], "text"),
            ([BOTH], "text"),
            (3, "must be text in quotes"),
        ],
    )
    def test_what_is_no_front_is_refused(self, objective: Any, said: str) -> None:
        with pytest.raises(BadSpec) as caught:
            spec_of(objective=objective)
        assert said in str(caught.value)

    def test_each_is_looked_up_on_the_card(self) -> None:
        with pytest.raises(BadSpec, match=r"Did you mean `right.error_rate`"):
            planned(objective=[BOTH[0], "right.eror_rate"])

    @pytest.mark.parametrize(
        ("stages", "keys", "said"),
        [
            ([], {"compare": {"select_epoch": "best"}}, "no epoch of a run is best by all of them"),
            ([], {"confirm": {}}, r"\[confirm\] goes with one objective"),
            ([RATES, {"weight_decay": [0.0, 0.1]}], {}, "has one stage: .* Got 2 stages"),
            ([RATES, {"lr": "neighbours"}], {}, "has one stage"),
            ([RATES | {"stop": {"rule": "median", "rungs": [1]}}], {}, "`stop` goes with one"),
            ([{"lr": {"line": [0.1, 1.0], "refine": 1}}], {}, "`refine` goes with one"),
            (
                [],
                {"baseline": {}, "followup": [{"from": "winners", "epochs": 1}]},
                r"\[\[followup\]\] goes with one objective",
            ),
            ([], {"part": {"init_from": "rlw"}}, "Begin from a single-task one, `stl/TASK`"),
        ],
    )
    def test_what_needs_a_best_trial_is_refused(
        self, stages: list[dict[str, Any]], keys: dict[str, Any], said: str
    ) -> None:
        with pytest.raises(BadSpec, match=said):
            planned(*stages, **keys)

    def test_stages_may_be_joined(self) -> None:
        plan = planned(RATES, {"weight_decay": [0.0, 0.1]}, part={"joint": True})
        assert plan.searches[-1].expected_trials == 8

    def test_a_sampler_of_one_objective_is_refused(self) -> None:
        stage = LOG | {"strategy": {"optuna": "CmaEsSampler"}, "trials": 9}
        with pytest.raises(BadSpec, match=r"takes one objective\. Got 2"):
            refuse_unmade(planned(stage).searches)

    def test_samplers_of_several_are_taken(self) -> None:
        refuse_unmade(planned(STRATEGIES["NSGA-II"]).searches)


class TestPlan:
    def test_the_first_one_leads(self) -> None:
        search = planned().searches[-1]
        assert search.objective.name == BOTH[0]
        assert [one.name for one in search.others] == BOTH[1:]
        assert search.beside == [("right", "error_rate")]

    def test_no_baseline_is_trained_unasked(self) -> None:
        assert [search.name for search in planned().searches] == ["ew"]

    def test_what_it_means_is_said(self) -> None:
        (notice,) = planned().notices
        assert "the front of left.error_rate and right.error_rate" in notice

    def test_another_order_is_another_plan_of_the_same_runs(self) -> None:
        plans = planned(), planned(objective=BOTH[::-1])
        assert len({plan.frozen for plan in plans}) == 1
        assert len({plan_key(plan.spec, plan.frozen) for plan in plans}) == 2


class TestFunctions:
    @pytest.mark.parametrize(
        ("direction", "sides"), [("max", ("max", "max")), (["min", "max"], ("min", "max"))]
    )
    def test_a_direction_goes_for_all_or_for_each(self, direction: Any, sides: Any) -> None:
        made = function_spec(
            lambda s: s["function"].update(metric=["loss", "size"], direction=direction)
        )
        assert made.function is not None
        assert made.function.directions == sides
        assert made.compare.select_epoch == "last"

    @pytest.mark.parametrize(
        ("keys", "said"),
        [
            ({"metric": ["loss"]}, 'Write `metric = "loss"`'),
            ({"metric": ["loss", "loss"]}, "must not repeat"),
            ({"metric": ["loss", ""]}, "must be a name of 1 to 100"),
            ({"metric": ["loss", "size"], "direction": ["min"]}, "Make them as many"),
            ({"direction": ["min", "max"]}, "Make them as many"),
            ({"metric": ["loss", "size"], "direction": ["min", "up"]}, "'min' or 'max'"),
        ],
    )
    def test_what_does_not_fit_is_refused(self, keys: dict[str, Any], said: str) -> None:
        with pytest.raises(BadSpec) as caught:
            function_spec(lambda s: s["function"].update(keys))
        assert said in str(caught.value)


class TestSearching:
    @pytest.mark.parametrize("strategy", STRATEGIES)
    def test_the_order_in_which_runs_end_changes_nothing(self, strategy: str) -> None:
        plan = planned(STRATEGIES[strategy])
        straight, shuffled = (
            FakeStudy(plan, level=torn).run(order) for order in (None, random.Random(1))
        )
        assert straight.conductor.finished
        assert straight.history("ew") == shuffled.history("ew")

    def test_the_second_objective_decides_what_is_tried(self) -> None:
        def alike(claim: Claim, point: Mapping[str, Any]) -> dict[str, float]:
            return torn(claim, point) | {"right": 1.0}

        stage = STRATEGIES["tpe"] | {"trials": 24}
        entries = [
            FakeStudy(planned(stage), level=of).run().history("ew")[0] for of in (torn, alike)
        ]
        assert [e.params for e in entries[0]] != [e.params for e in entries[1]]

    def test_the_decision_is_the_end_of_the_front_by_the_first(self) -> None:
        decision = _decision(FakeStudy(planned(), level=torn).run())
        assert (json.loads(decision.params)["lr"], decision.objective) == (0.001, BOTH[0])

    def test_of_equal_ones_by_the_first_the_others_decide(self) -> None:
        def level(_claim: Claim, point: Mapping[str, Any]) -> dict[str, float]:
            return {"left": 1.0, "right": -point["lr"], "sum": 1.0}

        assert json.loads(_decision(FakeStudy(planned(), level=level).run()).params)["lr"] == 0.03

    def test_a_diverged_trial_is_off_the_front(self) -> None:
        def level(claim: Claim, point: Mapping[str, Any]) -> Any:
            return RunState.DIVERGED if point["lr"] == 0.001 else torn(claim, point)

        study = FakeStudy(planned(), level=level).run()
        assert json.loads(_decision(study).params)["lr"] == 0.003

    def test_networks_are_kept_of_the_whole_front(self) -> None:
        study = FakeStudy(planned(), level=torn).run()
        (search,) = study.plan.searches
        history = study.storage.history(1, beside=search.beside)
        beaten = contest(search, history, seeds=[0]).outclassed
        rates = [json.loads(o.params)["lr"] for o in history.outcomes if o.run in beaten]
        assert rates == [0.03]

    def test_higher_is_better_where_the_card_says_so(self) -> None:
        study = FakeStudy(planned(), level=torn).run()
        (search,) = study.plan.searches
        turned = replace(search, others=(replace(search.others[0], direction="max"),))
        history = study.storage.history(1, beside=search.beside)
        trials = trials_of(turned, history, seeds=[0], comparable=True).values()
        assert all(tried.others[0] < 0 for tried in trials)
        assert sum(on_front([tried.values for tried in trials])) == 2


def _decision(study: FakeStudy) -> Decision:
    (record,) = study.storage.searches(study.record.id)
    (decision,) = study.storage.history(record.id).decisions
    return decision
