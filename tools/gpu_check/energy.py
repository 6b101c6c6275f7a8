"""The energy that is booked is that of the power which the device shows."""

from __future__ import annotations

import threading
import time
from importlib import import_module
from time import perf_counter
from typing import Any

import torch

from tools.gpu_check._setting import Found, Setting, session_of
from tools.gpu_check._steps import synchronize
from trainers.hardware.energy import Unmetered, open_meter


def check(setting: Setting) -> Found:
    """Multiply for some seconds; compare the meter's joules with power times time."""
    session_of("mlp", setting)
    meter = open_meter(str(setting.where), threads=1)
    if isinstance(meter, Unmetered):
        return {"ok": True, "skipped": "the device's energy cannot be read here"}
    side = setting.pick(64, 8192)
    factor = torch.randn(side, side, device=setting.where)
    watts = _Watts(setting) if setting.cuda else None
    synchronize(setting.where)
    meter.lap_j()
    began = perf_counter()
    while perf_counter() - began < setting.pick(0.05, 3.0):
        torch.mm(factor, factor)
        synchronize(setting.where)
    joules, seconds = meter.lap_j(), perf_counter() - began
    found: Found = {"ok": joules is not None and joules > 0, "joules": joules, "seconds": seconds}
    if watts is not None and joules is not None:
        expected = watts.mean() * seconds
        found |= {"power_times_time_j": expected, "ok": abs(joules / expected - 1) <= 0.1}
    return found


class _Watts:
    """Reads the power of a GPU every 50 ms."""

    def __init__(self, setting: Setting) -> None:
        nvml: Any = import_module("pynvml")
        nvml.nvmlInit()
        uuid = torch.cuda.get_device_properties(setting.where).uuid
        self._nvml, self._handle = nvml, nvml.nvmlDeviceGetHandleByUUID(f"GPU-{uuid}")
        self._read: list[float] = []
        self._over = False
        threading.Thread(target=self._sample, daemon=True).start()

    def mean(self) -> float:
        self._over = True
        return sum(self._read) / len(self._read)

    def _sample(self) -> None:
        while not self._over:
            self._read.append(self._nvml.nvmlDeviceGetPowerUsage(self._handle) / 1e3)
            time.sleep(0.05)
