"""What has come of a search's trials so far, as its strategies and decisions see them."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from search_spaces import Point, Value
from storage import FINAL, RunState
from storage.objectives import on_front
from storage.records import RunOutcome, SearchHistory, StageEntry
from storage.scoring import mean
from study.planning.search_plan import Search
from study.searches import Tried


def to_point(text: str) -> Point:
    """JSON of a point back to the point."""
    return {name: _value_of(plain) for name, plain in json.loads(text).items()}


def _value_of(plain: Any) -> Value:
    if isinstance(plain, list):
        return tuple(map(_value_of, plain))
    if isinstance(plain, dict):
        return {name: _value_of(value) for name, value in plain.items()}
    return cast("Value", plain)


def outcomes_of(history: SearchHistory, seeds: Sequence[int]) -> dict[str, list[RunOutcome]]:
    """The runs of each trial, by its params; those of winners on fresh seeds left out."""
    outcomes: dict[str, list[RunOutcome]] = {}
    for outcome in history.outcomes:
        if outcome.role != "confirm" and outcome.seed in seeds:
            outcomes.setdefault(outcome.params, []).append(outcome)
    return outcomes


def trials_of(
    search: Search, history: SearchHistory, *, seeds: Sequence[int], comparable: bool
) -> dict[str, Tried]:
    """Every trial that stands in some stage, by its params.

    Args:
        seeds: Those that every trial is to have.
        comparable: Whether values count: those of an earlier baseline do not.
    """
    outcomes = outcomes_of(history, seeds)
    return {
        entry.params: _trial(
            search,
            entry,
            outcomes.get(entry.params, []),
            n_seeds=len(seeds),
            comparable=comparable,
        )
        for entry in history.entries
    }


def best_of(trials: Iterable[Tried]) -> Tried | None:
    """The incumbent (M5) among trials; None if none has a value that can win."""
    survivors = (trial for trial in trials if trial.value is not None and trial.value < math.inf)
    return min(survivors, key=lambda trial: trial.rank, default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Winner:
    """The best trial of a search.

    Attributes:
        runs: One a seed, the best on validation first, of equal ones that of the earlier seed.
    """

    trial: Tried
    runs: Sequence[RunOutcome]


def winner(search: Search, history: SearchHistory, *, seeds: Sequence[int]) -> Winner | None:
    """The best trial once runs are scored under the baseline in force; None if there is none."""
    trials = trials_of(search, history, seeds=seeds, comparable=True)
    return _winner(search, trials, outcomes_of(history, seeds), seeds)


def _winner(
    search: Search,
    trials: Mapping[str, Tried],
    outcomes: Mapping[str, Sequence[RunOutcome]],
    seeds: Sequence[int],
) -> Winner | None:
    best, sign = best_of(trials.values()), search.objective.sign
    if best is None:
        return None
    runs = outcomes[best.params]
    ranked = sorted(runs, key=lambda run: (sign * (run.value or 0.0), seeds.index(run.seed)))
    return Winner(trial=best, runs=ranked)


@dataclass(frozen=True, slots=True, kw_only=True)
class Contest:
    """How the runs of a search stand to each other; what is in neither set is still open.

    Attributes:
        best: Runs of the best trial, one a seed.
        outclassed: Runs of trials that it has beaten, or that stand in no stage any more.
    """

    best: frozenset[int] = frozenset()
    outclassed: frozenset[int] = frozenset()


def contest(search: Search, history: SearchHistory, *, seeds: Sequence[int]) -> Contest:
    """How runs stand, once they are scored under the baseline in force."""
    trials = trials_of(search, history, seeds=seeds, comparable=True)
    runs = outcomes_of(history, seeds)
    best = _winner(search, trials, runs, seeds)
    if best is None:
        return Contest()
    beaten = _beaten(best.trial, trials.values())
    return Contest(
        best=frozenset(outcome.run for outcome in best.runs),
        outclassed=frozenset(
            outcome.run
            for params, outcomes in runs.items()
            for outcome in outcomes
            if params in beaten or params not in trials
        ),
    )


def _beaten(best: Tried, trials: Iterable[Tried]) -> set[str]:
    """Trials that need not be kept: by several objectives, those that some other one beats."""
    known = [tried for tried in trials if tried.value is not None]
    if not best.others:
        return {tried.params for tried in known if tried is not best}
    front = on_front([tried.values for tried in known])
    lost = [t.value == math.inf or not there for t, there in zip(known, front, strict=True)]
    return {tried.params for tried, out in zip(known, lost, strict=True) if out}


def _trial(
    search: Search,
    entry: StageEntry,
    outcomes: Sequence[RunOutcome],
    *,
    n_seeds: int,
    comparable: bool,
) -> Tried:
    states = [outcome.state for outcome in outcomes]
    final = len(outcomes) == n_seeds and all(state in FINAL for state in states)
    value = _seed_mean(search, outcomes) if final and comparable else None
    return Tried(
        params=entry.params,
        point=to_point(entry.written),
        round=0,
        final=final,
        settled=final and (value is not None or RunState.FAILED in states),
        value=value,
        others=() if value is None else _others(search, outcomes, lost=value == math.inf),
        cost=sum(outcome.grad_evals for outcome in outcomes),
        trial=entry.trial,
        pruned=value == math.inf and RunState.DIVERGED not in states,
    )


def _seed_mean(search: Search, outcomes: Sequence[RunOutcome]) -> float | None:
    """Seed mean, lower is better: inf if a seed diverged or was pruned, None if one failed or is
    unscored.
    """
    if any(outcome.state is RunState.FAILED for outcome in outcomes):
        return None
    if any(outcome.state is not RunState.DONE for outcome in outcomes):
        return math.inf
    values = [outcome.value for outcome in outcomes if outcome.value is not None]
    if len(values) < len(outcomes):
        return None
    return search.objective.sign * mean(values)


def _others(search: Search, outcomes: Sequence[RunOutcome], *, lost: bool) -> tuple[float, ...]:
    """Seed means by the objectives beside the first, lower is better; all are lost with it."""
    if lost:
        return (math.inf,) * len(search.others)
    columns = zip(*(outcome.others for outcome in outcomes), strict=True)
    return tuple(
        objective.sign * mean(column)
        for objective, column in zip(search.others, columns, strict=True)
    )
