"""What a study is ranked by: looked up on the card, kept for good, and followed by every step."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import pytest

from storage import RunState
from storage.records import Decision
from study.errors import BadSpec
from study.planning.keys import plan_key
from study.planning.plan import Plan
from study.planning.search_plan import Search
from tests.unit.study.fake_trainer import FakeStudy, smooth
from tests.unit.study.specs import a_plan, spec_of
from tests.unit.study.world import RULES, World

RATES = {"lr": [0.001, 0.01]}
MANY = {"lr": [0.001, 0.003, 0.01, 0.03]}
EW = {"weighting": "ew", "stages": [RATES]}
LEFT = "left.error_rate"
HALVING = {"rule": "halving", "rungs": [1]}
STRATEGIES: dict[str, list[dict[str, Any]]] = {
    "grid": [MANY],
    "line": [RATES, {"temperature": {"line": [1, 9], "refine": 2}}],
    "tpe": [
        {"lr": {"log_range": [0.001, 0.1]}, "strategy": "tpe", "trials": 8, "round_size": 2},
    ],
    "halving": [MANY | {"stop": HALVING}],
}


def planned(objective: str | None = LEFT, *searches: dict[str, Any], **keys: Any) -> Plan:
    training = {"epochs": 2, "batch_size": 8, "lr": 0.01}
    given = {"training": training, **keys}
    if objective is not None:
        given["objective"] = objective
    return a_plan(*(searches or (EW,)), **given)


class TestOnTheCard:
    def test_delta_m_is_the_default(self) -> None:
        objective = planned(None).searches[-1].objective
        assert (objective.name, objective.needs_baseline) == ("delta_m", True)
        assert planned("delta_m").searches[-1].objective == objective

    def test_a_metric_is_one_of_a_task(self) -> None:
        objective = planned("sum.mae").searches[-1].objective
        assert (objective.direction, objective.needs_baseline) == ("min", False)
        assert objective.metrics == (("sum", "mae", "min"),)

    @pytest.mark.parametrize(
        ("objective", "said"),
        [
            ("left.eror_rate", "Got 'left.eror_rate'. Did you mean `left.error_rate`?"),
            ("middle.mae", "must be one of the problem's: delta_m, "),
            ("middle.mae", "left.error_rate, right.error_rate, sum.mae. Got 'middle.mae'."),
            ("error_rate", "Did you mean `"),
            ("Delta_M", "Did you mean `delta_m`?"),
            ("quality", "Got 'quality'. A metric is written as task.metric."),
            ("", "Got ''. A metric is written as task.metric."),
            ("x" * 500, "xxx..."),
            ("test.left.error_rate", "has no honest test value. It is taken on validation, and"),
            ("left.error_rate.test", "must not look at test data"),
            ("delta_m_test", "Got 'delta_m_test'. Write 'delta_m'."),
            ("train.sum.mae", "must not look at training data"),
            ("val.sum.mae", "is taken on validation anyway. Got 'val.sum.mae'. Write 'sum.mae'."),
        ],
    )
    def test_others_are_refused_with_the_way_out(self, objective: str, said: str) -> None:
        with pytest.raises(BadSpec) as caught:
            planned(objective, baseline={})
        assert said in str(caught.value)

    def test_it_is_text(self) -> None:
        with pytest.raises(BadSpec, match="`objective` must be text in quotes"):
            spec_of(objective=3)


class TestBaseline:
    """Single-task networks are trained where trials are ranked by them, or where the spec says."""

    def test_a_metric_needs_none(self) -> None:
        assert [search.name for search in planned().searches] == ["ew"]

    def test_it_is_trained_where_the_spec_asks_for_it(self) -> None:
        names = [search.name for search in planned(baseline={}).searches]
        assert names == ["stl/left", "stl/right", "stl/sum", "ew"]

    def test_a_stored_spec_says_the_same(self) -> None:
        for plan in (planned(), planned(baseline={}), planned(None)):
            again = spec_of(**plan.spec.to_plain())
            assert again == plan.spec

    def test_one_that_no_decision_waits_for_is_said(self) -> None:
        (notice,) = planned(baseline={}).notices
        assert "left.error_rate, which needs no baseline: the 12 single-task runs" in notice
        assert planned().notices == planned(None).notices == []


class TestKeys:
    def test_runs_of_all_objectives_are_the_same_runs(self) -> None:
        assert planned().frozen == planned(None).frozen == planned("sum.mae").frozen

    def test_drivers_of_two_objectives_do_not_decide_together(self) -> None:
        keys = {plan_key(of.spec, of.frozen) for of in (planned(), planned("sum.mae"))}
        assert len(keys) == 2

    def test_the_default_is_no_other_plan_than_before(self) -> None:
        specs = [planned(None).spec, planned("delta_m").spec]
        assert len({plan_key(spec, "f") for spec in specs}) == 1


class TestDeciding:
    def test_it_never_waits_for_the_baseline(self) -> None:
        study = FakeStudy(planned(baseline={}))
        study.conductor.move()
        for claim in study.claim():
            if claim.search == "ew":
                study.end(claim)
        study.conductor.move()
        (decision,) = decisions(study)
        assert (decision.objective, decision.baseline_hash) == (LEFT, "")
        assert study.conductor.baseline is None

    def test_its_runs_come_before_those_of_a_baseline_that_nobody_waits_for(self) -> None:
        study = FakeStudy(planned(baseline={}))
        study.conductor.move()
        roles = [claim.role for claim in study.claim()]
        assert roles == sorted(roles, reverse=True), "search before baseline"

    def test_delta_m_is_shown_beside_once_there_is_a_baseline(self) -> None:
        study = FakeStudy(planned(baseline={})).run()
        by_delta_m = FakeStudy(planned(None)).run()
        assert scores(study, "delta_m_val", "delta_m_test", "epoch_selected") == scores(
            by_delta_m, "delta_m_val", "delta_m_test", "epoch_selected"
        )
        assert {row[0] for row in scores(study, "objective")} == {LEFT}

    def test_without_one_there_is_none(self) -> None:
        study = FakeStudy(planned()).run()
        assert study.conductor.finished
        assert {row[1:] for row in scores(study, "objective", "delta_m_val")} == {(None,)}
        assert None not in {row[0] for row in scores(study, "value_val")}

    def test_a_baseline_that_fails_ends_nothing(self) -> None:
        study = FakeStudy(
            planned(baseline={}),
            level=lambda claim, point: (
                RunState.FAILED if claim.search == "stl/sum" else smooth(claim, point)
            ),
        ).run()
        assert decisions(study)
        assert study.conductor.finished
        assert {row[0] for row in scores(study, "delta_m_val")} == {None}

    @pytest.mark.parametrize("strategy", STRATEGIES)
    @pytest.mark.parametrize("direction", ["min", "max"])
    def test_the_order_in_which_runs_end_changes_nothing(
        self, strategy: str, direction: str
    ) -> None:
        weighting = "uw-so" if strategy == "line" else "ew"
        plan = planned(LEFT, {"weighting": weighting, "stages": STRATEGIES[strategy]}, seeds=[0])
        plan = turned(plan, direction)
        straight, shuffled = FakeStudy(plan).run(), FakeStudy(plan).run(random.Random(1))
        assert straight.conductor.finished
        assert straight.history(weighting) == shuffled.history(weighting)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_the_highest_wins_where_higher_is_better_as_the_lowest_of_its_negative(
    strategy: str,
) -> None:
    """Stages, rungs, lines and TPE take the same way for a metric and for its mirror image."""
    weighting = "uw-so" if strategy == "line" else "ew"
    plan = planned(LEFT, {"weighting": weighting, "stages": STRATEGIES[strategy]})
    lowest, highest = plan.searches[-1], turned(plan, "max").searches[-1]
    ways = [
        _way(lowest, lambda point, _: _value(point)),
        _way(highest, lambda point, _: -_value(point)),
    ]
    assert ways[0].entries == ways[1].entries
    assert [d.params for d in ways[0].decisions] == [d.params for d in ways[1].decisions]
    assert [d.value for d in ways[0].decisions] == [-d.value for d in ways[1].decisions]
    assert [o.state for o in ways[0].outcomes] == [o.state for o in ways[1].outcomes]


def _value(point: Any) -> float:
    return float(point["lr"]) + 0.1 * abs(float(point.get("temperature", 2.0)) - 2.0)


def _way(search: Search, train: Any) -> World:
    world = World(search, train=train, rules=replace(RULES, baseline_hash=None))
    world.run()
    return world


def turned(plan: Plan, direction: Any) -> Plan:
    """The same plan, with searches for which this direction is the better one."""
    searches = [
        replace(search, objective=replace(search.objective, direction=direction))
        for search in plan.searches
    ]
    return replace(plan, searches=searches)


def decisions(study: FakeStudy) -> list[Decision]:
    (record,) = (r for r in study.storage.searches(study.record.id) if r.name == "ew")
    return list(study.storage.history(record.id).decisions)


def scores(study: FakeStudy, *columns: str) -> set[tuple[Any, ...]]:
    """What the view says of the runs of searches, in any order."""
    with study.storage._database.read() as connection:
        rows = connection.exec_driver_sql(
            f"SELECT {', '.join(columns)} FROM run_results WHERE role = 'search'"
        )
        return {tuple(row) for row in rows}
