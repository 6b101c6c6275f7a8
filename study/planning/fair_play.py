"""What makes a comparison unfair by construction: read off its plan, before anything is paid for.

What only results can tell is in `reports.notes`, by the same limits.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Final

from storage.notices import more_seeds
from storage.wording import counted
from study.planning.plan import Plan
from study.planning.search_plan import Search

_FEW_SEEDS: Final = 3
_UNEQUAL_EFFORT: Final = 2  # the largest number of trials over the smallest


def unfair(plan: Plan) -> list[str]:
    """A sentence for each thing that would make methods unequal whatever comes out."""
    searches = [search for search in plan.searches if search.role == "search"]
    if not searches:
        return []
    return [sentence for rule in _RULES for sentence in rule(plan, searches)]


def _few_seeds(plan: Plan, _searches: list[Search]) -> Iterator[str]:
    n_seeds = len(plan.spec.seeds)
    if n_seeds < _FEW_SEEDS:
        yield (
            f"{counted(n_seeds, 'seed')}: differences between methods may be luck. Use at least "
            f"{_FEW_SEEDS}; {more_seeds(plan.spec.to_plain())}"
        )


def _unequal_rates(_plan: Plan, searches: list[Search]) -> Iterator[str]:
    told = _by(searches, _rates)
    if len(told) > 1:
        yield f"Methods are not given the same learning rates ({_said(told)})."


def _unequal_effort(_plan: Plan, searches: list[Search]) -> Iterator[str]:
    numbers = [search.expected_trials for search in searches]
    if max(numbers) >= _UNEQUAL_EFFORT * min(numbers):
        by_number = sorted(searches, key=lambda search: search.expected_trials)
        told = _said(_by(by_number, lambda search: str(search.expected_trials)))
        yield (
            f"Winners are chosen among unequal numbers of trials ({told}). Who tries more finds "
            "more, whatever the method: compare at equal budgets (`compare --at`)."
        )


def _unequal_rules(_plan: Plan, searches: list[Search]) -> Iterator[str]:
    told = _by(searches, lambda search: ", ".join(str(s.stop) for s in search.stages if s.stop))
    if len(told) > 1:
        yield f"Not all methods' trials are stopped by the same rules ({_said(told, 'none')})."
    limits = _by(searches, _limits)
    if len(limits) > 1:
        yield f"Not all methods have the same budget of their own ({_said(limits, 'none')})."


def _head_start(_plan: Plan, searches: list[Search]) -> Iterator[str]:
    begun = {search.init_from for search in searches}
    if len(begun) > 1:
        told = _said(_by(searches, lambda search: search.init_from), "none")
        yield f"Not all methods begin from the same network ({told})."


def _one_rate_alone(plan: Plan, _searches: list[Search]) -> Iterator[str]:
    if plan.spec.baseline is not None and plan.spec.baseline.metrics is not None:
        yield "The single-task numbers are imported: their seeds, rates and training are unknown."
    alone = [search for search in plan.searches if search.role == "baseline"]
    if alone and all(search.expected_trials == 1 for search in alone):
        yield (
            "The single-task networks have one learning rate: a baseline that was not tuned is "
            "easily beaten. Add rates to `lr` of [baseline]."
        )


_RULES: Final[tuple[Callable[[Plan, list[Search]], Iterator[str]], ...]] = (
    _few_seeds,
    _unequal_rates,
    _unequal_effort,
    _unequal_rules,
    _head_start,
    _one_rate_alone,
)


def _by(searches: list[Search], key: Callable[[Search], str]) -> dict[str, list[str]]:
    """Titles of searches, those together that are alike; names where titles tell none apart."""
    found: dict[str, list[str]] = {}
    times = Counter(search.title for search in searches)
    for search in searches:
        told = search.title if search.title and times[search.title] == 1 else search.name
        found.setdefault(key(search), []).append(told)
    return found


def _said(told: dict[str, list[str]], nothing: str = "") -> str:
    return "; ".join(f"{what or nothing}: {', '.join(titles)}" for what, titles in told.items())


def _rates(search: Search) -> str:
    """Learning rates as they are listed, or how they are drawn."""
    listed: set[float] = set()
    for stage in search.stages:
        for axis in stage.axes_of("lr"):
            if axis.size is None:
                return f"drawn by {stage.kind}"
            listed |= {float(rate) for rate in axis.points()}  # type: ignore[arg-type]
    if not listed and "lr" in search.anchors:
        listed = {float(search.anchors["lr"])}  # type: ignore[arg-type]
    return ", ".join(f"{rate:g}" for rate in sorted(listed))


def _limits(search: Search) -> str:
    given = {name: value for name, value in search.budget if value is not None}
    return ", ".join(f"{name} {value:g}" for name, value in given.items())
