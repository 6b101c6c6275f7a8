"""What the device can do at best, measured: products, copies, and operations of no size."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch

from tools.gpu_check._setting import Setting, seconds_each


@dataclass(frozen=True, slots=True, kw_only=True)
class Roofs:
    """Rates of one device.

    Attributes:
        flops_s: Floating-point operations a second of a large product, by precision.
        bytes_s: Bytes a second that are read or written by a large copy.
        kernel_s: Seconds of an operation on one number, among others in one graph.
    """

    flops_s: dict[str, float]
    bytes_s: float
    kernel_s: float

    def least_s(self, *, flops: float, n_bytes: float, precision: str) -> float:
        """The least that a step can take: the larger one of computing and of moving."""
        return max(flops / self.flops_s[precision], n_bytes / self.bytes_s)


def measured(setting: Setting) -> Roofs:
    """Measure them."""
    side, n = setting.pick(128, 8192), setting.pick(2**16, 2**28)
    works: dict[str, Callable[[], object]] = {}
    for precision in ("float32", "tf32", "bfloat16") if setting.cuda else ("float32",):
        works[precision] = _product(side, precision, setting)
    numbers = torch.zeros(n, device=setting.where)
    into = torch.empty_like(numbers)
    works["copy"] = lambda: into.copy_(numbers)
    found = seconds_each(works, setting.where, warm=1, steps=setting.pick(2, 5))
    return Roofs(
        flops_s={name: 2.0 * side**3 / s for name, s in found.items() if name != "copy"},
        bytes_s=2.0 * numbers.nbytes / found["copy"],
        kernel_s=_kernel_s(setting),
    )


def _product(side: int, precision: str, setting: Setting) -> Callable[[], object]:
    dtype = torch.bfloat16 if precision == "bfloat16" else torch.float32
    factor = torch.randn(side, side, device=setting.where).to(dtype)
    into = torch.empty_like(factor)

    def work() -> None:
        torch.backends.cuda.matmul.allow_tf32 = precision == "tf32"
        torch.mm(factor, factor, out=into)
        torch.backends.cuda.matmul.allow_tf32 = False

    return work


def _kernel_s(setting: Setting) -> float:
    number, n = torch.zeros(1, device=setting.where), 100

    def many() -> None:
        for _ in range(n):
            number.add_(1.0)

    work = captured(many, setting) if setting.cuda else many
    return seconds_each({"all": work}, setting.where, warm=2, steps=5)["all"] / n


def captured(work: Callable[[], object], setting: Setting) -> Callable[[], object]:
    """The work as one CUDA graph, replayed by a call."""
    stream = torch.cuda.Stream(setting.where)
    stream.wait_stream(torch.cuda.current_stream(setting.where))
    with torch.cuda.stream(stream):  # what it allocates at its first calls is not of the graph
        for _ in range(3):
            work()
    torch.cuda.current_stream(setting.where).wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        work()
    return graph.replay
