"""Batch normalisation in plain operations, so that it can be stacked.

PyTorch's own kernel lays the channels of all runs side by side, and how it rounds a channel depends
on its place. Here each run's channels are reduced by themselves.

On a GPU these are a dozen kernels for each one of PyTorch's. There `torch.func.vmap` merges the
channels of all runs into one call, and a stack has the same number of rows in every pack.
"""

from __future__ import annotations

from types import MethodType

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from trainers.hardware import gpu

_KNOWN = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)


def make_stackable(network: nn.Module, device: torch.device) -> None:
    """Let the network's batch normalisations compute in plain operations from now on.

    Those of PyTorch's own types: what a subclass does is not known. On a GPU only those that have
    a mean of all batches, which no merged call knows.
    """
    native = gpu.wants_few_kernels(device)
    for module in network.modules():
        known = type(module) in _KNOWN and "forward" not in vars(module)
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
