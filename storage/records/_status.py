"""How a study stands: states, costs, failures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from storage.states import RunState


@dataclass(frozen=True, slots=True, kw_only=True)
class Unfinished:
    """Planned runs of a search that are to be trained up to one epoch and have not ended.

    Attributes:
        until_epoch: A rung, or the last epoch.
        epochs_done: Of all of them together.
    """

    until_epoch: int
    runs: int
    epochs_done: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchStatus:
    """How a search's runs stand, and what all their attempts have cost.

    Attributes:
        epochs_done: Of its runs; an epoch that was trained twice counts once.
        unfinished: Its planned runs that have not ended.
        epochs_paid: Of all attempts.
        money: None if no attempt has a price.
    """

    search: str
    states: Mapping[RunState, int]
    epochs_done: int
    unfinished: Sequence[Unfinished]
    epochs_paid: int
    device_s: float
    money: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BestTrial:
    """The best trial of a search so far, by the mean value of its runs.

    Attributes:
        values: One a seed: validation delta_m, or what a search without baseline is ranked by.
    """

    search: str
    values: Sequence[float]


@dataclass(frozen=True, slots=True, kw_only=True)
class BadEnding:
    """A run that failed or diverged; `epochs` are those with good values."""

    run: int
    search: str
    trial: int
    params: str
    seed: int
    state: RunState
    epochs: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """What a study has spent on all attempts, and how its runs stand.

    Attributes:
        money: None if no attempt has a price.
    """

    states: Mapping[RunState, int]
    device_s: float
    money: float | None
    epochs: int
    trials: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureGroup:
    """Runs of one search that stand as failed, all for one cause."""

    search: str
    failure_key: str | None
    failure: str | None
    runs: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PackCosts:
    """What the packs of a search took: sums over packs, from which means and spreads follow.

    A pack is what one worker began at one moment; of runs of several searches in it each search has
    its part.

    Attributes:
        device: ``cpu``, or a GPU's name; empty where it was not recorded.
        packs: How many of them trained an epoch at least.
        epochs: Of all runs in them.
        device_s: Of all attempts in them, start-up and all splits included.
        epochs_squared: Sum of squares of the packs' epochs.
        device_s_squared: Likewise of their device-seconds.
        product: Sum of each pack's epochs times its device-seconds.
        epochs_in_turn: Sum of each pack's epochs times those of the one begun before it.
        device_s_in_turn: Likewise of their device-seconds.
        products_in_turn: Likewise of epochs times device-seconds, either way.
    """

    search: str
    device: str
    packs: int
    epochs: int
    device_s: float
    epochs_squared: float
    device_s_squared: float
    product: float
    epochs_in_turn: float
    device_s_in_turn: float
    products_in_turn: float


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerStatus:
    """A worker process: what it has done for a study, and what it does.

    Attributes:
        lost: Attempts that were given up with it, or whose lease it lost.
        last: When one of its attempts last began or ended.
        runs: Those that it trains now.
        busy: Whether it does anything, its own start and calibrations included.
    """

    worker: int
    host: str
    device: str
    attempts: int
    lost: int
    epochs: int
    device_s: float
    started: datetime
    last: datetime
    runs: Sequence[int]
    busy: bool
