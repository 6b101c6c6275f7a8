"""What networks predict of a split: once each, or several times over with dropout.

Shapes: M passes, N samples, B batch, C classes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from trainers.errors import TaskMismatch
from trainers.network import MultiTaskNetwork
from trainers.protocol import Source
from trainers.randomness import Key
from trainers.relabelling.dropout import LAYERS
from trainers.relabelling.scores import Floats
from trainers.resources import forward_flops


@torch.no_grad()
def predicted(
    networks: Sequence[MultiTaskNetwork],
    source: Source,
    task: str,
    *,
    batch_size: int,
    n_classes: int,
) -> Floats:
    """Probabilities ``[M, N, C]`` of M networks, without dropout.

    Raises:
        TaskMismatch: Outputs are no logits of so many classes.
    """
    for network in networks:
        network.eval()
    return _gathered(
        (
            [network(batch.inputs)[task] for network in networks]
            for batch in _all(source, batch_size)
        ),
        n_classes,
    )


@torch.no_grad()
def predicted_with_dropout(
    network: MultiTaskNetwork,
    source: Source,
    task: str,
    *,
    n_passes: int,
    batch_size: int,
    n_classes: int,
    key: Key,
    device: torch.device,
) -> Floats:
    """Probabilities ``[M, N, C]`` of one network that drops features anew in each of M passes.

    All that is not dropout is in inference mode. Of a trunk that is a sequence, what comes before
    the first dropout is computed once for all passes.

    Args:
        key: Address of all masks.

    Raises:
        TaskMismatch: Outputs are no logits of so many classes, or the network drops nothing.
    """
    network.eval()
    dropping = [module for module in network.modules() if isinstance(module, LAYERS)]
    if not dropping:
        raise TaskMismatch(
            "`mc-dropout` needs a network with layers of dropout, or with activations that are "
            "modules, behind which they are put. This one has none. Add `nn.Dropout` to its trunk, "
            'or take `estimator = "ensemble"` or `"softmax"`.'
        )
    for module in dropping:
        module.train()
    first, rest = _parted(network.trunk)
    head = network.heads[network.places[task]]
    key.seed_global(device)

    def outputs(inputs: Any) -> list[Tensor]:
        features = first(inputs)
        return [head(rest(features)) for _ in range(n_passes)]

    return _gathered((outputs(batch.inputs) for batch in _all(source, batch_size)), n_classes)


def dropout_pass_flops(network: MultiTaskNetwork, source: Source, n_passes: int) -> float:
    """Estimated operations of a sample's M passes; the network is of no use afterwards."""
    first, _ = _parted(network.trunk)
    once = forward_flops(MultiTaskNetwork(first, {}), source) if [*first.children()] else 0.0
    return once + n_passes * (forward_flops(network, source) - once)


def _all(source: Source, batch_size: int) -> Iterable[Any]:
    """All samples as they are stored."""
    return source.batches(None, batch_size, Key("evaluation"))


def _parted(trunk: nn.Module) -> tuple[nn.Module, nn.Module]:
    """The part of a trunk before its first dropout, and the rest."""
    plain = isinstance(trunk, nn.Sequential) and type(trunk).forward is nn.Sequential.forward
    if not plain or trunk._forward_hooks or trunk._forward_pre_hooks:
        return nn.Sequential(), trunk
    layers = [*trunk.children()]
    for place, layer in enumerate(layers):
        if any(isinstance(module, LAYERS) for module in layer.modules()):
            return nn.Sequential(*layers[:place]), nn.Sequential(*layers[place:])
    return trunk, nn.Sequential()


def _gathered(outputs: Iterable[Sequence[Tensor]], n_classes: int) -> Floats:
    """Probabilities ``[M, N, C]`` of batches of M outputs, in double precision."""
    parts = [
        torch.stack([_logits(output, n_classes) for output in of_batch]).softmax(2).cpu()
        for of_batch in outputs
    ]
    found: Floats = torch.cat(parts, dim=1).numpy()
    return found


def _logits(output: Any, n_classes: int) -> Tensor:
    """Logits ``[B, C]`` in double precision; one logit a sample is that of the second of two."""
    if isinstance(output, Tensor):
        if output.dim() == 2 and output.shape[1] == n_classes:
            return output.double()
        if n_classes == 2 and output.shape[1:] in ((), (1,)):
            of_second = output.double().reshape(-1)
            return torch.stack([torch.zeros_like(of_second), of_second], dim=1)
    found = list(output.shape) if isinstance(output, Tensor) else type(output).__name__
    raise TaskMismatch(
        f"The head of a task whose labels are mended returns logits [B, {n_classes}], one a class "
        f"of its card. Got {found}. Mend the head, or `classes` on the card."
    )
