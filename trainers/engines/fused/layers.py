"""Networks of plain layers, computed on whole stacks.

`torch.func.vmap` spends as long around the kernels of a small layer as in them. A sequence of the
layers below does without: one batched matrix product a layer, the bias in the same kernel.

Shapes: R rows (runs), B batch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias

import torch
from torch import Tensor, nn

from trainers.network import MultiTaskNetwork, widened

_ELEMENTWISE = (
    *(nn.Identity, nn.ReLU, nn.LeakyReLU, nn.ELU, nn.GELU, nn.SiLU),
    *(nn.Sigmoid, nn.Softplus, nn.Tanh),
)


@dataclass(frozen=True, slots=True)
class Features:
    """What goes from layer to layer.

    Attributes:
        values: ``[R, B, ...]``, or ``[B, ...]`` while all rows share it.
        unread: Nothing else reads the values, not even a backward pass: they may be overwritten.
    """

    values: Tensor
    stacked: bool
    unread: bool = False


Layer: TypeAlias = Callable[[Features, Mapping[str, Tensor]], Features]
"""A layer as a function of its input and the network's stacked tensors."""


class PlainNetwork:
    """The forward pass of a stack of networks whose trunk and heads are sequences of plain layers.

    Args:
        network: The template. Whether it is in training is looked up at every call.

    Raises:
        NotPlain: It has some other layer, a hook, or a parameter that two layers share.
    """

    def __init__(self, network: MultiTaskNetwork) -> None:
        if any(_hooks_of_all()):
            raise NotPlain
        names = {name for name, _ in network.named_parameters()}
        self._trunk = list(_layers(network.trunk, "trunk", names))
        self._heads = {
            task: list(_layers(network.heads[place], f"heads.{place}", names))
            for task, place in network.places.items()
        }

    def __call__(self, tensors: Mapping[str, Tensor], inputs: Tensor) -> dict[str, Tensor]:
        """Head outputs by task, ``[R, B, ...]``."""
        features = _through(self._trunk, Features(inputs, stacked=False), tensors)
        features = replace(features, unread=False)  # by all heads
        found = {task: _through(head, features, tensors) for task, head in self._heads.items()}
        n_rows = len(next(iter(tensors.values())))
        return widened({task: _stacked(of_task, n_rows) for task, of_task in found.items()})


class NotPlain(Exception):
    """A network that is no sequence of plain layers."""


def _through(layers: list[Layer], features: Features, tensors: Mapping[str, Tensor]) -> Features:
    for layer in layers:
        features = layer(features, tensors)
    return features


def _stacked(features: Features, n_rows: int) -> Tensor:
    values = features.values
    return values if features.stacked else values.expand(n_rows, *values.shape)


def _layers(module: nn.Module, name: str, names: set[str]) -> Iterator[Layer]:
    """A module's layers in order; sequences are taken apart.

    Only a module whose type is exactly known may be: a subclass may do anything.
    """
    hooks = (module._forward_hooks, module._forward_pre_hooks, module._backward_hooks)
    if any(hooks) or module._backward_pre_hooks or "forward" in vars(module):
        raise NotPlain
    if type(module) is nn.Sequential:
        # not `named_children`, which leaves out what has come before
        for child, layer in module._modules.items():
            if layer is not None:
                yield from _layers(layer, f"{name}.{child}", names)
    elif type(module) in _ELEMENTWISE:
        yield _elementwise(module)
    elif type(module) is nn.Flatten:
        yield _flatten(module)
    elif type(module) is nn.Dropout:
        yield _dropout(module)
    elif type(module) is nn.Linear:
        if any(f"{name}.{own}" not in names for own, _ in module.named_parameters()):
            raise NotPlain
        yield _linear(module, name)
    else:
        raise NotPlain


def _hooks_of_all() -> Iterator[object]:
    """Hooks of all modules there are."""
    of_torch = nn.modules.module
    yield of_torch._global_forward_hooks
    yield of_torch._global_forward_pre_hooks
    yield of_torch._global_backward_hooks
    yield of_torch._global_backward_pre_hooks


def _elementwise(module: nn.Module) -> Layer:
    in_place = type(module) is nn.ReLU

    def layer(features: Features, _tensors: Mapping[str, Tensor]) -> Features:
        if in_place and features.unread:
            return Features(features.values.relu_(), features.stacked)
        return Features(module(features.values), features.stacked)

    return layer


def _flatten(module: nn.Flatten) -> Layer:
    def layer(features: Features, _tensors: Mapping[str, Tensor]) -> Features:
        values, first, last = features.values, module.start_dim, module.end_dim
        if features.stacked:
            first, last = (of + 1 if of >= 0 else of for of in (first, last))
        return Features(values.flatten(first, last), features.stacked)

    return layer


def _dropout(module: nn.Dropout) -> Layer:
    """One mask for all rows: the one that a run would draw alone."""

    def layer(features: Features, _tensors: Mapping[str, Tensor]) -> Features:
        values = features.values
        if not features.stacked:
            return Features(module(values), stacked=False)
        return Features(values * module(torch.ones_like(values[0])), stacked=True)

    return layer


def _linear(module: nn.Linear, name: str) -> Layer:
    has_bias = module.bias is not None

    def layer(features: Features, tensors: Mapping[str, Tensor]) -> Features:
        weight = tensors[f"{name}.weight"].transpose(1, 2)
        values = _stacked(features, len(weight))
        samples = values.flatten(1, -2)
        if has_bias:
            found = torch.baddbmm(tensors[f"{name}.bias"].unsqueeze(1), samples, weight)
        else:
            found = torch.bmm(samples, weight)
        return Features(found.view(*values.shape[:-1], -1), stacked=True, unread=True)

    return layer
