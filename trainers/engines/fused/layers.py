"""Layers that are computed otherwise in a stack than PyTorch and `torch.func.vmap` would.

`torch.func.vmap` spends as long around the kernels of a small layer as in them. A sequence of the
plain layers below does without: one batched matrix product a layer, the bias in the same kernel.

PyTorch's kernel of batch normalisation lays the channels of all runs side by side, and how it
rounds a channel depends on its place. Here each run's channels are reduced by themselves, in plain
operations. On a GPU these are a dozen kernels for each one of PyTorch's. There `torch.func.vmap`
merges the channels of all runs into one call, and a stack has the same number of rows in every
pack.

Shapes: R rows (runs), B batch, C channels.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from types import MethodType
from typing import TypeAlias

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from trainers.hardware import gpu
from trainers.network import MultiTaskNetwork, widened

_ELEMENTWISE = (
    *(nn.Identity, nn.ReLU, nn.LeakyReLU, nn.ELU, nn.GELU, nn.SiLU),
    *(nn.Sigmoid, nn.Softplus, nn.Tanh),
)
_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)


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


def make_stackable(network: nn.Module, device: torch.device) -> None:
    """Let the network's batch normalisations compute in plain operations from now on.

    Those of PyTorch's own types: what a subclass does is not known. On a GPU only those that have
    a mean of all batches, which no merged call knows.
    """
    native = gpu.wants_few_kernels(device)
    for module in network.modules():
        known = type(module) in _NORMS and "forward" not in vars(module)
        if known and not (native and module.momentum is not None):
            module.forward = MethodType(_normalised, module)


def _normalised(self: _BatchNorm, inputs: Tensor) -> Tensor:
    """``[B, C, ...]`` normalised by channel; as in Ioffe and Szegedy (2015).

    Raises:
        ValueError: There is one value a channel only, in training.
    """
    shape = [1, -1, *[1] * (inputs.dim() - 2)]
    if self.training or self.running_mean is None or self.running_var is None:
        over = [0, *range(2, inputs.dim())]
        mean = inputs.mean(over)
        centred = inputs - mean.view(shape)
        variance = centred.square().mean(over)
        n_values = inputs.numel() // inputs.shape[1]
        if self.training and n_values == 1:
            raise ValueError(
                "Batch normalisation needs more than one value a channel to train. Got inputs of "
                f"shape {list(inputs.shape)}. Choose a batch size that leaves no batch of one."
            )
        if self.training and self.running_mean is not None:
            _follow(self, mean.detach(), variance.detach() * (n_values / (n_values - 1)))
    else:
        mean, variance = self.running_mean, self.running_var
        centred = inputs - mean.view(shape)
    scale = (variance + self.eps).rsqrt()
    if self.affine:
        return centred * (scale * self.weight).view(shape) + self.bias.view(shape)
    return centred * scale.view(shape)


def _follow(module: _BatchNorm, mean: Tensor, variance: Tensor) -> None:
    """Move the running statistics towards those of a batch."""
    counted = module.num_batches_tracked
    with torch.no_grad():
        if counted is not None:
            counted.add_(1)
        for running, found in ((module.running_mean, mean), (module.running_var, variance)):
            if running is None:
                continue
            if module.momentum is None and counted is not None:
                running.add_((found - running) / counted)  # the plain mean of all batches so far
            else:
                share = module.momentum or 0.0
                running.mul_(1 - share).add_(found * share)
