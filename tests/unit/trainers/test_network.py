from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from tests.toy import TASKS, Toy
from trainers.network import MultiTaskNetwork, build_network
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
