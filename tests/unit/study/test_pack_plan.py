"""What `plan` says of packs: by what is stored, else by a look, else by the card."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from storage.records import Calibration, SearchRecord
from study.cli._plan import packs_to_plain
from study.errors import WorkersUnusable
from study.planning.engine import EngineChoice
from study.planning.packs import PackPlan, all_shapes, pack_plan, shapes_of
from study.running import preflight
from study.running.preflight import Preflight, look_at_network
from tests.integration import asked
from tests.unit.study.specs import a_plan
from trainers.events import NetworkFacts
from trainers.jobs import ProblemRef

ALL, LEFT = ("left", "right", "sum"), ("left",)
GRID = {
    "weighting": "scalarization",
    "stages": [{"lr": [0.001, 0.01]}, {"task_weights": {"simplex_step": 0.1}}],
}


def packs(*, training: dict[str, Any] | None = None, **known: Any) -> PackPlan:
    plan = a_plan(GRID, training={"epochs": 2, "batch_size": 8, **(training or {})})
    return pack_plan(plan, **{"device": "cpu", **known})


def engine_of(found: PackPlan) -> EngineChoice:
    """The one engine of all its runs."""
    (engine,) = found.engines
    return engine


def measured(tasks: tuple[str, ...], hardware: str = "a cpu", size: int = 18) -> Calibration:
    plan = a_plan(GRID, training={"epochs": 2, "batch_size": 8})
    return Calibration(
        shape=shapes_of(plan)[tasks],
        hardware=hardware,
        pack_size=size,
        epoch_s=1.0,
        run_step_ms={1: 1.0},
    )


def test_runs_are_grouped_by_network() -> None:
    groups = packs().groups
    assert [group.tasks for group in groups] == [ALL, LEFT, ("right",), ("sum",)]
    assert groups[0].searches == ("scalarization",)
    assert groups[0].runs == 2 + 36 + 2


def test_by_the_card_before_anything_is_known() -> None:
    found = packs()
    assert (engine_of(found).engine, found.known_by) == ("fused", "card")
    assert {group.pack_size for group in found.groups} == {None}


@pytest.mark.parametrize("streamed", [False, True])
def test_runs_of_several_processes_are_in_no_pack(streamed: bool) -> None:
    facts = NetworkFacts(convolutional=False, obstacle="", streamed=streamed)
    found = packs(training={"data_parallel": 2}, facts=facts)
    assert engine_of(found).engine == "solo"
    assert engine_of(found).reason.startswith("2 processes a run")
    assert {group.pack_size for group in found.groups} == {1}


def test_what_the_spec_says_of_processes_needs_no_look() -> None:
    assert packs(training={"data_parallel": 2}).known_by == "spec"


def test_a_look_at_the_network_is_better_than_its_card() -> None:
    facts = NetworkFacts(convolutional=False, obstacle="cannot be stacked")
    found = packs(facts=facts)
    assert (engine_of(found).engine, found.known_by) == ("solo", "look")
    assert engine_of(found).reason == "the network cannot be stacked"
    assert {group.pack_size for group in found.groups} == {1}


@pytest.mark.parametrize(
    ("streamed", "training", "size"),
    [(True, {}, None), (True, {"pack_size": 5}, 5), (False, {"pack_size": 5}, 1)],
)
def test_solo_runs_share_packs_where_their_data_is_streamed(
    streamed: bool, training: dict[str, Any], size: int | None
) -> None:
    facts = NetworkFacts(convolutional=False, obstacle="cannot be stacked", streamed=streamed)
    found = packs(facts=facts, training=training)
    assert engine_of(found).engine == "solo"
    assert {group.pack_size for group in found.groups} == {size}


def test_without_a_look_a_calibration_tells_that_solo_runs_share_packs() -> None:
    plan = a_plan(GRID, training={"epochs": 2, "batch_size": 8, "engine": "solo"})
    known = replace(measured(ALL), shape=shapes_of(plan, "solo")[ALL])
    found = packs(training={"engine": "solo"}, calibrations=[known])
    assert {group.pack_size for group in found.groups} == {18}
    alone = packs(training={"engine": "solo"}, calibrations=[measured(ALL)])
    assert {group.pack_size for group in alone.groups} == {1}


def test_what_is_stored_stands() -> None:
    stored = SearchRecord(
        id=1,
        name="scalarization",
        role="search",
        weighting="scalarization",
        position=0,
        engine="solo",
        engine_reason="it was so",
    )
    found = packs(stored=[stored], facts=NetworkFacts(convolutional=False, obstacle=""))
    assert (engine_of(found).engine, engine_of(found).reason, found.known_by) == (
        "solo",
        "it was so",
        "stored",
    )
    begun = replace(stored, engine=None)
    assert packs(stored=[begun]).known_by == "card"


def test_all_networks_take_the_pack_size_of_that_of_all_tasks() -> None:
    found = packs(calibrations=[measured(ALL), measured(LEFT, size=1)])
    assert {group.pack_size for group in found.groups} == {18}
    assert [len(group.calibrations) for group in found.groups] == [1, 1, 0, 0]


def test_calibrations_are_those_of_the_optimisers_that_searches_use() -> None:
    search = {"weighting": "ew", "stages": [{"optimizer": ["adatask"]}]}
    plan = a_plan(search, training={"epochs": 2, "batch_size": 8, "lr": 0.01})
    known = [
        replace(measured(ALL), shape=shapes_of(plan, "fused", optimizer=name)[ALL], epoch_s=epoch_s)
        for name, epoch_s in (("adam", 1.0), ("adatask", 2.0))
    ]
    group = pack_plan(plan, device="cpu", calibrations=known).groups[0]
    assert group.timed == {"adatask": known[1:]}


def test_searches_that_tune_the_optimiser_take_the_smallest_size_of_theirs() -> None:
    several = {"weighting": "ew", "stages": [{"optimizer": ["adam", "adatask"]}]}
    plan = a_plan(several, training={"epochs": 2, "batch_size": 8, "lr": 0.01})
    shape = shapes_of(plan, optimizer="adatask")[ALL]
    assert shape in all_shapes(plan)
    own = replace(measured(ALL), shape=shapes_of(plan)[ALL])
    other = replace(own, shape=shape, pack_size=4)
    sizes = {
        n: pack_plan(plan, device="cpu", calibrations=known).groups[0].pack_size
        for n, known in enumerate(([own], [own, other]))
    }
    assert sizes == {0: None, 1: 4}


def test_where_hardware_disagrees_no_size_is_promised() -> None:
    found = packs(calibrations=[measured(ALL), measured(ALL, "a gpu", size=64)])
    assert {group.pack_size for group in found.groups} == {None}


def test_a_size_by_hand_goes_before_all_calibrations() -> None:
    found = packs(training={"pack_size": 5}, calibrations=[measured(ALL)])
    assert {group.pack_size for group in found.groups} == {5}


def test_a_look_is_what_a_worker_finds() -> None:
    found = look_at_network(a_plan(GRID), device="cpu")
    assert found == Preflight(NetworkFacts(convolutional=False, obstacle=""), [])


@pytest.fixture
def warm(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fork of a process that has imported torch looks."""
    monkeypatch.setattr(preflight, "subprocess", asked)


@pytest.mark.usefixtures("warm")
def test_a_problem_that_cannot_be_looked_at_is_told() -> None:
    plan = replace(a_plan(GRID), problem=ProblemRef(target="nope"))
    with pytest.raises(WorkersUnusable, match="nope"):
        look_at_network(plan, device="cpu")


def test_convolutions_on_a_gpu_are_planned_as_undecided() -> None:
    facts = NetworkFacts(convolutional=True, obstacle="")
    plain = packs_to_plain(packs(device="cuda", facts=facts))
    assert plain["engine"] is None
    assert "the first calibration chooses" in plain["reason"]


@pytest.mark.usefixtures("warm")
def test_tf32_on_a_processor_is_refused_before_anything_runs() -> None:
    plan = a_plan(GRID, training={"epochs": 2, "batch_size": 8, "precision": "tf32"})
    with pytest.raises(WorkersUnusable, match=r"way of GPUs.*Take a GPU"):
        look_at_network(plan, device="cpu")


def test_a_search_that_is_never_stacked_leaves_the_others_in_stacks() -> None:
    solitary = {"weighting": "tests.toy:Solitary", "stages": [{"lr": [0.01]}]}
    plan = a_plan(solitary, GRID, training={"epochs": 2, "batch_size": 8})
    found = pack_plan(plan, device="cpu", facts=NetworkFacts(convolutional=False, obstacle=""))
    engines = {engine.engine: searches for engine, searches in found.engines.items()}
    assert engines["solo"] == ["tests.toy:Solitary"]
    assert engines["fused"] == ["scalarization", "stl/left", "stl/right", "stl/sum"]
    assert [(group.tasks, group.pack_size) for group in found.groups][:2] == [(ALL, None), (ALL, 1)]
    plain = packs_to_plain(found)
    assert (plain["engine"], plain["networks"][1]["engine"]) == ("fused", "solo")
    assert plain["networks"][1]["reason"] == "Solitary is tried alone"


def test_what_costs_more_than_its_losses_is_in_no_pack() -> None:
    pcgrad = {"weighting": "pcgrad", "stages": [{"lr": [0.01]}]}
    facts = NetworkFacts(convolutional=False, obstacle="cannot be stacked", streamed=True)
    training = {"epochs": 2, "batch_size": 8, "pack_size": 5}
    found = pack_plan(a_plan(pcgrad, GRID, training=training), device="cpu", facts=facts)
    sizes = {name: group.pack_size for group in found.groups for name in group.searches}
    assert (sizes["pcgrad"], sizes["scalarization"]) == (1, 5)
