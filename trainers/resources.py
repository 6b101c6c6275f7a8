"""What training takes beside time: estimated floating-point operations and peak memory."""

from __future__ import annotations

import os
import resource
import sys

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from trainers.hardware import compiler
from trainers.hardware.gpu import memory_bytes
from trainers.protocol import Source
from trainers.randomness import Key

BACKWARD_PASSES = 2
"""Forward passes that take about as many operations as a backward pass."""
_RESAMPLING = {
    getattr(torch.ops.aten, f"upsample_{kind}").default: lambda *_args, **_more: 0
    for kind in ("nearest2d", "bilinear2d", "bicubic2d")
}
"""They have no products to count. Torch's counter would take them apart to see that, and import
sympy for it: more than half a second in every worker of a problem with images for targets."""


def forward_flops(network: nn.Module, source: Source) -> float:
    """Estimated operations of one sample's forward pass, counted on a batch of two.

    Matrix products and convolutions are counted, elementwise operations are not. The network is
    of no use for anything else afterwards.
    """
    batch = next(iter(source.batches(torch.arange(min(2, source.size)), 2, Key("flops"))))
    network.eval()
    counter = FlopCounterMode(display=False, custom_mapping=_RESAMPLING)
    counter.mod_tracker = _WholeNetwork()  # type: ignore[assignment]
    with torch.no_grad(), counter:
        compiler.lighten(counter.mode)
        network(batch.inputs)
    return float(counter.get_total_flops()) / min(2, source.size)


class _WholeNetwork:
    """In place of torch's tracker of modules, whose hooks break a pass that differentiates."""

    parents = frozenset({"Global"})

    def __enter__(self) -> None: ...

    def __exit__(self, *_: object) -> None: ...


def peak_memory_bytes(device: torch.device) -> int:
    """Most memory held so far: of the process on a CPU, of its tensors on a GPU."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024  # kilobytes on Linux


def pack_memory_bytes(device: torch.device, limit_gib: float | None, *, share: float = 1.0) -> int:
    """What a pack may take: a limit, or half of what is free of this process's share."""
    if limit_gib is not None:
        return int(limit_gib * 2**30)
    if device.type == "cuda":
        free_bytes, total_bytes = torch.cuda.mem_get_info(device)
        return int(min(free_bytes, memory_bytes(share, total_bytes)) / 2)
    return int(share * os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2)
