"""Predictions with dropout and without, of networks of any make."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from trainers.errors import TaskMismatch
from trainers.network import MultiTaskNetwork
from trainers.problems import TensorSource
from trainers.randomness import Key
from trainers.relabelling.dropout import with_dropout
from trainers.relabelling.passes import predicted, predicted_with_dropout
from trainers.relabelling.scores import Floats

CPU = torch.device("cpu")
N, N_FEATURES = 10, 4


class Whole(nn.Module):
    """The same layers, in a trunk that nobody sees into."""

    def __init__(self, layers: nn.Module) -> None:
        super().__init__()
        self.layers = layers

    def forward(self, inputs: Tensor) -> Tensor:
        found: Tensor = self.layers(inputs)
        return found


def trunk(share: float) -> nn.Sequential:
    torch.manual_seed(0)
    layers = nn.Linear(N_FEATURES, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(share)
    return nn.Sequential(*layers, nn.Linear(8, 8), nn.ReLU(), nn.Dropout(share))


def network(trunk: nn.Module, *, n_outputs: int = 3) -> MultiTaskNetwork:
    torch.manual_seed(1)
    return MultiTaskNetwork(trunk, {"kind": nn.Linear(8, n_outputs)})


def source() -> TensorSource:
    return TensorSource(torch.rand(N, N_FEATURES, generator=Key("inputs").generator()), {})


def dropped(network: MultiTaskNetwork, *, address: str = "a", n_classes: int = 3) -> Floats:
    return predicted_with_dropout(
        network,
        source(),
        "kind",
        n_passes=5,
        batch_size=4,
        n_classes=n_classes,
        key=Key(address),
        device=CPU,
    )


def test_what_comes_before_the_first_dropout_is_computed_once_and_changes_nothing() -> None:
    assert np.array_equal(dropped(network(trunk(0.5))), dropped(network(Whole(trunk(0.5)))))


def test_passes_differ_and_are_drawn_by_their_address() -> None:
    first = dropped(network(trunk(0.5)))
    assert first.shape == (5, N, 3)
    assert np.allclose(first.sum(2), 1)
    assert (first.std(0) > 0).any()
    assert np.array_equal(dropped(network(trunk(0.5))), first)
    assert not np.array_equal(dropped(network(trunk(0.5)), address="b"), first)


def test_without_dropout_all_passes_are_the_prediction() -> None:
    net = network(trunk(0.0))
    plain = predicted([net], source(), "kind", batch_size=7, n_classes=3)
    assert np.allclose(dropped(net), plain, atol=1e-6)


def test_passes_leave_the_network_as_it_was() -> None:
    net = network(trunk(0.5))
    before = {name: value.clone() for name, value in net.state_dict().items()}
    dropped(net)
    assert all(value.equal(before[name]) for name, value in net.state_dict().items())


def test_one_logit_is_that_of_the_second_of_two_classes() -> None:
    net = network(trunk(0.0), n_outputs=1)
    found = predicted([net], source(), "kind", batch_size=4, n_classes=2)
    with torch.no_grad():
        logits = net(source().inputs)["kind"]
    assert np.allclose(found[0, :, 1], logits.double().sigmoid()[:, 0].numpy())


@pytest.mark.parametrize("n_outputs", [1, 4])
def test_other_outputs_are_refused(n_outputs: int) -> None:
    with pytest.raises(TaskMismatch, match=rf"logits \[B, 3\].* Got \[4, {n_outputs}\]"):
        dropped(network(trunk(0.5), n_outputs=n_outputs))


def test_a_network_that_drops_nothing_is_refused() -> None:
    with pytest.raises(TaskMismatch, match=r"This one has none\. Add `nn\.Dropout`"):
        dropped(network(with_dropout(nn.Linear(N_FEATURES, 8), 0.5)))


def shares(module: nn.Module) -> list[float]:
    return [layer.p for layer in module.modules() if isinstance(layer, nn.Dropout)]


def test_dropout_that_is_there_is_set() -> None:
    assert shares(with_dropout(trunk(0.1), 0.4)) == [0.4, 0.4]


def test_a_trunk_without_gets_it_behind_each_activation() -> None:
    plain = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), Whole(nn.Sequential(nn.Tanh())))
    names = set(plain.state_dict())
    found = with_dropout(plain, 0.4)
    assert shares(found) == [0.4, 0.4]
    assert set(found.state_dict()) == names
    assert shares(with_dropout(nn.ReLU(), 0.4)) == [0.4]


def test_no_dropout_adds_no_layer() -> None:
    assert shares(with_dropout(nn.Sequential(nn.Linear(4, 8), nn.ReLU()), 0.0)) == []
