"""Which runs of a pack are canaries, and what a pack has of its engine."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

from storage.records import Claim
from study.running.packing import Packer
from tests.unit.study.specs import a_plan
from tests.unit.study.test_failure_policy import a_claim

EW = {"weighting": "ew", "stages": [{"lr": [0.1, 0.01]}]}
POINT = '{"lr":0.1,"weight_decay":0.0}'


def claims(*runs: int, search: str = "ew", saved: bool = False) -> list[Claim]:
    checkpoints = (("run.pt", 1),) if saved else ()
    return [
        replace(a_claim(run), search=search, written=POINT, checkpoints=checkpoints) for run in runs
    ]


def a_packer() -> Packer:
    engine: Any = SimpleNamespace(
        of={"ew": "fused", "stl/left": "solo"}.get,
        rows={"fused": 8, "solo": None}.get,
        unsaved={"code": "changes"}.get,
    )
    return Packer(a_plan(EW), engine, checkpoints="here", device="cpu")


def test_one_run_of_the_first_pack_of_each_search_that_begins() -> None:
    plan, packer = a_plan(EW), a_packer()
    assert packer.pack(claims(1, 2, saved=True), "code").canaries == {}
    n_runs = plan.searches[[search.name for search in plan.searches].index("ew")].expected_trials
    first = packer.pack(claims(3, 4), "code").canaries
    assert first == {3: max(1.0, n_runs * len(plan.spec.seeds) / 2)}
    assert packer.pack(claims(5, 6), "code").canaries == {}


def test_a_pack_is_trained_by_the_engine_of_its_search() -> None:
    packer = a_packer()
    packs = [packer.pack(claims(1, search=search), "code") for search in ("ew", "stl/left")]
    assert [(pack.engine, pack.rows) for pack in packs] == [("fused", 8), ("solo", None)]
    assert {pack.unsaved for pack in packs} == {"changes"}
