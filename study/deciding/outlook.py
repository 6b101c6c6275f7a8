"""What a search is expected to train yet: a pure function of its plan and its history.

Expected numbers, not upper bounds: a later stage repeats the point that its search has reached,
an edge has one neighbour, a stopping rule ends a share of the runs at each rung.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from search_spaces import Point
from storage.records import SearchHistory, Unfinished
from study.deciding.advance import Finished, NextStep, SearchStopped
from study.deciding.breeding import born
from study.deciding.trials import to_point
from study.planning.search_plan import Search, Stage
from study.spec.stopping import HalvingRule, PopulationRule, StopRule

# a child takes the place of each member that a population loses
_KEPT = {"median": 0.5, "MedianPruner": 0.5, "pbt": 1.0}
_KEPT_ELSE = 0.75
"""Shares of a round that are expected to be kept at a rung, where the rule does not fix it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Coming:
    """Runs that are not proposed yet.

    Attributes:
        runs: Expected number; a fraction where it hangs on what will win.
        epochs: Of all of them.
        together: How many of one seed are proposed at a time, so that they may share a pack.
        least_epochs: Where winners lie on edges, or repeat what was tried, and most is pruned.
        most_epochs: Where they do not, and nothing is pruned that a rule does not have to.
    """

    runs: float
    epochs: float
    together: float
    least_epochs: float
    most_epochs: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """Where a search stands and what it has yet to propose.

    Attributes:
        stage: From 0; the number of stages once it has ended.
        label: The strategy of the stage and what it tunes.
        coming: What this and later stages, and the confirmation, have yet to propose.
        stop: The stopping rule of the stage.
        inherited_epochs: Where runs of children stand, less what they have trained themselves.
    """

    stage: int
    label: str = ""
    coming: Sequence[Coming] = ()
    stop: StopRule | None = None
    inherited_epochs: int = 0

    def epochs_left(self, unfinished: Sequence[Unfinished], epochs: int) -> float:
        """Epochs that proposed runs are expected to be trained yet.

        Args:
            epochs: Of a run that no rule ends.
        """
        return sum(
            of.runs * (of.until_epoch + _beyond(self.stop, of.until_epoch, epochs)) - of.epochs_done
            for of in unfinished
        )

    def epochs_between(self, unfinished: Sequence[Unfinished], epochs: int) -> tuple[float, float]:
        """The fewest and the most epochs that all its runs, proposed or not, are trained yet."""
        ends = [
            (
                of.runs * (of.until_epoch + least) - of.epochs_done,
                of.runs * (of.until_epoch + most) - of.epochs_done,
            )
            for of in unfinished
            for least, most in [_bounds(self.stop, of.until_epoch, epochs)]
        ]
        return (
            sum(least for least, _ in ends) + sum(of.least_epochs for of in self.coming),
            sum(most for _, most in ends) + sum(of.most_epochs for of in self.coming),
        )

    @property
    def runs(self) -> float:
        """Runs that are not proposed yet."""
        return sum(of.runs for of in self.coming)

    def within(self, trials: int, *, n_seeds: int) -> Outlook:
        """The same where a budget leaves so many new trials."""
        wanted = self.runs / n_seeds
        if wanted <= trials:
            return self
        share = trials / wanted
        return replace(
            self,
            coming=[
                Coming(
                    runs=of.runs * share,
                    epochs=of.epochs * share,
                    together=of.together,
                    least_epochs=of.least_epochs * share,
                    most_epochs=of.most_epochs * share,
                )
                for of in self.coming
            ],
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
    inherited = _inherited(search, history)
    if isinstance(step, Finished | SearchStopped):
        return Outlook(stage=len(search.stages), inherited_epochs=inherited)
    now = min(getattr(step, "stage", 0), len(search.stages) - 1)
    runs = [
        coming
        for number in range(now, len(search.stages))
        if (coming := _in_stage(search, number, history, now, n_seeds, epochs)) is not None
    ]
    top, fresh = confirm
    confirmed = any(outcome.role == "confirm" for outcome in history.outcomes)
    if search.role == "search" and top * fresh and not confirmed:
        whole = top * fresh * epochs
        runs.append(
            Coming(
                runs=top * fresh,
                epochs=whole,
                together=top,
                least_epochs=whole,
                most_epochs=whole,
            )
        )
    stage = search.stages[now]
    return Outlook(
        stage=now,
        label=f"{stage.kind} {', '.join(stage.tuned)}",
        coming=runs,
        stop=stage.stop,
        inherited_epochs=inherited,
    )


def _inherited(search: Search, history: SearchHistory) -> int:
    """Epochs of parents that are among those their children's runs have done."""
    if not search.is_population:
        return 0
    return sum(born(to_point(outcome.params)) for outcome in history.outcomes)


def _in_stage(
    search: Search, number: int, history: SearchHistory, now: int, n_seeds: int, epochs: int
) -> Coming | None:
    """What a stage has yet to propose; None if that is nothing."""
    stage = search.stages[number]
    here = [entry for entry in history.entries if entry.stage == number]
    if stage.is_population and here:
        return _expected_children(stage, len(here), n_seeds)
    refined = 2 * stage.refine
    if stage.adaptive:
        new = least = most = float(max(0, stage.trials - len(here)))
        together = float(stage.round_size)
    elif number == now and here:
        new = most = 2.0 * max(0, stage.refine - max(entry.round for entry in here))
        least, together = 0.0, 2.0
    else:
        first, least, most = _expected_new(search, number)
        new, most, together = first + refined, most + refined, max(first, 1)
    if not most:
        return None
    reached = stage.stop.rungs[0] if stage.stop else epochs
    shortest, longest = _bounds(stage.stop, reached, epochs)
    return Coming(
        runs=new * n_seeds,
        epochs=new * n_seeds * (reached + _beyond(stage.stop, reached, epochs)),
        together=together,
        least_epochs=least * n_seeds * (reached + shortest),
        most_epochs=most * n_seeds * (reached + longest),
    )


def _expected_children(stage: Stage, n_here: int, n_seeds: int) -> Coming | None:
    """Children of a population, who train the epochs that those they replace leave."""
    new = stage.expected_trials - n_here
    if new <= 0:
        return None
    return Coming(runs=new * n_seeds, epochs=0, together=1, least_epochs=0, most_epochs=0)


def _expected_new(search: Search, number: int) -> tuple[float, float, float]:
    """Trials of a stage's first round that are new: expected, the fewest and the most."""
    stage = search.stages[number]
    if stage.kind == "neighbours":
        return _expected_neighbours(search, number), 0, 2
    size = stage.space.size
    known = 1 if number > 0 and size is not None and _repeats(stage, search.anchors) else 0
    if stage.kind in ("random", "quasi-random"):
        drawn = stage.trials if size is None else min(stage.trials, size)
        return drawn * (1 - known / size) if size else drawn, drawn - known, drawn
    new = (size or 0) - known
    return new, new, new


def _expected_neighbours(search: Search, number: int) -> float:
    """Two rates, one at either edge; none if what was tuned after the rate is as it was then."""
    before = search.stages[:number]
    n_rates = sum(axis.size or 0 for s in before for axis in s.axes_of("lr"))
    as_before = 1.0
    for stage in (stage for stage in before if "lr" not in stage.tuned):
        repeats = stage.space.size is not None and _repeats(stage, search.anchors)
        as_before *= 1 / (stage.space.size or 1) if repeats else 0.0
    return (2 - 2 / n_rates if n_rates else 2) * (1 - as_before)


def _repeats(stage: Stage, anchors: Point) -> bool:
    """Whether the point that is tuned so far is one of the stage's, whose space is finite."""
    rest = {name: anchors.get(name) for name in stage.tuned}
    return not stage.at and any(stage.space.named(point) == rest for point in stage.space.grid())


def _beyond(stop: StopRule | None, reached: int, epochs: int) -> float:
    """Epochs that a run is expected to be trained after a rung that it will be judged at."""
    if stop is None or reached >= epochs:
        return 0.0
    kept = stop.keep if isinstance(stop, HalvingRule) else _KEPT.get(str(stop.rule), _KEPT_ELSE)
    following = [*(rung for rung in stop.rungs if rung > reached), epochs]
    share, found = 1.0, 0.0
    for rung in following:
        share *= kept
        found += share * (rung - reached)
        reached = rung
    return found


def _bounds(stop: StopRule | None, reached: int, epochs: int) -> tuple[float, float]:
    """The fewest and most epochs of a run beyond a rung: all are pruned there, or none.

    Halving keeps a share that is known, and a population is as large as before.
    """
    if isinstance(stop, HalvingRule | PopulationRule):
        both = _beyond(stop, reached, epochs)
        return both, both
    return 0.0, float(epochs - reached) if stop is not None else 0.0
