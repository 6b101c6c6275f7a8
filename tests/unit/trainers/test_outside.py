"""What networks and losses keep beside their state is found, saved and set again."""

from __future__ import annotations

import io
import random
from collections import deque
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from trainers.engines.looking.outside import Outside
from trainers.protocol import TaskFunctions
from trainers.randomness import Key, global_state, set_global_state

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda parts: (
        st.lists(parts, max_size=3)
        | st.tuples(parts, parts)
        | st.dictionaries(st.text(max_size=3), parts, max_size=3)
    ),
    max_leaves=6,
)


class Keeper(nn.Module):
    def __init__(self, value: Any) -> None:
        super().__init__()
        self.layer = nn.Linear(2, 2)
        self.value = value


class Plain:
    """A loss that is no module."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def __call__(self, output: Tensor, _target: Any) -> Tensor:
        return output.sum()


def outside(network: nn.Module, loss: Any = torch.sum) -> Outside:
    return Outside(network, {"x": TaskFunctions(loss=loss, metrics={})})


def written(value: Any) -> Any:
    """What a checkpoint gives back."""
    buffer = io.BytesIO()
    torch.save(value, buffer)
    buffer.seek(0)
    return torch.load(buffer, weights_only=True)


@given(first=PLAIN, later=PLAIN)
def test_plain_values_come_back_from_a_checkpoint(first: Any, later: Any) -> None:
    network, loss = Keeper(first), Plain(first)
    watched = outside(network, loss)
    assert watched.changed() == {}
    network.value = loss.value = later
    saved = written(watched.changed())
    again, loss_again = Keeper(first), Plain(first)
    outside(again, loss_again).restore(saved)
    assert again.value == loss_again.value == later


def test_a_tensor_keeps_its_memory() -> None:
    network = Keeper(None)
    network.value = network.layer.weight.detach()
    watched = outside(network)
    with torch.no_grad():
        network.layer.weight.add_(1.0)
    (saved,) = watched.changed().values()
    watched.restore({"network.value": torch.zeros_like(saved)})
    assert network.layer.weight.abs().sum() == 0


@pytest.mark.parametrize("persistent", [True, False])
def test_of_buffers_those_that_are_not_persistent(persistent: bool) -> None:
    network = Keeper(0)
    network.register_buffer("mean", torch.zeros(2), persistent=persistent)
    watched = outside(network)
    network.mean = torch.ones(2)
    assert set(watched.changed()) == (set() if persistent else {"network.mean"})
    assert watched.changed_attributes() == []


def test_parameters_and_modules_in_lists_are_no_state_of_their_own() -> None:
    network = Keeper(None)
    network.value = [network.layer.weight, network.layer, {"f": torch.sum}]
    watched = outside(network)
    with torch.no_grad():
        network.layer.weight.add_(1.0)
    assert watched.changed() == {}
    assert watched.seals() == {}


def test_what_cannot_be_saved_is_seen_to_change() -> None:
    network = Keeper(deque([1, 2]))
    watched = outside(network)
    before = watched.seals()
    network.value.append(3)
    assert watched.seals() != before
    assert watched.changed() == {}


class Slotted:
    __slots__ = ("n", "others")

    def __init__(self) -> None:
        self.n, self.others = 0, [self]


def a_closure() -> Any:
    n = 0

    def loss(output: Tensor, _target: Any) -> Tensor:
        nonlocal n
        n += 1
        return output.sum() * n

    return loss


def test_what_a_function_closes_over_is_seen_to_change() -> None:
    loss = a_closure()
    watched = outside(Keeper(loss), loss)
    before = watched.seals()
    assert before == watched.seals()
    loss(torch.ones(1), None)
    after = watched.seals()
    assert {place for place in after if after[place] != before[place]} == {
        "network.value",
        "loss of x",
    }


@pytest.mark.parametrize(
    ["make", "change"],
    [
        (Slotted, lambda kept: setattr(kept, "n", 1)),
        (lambda: {1, 2}, lambda kept: kept.remove(1)),
        (lambda: [nn.BatchNorm1d(2)], lambda kept: kept[0].running_mean.add_(1.0)),
        (lambda: Plain(Plain(0)).__call__, lambda kept: setattr(kept.__self__.value, "value", 1)),
        (lambda: (n for n in range(9)), next),
        (lambda: Plain(np.zeros(1_000_000)), lambda kept: kept.value.fill(1.0)),
        (lambda: np.random.default_rng(0), lambda kept: kept.random()),
        (lambda: torch.Generator().manual_seed(0), lambda kept: torch.rand(1, generator=kept)),
    ],
)
def test_a_change_of_what_has_parts_is_seen(make: Any, change: Any) -> None:
    watched = outside(Keeper(make()))
    before = watched.seals()
    assert watched.seals() == before
    change(watched._owners["network"].value)
    assert watched.seals() != before


def test_a_circle_of_objects_that_points_to_the_network_is_no_state() -> None:
    network = Keeper(None)
    network.value = Plain([network, network.layer.weight])
    network.value.value.append(network.value)
    watched = outside(network)
    with torch.no_grad():
        network.layer.weight.add_(1.0)
    assert watched.seals() == {}


def test_all_global_generators_are_seeded_and_go_on() -> None:
    import numpy.random

    def drawn() -> tuple[float, ...]:
        return random.random(), float(numpy.random.rand()), float(torch.rand(()))

    cpu = torch.device("cpu")
    Key("a").seed_global(cpu)
    state = global_state(cpu)
    first = drawn()
    Key("b").seed_global(cpu)
    assert drawn() != first
    Key("a").seed_global(cpu)
    assert drawn() == first
    set_global_state(state, cpu)
    assert drawn() == first
