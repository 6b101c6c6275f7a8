"""Which run of a pack is a canary."""

from __future__ import annotations

from dataclasses import replace

from storage.records import Claim
from study.running.packing import Canaries
from tests.unit.study.specs import a_plan
from tests.unit.study.test_failure_policy import a_claim

EW = {"weighting": "ew", "stages": [{"lr": [0.1, 0.01]}]}


def claims(*runs: int, search: str = "ew", saved: bool = False) -> list[Claim]:
    checkpoints = (("run.pt", 1),) if saved else ()
    return [replace(a_claim(run), search=search, checkpoints=checkpoints) for run in runs]


def test_one_run_of_the_first_pack_of_each_search_that_begins() -> None:
    plan = a_plan(EW)
    canaries = Canaries(plan)
    assert canaries.of(claims(1, 2, saved=True)) == {}
    first = canaries.of(claims(3, 4))
    n_runs = plan.searches[[search.name for search in plan.searches].index("ew")].expected_trials
    assert first == {3: max(1.0, n_runs * len(plan.spec.seeds) / 2)}
    assert canaries.of(claims(5, 6)) == {}
    assert canaries.of(claims(7, search="none of the plan's")) == {}
