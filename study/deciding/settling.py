"""What a driver would do at once, done to a copy of a search's history: nothing is written.

A spec may ask for more than is stored of it, and what has ended may not have been looked at yet.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from storage import FINAL, RunState
from storage.records import RunOutcome, SearchHistory, StageEntry, Unfinished
from study.deciding.advance import (
    AddRuns,
    Decide,
    NextStep,
    Propose,
    Rules,
    WaitForRuns,
    advance,
)
from study.deciding.breeding import born
from study.deciding.trials import to_point
from study.planning.search_plan import Search


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """A search that waits, or has ended.

    Attributes:
        history: With what a driver would have added.
        added: The runs among it.
        trials: How many new trials these are.
        dropped: Runs that have not ended of points that no longer stand, by the epoch up to which
            they were to be trained.
    """

    history: SearchHistory
    step: NextStep
    added: Sequence[Unfinished]
    trials: int
    dropped: Mapping[int, int]

    def unfinished(self, stored: Sequence[Unfinished]) -> list[Unfinished]:
        """What is to be trained yet of what is stored and was added.

        Of dropped runs as many epochs are taken to be done as of the others.
        """
        kept = [(of, of.runs - self.dropped.get(of.until_epoch, 0)) for of in stored]
        return [
            *(
                replace(of, runs=runs, epochs_done=round(of.epochs_done * runs / of.runs))
                for of, runs in kept
                if runs > 0
            ),
            *self.added,
        ]


def settled(search: Search, history: SearchHistory, rules: Rules, *, epochs: int) -> Settled:
    """Propose, add runs and decide until the search waits for a worker or has ended.

    TPE is not asked: its next points are not known before those at work, only their number is.

    Args:
        epochs: Of a run that no rule ends.
    """
    added: list[Unfinished] = []
    trials, before = 0, history
    while True:
        step = _step(search, history, rules)
        if isinstance(step, Propose):
            numbers = _numbers(history)
            history = _proposed(history, step)
            new = len(_numbers(history)) - len(numbers)
            trials += new
            if rules.trials_left is not None:
                rules = replace(rules, trials_left=rules.trials_left - new)
        elif isinstance(step, AddRuns):
            history = _with_runs(history, step, epochs)
            until = step.first_rung or epochs
            inherited = sum(born(to_point(params)) for params, _ in step.runs)
            added.append(Unfinished(until_epoch=until, runs=len(step.runs), epochs_done=inherited))
        elif isinstance(step, Decide):
            earlier = [d for d in history.decisions if d.stage < step.decision.stage]
            history = replace(history, decisions=(*earlier, step.decision))
        else:
            dropped = _dropped(before, history)
            return Settled(history=history, step=step, added=added, trials=trials, dropped=dropped)


def _dropped(before: SearchHistory, after: SearchHistory) -> Counter[int]:
    gone = {of.params for of in before.entries} - {of.params for of in after.entries}
    return Counter(
        of.until_epoch
        for of in before.outcomes
        if of.params in gone and of.role != "confirm" and of.state not in FINAL
    )


def _step(search: Search, history: SearchHistory, rules: Rules) -> NextStep:
    decided = {decision.stage for decision in history.decisions}
    number = next((n for n in range(len(search.stages)) if n not in decided), None)
    if number is not None and search.stages[number].adaptive:
        return WaitForRuns(number)
    return advance(search, history, rules)


def _numbers(history: SearchHistory) -> dict[str, int]:
    """Trials by their points."""
    known = {outcome.params: outcome.trial for outcome in history.outcomes}
    return known | {entry.params: entry.trial for entry in history.entries}


def _proposed(history: SearchHistory, step: Propose) -> SearchHistory:
    numbers = _numbers(history)
    for proposal in step.new:
        numbers.setdefault(proposal.params, 1 + max(numbers.values(), default=-1))
    kept = [e for e in history.entries if e.stage != step.stage or e.params not in step.retired]
    new = [
        StageEntry(
            stage=step.stage,
            round=proposal.round,
            trial=numbers[proposal.params],
            params=proposal.params,
            written=proposal.written,
        )
        for proposal in step.new
    ]
    entries = sorted([*kept, *new], key=lambda entry: entry.stage)
    return replace(history, entries=tuple(entries))


def _with_runs(history: SearchHistory, step: AddRuns, epochs: int) -> SearchHistory:
    numbers = _numbers(history)
    new = [
        RunOutcome(
            run=-1,
            trial=numbers[params],
            params=params,
            seed=seed,
            role=step.role,
            state=RunState.WAITING,
            token=0,
            until_epoch=step.first_rung or epochs,
            value=None,
            grad_evals=0,
        )
        for params, seed in step.runs
    ]
    return replace(history, outcomes=(*history.outcomes, *new))
