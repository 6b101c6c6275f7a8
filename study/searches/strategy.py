"""What a stage wants to have tried, given what it has tried.

A strategy names *all* the points it wants so far, in a fixed order; the caller compares them with
what stands in the database. So proposing twice, from two drivers or after a kill, changes nothing,
and a grid that grows asks only for what is new.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from search_spaces import Point, canonical
from search_spaces.lines import neighbours, refinements
from study.searches.view import Proposals, StageView, Tried

# How many draws a sampled point may take: finite spaces repeat themselves, and run out.
_DRAWS = (1, 2, 4, 8, 16, 32)


def wish(view: StageView) -> Proposals:
    """What the stage's strategy wants to have tried."""
    return _STRATEGIES[view.stage.kind](view)


def grid(view: StageView) -> Proposals:
    """All points of the space at once."""
    return Proposals(
        points=[(0, view.at(point)) for point in view.stage.space.grid()], complete=True
    )


def line(view: StageView) -> Proposals:
    """A line, then rounds of points around the best so far (M6)."""
    first = grid(view)
    if view.stage.refine == 0:
        return first
    (name,) = view.stage.space.axes
    points = list(first.points)
    for round_number in range(1, view.stage.refine + 1):
        done = _settled(view, points)
        if done is None:
            return Proposals(points=points, complete=False)
        ranked = [tried for tried in done if tried.value is not None and tried.value < math.inf]
        if not ranked:
            break
        best = min(ranked, key=lambda tried: tried.rank)
        values = [float(point[name]) for _, point in points]  # type: ignore[arg-type]
        outward = 2 - _steps_outward(points, name)
        more = refinements(values, float(best.point[name]), outward=outward)  # type: ignore[arg-type]
        points += [(round_number, view.at({name: value})) for value in more]
    return Proposals(points=points, complete=True)


def random(view: StageView) -> Proposals:
    """Independent points, repeats left out; more trials extend the list."""
    return _sampled(view, view.stage.space.random)


def quasi_random(view: StageView) -> Proposals:
    """Evenly spread points, repeats left out; more trials extend the list."""
    return _sampled(view, view.stage.space.quasi_random)


def closing(view: StageView) -> Proposals:
    """The learning rates tried beside the winner's, with everything else as the winner has it."""
    rates = neighbours(view.tried_rates, float(view.base["lr"]))  # type: ignore[arg-type]
    return Proposals(points=[(0, view.base | {"lr": rate}) for rate in rates], complete=True)


def by_optuna(view: StageView) -> Proposals:
    """What a sampler of Optuna proposes, in rounds; rounds that stand are not asked for again.

    Points to begin with are a round of their own.
    """
    standing = [(tried.round, tried.point) for tried in view.tried]
    missing = view.stage.trials - len(standing)
    if missing <= 0:
        return Proposals(points=standing[: view.stage.trials], complete=True)
    if not all(tried.settled for tried in view.tried):
        return Proposals(points=standing, complete=False)

    if view.stage.first and not standing:
        begun = [(0, view.at(point)) for point in view.stage.first]
        return Proposals(points=begun, complete=len(begun) >= view.stage.trials)

    from study.searches.optuna_rounds import next_round  # optuna loads; planning does without

    round_number = max((number for number, _ in standing), default=-1) + 1
    new = next_round(view, n=min(view.stage.round_size, missing))
    points = [*standing, *((round_number, view.at(point)) for point in new)]
    return Proposals(points=points, complete=not new or len(points) >= view.stage.trials)


_STRATEGIES: Mapping[str, Callable[[StageView], Proposals]] = {
    "grid": grid,
    "line": line,
    "random": random,
    "quasi-random": quasi_random,
    "neighbours": closing,
    "tpe": by_optuna,
    "optuna": by_optuna,
}


class _Draw(Protocol):
    def __call__(self, n: int, /, *, key: str) -> list[Point]: ...


def _sampled(view: StageView, draw: _Draw) -> Proposals:
    """Points to begin with, then the first different ones of a sequence; fewer where a finite
    space has no more.
    """
    n, first = view.stage.trials, [view.at(point) for point in view.stage.first]
    different: dict[str, Point] = {}
    for longer in _DRAWS:
        points = [*first, *(view.at(point) for point in draw(n * longer, key=view.address))]
        different = {canonical(point): point for point in points}
        if len(different) >= n:
            break
    return Proposals(points=[(0, point) for point in list(different.values())[:n]], complete=True)


def _settled(view: StageView, points: Sequence[tuple[int, Point]]) -> list[Tried] | None:
    """What came of these points; None while one is not settled."""
    known = {tried.params: tried for tried in view.tried}
    found = [known.get(canonical(point)) for _, point in points]
    if any(tried is None or not tried.settled for tried in found):
        return None
    return [tried for tried in found if tried is not None]


def _steps_outward(points: Sequence[tuple[int, Point]], name: str) -> int:
    """How many refined points lay outside all that was tried before them."""
    values = [(number, float(point[name])) for number, point in points]  # type: ignore[arg-type]
    line_values = [value for number, value in values if number == 0]
    low, high, steps = min(line_values), max(line_values), 0
    for number, value in values:
        if number > 0 and not low <= value <= high:
            low, high, steps = min(low, value), max(high, value), steps + 1
    return steps
