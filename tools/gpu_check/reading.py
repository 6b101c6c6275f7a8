"""Batches that are read ahead and copied beside the computation arrive as they were made."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter

import torch

from tools.gpu_check._setting import Found, Setting, session_of
from tools.gpu_check._steps import synchronize
from tools.gpu_check.problems import Decoded
from trainers.randomness import Key
from trainers.reading import as_read


def check(setting: Setting) -> Found:
    """Read batches while the device computes, and compare their sums; time both and each."""
    session_of("mlp", setting)
    n, batch_size = setting.pick(6, 200), setting.pick(4, 64)
    source = Decoded(size=n * batch_size, shape=(setting.pick(64, 16_384),))
    expected = [source.made(number, batch_size).double().sum().item() for number in range(n)]
    side = setting.pick(64, 4096)
    factor = torch.randn(side, side, device=setting.where)

    def compute() -> None:
        torch.mm(factor, factor)

    def read(also: Callable[[], object]) -> list[float]:
        sums = []
        for batch in as_read(source, setting.where).batches(None, batch_size, Key("read")):
            also()
            sums.append(batch.inputs.double().sum())
        return [value.item() for value in sums]

    found = read(compute)
    close = all(abs(a - b) <= 1e-6 * max(1.0, abs(b)) for a, b in zip(found, expected, strict=True))
    times = {
        "both_s": _seconds(lambda: read(compute), setting.where),
        "reading_s": _seconds(lambda: read(lambda: None), setting.where),
        "computing_s": _seconds(lambda: [compute() for _ in range(n)], setting.where),
    }
    return {"ok": close, "batches": n, **times}


def _seconds(work: Callable[[], object], device: torch.device) -> float:
    synchronize(device)
    began = perf_counter()
    work()
    synchronize(device)
    return perf_counter() - began
