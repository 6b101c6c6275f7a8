"""Puts the energy of a pack onto the events of its runs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from time import perf_counter

from trainers.events import CheckpointSkipped, Event, RunEnded
from trainers.hardware.energy import EnergyMeter


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
