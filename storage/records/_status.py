"""How a study stands: states, costs, failures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from storage.records._studies import StudyRecord
from storage.states import RunState

BETWEEN_S: Final = 5.0
"""A driver hands the next runs out sooner after the last ones, unless nobody is at work."""


def is_between_runs(last: datetime | None, *, held: bool) -> bool:
    """Whether no run is held only because the last ones have ended a moment ago.

    Args:
        last: When one of the latest attempts last began or ended.
        held: Whether some run is.
    """
    if held or last is None:
        return False
    return abs((datetime.now(UTC) - last).total_seconds()) < BETWEEN_S


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

    @property
    def used(self) -> Mapping[str, float]:
        """What counts for each limit of a budget that is of all runs, by its key."""
        return {
            "trials": self.trials,
            "epochs": self.epochs,
            "device_s": self.device_s,
            "money": self.money or 0.0,
        }


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
class Lease:
    """A run that a driver holds for a worker.

    Attributes:
        worker: Who trains it.
        host: Of the driver, which renews the lease; its process there is `pid`.
        since: When the worker began with it.
        epochs: That it has reached.
        until: When the lease runs out unless it is renewed; None where none was given.
        left_s: Seconds until then by the database's clock; negative if it has run out.
    """

    run: int
    worker: int | None
    host: str
    pid: int
    since: datetime
    epochs: int
    until: datetime | None
    left_s: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerProcess:
    """A worker process: where it is, and since when."""

    worker: int
    host: str
    device: str
    started: datetime


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

    @property
    def seen_s(self) -> float:
        """Seconds from its start to the last thing that it began or ended."""
        return (self.last - self.started).total_seconds()

    @property
    def utilisation(self) -> float | None:
        """Device time of its attempts as a share of `seen_s`; None before that is known."""
        return min(self.device_s / self.seen_s, 1.0) if self.seen_s > 0 else None

    @property
    def epochs_per_min(self) -> float | None:
        """Epochs of all its runs a minute; None before that is known."""
        return 60 * self.epochs / self.seen_s if self.seen_s > 0 else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Glance:
    """A study, and what tells whether anything of it is new.

    Attributes:
        change: Number of its latest change; as long as it is the same, nothing has happened.
        held: Whether the lease of some run has not run out: a driver renews it.
        last: When one of the latest attempts last began or ended; None before the first.
    """

    record: StudyRecord
    change: int
    held: bool
    last: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pulse:
    """Signs of life of a study.

    Attributes:
        change: Number of its latest change; as long as it is the same, nothing has happened.
        held: Runs that some driver has leased.
        alive: Those of them whose lease has not expired: somebody renews it.
        last: When one of the latest attempts last began or ended; None before the first.
        trained: Number of the latest attempt at a run; 0 before the first.
        failed: Run and token of the one that failed first, of those that stand as failed; empty
            while there is none.
        epoch_s: Seconds from one epoch to the next in the slowest of the latest attempts; None
            before one has ended.
    """

    change: int
    held: int
    alive: int
    last: datetime | None
    trained: int
    failed: str
    epoch_s: float | None
