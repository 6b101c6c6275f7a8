"""Gradients on trunks of linear layers, told from what goes into a layer and what comes back.

The gradient of a linear layer for one sample is the outer product of the derivative by its output
and its input (with a 1 behind it for the bias). Inner products of such gradients, and counts of
signs, are products of those of the two vectors: no gradient as large as the layer is made.

Shapes: R runs, S samples, T tasks, M = S T gradients of a run (tasks of a sample side by side).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import vmap

from trainers.engines.conflicts.rows import inputs_of_rows, total_loss
from trainers.engines.conflicts.similarities import Products, sign_products
from trainers.engines.fused.forward import outputs_of_one, tensor_places
from trainers.network import MultiTaskNetwork
from trainers.protocol import Batch, TaskFunctions

_SAMPLE_BY_SAMPLE = (
    *(nn.Linear, nn.Dropout, nn.Identity, nn.Flatten, nn.LayerNorm),
    *(nn.ReLU, nn.LeakyReLU, nn.ELU, nn.GELU, nn.SiLU, nn.Sigmoid, nn.Softplus, nn.Tanh),
)
"""Modules that treat each sample of a batch by itself, as long as they evaluate."""

_VECTORS = 2
"""Dimensions of a batch of vectors."""


class NotFlat(Exception):
    """A sample enters a linear layer as more than one vector."""


class LinearTrunk:
    """Products of gradients, of runs of one network that `fits`."""

    def __init__(self, network: MultiTaskNetwork, functions: Mapping[str, TaskFunctions]) -> None:
        self._functions, self._network = functions, network
        self._outputs = partial(outputs_of_one, network, tensor_places(network))
        self._layers = [m for m in network.trunk.modules() if isinstance(m, nn.Linear)]

    @staticmethod
    def fits(network: MultiTaskNetwork) -> bool:
        """Whether all that is shared and trained is in linear layers, and samples do not meet."""
        if not all(map(_is_plain, (network.trunk, *network.heads.values()))):
            return False
        layers = [m for m in network.trunk.modules() if isinstance(m, nn.Linear)]
        params = [id(param) for layer in layers for param in layer.parameters()]
        trained = {id(param) for param in network.trunk.parameters() if param.requires_grad}
        others = {id(param) for head in network.heads.values() for param in head.parameters()}
        return set(params) == trained and len(params) == len(trained) and not others & trained

    def products(
        self, tensors: Mapping[str, Tensor] | None, batch: Batch, tasks: Sequence[str]
    ) -> Products:
        """Products ``[R, M, M]`` of gradients.

        Args:
            tensors: The runs' parameters and buffers, name to ``[R, *shape]``; None: the network is
                the one run.
            batch: Of S samples; what goes into the network is a copy.

        Raises:
            NotFlat: A sample enters a layer as several vectors, whose gradients add up.
        """
        n_runs = 1 if tensors is None else len(next(iter(tensors.values())))
        inputs = inputs_of_rows(batch, len(tasks))
        device = inputs.device
        nudges = [
            torch.zeros(n_runs, len(inputs), layer.out_features, device=device, requires_grad=True)
            for layer in self._layers
        ]

        def of_one(
            tensors: Mapping[str, Tensor] | None, nudges: Sequence[Tensor]
        ) -> tuple[dict[str, Any], list[Tensor]]:
            with _nudged(self._layers, nudges) as entered:
                if tensors is None:  # the detour takes as long as the network
                    return self._network(inputs), entered
                return self._outputs(tensors, {}, inputs), entered

        if n_runs == 1:  # `vmap` takes longer than the network
            alone = None if tensors is None else {name: of[0] for name, of in tensors.items()}
            outputs, entered = of_one(alone, [of[0] for of in nudges])
            outputs = {task: of.unsqueeze(0) for task, of in outputs.items()}
            entered = [of.unsqueeze(0) for of in entered]
        else:
            outputs, entered = vmap(of_one, randomness="same")(dict(tensors or {}), nudges)
        total = total_loss(outputs, batch, self._functions, tasks)
        left = torch.autograd.grad(total, nudges)
        return _summed(
            _of_layer(back, into.detach(), layer.bias is not None)
            for back, into, layer in zip(left, entered, self._layers, strict=True)
        )


def _of_layer(back: Tensor, into: Tensor, has_bias: bool) -> Products:
    """Products of the outer products of ``[R, M, n_out]`` and ``[R, M, n_in]``."""
    one = float(has_bias)
    backs, intos = sign_products(back), sign_products(into)
    both = backs.both * (intos.both + one)
    agreeing = backs.agreeing * (intos.agreeing + one)
    return Products(inner=(back @ back.mT) * (into @ into.mT + one), opposite=(both - agreeing) / 2)


def _summed(parts: Iterator[Products]) -> Products:
    found = [*parts]
    return Products(
        inner=torch.stack([of.inner for of in found]).sum(0),
        opposite=torch.stack([of.opposite for of in found]).sum(0),
    )


@contextmanager
def _nudged(layers: Sequence[nn.Linear], nudges: Sequence[Tensor]) -> Iterator[list[Tensor]]:
    """Surrounds a forward pass, in which each layer adds its nudge; what enters them is noted."""
    entered: list[Tensor] = []

    def hook(nudge: Tensor, _layer: nn.Module, inputs: tuple[Tensor], output: Tensor) -> Tensor:
        if inputs[0].dim() > _VECTORS:
            raise NotFlat
        entered.append(inputs[0])
        return output + nudge

    handles = [
        layer.register_forward_hook(partial(hook, nudge))
        for layer, nudge in zip(layers, nudges, strict=True)
    ]
    try:
        yield entered
    finally:
        for handle in handles:
            handle.remove()


def _is_plain(module: nn.Module) -> bool:
    """Whether a module is a sequence of such as treat samples by themselves, without hooks."""
    hooks = (module._forward_hooks, module._forward_pre_hooks, module._backward_hooks)
    if any(hooks) or module._backward_pre_hooks or "forward" in vars(module):
        return False
    if (
        type(module).forward is nn.Sequential.forward
        and type(module).__call__ is nn.Module.__call__
    ):
        children = [*module._modules.values()]
        return len({*map(id, children)}) == len(children) and all(
            child is not None and _is_plain(child) for child in children
        )
    return type(module) in _SAMPLE_BY_SAMPLE
