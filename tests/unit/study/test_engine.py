"""The engine is a rule: by the spec, the device and the network, never by timing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from storage import Storage
from study.errors import WorkersUnusable
from study.planning.engine import (
    BY_CALIBRATION,
    EngineChoice,
    choose_engine,
    chosen_by,
    engine_for,
    one_by_one,
)
from study.running.engine_state import EngineState
from study.spec.training import TrainingSpec
from tests.unit.study.specs import a_plan, stored
from trainers.events import NetworkFacts

EW = {"weighting": "ew", "stages": [{"lr": [0.001, 0.01]}]}
SOLITARY = {"weighting": "tests.toy:Solitary", "stages": [{"lr": [0.001, 0.01]}]}
METRICS = {"left": {"error_rate": 2.0}, "right": {"error_rate": 2.0}, "sum": {"mae": 2.0}}
ALONE = "Solitary is tried alone"
OBSTACLE = "does not survive `torch.func.vmap`"


@pytest.mark.parametrize(
    ("wanted", "device", "convolutional", "obstacle", "solo_only", "engine"),
    [
        ("auto", "cpu", False, "", "", "fused"),
        ("auto", "cpu", True, "", "", "solo"),
        ("auto", "cuda:0", False, "", "", "fused"),
        ("auto", "cpu", False, OBSTACLE, "", "solo"),
        ("auto", "cuda", False, OBSTACLE, "", "solo"),
        ("solo", "cpu", False, "", "", "solo"),
        ("solo", "cpu", False, OBSTACLE, "", "solo"),
        ("fused", "cpu", True, "", "", "fused"),
        ("auto", "cpu", False, "", ALONE, "solo"),
        ("fused", "cpu", False, "", ALONE, "solo"),
        ("fused", "cpu", False, OBSTACLE, ALONE, "solo"),
        ("auto", "cuda", True, "", ALONE, "solo"),
    ],
)
def test_the_rule(
    wanted: Any, device: str, convolutional: bool, obstacle: str, solo_only: str, engine: str
) -> None:
    choice = choose_engine(
        wanted,
        device=device,
        convolutional=convolutional,
        obstacle=obstacle,
        solo_only=solo_only,
    )
    assert choice.engine == engine
    assert choice.reason
    assert not solo_only or choice.reason == ALONE


@pytest.mark.parametrize("device", ["cuda", "cuda:1"])
def test_convolutions_on_a_gpu_have_no_rule(device: str) -> None:
    choice = choose_engine("auto", device=device, convolutional=True)
    assert choice is BY_CALIBRATION


@pytest.mark.parametrize(
    ("run_step_ms", "engine", "reason"),
    [
        ({1: 4.0, 2: 3.0, 8: 2.0}, "fused", "2 ms in a stack of 8 and 4 ms alone"),
        ({1: 4.0, 2: 3.9, 8: 4.4}, "solo", "3.9 ms in a stack of 2 and 4 ms alone"),
        ({1: 4.0, 2: 3.8}, "fused", "in a stack of 2"),
        ({1: 4.0}, "solo", "no stack could be timed"),
        ({}, "solo", "no stack could be timed"),
    ],
)
def test_a_calibration_chooses_by_the_time_of_a_step(
    run_step_ms: dict[int, float], engine: str, reason: str
) -> None:
    choice = chosen_by(run_step_ms, "an H100")
    assert choice.engine == engine
    assert reason in choice.reason


def test_the_obstacle_is_the_reason() -> None:
    choice = choose_engine("auto", device="cpu", convolutional=False, obstacle=OBSTACLE)
    assert choice.reason == f"the network {OBSTACLE}"


@pytest.mark.parametrize("wanted", ["auto", "solo"])
@pytest.mark.parametrize(
    ("training", "reason"),
    [
        ({"data_parallel": 2}, "2 processes a run, by [training] `data_parallel`"),
        ({"precision": "float16"}, "losses are scaled run by run, by [training] `precision`"),
    ],
)
def test_some_sections_train_runs_one_by_one(
    wanted: Any, training: dict[str, Any], reason: str
) -> None:
    why = one_by_one(TrainingSpec(epochs=1, batch_size=8, **training))
    choice = choose_engine(wanted, device="cuda", convolutional=True, one_by_one=why)
    assert choice.engine == "solo"
    assert choice.reason == reason


def test_others_do_not() -> None:
    assert one_by_one(TrainingSpec(epochs=1, batch_size=8, precision="bfloat16")) == ""


def test_stacks_that_are_asked_for_in_vain_are_refused_with_a_way_out() -> None:
    with pytest.raises(WorkersUnusable, match=r"This one does not survive .* Take `engine = \"au"):
        choose_engine("fused", device="cpu", convolutional=False, obstacle=OBSTACLE)


@pytest.mark.parametrize("convolutional", [False, True])
@pytest.mark.parametrize("engine", ["auto", "solo"])
def test_the_reason_is_one_and_the_same_before_and_after_a_look(
    convolutional: bool, engine: str
) -> None:
    plan = a_plan(EW, training={"epochs": 2, "batch_size": 8, "engine": engine})
    plan = replace(plan, card=replace(plan.card, convolutional=convolutional))
    obstacle = OBSTACLE if convolutional else ""
    network = NetworkFacts(convolutional=convolutional, obstacle=obstacle)
    asked = [
        engine_for(plan, plan.searches[-1], device="cpu", network=known)
        for known in (None, network)
    ]
    assert asked[0] == asked[1]


def test_a_network_that_fails_on_the_last_batch_is_refused_before_the_first_run() -> None:
    storage = Storage(None)
    network = replace(facts(), last_batch="ValueError: one value (trunk)")
    with pytest.raises(WorkersUnusable, match=r"one sample, .*one value \(trunk\).*drop_last"):
        an_engine(storage).settle("code", network)
    storage.close()


def an_engine(
    storage: Storage,
    say: Callable[[str], None] = lambda _message: None,
    *,
    searches: Sequence[dict[str, Any]] = (EW,),
    device: str = "cpu",
    **keys: Any,
) -> EngineState:
    plan = a_plan(*searches, training={"epochs": 2, "batch_size": 8}, **keys)
    return EngineState(plan, storage, stored(plan, storage), device=device, say=say)


def facts(obstacle: str = "") -> NetworkFacts:
    return NetworkFacts(convolutional=False, obstacle=obstacle)


def test_a_network_that_makes_the_study_slower_is_told() -> None:
    storage = Storage(None)
    said: list[str] = []
    engine = an_engine(storage, said.append)
    engine.settle("code", facts(OBSTACLE))
    assert engine.of("ew") == "solo"
    assert said == [f"Runs are trained one by one: the network {OBSTACLE}."]
    storage.close()


def test_that_runs_cannot_be_saved_is_told_once() -> None:
    storage = Storage(None)
    said: list[str] = []
    engine = an_engine(storage, said.append)
    network = NetworkFacts(convolutional=False, obstacle="", unsaved="changes what is none of ours")
    for _worker in range(3):
        engine.settle("code", network)
    assert said == [
        "Runs begin again after an interruption: the network changes what is none of ours."
    ]
    storage.close()


def test_a_population_of_a_network_that_cannot_be_saved_is_refused() -> None:
    storage = Storage(None)
    stage = {"lr": [0.001, 0.01], "stop": {"rule": "pbt", "rungs": [1]}}
    engine = an_engine(storage, searches=[{"weighting": "ew", "stages": [stage]}])
    network = NetworkFacts(convolutional=False, obstacle="", unsaved="keeps a generator")
    with pytest.raises(WorkersUnusable, match="runs cannot be saved: the network keeps a gen"):
        engine.settle("code", network)
    storage.close()


def test_runs_that_share_their_data_are_said_to_go_in_step() -> None:
    storage = Storage(None)
    said: list[str] = []
    engine = an_engine(storage, said.append)
    network = NetworkFacts(convolutional=False, obstacle=OBSTACLE, streamed=True)
    engine.settle("code", network)
    assert (engine.of("ew"), engine.packed("solo")) == ("solo", True)
    assert said == [f"Runs are trained in step: the network {OBSTACLE}."]
    storage.close()


def test_the_first_worker_fixes_the_engine_and_all_later_drivers_keep_it() -> None:
    storage = Storage(None)
    first = an_engine(storage)
    first.settle("code", facts())
    assert first.of("ew") == "fused"
    second = an_engine(storage)
    assert second.of("ew") == "fused"
    second.settle("code", facts())
    assert second.of("ew") == "fused"
    storage.close()


def test_what_another_driver_has_fixed_meanwhile_stands() -> None:
    storage = Storage(None)
    late = an_engine(storage)
    (record,) = storage.studies()
    them = [search.id for search in storage.searches(record.id)]
    storage.fix_engine(them, "solo", "another host was first")
    late.settle("code", facts())
    assert late.of("ew") == "solo"
    storage.close()


def test_a_network_that_can_be_stacked_no_more_stops_the_study() -> None:
    storage = Storage(None)
    engine = an_engine(storage)
    engine.settle("code", facts())
    with pytest.raises(WorkersUnusable, match=r"Go back to the code it was begun with"):
        engine.settle("code", facts(OBSTACLE))
    storage.close()


class TestSearchesOfTwoKinds:
    """One search's runs may be stacked, the other's never are."""

    def test_each_has_its_own_engine_and_reason(self) -> None:
        storage = Storage(None)
        engine = an_engine(storage, searches=[EW, SOLITARY])
        engine.settle("code", facts())
        found = {search.name: search for search in storage.searches(storage.studies()[0].id)}
        storage.close()
        alone = found.pop("tests.toy:Solitary")
        assert (alone.engine, alone.engine_reason) == ("solo", ALONE)
        assert {search.engine for search in found.values()} == {"fused"}
        assert engine.of("tests.toy:Solitary") == "solo"
        assert engine.of("ew") == "fused"
        assert engine.in_use == ["fused", "solo"]

    def test_a_new_one_leaves_the_others_what_they_are(self) -> None:
        storage = Storage(None)
        an_engine(storage).settle("code", facts())
        extended = an_engine(storage, searches=[EW, SOLITARY])
        assert extended.of("tests.toy:Solitary") is None
        extended.settle("code", facts())
        assert extended.of("tests.toy:Solitary") == "solo"
        assert extended.of("ew") == "fused"
        storage.close()

    def test_a_new_one_that_may_be_stacked_takes_the_engine_of_the_others(self) -> None:
        """On another device it would be another one by rule, and they share packs."""
        storage = Storage(None)
        an_engine(storage, searches=[EW, SOLITARY]).settle("code", facts(OBSTACLE))
        extended = an_engine(storage, searches=[EW, SOLITARY, EW | {"name": "new"}], device="cuda")
        extended.settle("code", facts())
        assert extended.of("new") == extended.of("ew") == "solo"
        storage.close()

    def test_one_that_is_alone_says_nothing_of_those_that_come(self) -> None:
        storage = Storage(None)
        for searches in ((SOLITARY,), (SOLITARY, EW)):
            engine = an_engine(storage, searches=searches, baseline={"metrics": METRICS})
            engine.settle("code", facts())
        assert engine.of("ew") == "fused"
        storage.close()

    def test_what_a_calibration_is_to_choose_is_not_waited_for(self) -> None:
        storage = Storage(None)
        engine = an_engine(storage, searches=[EW, SOLITARY], device="cuda")
        engine.settle("code", NetworkFacts(convolutional=True, obstacle=""))
        assert engine.undecided
        assert engine.of("ew") is None
        assert engine.of("tests.toy:Solitary") == "solo"
        engine.fix(EngineChoice("fused", "it was faster"))
        assert engine.of("ew") == "fused"
        assert engine.of("tests.toy:Solitary") == "solo"
        storage.close()

    def test_rows_are_those_of_stacks(self) -> None:
        storage = Storage(None)
        engine = an_engine(storage, searches=[EW, SOLITARY], device="cuda")
        engine.settle("code", facts())
        engine.fix_rows(8)
        assert (engine.rows("fused"), engine.rows("solo")) == (8, None)
        storage.close()
