"""The conductor judges rungs by what the epochs up to there are worth."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from storage import RunState
from storage.records import Claim
from study.deciding.advance import WaitForBaseline
from study.planning.plan import Plan
from tests.unit.study.fake_trainer import FakeStudy
from tests.unit.study.specs import a_plan

METRICS = {"left": {"error_rate": 2.0}, "right": {"error_rate": 2.0}, "sum": {"mae": 2.0}}
HALVING = {"rule": "halving", "rungs": [1, 2]}
RATES = [0.001, 0.002, 0.003, 0.004]
EPOCHS = 4


def planned(
    stop: dict[str, Any] | None = HALVING, *, rates: Sequence[float] = RATES, **keys: Any
) -> Plan:
    stage: dict[str, Any] = {"lr": list(rates)} | ({} if stop is None else {"stop": stop})
    keys = {"baseline": {"metrics": METRICS}, "seeds": [0, 1]} | keys
    training = {"epochs": EPOCHS, "batch_size": 8}
    return a_plan({"weighting": "ew", "stages": [stage]}, training=training, **keys)


def by_rate(claim: Claim, point: Mapping[str, Any]) -> float:
    """The lower the rate the better; seeds differ by less than rates."""
    return 1.0 + 100.0 * float(point["lr"]) + 0.01 * claim.seed


def ends(study: FakeStudy, search: str = "ew") -> list[tuple[RunState, int]]:
    """(state, epochs) of each trial, in order of their rates; its seeds agree."""
    with study.storage._database.read() as connection:
        rows = connection.exec_driver_sql(
            "SELECT trial, state, epochs FROM run_results "
            f"WHERE search = '{search}' AND role <> 'confirm' ORDER BY trial, seed"
        ).all()
    found = {trial: {(RunState(s), n) for t, s, n in rows if t == trial} for trial, *_ in rows}
    assert all(len(of_seeds) == 1 for of_seeds in found.values())
    return [next(iter(of_seeds)) for of_seeds in found.values()]


def test_halving_prunes_at_each_rung_and_the_best_goes_all_the_way() -> None:
    study = FakeStudy(planned(), level=by_rate).run()
    assert study.conductor.finished
    assert ends(study) == [
        (RunState.DONE, EPOCHS),
        (RunState.PRUNED, 2),
        (RunState.PRUNED, 1),
        (RunState.PRUNED, 1),
    ]


@pytest.mark.parametrize("shuffle", range(3))
def test_the_order_in_which_runs_end_changes_nothing(shuffle: int) -> None:
    plan = planned(baseline={"stop": HALVING}, seeds=[0])
    straight = FakeStudy(plan).run()
    shuffled = FakeStudy(plan).run(random.Random(shuffle))
    for search in plan.searches:
        assert straight.history(search.name) == shuffled.history(search.name)


def test_single_tasks_are_judged_by_their_primary_metric() -> None:
    study = FakeStudy(planned(stop=None, baseline={"stop": HALVING}), level=by_rate).run()
    assert study.conductor.finished
    for task in ("left", "right", "sum"):
        assert [state for state, _ in ends(study, f"stl/{task}")].count(RunState.PRUNED) == 3
    assert [state for state, _ in ends(study)] == [RunState.DONE] * 4


PATIENCE = {"rule": "patience", "patience": 2, "rungs": [1, 2, 3]}


def test_patience_ends_runs_as_done_with_their_best_epoch() -> None:
    """Every run of this world is at its best after its first epoch."""
    study = FakeStudy(planned(PATIENCE), level=by_rate).run()
    assert study.conductor.finished
    assert ends(study) == [(RunState.DONE, 3)] * 4
    whole = FakeStudy(planned(None), level=by_rate).run()
    assert ends(whole) == [(RunState.DONE, EPOCHS)] * 4
    assert study.history("ew")[1] == whole.history("ew")[1]  # the selected epoch, so the value
    assert [d.value for d in study.history("ew")[2]] == [d.value for d in whole.history("ew")[2]]


def test_single_tasks_end_by_patience_with_their_own_metric() -> None:
    study = FakeStudy(planned(stop=None, baseline={"stop": PATIENCE})).run()
    assert study.conductor.finished
    assert ends(study, "stl/left") == [(RunState.DONE, 3)] * 4


def test_a_seed_that_is_added_later_has_its_own_patience() -> None:
    first = FakeStudy(planned(PATIENCE, seeds=[0]), level=by_rate).run()
    second = FakeStudy(planned(PATIENCE, seeds=[0, 1]), first.storage, level=by_rate).run()
    assert second.conductor.finished
    assert ends(second) == [(RunState.DONE, 3)] * 4


def test_a_run_that_diverges_takes_its_other_seeds_with_it() -> None:
    def level(claim: Claim, point: Mapping[str, Any]) -> float | RunState:
        bad = claim.seed == 1 and float(point["lr"]) == RATES[0] and claim.until_epoch == 2
        return RunState.DIVERGED if bad else by_rate(claim, point)

    study = FakeStudy(planned(PATIENCE), level=level).run()
    states = [state for _, _, _, state, *_ in study.history("ew")[1]]
    assert sorted(states) == ["diverged", *["done"] * 6, "pruned"]


def test_epochs_beyond_a_rung_are_not_seen_there() -> None:
    """A point that is added later is compared with what the others were worth at the rung."""
    keys = {"compare": {"select_epoch": "last"}, "seeds": [0]}
    rule = {"rule": "median", "rungs": [1]}
    first = FakeStudy(planned(rule, rates=[0.001, 0.002], **keys), level=by_rate).run()
    assert [state for state, _ in ends(first)] == [RunState.DONE, RunState.PRUNED]
    wider = planned(rule, rates=[0.001, 0.002, 0.0025], **keys)
    second = FakeStudy(wider, first.storage, level=by_rate).run()
    # at the end of its training the first rate is worse than the new one is at the rung
    assert ends(second)[2] == (RunState.PRUNED, 1)


def test_the_cohort_is_judged_without_a_baseline() -> None:
    stop = {"rule": "worse-than-cohort", "rungs": [1]}
    study = FakeStudy(planned(stop, baseline={}), level=by_rate)
    study.conductor.move()
    held = study.claim()
    for claim in held:
        if claim.role == "search":
            study.end(claim)
            study.conductor.move([claim.run])
    assert [state for state, _ in ends(study)] == [RunState.WAITING] * 2 + [RunState.PRUNED] * 2


def test_delta_m_waits_for_the_baseline() -> None:
    study = FakeStudy(planned(baseline={}), level=by_rate)
    study.conductor.move()
    single = [claim for claim in study.claim() if not end_unless_single(study, claim)]
    study.conductor.move([])
    assert study.conductor.steps["ew"] == WaitForBaseline(0)
    assert [state for state, _ in ends(study)] == [RunState.PAUSED] * 4
    for claim in single:
        study.end(claim)
        study.conductor.move([claim.run])
    study.run()
    assert study.conductor.finished
    assert [state for state, _ in ends(study)].count(RunState.PRUNED) == 3


def end_unless_single(study: FakeStudy, claim: Claim) -> bool:
    if claim.role == "search":
        study.end(claim)
    return claim.role == "search"


def test_a_driver_that_comes_later_judges_alike() -> None:
    whole = FakeStudy(planned(), level=by_rate).run()
    first = FakeStudy(planned(), level=by_rate)
    first.conductor.move()
    for claim in first.claim():
        first.end(claim)  # and is killed before it looks at them
    second = FakeStudy(first.plan, first.storage, level=by_rate).run()
    assert second.conductor.finished
    assert second.history("ew") == whole.history("ew")


def test_packs_are_of_one_segment() -> None:
    study = FakeStudy(planned(), level=by_rate)
    study.conductor.move()
    first = study.claim()
    for claim in first:
        study.end(claim)
    study.conductor.move([claim.run for claim in first])
    other = {"weighting": "gls", "stages": [{"lr": RATES}]}
    wider = a_plan(
        *[{"weighting": "ew", "stages": [{"lr": RATES, "stop": HALVING}]}, other],
        training={"epochs": EPOCHS, "batch_size": 8},
        baseline={"metrics": METRICS},
    )
    second = FakeStudy(wider, study.storage)
    second.conductor.move()
    packs = []
    while claims := second.storage.claim(
        second.record.id, holder_id=1, worker_id=1, n=50, lease_s=60.0
    ).claims:
        packs.append({(claim.seed, claim.until_epoch) for claim in claims})
    assert all(len(pack) == 1 for pack in packs)
    assert len(packs) == 4  # two seeds of each of both segments


def test_pruned_runs_say_why_and_are_told_once() -> None:
    study = FakeStudy(planned(), level=by_rate).run()
    with study.storage._database.read() as connection:
        rows = connection.exec_driver_sql(
            "SELECT run, reason FROM run_results WHERE state = 'pruned' ORDER BY run"
        ).all()
    assert study.conductor.baseline is not None
    under = f"by the rule halving under baseline {study.conductor.baseline.hash[:12]}."
    assert all(reason.endswith(under) for _, reason in rows)
    assert sorted(study.conductor.take_pruned()) == [run for run, _ in rows]
    assert study.conductor.take_pruned() == []


EARLY = {"rule": "halving", "rungs": [1], "asynchronous": True}


class TestAsynchronous:
    def begun(self) -> tuple[FakeStudy, dict[float, list[Claim]]]:
        """A study whose runs are all held, by their rate."""
        study = FakeStudy(planned(EARLY), level=by_rate)
        study.conductor.move()
        held: dict[float, list[Claim]] = {}
        for claim in study.claim():
            held.setdefault(json.loads(claim.params)["lr"], []).append(claim)
        return study, held

    def end(self, study: FakeStudy, *claims: Claim) -> None:
        for claim in claims:
            study.end(claim)
            study.conductor.move([claim.run])

    def test_a_trial_is_judged_while_others_are_trained(self) -> None:
        study, held = self.begun()
        self.end(study, *held[0.002])
        self.end(study, held[0.003][0])
        assert ends_of(study, 0.002) == {RunState.WAITING}  # the only one so far: it goes on
        assert ends_of(study, 0.003) == {RunState.PAUSED, RunState.LEASED}
        self.end(study, held[0.003][1])
        assert ends_of(study, 0.003) == {RunState.PRUNED}
        self.end(study, *held[0.001])
        assert ends_of(study, 0.001) == {RunState.WAITING}
        self.end(study, *held[0.004])
        study.run()
        assert study.conductor.finished

    def test_a_verdict_says_among_how_many(self) -> None:
        study, held = self.begun()
        self.end(study, *held[0.002], *held[0.003])
        with study.storage._database.read() as connection:
            rows = connection.exec_driver_sql(
                "SELECT DISTINCT reason FROM run_results WHERE state = 'pruned'"
            ).all()
        ((reason,),) = rows
        assert reason.startswith(
            "Pruned at epoch 1 by the rule halving among 2 trials that had been there under "
        )

    def test_verdicts_of_a_driver_that_was_killed_stand(self) -> None:
        study, held = self.begun()
        self.end(study, *held[0.002], *held[0.003])
        for claim in held[0.001]:
            study.end(claim)  # and the driver is killed before it looks at them
        second = FakeStudy(study.plan, study.storage, level=by_rate)
        second.conductor.move()
        assert ends_of(study, 0.001) == {RunState.WAITING}
        assert ends_of(study, 0.002) == {RunState.WAITING}
        assert ends_of(study, 0.003) == {RunState.PRUNED}

    def test_another_driver_judges_what_stands_at_a_rung(self) -> None:
        study, held = self.begun()
        second = FakeStudy(study.plan, study.storage, level=by_rate)
        second.conductor.move()
        for claim in (*held[0.002], *held[0.003]):
            study.end(claim)
        second.conductor.move([])
        study.conductor.move([])
        assert (ends_of(study, 0.002), ends_of(study, 0.003)) == (
            {RunState.WAITING},
            {RunState.PRUNED},
        )
        pruned = [claim.run for claim in held[0.003]]
        assert (study.conductor.take_pruned(), second.conductor.take_pruned()) == ([], pruned)

    def test_it_waits_for_the_baseline(self) -> None:
        study = FakeStudy(planned(EARLY, baseline={}), level=by_rate)
        study.conductor.move()
        single = [claim for claim in study.claim() if not end_unless_single(study, claim)]
        study.conductor.move([])
        assert {state for state, _ in ends(study)} == {RunState.PAUSED}
        self.end(study, *single)
        study.run()
        assert study.conductor.finished


def ends_of(study: FakeStudy, rate: float) -> set[RunState]:
    """How the runs at a learning rate stand."""
    with study.storage._database.read() as connection:
        rows = connection.exec_driver_sql(
            f"SELECT state FROM run_results WHERE params LIKE '%%\"lr\":{rate},%%'"
        ).all()
    return {RunState(state) for (state,) in rows}
