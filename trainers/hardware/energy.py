"""The energy of runs, by RAPL counters of processors and NVML counters of NVIDIA's GPUs."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from time import perf_counter
from typing import Any, Protocol

from trainers.events import CheckpointSkipped, Event, RunEnded

POWERCAP = Path("/sys/class/powercap")


class EnergyMeter(Protocol):
    """Counts the energy of a worker's device."""

    def sample(self) -> None:
        """Read the counter, so that none of its turns is missed; any thread may call it."""

    def lap_j(self) -> float | None:
        """Joules since the last call; None if they are not known."""


class Unmetered:
    """The meter of a device that tells nothing."""

    def sample(self) -> None:
        """There is nothing to read."""

    def lap_j(self) -> None:
        """Not known."""


class RaplMeter:
    """A worker's share of what the processor packages of its machine take.

    The counters (Linux powercap, Intel and AMD) are of the whole machine: they include other
    programs and idle power, and leave out memory, fans and power supplies. The share of a worker
    is an estimate: its threads over the machine's cores, whatever the others do. So the shares of
    workers that keep all cores busy add up to what the packages take.

    A counter begins anew after some minutes at full power; it has to be sampled more often than
    that.

    Args:
        domains: Folders of the packages, each with `energy_uj` and `max_energy_range_uj`.
        share: Of their energy, from 0 to 1.

    Raises:
        OSError: A counter cannot be read; on many systems only the administrator may.
    """

    def __init__(self, domains: list[Path], *, share: float) -> None:
        self._share = share
        self._ranges_uj = {
            domain: _whole_number(domain / "max_energy_range_uj") for domain in domains
        }
        self._last_uj = {domain: _whole_number(domain / "energy_uj") for domain in domains}
        self._sum_uj = 0
        self._broken = False
        self._lock = threading.Lock()

    def sample(self) -> None:
        """Add what has been used since the last sample."""
        with self._lock:
            try:
                for domain in self._last_uj:
                    self._advance(domain, _whole_number(domain / "energy_uj"))
            except (OSError, ValueError):
                self._broken = True  # what is missing now can never be known

    def lap_j(self) -> float | None:
        """Joules since the last call; None from the first sample on that failed."""
        self.sample()
        with self._lock:
            lap_uj, self._sum_uj = self._sum_uj, 0
        return None if self._broken else self._share * lap_uj / 1e6

    def _advance(self, domain: Path, now_uj: int) -> None:
        used_uj = now_uj - self._last_uj[domain]
        self._last_uj[domain] = now_uj
        self._sum_uj += used_uj if used_uj >= 0 else used_uj + self._ranges_uj[domain]


class NvmlMeter:
    """What one NVIDIA GPU takes, memory included (Volta and later); needs ``nvidia-ml-py``.

    It is the whole GPU's, of which a worker that shares it reports its share. Not yet run on a GPU.

    Args:
        nvml: The module `pynvml`.
        share: Of the GPU, from 0 to 1.
        uuid: The GPU's, as ``GPU-...``; its number is another one for torch than for NVML.
    """

    def __init__(self, nvml: Any, uuid: str, *, share: float = 1.0) -> None:
        nvml.nvmlInit()
        self._share = share
        self._nvml, self._handle = nvml, nvml.nvmlDeviceGetHandleByUUID(uuid)
        self._last_mj = self._read_mj()

    def sample(self) -> None:
        """The counter has 64 bits and never begins anew while the driver is loaded."""

    def lap_j(self) -> float | None:
        """Joules since the last call; None if the GPU cannot be asked any more."""
        try:
            now_mj = self._read_mj()
        except self._nvml.NVMLError:
            return None
        lap_mj, self._last_mj = now_mj - self._last_mj, now_mj
        return self._share * lap_mj / 1e3

    def _read_mj(self) -> int:
        return int(self._nvml.nvmlDeviceGetTotalEnergyConsumption(self._handle))


def open_meter(
    device: str, threads: int, *, share: float = 1.0, powercap: Path = POWERCAP
) -> EnergyMeter:
    """The meter of a worker's device.

    Args:
        device: As for torch, such as ``cpu`` or ``cuda:0``.
        threads: The worker's, which give its share of a processor.
        share: The worker's, of a GPU.
        powercap: Folder of the kernel's power counters.
    """
    kind = device.partition(":")[0]
    if kind == "cuda":
        return _of_gpu(device, share)
    return _of_processor(threads, powercap) if kind == "cpu" else Unmetered()


def _of_processor(threads: int, powercap: Path) -> EnergyMeter:
    try:
        domains = [
            domain
            for domain in sorted(powercap.glob("intel-rapl:*"))
            if (domain / "name").read_text().startswith("package")  # parts of them are listed too
        ]
        share = min(1.0, threads / (os.cpu_count() or 1))
        return RaplMeter(domains, share=share) if domains else Unmetered()
    except (OSError, ValueError):
        return Unmetered()


def _of_gpu(device: str, share: float) -> EnergyMeter:
    try:
        nvml = import_module("pynvml")
    except ImportError:
        return Unmetered()
    import torch  # already loaded in a worker; this module is read without it

    try:
        uuid = torch.cuda.get_device_properties(device).uuid
        return NvmlMeter(nvml, f"GPU-{uuid}", share=share)
    except (nvml.NVMLError, AssertionError, AttributeError, RuntimeError, ValueError):
        return Unmetered()


def _whole_number(path: Path) -> int:
    return int(path.read_text())


def metered(
    events: Iterable[Event],
    meter: EnergyMeter,
    *,
    n_runs: int,
    clock: Callable[[], float] = perf_counter,
) -> Iterator[Event]:
    """Stamp events with joules, in proportion to their device-seconds.

    An event takes of the energy that nobody has taken so far what its seconds are of the time
    that nobody has taken. Runs that are trained together, and report an epoch one after the other
    with their shares of its time, thus share its energy alike. The end of the last run takes what
    is left, so that the events of a pack add up to what the meter counted.

    Args:
        n_runs: Runs of the pack.
    """
    if meter.lap_j() is None:  # and so nothing of the time before the pack is counted
        yield from events
        return
    left = _Left(meter, clock)
    for event in events:
        if isinstance(event, CheckpointSkipped):
            yield event
            continue
        n_runs -= isinstance(event, RunEnded)
        yield replace(event, energy_j=left.take(event.seconds.device_s, all_of_it=n_runs == 0))


class _Left:
    """Energy and time since the begin that no event has taken."""

    def __init__(self, meter: EnergyMeter, clock: Callable[[], float]) -> None:
        self._meter, self._clock = meter, clock
        self._energy_j: float | None = 0.0
        self._time_s, self._read_s = 0.0, clock()

    def take(self, device_s: float, *, all_of_it: bool) -> float | None:
        """Joules of some device-seconds; None once the meter has failed."""
        lap_j, now_s = self._meter.lap_j(), self._clock()
        if lap_j is None or self._energy_j is None:
            self._energy_j = None
            return None
        self._energy_j += lap_j
        self._time_s += now_s - self._read_s
        self._read_s = now_s
        part = 1.0 if all_of_it or device_s >= self._time_s else device_s / self._time_s
        taken_j = part * self._energy_j
        self._energy_j -= taken_j
        self._time_s -= part * self._time_s
        return taken_j
