"""What a search is expected to train yet: a pure function of its plan and its history.

Expected numbers, not upper bounds: a later stage repeats the point that its search has reached,
an edge has one neighbour, a stopping rule ends a share of the runs at each rung.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from search_spaces import Point
from storage.records import SearchHistory, Unfinished
from study.deciding.advance import Finished, NextStep, SearchStopped
from study.planning.search_plan import Search, Stage
from study.spec.stopping import HalvingRule, StopRule

_KEPT = {"median": 0.5, "worse-than-cohort": 0.75}
"""Share of a round that is expected to be kept at a rung, where the rule does not fix it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Coming:
    """Runs that are not proposed yet.

    Attributes:
        runs: Expected number; a fraction where it hangs on what will win.
        epochs: Of all of them.
        together: How many of one seed are proposed at a time, so that they may share a pack.
    """

    runs: float
    epochs: float
    together: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """Where a search stands and what it has yet to propose.

    Attributes:
        stage: From 0; the number of stages once it has ended.
        label: The strategy of the stage and what it tunes.
        coming: What this and later stages, and the confirmation, have yet to propose.
        stop: The stopping rule of the stage.
    """

    stage: int
    label: str = ""
    coming: Sequence[Coming] = ()
    stop: StopRule | None = None

    def epochs_left(self, unfinished: Sequence[Unfinished], epochs: int) -> float:
        """Epochs that proposed runs are expected to be trained yet.

        Args:
            epochs: Of a run that no rule ends.
        """
        return sum(
            of.runs * (of.until_epoch + _beyond(self.stop, of.until_epoch, epochs)) - of.epochs_done
            for of in unfinished
        )


def outlook(
    search: Search,
    history: SearchHistory,
    step: NextStep,
    *,
    n_seeds: int,
    epochs: int,
    confirm: tuple[int, int] = (0, 0),
) -> Outlook:
    """What a search that has come to a step has yet to propose.

    Args:
        epochs: Of a run that no rule ends.
        confirm: How many winners get how many fresh seeds.
    """
    if isinstance(step, Finished | SearchStopped):
        return Outlook(stage=len(search.stages))
    now = min(getattr(step, "stage", 0), len(search.stages) - 1)
    coming = [_in_stage(search, number, history, now) for number in range(now, len(search.stages))]
    runs = [
        Coming(
            runs=trials * n_seeds,
            epochs=trials * n_seeds * _whole(search.stages[now + i].stop, epochs),
            together=together,
        )
        for i, (trials, together) in enumerate(coming)
        if trials
    ]
    top, fresh = confirm
    confirmed = any(outcome.role == "confirm" for outcome in history.outcomes)
    if search.role == "search" and top * fresh and not confirmed:
        runs.append(Coming(runs=top * fresh, epochs=top * fresh * epochs, together=top))
    stage = search.stages[now]
    return Outlook(
        stage=now,
        label=f"{stage.kind} {', '.join(stage.tuned)}",
        coming=runs,
        stop=stage.stop,
    )


def _in_stage(search: Search, number: int, history: SearchHistory, now: int) -> tuple[float, float]:
    """Trials that a stage has yet to propose, and how many of them at a time."""
    stage = search.stages[number]
    here = [entry for entry in history.entries if entry.stage == number]
    if stage.kind == "tpe":
        return max(0, stage.trials - len(here)), stage.round_size
    if number == now and here:
        rounds_left = stage.refine - max(entry.round for entry in here)
        return 2 * max(0, rounds_left), 2
    new = _expected_new(search, number)
    return new + 2 * stage.refine, max(new, 1)


def _expected_new(search: Search, number: int) -> float:
    """Trials of a stage's first round that no earlier stage is expected to have run."""
    stage = search.stages[number]
    if stage.kind == "neighbours":
        return _expected_neighbours(search, number)
    size = stage.space.size
    known = 1 if number > 0 and size is not None and _repeats(stage, search.anchors) else 0
    if stage.kind in ("random", "quasi-random"):
        drawn = stage.trials if size is None else min(stage.trials, size)
        return drawn * (1 - known / size) if size else drawn
    return (size or 0) - known


def _expected_neighbours(search: Search, number: int) -> float:
    """Two rates, one at either edge; none if what was tuned after the rate is as it was then."""
    before = search.stages[:number]
    n_rates = sum(s.space.axes["lr"].size or 0 for s in before if "lr" in s.space.axes)
    as_before = 1.0
    for stage in (stage for stage in before if "lr" not in stage.space.axes):
        repeats = stage.space.size is not None and _repeats(stage, search.anchors)
        as_before *= 1 / (stage.space.size or 1) if repeats else 0.0
    return (2 - 2 / n_rates if n_rates else 2) * (1 - as_before)


def _repeats(stage: Stage, anchors: Point) -> bool:
    """Whether the point that is tuned so far is one of the stage's, whose space is finite."""
    rest = {name: anchors.get(name) for name in stage.space.axes}
    return not stage.at and any(dict(point) == rest for point in stage.space.grid())


def _whole(stop: StopRule | None, epochs: int) -> float:
    """Epochs that a new run is expected to be trained."""
    first = stop.rungs[0] if stop else epochs
    return first + _beyond(stop, first, epochs)


def _beyond(stop: StopRule | None, reached: int, epochs: int) -> float:
    """Epochs that a run is expected to be trained after a rung that it will be judged at."""
    if stop is None or reached >= epochs:
        return 0.0
    kept = stop.keep if isinstance(stop, HalvingRule) else _KEPT[stop.rule]
    following = [*(rung for rung in stop.rungs if rung > reached), epochs]
    share, found = 1.0, 0.0
    for rung in following:
        share *= kept
        found += share * (rung - reached)
        reached = rung
    return found
