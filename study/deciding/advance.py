"""The next step of one search: a pure function of its plan and its history.

No clock, no storage, no processes: a search is replayed from its rows by calling `advance` until
it waits. Words: a stage *wants* points (its strategy), points *stand* in the database, a stage is
*decided* when all its trials are final and its winner is a row.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from search_spaces import Point, canonical
from search_spaces.written import as_written
from storage import FINAL
from storage.records import Decision, Proposal, RunOutcome, SearchHistory
from storage.wording import counted
from study.deciding.breeding import Breed, at_rung, born, with_children
from study.deciding.rungs import Judge, due
from study.deciding.trial_budget import cut_to_budget, trials_left
from study.deciding.trials import best_of, outcomes_of, to_point, trials_of
from study.planning.keys import digest
from study.planning.search_plan import Search, Stage
from study.searches import Proposals, StageView, Tried, wish


@dataclass(frozen=True, slots=True, kw_only=True)
class Propose:
    """Put points into a stage, take others out."""

    stage: int
    kind: str
    tuned: tuple[str, ...]
    new: Sequence[Proposal]
    retired: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class AddRuns:
    """Runs that are missing: (params, seed); stages left decide who is trained first.

    Attributes:
        first_rung: Up to where they are trained before they are judged; None for all epochs.
    """

    runs: Sequence[tuple[str, int]]
    role: str
    stages_left: int
    first_rung: int | None = None


@dataclass(frozen=True, slots=True)
class Decide:
    """A stage has a winner."""

    decision: Decision


@dataclass(frozen=True, slots=True)
class WaitForRuns:
    """Runs of this search are not final yet."""

    stage: int


@dataclass(frozen=True, slots=True)
class WaitForBaseline:
    """Deciding needs values: there is no final baseline yet, or ended runs are not scored yet."""

    stage: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """All stages are decided."""

    winner: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchStopped:
    """The search ends before its last stage: its budget, or nothing to choose from."""

    stage: int
    reason: str


NextStep = (
    Propose
    | AddRuns
    | Breed
    | Judge
    | Decide
    | WaitForRuns
    | WaitForBaseline
    | Finished
    | SearchStopped
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What all searches of a study share.

    Attributes:
        baseline_hash: Hash of the final baseline, None while there is none.
        trials_left: New trials the study's budget still allows; None for any number.
        confirm_top: How many of the best trials get `confirm_seeds`.
        address: Addresses the randomness of strategies.
    """

    seeds: Sequence[int]
    baseline_hash: str | None
    trials_left: int | None = None
    confirm_seeds: Sequence[int] = ()
    confirm_top: int = 0
    address: str = ""


def advance(search: Search, history: SearchHistory, rules: Rules) -> NextStep:
    """The next thing to do for a search."""
    history = _planned(history, len(search.stages))
    trials = trials_of(
        search,
        history,
        seeds=rules.seeds,
        comparable=not search.objective.needs_baseline or rules.baseline_hash is not None,
    )
    base, winner = search.anchors, ""
    for number, stage in enumerate(search.stages):
        here = [
            _tried(entry.params, entry.round, trials)
            for entry in history.entries
            if entry.stage == number
        ]
        step = _stage_step(search, history, rules, number, stage, base, here, trials)
        if step is not None:
            return step
        winner = next(d.params for d in history.decisions if d.stage == number)
        base = trials[winner].point
    if any(not trial.final for trial in trials.values()):
        return WaitForRuns(len(search.stages) - 1)
    return _confirmation(search, history, rules, trials) or Finished(winner=winner)


def _stage_step(
    search: Search,
    history: SearchHistory,
    rules: Rules,
    number: int,
    stage: Stage,
    base: Point,
    here: Sequence[Tried],
    trials: Mapping[str, Tried],
) -> NextStep | None:
    """The next thing to do in a stage; None once it is decided."""
    base = base | dict(stage.at)
    members = _members(stage, base, here)
    missing = _add_missing(search, history, rules, number, stage, here)
    address = f"{rules.address}/{search.name}/{number}"
    rung = _rung_step(search, history, rules, number, stage, here, address)
    if any(d.stage == number and d.members == members for d in history.decisions):
        return missing or rung  # seeds were added; the decision stands
    view = StageView(
        stage=stage,
        base=base,
        tried=_on_base(here, base, stage),
        tried_rates=_rates(history, number, base),
        address=address,
        n_objectives=1 + len(search.others),
    )
    wanted = with_children(wish(view), here)
    points = {canonical(point): round_number for round_number, point in wanted.points}
    left = trials_left(search, trials, rules.trials_left)
    cut = cut_to_budget(points, trials, left)
    if stage.is_population and len(cut) < len(points):
        return _trials_ended(number, len(points) - len(cut))
    if (change := _proposal(number, stage, here, wanted, cut)) is not None:
        return change
    if missing is not None:
        return missing
    if isinstance(rung, Breed) and left is not None and rung.n_children > left:
        return _trials_ended(number, rung.n_children)
    if rung is not None:
        return rung
    so_far = {entry.params for entry in history.entries if entry.stage <= number}
    known = [trials[params] for params in sorted(so_far)]
    if any(not tried.final for tried in known):
        return WaitForRuns(number)
    if len(cut) < len(points):
        return _trials_ended(number, len(points) - len(cut))
    if not wanted.complete or any(not tried.settled for tried in known):
        return WaitForBaseline(number)
    return _decision_step(search, rules, number, members, known)


def _proposal(
    number: int, stage: Stage, here: Sequence[Tried], wanted: Proposals, allowed: Mapping[str, int]
) -> Propose | None:
    """What a stage must take in and give up to hold what it wants; None if it holds just that.

    Args:
        allowed: Rounds by point of those wanted that the budget allows.
    """
    texts = {canonical(point): as_written(point) for _, point in wanted.points}
    standing = {tried.params for tried in here}
    new = [
        Proposal(params=params, written=texts[params], round=round_number)
        for params, round_number in allowed.items()
        if params not in standing
    ]
    retired = [params for params in sorted(standing) if params not in texts]
    if not new and not retired:
        return None
    return Propose(stage=number, kind=stage.label, tuned=stage.tuned, new=new, retired=retired)


def _rung_step(
    search: Search,
    history: SearchHistory,
    rules: Rules,
    number: int,
    stage: Stage,
    here: Sequence[Tried],
    address: str,
) -> NextStep | None:
    """Judging a rung that a whole round has reached; None if there is none."""
    outcomes = outcomes_of(history, rules.seeds)
    rounds: dict[int, dict[int, Sequence[RunOutcome]]] = {}
    for tried in here:
        round_number = 0 if stage.is_population else tried.round  # children are of one population
        rounds.setdefault(round_number, {})[tried.trial] = outcomes.get(tried.params, [])
    due_now = due(number, stage.stop, rounds)
    judge = due_now and at_rung(due_now, stage, here, address=address)
    if judge is None or judge.rule is None or not judge.needs_values:
        return judge
    if search.needs_baseline(judge.rule) and rules.baseline_hash is None:
        return WaitForBaseline(number)
    return judge


def _members(stage: Stage, base: Point, here: Sequence[Tried]) -> str:
    """What a decision was about: a stage that is changed or grows is decided anew."""
    return digest([stage.to_plain(), canonical(base), sorted(tried.params for tried in here)])


def _decision_step(
    search: Search, rules: Rules, number: int, members: str, known: Sequence[Tried]
) -> NextStep:
    """The winner among all trials of this stage and those before (M5)."""
    winner = best_of(known)
    if winner is None:
        n_pruned = sum(tried.pruned for tried in known)
        n_failed = sum(tried.value is None for tried in known)
        pruned = f"{n_pruned} pruned, " if n_pruned else ""
        return SearchStopped(
            stage=number,
            reason=f"no trial can win: {len(known) - n_pruned - n_failed} diverged, {pruned}"
            f"{n_failed} with failed runs",
        )
    return Decide(
        Decision(
            stage=number,
            params=winner.params,
            value=search.objective.sign * (winner.value or 0.0) + 0.0,  # never -0.0
            members=members,
            objective=search.objective.name,
            baseline_hash=(rules.baseline_hash or "") if search.objective.needs_baseline else "",
        )
    )


def _confirmation(
    search: Search, history: SearchHistory, rules: Rules, trials: Mapping[str, Tried]
) -> NextStep | None:
    """Fresh seeds for the best trials (M9)."""
    if search.role != "search" or not rules.confirm_seeds:
        return None
    survivors = [t for t in trials.values() if t.value is not None and t.value < math.inf]
    best = sorted(survivors, key=lambda trial: trial.rank)[: rules.confirm_top]
    missing = _missing_runs(history, [trial.params for trial in best], rules.confirm_seeds)
    if missing:
        return AddRuns(runs=missing, role="confirm", stages_left=1)
    open_runs = [o for o in history.outcomes if o.role == "confirm" and o.state not in FINAL]
    return WaitForRuns(len(search.stages)) if open_runs else None


def _planned(history: SearchHistory, n_stages: int) -> SearchHistory:
    """Without stages that the spec no longer has."""
    return replace(
        history,
        entries=[entry for entry in history.entries if entry.stage < n_stages],
        decisions=[decision for decision in history.decisions if decision.stage < n_stages],
    )


def _tried(params: str, round_number: int, trials: Mapping[str, Tried]) -> Tried:
    return replace(trials[params], round=round_number)


def _on_base(here: Sequence[Tried], base: Point, stage: Stage) -> list[Tried]:
    """Points that agree with the base in everything this stage does not tune."""
    fixed = {name: value for name, value in base.items() if name not in stage.tuned}
    return [tried for tried in here if {name: tried.point.get(name) for name in fixed} == fixed]


def _rates(history: SearchHistory, before: int, base: Point) -> list[float]:
    """Learning rates of all earlier stages, of the base's optimiser."""
    points = (to_point(entry.params) for entry in history.entries if entry.stage < before)
    alike = (p for p in points if p.get("optimizer") == base.get("optimizer"))
    return sorted({float(point["lr"]) for point in alike if "lr" in point})  # type: ignore[arg-type]


def _trials_ended(number: int, left: int) -> SearchStopped:
    return SearchStopped(
        stage=number,
        reason=f"the trial budget ended in stage {number + 1}, with {counted(left, 'point')} of "
        "it left",
    )


def _add_missing(
    search: Search,
    history: SearchHistory,
    rules: Rules,
    number: int,
    stage: Stage,
    here: Sequence[Tried],
) -> AddRuns | None:
    """The runs that are missing and begin after the same epoch; None if there are all."""
    births = {tried.params: born(tried.point) for tried in here}
    missing = _missing_runs(history, [*births], rules.seeds)
    if not missing:
        return None
    first = min(births[params] for params, _ in missing)
    return AddRuns(
        runs=[(params, seed) for params, seed in missing if births[params] == first],
        role=search.role,
        stages_left=len(search.stages) - number,
        first_rung=stage.stop.after(first) if stage.stop else None,
    )


def _missing_runs(
    history: SearchHistory, params: Sequence[str], seeds: Sequence[int]
) -> list[tuple[str, int]]:
    present = {(outcome.params, outcome.seed) for outcome in history.outcomes}
    return [(p, seed) for p in params for seed in seeds if (p, seed) not in present]
