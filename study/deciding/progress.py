"""How far a running study is and how long it will take: pure functions of counts and seconds.

Epochs are counted, not runs: those of a pack end together, long after they began. Each search's
epochs weigh what its own have taken so far. Time left is what is left in device-seconds over the
device-seconds that the study has got done a second, so that waiting at barriers, and other drivers
at work on the study, are in it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import mean, stdev

from storage.objectives import Objective
from storage.records import BestTrial, SearchStatus
from storage.states import FINAL, RunState
from study.deciding.outlook import Outlook
from study.spec.budget import BudgetSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchProgress:
    """Where one search stands.

    Attributes:
        stage: From 1; beyond `n_stages` while its winners are confirmed or once it has ended.
        label: The strategy of the stage and what it tunes.
        runs_expected: In all; an estimate until the last stage has been proposed.
        epochs_done: Of its runs; `epochs_expected` likewise in all.
        objective: What its trials are ranked by.
        best: Mean value of its best trial so far.
        best_sd: Standard deviation of its seeds; None for a single one.
        device_s: Paid for all attempts so far.
        left_device_s: Expected yet; None before anything has been timed.
    """

    search: str
    stage: int
    n_stages: int
    label: str
    runs_done: int
    runs_expected: int
    epochs_done: int
    epochs_expected: int
    objective: Objective
    best: float | None = None
    best_sd: float | None = None
    device_s: float = 0.0
    left_device_s: float | None = None

    @property
    def ended(self) -> bool:
        """Whether it has nothing more to train."""
        return self.stage > self.n_stages and self.runs_done >= self.runs_expected


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerCounts:
    """What the workers of this driver do.

    Attributes:
        starting: They import, load the data and look at the network.
        calibrating: They time steps, to find the size of packs.
        runs: Search -> runs of its that are in training.
    """

    starting: int = 0
    calibrating: int = 0
    training: int = 0
    idle: int = 0
    runs: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """Where a running study stands.

    Attributes:
        states: Runs by state.
        searches: In the order of the spec, single-task baselines first.
        paid_s: Device-seconds of all attempts so far.
        left_s: Seconds until it ends; None before anything has been timed.
    """

    states: Mapping[RunState, int]
    searches: Sequence[SearchProgress]
    workers: WorkerCounts
    paid_s: float
    left_s: float | None = None

    @property
    def runs_done(self) -> int:
        """Runs that have ended."""
        return sum(search.runs_done for search in self.searches)

    @property
    def runs_expected(self) -> int:
        """Runs in all, as far as is known."""
        return sum(search.runs_expected for search in self.searches)

    @property
    def share(self) -> float:
        """Share of the work that is done, 0 to 1: by cost, or by epochs before it is known."""
        left = [search.left_device_s for search in self.searches]
        if all(of is not None for of in left):
            done = sum(search.device_s for search in self.searches)
            total = done + sum(of for of in left if of is not None)
        else:
            done = sum(search.epochs_done for search in self.searches)
            total = sum(search.epochs_expected for search in self.searches)
        return done / total if total else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """Device-seconds that a study gets done a second of its time.

    Attributes:
        since_s: When training began here; None before.
        paid_s: Device-seconds by then.
    """

    since_s: float | None = None
    paid_s: float = 0.0

    def at(self, now_s: float, paid_s: float, *, workers: int) -> float:
        """The rate so far; the number of workers until a few device-seconds have been booked."""
        if self.since_s is None or paid_s - self.paid_s < 1.0 or now_s <= self.since_s:
            return float(max(1, workers))
        return (paid_s - self.paid_s) / (now_s - self.since_s)


def search_progress(
    status: SearchStatus,
    ahead: Outlook,
    *,
    n_stages: int,
    objective: Objective,
    epochs: int,
    budget: BudgetSpec,
    best: BestTrial | None,
    epoch_s: float | None,
    together: float = 1.0,
    dearer: Callable[[float], float] = lambda _together: 1.0,
) -> SearchProgress:
    """Where a search stands.

    Args:
        epochs: Of a run that no rule ends.
        epoch_s: Device-seconds of an epoch of its runs, as they were trained so far.
        together: How many proposed runs, those of other searches included, may share a pack.
        dearer: How many times that an epoch costs in packs of so many runs.
    """
    proposed = ahead.epochs_left(status.unfinished, epochs)
    to_come = sum(of.epochs for of in ahead.coming)
    left_s = None
    if epoch_s is not None:
        weighed = sum(of.epochs * dearer(of.together) for of in ahead.coming)
        left_s = least(
            epoch_s * (proposed * dearer(together) + weighed),
            proposed + to_come,
            budget,
            paid_s=status.device_s,
            paid=status.epochs_paid,
        )
    runs_done = sum(n for state, n in status.states.items() if state in FINAL)
    epochs_done = status.epochs_done - ahead.inherited_epochs
    open_runs = sum(of.runs for of in status.unfinished)
    return SearchProgress(
        search=status.search,
        stage=ahead.stage + 1,
        n_stages=n_stages,
        label=ahead.label,
        runs_done=runs_done,
        runs_expected=runs_done + open_runs + round(sum(of.runs for of in ahead.coming)),
        epochs_done=epochs_done,
        epochs_expected=epochs_done + round(proposed + to_come),
        objective=objective,
        best=mean(best.values) if best else None,
        best_sd=stdev(best.values) if best and len(best.values) > 1 else None,
        device_s=status.device_s,
        left_device_s=left_s,
    )


def least(device_s: float, epochs: float, budget: BudgetSpec, *, paid_s: float, paid: int) -> float:
    """Device-seconds that are left, if so many epochs are, and a budget does not end them before.

    Args:
        paid_s: Device-seconds that count for the budget; `paid` epochs likewise.
    """
    if budget.device_s is not None:
        device_s = min(device_s, max(0.0, budget.device_s - paid_s))
    if budget.epochs is not None and epochs > 0:
        device_s *= min(1.0, max(0.0, budget.epochs - paid) / epochs)
    return device_s


def epoch_seconds(
    statuses: Sequence[SearchStatus], tasks: Mapping[str, Sequence[str]]
) -> dict[str, float | None]:
    """Device-seconds of an epoch by search: its own mean, of its like, or of all; None: unknown.

    Args:
        tasks: Search -> the tasks that its networks learn.
    """

    def over(those: Sequence[SearchStatus]) -> float | None:
        epochs = sum(status.epochs_paid for status in those)
        return sum(status.device_s for status in those) / epochs if epochs else None

    found: dict[str, float | None] = {}
    for status in statuses:
        like = [s for s in statuses if len(tasks[s.search]) == len(tasks[status.search])]
        timed = (over(those) for those in ([status], like, statuses))
        found[status.search] = next((s for s in timed if s is not None), None)
    return found


def at_size(run_step_ms: Mapping[int, float], size: float) -> float:
    """A run's part of a step in a pack of some size, between sizes that were timed.

    A step is a fixed part that the pack shares and one for each run: linear in 1/size.

    Args:
        run_step_ms: Pack size -> ms; not empty.
    """
    known = sorted(run_step_ms)
    size = min(max(size, known[0]), known[-1])
    above = next(number for number in known if number >= size)
    below = max((number for number in known if number <= size), default=above)
    if above == below:
        return run_step_ms[above]
    part = (1 / below - 1 / size) / (1 / below - 1 / above)
    return run_step_ms[below] + part * (run_step_ms[above] - run_step_ms[below])
