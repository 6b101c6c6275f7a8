"""How the operations of a network run: in which precision, on which layout of images."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

import torch
from torch import nn
from torch.nn.parameter import is_lazy

from trainers.jobs import Precision
from trainers.network import MultiTaskNetwork

_HALVES: dict[Precision, torch.dtype] = {"bfloat16": torch.bfloat16, "float16": torch.float16}


def autocast(device: torch.device, precision: Precision) -> AbstractContextManager[object]:
    """Surrounds forward passes, losses and metrics; for one use.

    With ``bfloat16`` and ``float16``, torch runs products and convolutions in it and what is
    delicate in single precision. Nothing cast is kept: a weight that is used twice has the same
    derivative alone and in a stack.
    """
    half = _HALVES.get(precision)
    if half is None:  # TF32 is a setting of the process, see `trainers.hardware.gpu`
        return nullcontext()
    return torch.autocast(device.type, dtype=half, cache_enabled=False)


def laid_out(
    network: MultiTaskNetwork, device: torch.device, channels_last: bool | None = None
) -> MultiTaskNetwork:
    """The network on a device, its filters as wished, or as the device's convolutions like them.

    Args:
        channels_last: See `Training`.
    """
    wanted = memory_format(network, device.type, channels_last)
    there = network.to(device)
    if wanted is torch.contiguous_format or any(map(is_lazy, network.parameters())):
        return there  # as the user, or the first data, lays it out
    return there.to(memory_format=wanted)


def memory_format(
    network: nn.Module, device: str, channels_last: bool | None = None
) -> torch.memory_format:
    """Channels last for two-dimensional convolutions, if wished; by default on a type of GPU."""
    convolves = any(isinstance(module, nn.Conv2d) for module in network.modules())
    wished = device == "cuda" if channels_last is None else channels_last
    return torch.channels_last if convolves and wished else torch.contiguous_format
