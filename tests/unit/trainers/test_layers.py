"""Plain networks give on whole stacks what `torch.func.vmap` gives, and others are left to it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.func import functional_call, vmap
from torch.nn.utils.parametrizations import weight_norm

from trainers.engines.fused.forward import carried_tensors, trained_parameters
from trainers.engines.fused.layers import NotPlain, PlainNetwork
from trainers.network import MultiTaskNetwork

ROWS, BATCH, WIDE, TALL = 3, 5, 6, 4
TOLERANCE = 1e-12
TRUNKS: dict[str, Callable[[], nn.Module]] = {
    "layers": lambda: nn.Sequential(nn.Flatten(), nn.Linear(WIDE * TALL, 8), nn.ReLU()),
    "nested": lambda: nn.Sequential(
        nn.Flatten(), nn.Sequential(nn.Linear(WIDE * TALL, 8), nn.Tanh()), nn.Identity()
    ),
    "flattened late": lambda: nn.Sequential(
        nn.Linear(TALL, 2), nn.SiLU(), nn.Flatten(), nn.Linear(2 * WIDE, 8)
    ),
    "flattened from the end": lambda: nn.Sequential(
        nn.Linear(TALL, 2), nn.Flatten(-2, -1), nn.Linear(2 * WIDE, 8)
    ),
    "without bias": lambda: nn.Sequential(nn.Flatten(), nn.Linear(WIDE * TALL, 8, bias=False)),
    "dropout": lambda: nn.Sequential(
        nn.Flatten(), nn.Dropout(0.3), nn.Linear(WIDE * TALL, 8), nn.Dropout(0.5)
    ),
    "inputs bent first": lambda: nn.Sequential(nn.Tanh(), nn.Flatten(), nn.Linear(WIDE * TALL, 8)),
    "nothing learned": lambda: nn.Flatten(),
}


class Custom(nn.Sequential):
    def forward(self, inputs: Tensor) -> Tensor:
        return super().forward(inputs) + 1.0


def _tied() -> nn.Module:
    first, second = nn.Linear(4, 4), nn.Linear(4, 4)
    second.weight = first.weight
    return nn.Sequential(first, second)


def _hooked() -> nn.Module:
    layer = nn.Linear(4, 4)
    layer.register_forward_hook(lambda _module, _inputs, output: 2 * output)
    return nn.Sequential(layer)


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("trunk", TRUNKS)
def test_a_plain_network_gives_what_vmap_gives(trunk: str, training: bool) -> None:
    network = _network(TRUNKS[trunk]()).train(training)
    tensors = _random_rows(network)
    inputs = torch.randn(BATCH, WIDE, TALL, dtype=torch.float64)

    def of_one(row: dict[str, Tensor], inputs: Tensor) -> dict[str, Tensor]:
        found: dict[str, Tensor] = functional_call(network, row, (inputs,))
        return found

    torch.manual_seed(1)
    expected = vmap(of_one, in_dims=(0, None), randomness="same")(tensors, inputs)
    torch.manual_seed(1)
    found = PlainNetwork(network)(tensors, inputs)
    for task, values in expected.items():
        torch.testing.assert_close(found[task], values, rtol=TOLERANCE, atol=TOLERANCE)


def test_frozen_parameters_are_taken_from_the_stack() -> None:
    network = _network(TRUNKS["layers"]())
    network.trunk.requires_grad_(False)
    carried = carried_tensors(network)
    assert carried.keys() == {"trunk.1.weight", "trunk.1.bias"}
    tensors = _random_rows(network)
    inputs = torch.randn(BATCH, WIDE, TALL, dtype=torch.float64)
    alone = functional_call(network, {name: rows[1] for name, rows in tensors.items()}, (inputs,))
    found = PlainNetwork(network)(tensors, inputs)
    torch.testing.assert_close(found["a"][1], alone["a"], rtol=TOLERANCE, atol=TOLERANCE)


@pytest.mark.parametrize(
    "trunk",
    [
        pytest.param(lambda: nn.Sequential(nn.Linear(4, 4), nn.LayerNorm(4)), id="other layer"),
        pytest.param(lambda: Custom(nn.Linear(4, 4)), id="own forward"),
        pytest.param(lambda: weight_norm(nn.Linear(4, 4)), id="parametrised"),
        pytest.param(_tied, id="shared parameter"),
        pytest.param(_hooked, id="hook"),
    ],
)
def test_other_networks_are_not_plain(trunk: Callable[[], nn.Module]) -> None:
    with pytest.raises(NotPlain):
        PlainNetwork(MultiTaskNetwork(trunk(), {"a": nn.Linear(4, 1)}))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("width", [1, 3, 8, 17, 64])
def test_a_rows_product_does_not_depend_on_the_other_rows(width: int, dtype: torch.dtype) -> None:
    generator = torch.Generator().manual_seed(0)
    samples, weight = (
        torch.randn(9, n, 33, generator=generator, dtype=dtype) for n in (BATCH, width)
    )
    bias = torch.randn(9, 1, width, generator=generator, dtype=dtype)
    whole = torch.baddbmm(bias, samples, weight.transpose(1, 2))
    for first in range(8):
        rows = slice(first, first + 2)
        part = torch.baddbmm(bias[rows], samples[rows], weight[rows].transpose(1, 2))
        assert torch.equal(part, whole[rows])


def _network(trunk: nn.Module) -> MultiTaskNetwork:
    with torch.no_grad():
        n_features = trunk(torch.zeros(2, WIDE, TALL)).shape[1]
    heads: dict[str, nn.Module] = {"a": nn.Linear(n_features, 1), "b": nn.Linear(n_features, 3)}
    return MultiTaskNetwork(trunk, heads).double()


def _random_rows(network: MultiTaskNetwork) -> dict[str, Tensor]:
    tensors = {**trained_parameters(network), **carried_tensors(network)}
    return {
        name: torch.randn(ROWS, *tensor.shape, dtype=torch.float64)
        for name, tensor in tensors.items()
    }
