from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from tests.packs import a_job, a_pack, told
from tests.toy import TASKS, Toy
from trainers.cards import ProblemCard
from trainers.engines import network_facts, open_session, train
from trainers.network import MultiTaskNetwork, build_network, count_parameters, head_place
from trainers.problems import TensorSource
from trainers.protocol import TaskFunctions
from trainers.randomness import Key

KEY = Key("7") / "init"


def state(tasks: tuple[str, ...], key: Key = KEY) -> dict[str, Tensor]:
    return build_network(Toy(), tasks, key).state_dict()


@pytest.mark.parametrize("task", TASKS)
def test_a_single_task_has_the_trunk_and_head_of_all_tasks(task: str) -> None:
    whole, single = state(TASKS), state((task,))
    assert all(torch.equal(whole[name], value) for name, value in single.items())


@pytest.mark.parametrize("task", TASKS)
def test_a_single_task_has_no_other_head(task: str) -> None:
    heads = {name.split(".")[1] for name in state((task,)) if name.startswith("heads.")}
    assert heads == {task}


def test_parameters_are_counted_as_far_as_they_are_trained_and_known() -> None:
    counted = sum(value.numel() for value in state(TASKS).values())
    assert count_parameters(Toy()) == counted

    class Waiting(Toy):
        def trunk(self) -> nn.Module:
            return nn.LazyLinear(3)

    class Frozen(Toy):
        def trunk(self) -> nn.Module:
            return super().trunk().requires_grad_(False)

    assert count_parameters(Waiting()) is None
    trunk = sum(value.numel() for value in Toy().trunk().state_dict().values())
    assert count_parameters(Frozen()) == counted - trunk


def test_the_order_of_tasks_changes_no_bit() -> None:
    forth, back = state(TASKS), state(TASKS[::-1])
    assert all(torch.equal(back[name], value) for name, value in forth.items())


def test_heads_of_one_shape_start_differently() -> None:
    start = state(TASKS)
    assert not torch.equal(start["heads.level.weight"], start["heads.flag.weight"])


def test_another_seed_starts_elsewhere() -> None:
    other = state(TASKS, Key("8") / "init")
    assert all(not torch.equal(other[name], value) for name, value in state(TASKS).items())


def test_building_leaves_the_global_generator_alone() -> None:
    before = torch.get_rng_state()
    build_network(Toy(), TASKS, KEY)
    assert torch.equal(torch.get_rng_state(), before)


def test_every_head_gets_the_trunks_features() -> None:
    network = MultiTaskNetwork(nn.Flatten(), {"sum": nn.Identity(), "twice": nn.ReLU()})
    outputs = network(torch.tensor([[[1.0, -2.0]]]))
    assert outputs["sum"].tolist() == [[1.0, -2.0]]
    assert outputs["twice"].tolist() == [[1.0, 0.0]]


ODD = ("a.b", "a%2Eb", "type", "%74ype", "training", "values", "left eye", "ä/b", "__class__")


@dataclass(frozen=True, kw_only=True)
class Odd(Toy):
    """A toy whose tasks are named as torch's modules could not be, or nearly so."""

    @property
    def card(self) -> ProblemCard:
        usual = super().card
        return replace(usual, tasks=tuple(replace(usual.tasks[0], name=name) for name in ODD))

    def sources(self, device: torch.device) -> Mapping[str, TensorSource]:
        found = super().sources(device)
        return {
            split: TensorSource(of.inputs, dict.fromkeys(ODD, of.targets["level"]))
            for split, of in found.items()
        }

    def functions(self, task: str) -> TaskFunctions:
        return super().functions("level")


@pytest.mark.parametrize("engine", ["solo", "fused"])
def test_a_task_may_have_any_name_of_a_card(engine: Any) -> None:
    session = open_session(Odd(), "cpu")
    assert network_facts(session).obstacle == ""
    pack = replace(a_pack(*(a_job(run, tasks=ODD) for run in (1, 2)), epochs=1), engine=engine)
    for run in told(train(pack, session)).values():
        assert run.end.outcome == "done", run.end.detail
        assert {task for split, task, _ in run.epochs[1] if split == "test"} == {*ODD}


def test_each_head_has_a_place_of_its_own() -> None:
    assert len({head_place(task) for task in (*ODD, *TASKS)}) == len(ODD) + len(TASKS)
    assert [head_place(task) for task in TASKS] == [*TASKS]
