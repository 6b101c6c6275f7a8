"""How the operations of a network run: in which precision, on which layout of images."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

import torch
from torch import nn
from torch.nn.parameter import is_lazy

from trainers.jobs import Precision
from trainers.network import MultiTaskNetwork


def autocast(device: torch.device, precision: Precision) -> AbstractContextManager[object]:
    """Surrounds forward passes, losses and metrics; for one use.

    With ``bfloat16``, torch runs products and convolutions in it and what is delicate in single
    precision. Nothing cast is kept: a weight that is used twice has the same derivative alone and
    in a stack.
    """
    if precision != "bfloat16":  # TF32 is a setting of the process, see `trainers.hardware.gpu`
        return nullcontext()
    return torch.autocast(device.type, dtype=torch.bfloat16, cache_enabled=False)


def laid_out(network: MultiTaskNetwork, device: torch.device) -> MultiTaskNetwork:
    """The network on a device, its filters as the device's convolutions like them best."""
    wanted = memory_format(network, device.type)
    there = network.to(device)
    if wanted is torch.contiguous_format or any(map(is_lazy, network.parameters())):
        return there  # as the user, or the first data, lays it out
    return there.to(memory_format=wanted)


def memory_format(network: nn.Module, device: str) -> torch.memory_format:
    """Channels last for convolutions on a type of device that is a GPU, else as torch has it."""
    convolves = any(isinstance(module, nn.Conv2d) for module in network.modules())
    return torch.channels_last if convolves and device == "cuda" else torch.contiguous_format
