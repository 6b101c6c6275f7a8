"""A world in which searches run: a history in memory, and a trainer that knows all results."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from storage import RunState
from storage.records import Decision, RunOutcome, SearchHistory, StageEntry
from storage.scoring import mean
from study.deciding.advance import (
    AddRuns,
    Decide,
    Finished,
    NextStep,
    Propose,
    Rules,
    SearchStopped,
    advance,
)
from study.deciding.rungs import Judge
from study.planning.search_plan import Search
from study.spec.stopping import pruned

Result = float | RunState
Trainer = Callable[[Mapping[str, Any], int], Result]

EPOCHS = 9
"""Of every run, in a world that counts none but rungs."""
RULES = Rules(seeds=(0, 1), baseline_hash="b")
_MOST_STEPS = 200


def bowl(point: Mapping[str, Any], seed: int) -> float:
    """Smooth, best at lr 0.01, temperature 5 and the third task alone; a little seed noise."""
    value = abs(math.log10(point["lr"]) - math.log10(0.01)) + 10.0 * point["weight_decay"]
    value += abs(math.log10(point.get("temperature", 5.0)) - math.log10(5.0))
    value -= point.get("task_weights", (0, 0, 0))[2]
    return value + 0.001 * random.Random(f"{sorted(point.items())} {seed}").random()


@dataclass
class World:
    """One search, its history as a database would keep it, and what its runs come to.

    Attributes:
        train: A point and a seed to a value, or to a state without one.
        costs: Passes through the trunk by point; 1 where it says nothing.
        trouble_at: First rung by which a run that is to diverge or fail has done so.
    """

    search: Search
    train: Trainer = bowl
    rules: Rules = RULES
    costs: Callable[[Mapping[str, Any]], int] = lambda _point: 1
    trouble_at: int = 0
    entries: list[StageEntry] = field(default_factory=list)
    retired: list[StageEntry] = field(default_factory=list)
    outcomes: list[RunOutcome] = field(default_factory=list)
    decisions: list[Decision] = field(default_factory=list)
    log: list[NextStep] = field(default_factory=list)

    @property
    def history(self) -> SearchHistory:
        return SearchHistory(
            entries=tuple(sorted(self.entries, key=lambda entry: entry.stage)),
            outcomes=tuple(sorted(self.outcomes, key=lambda o: (o.trial, o.role, o.seed))),
            decisions=tuple(self.decisions),
        )

    @property
    def step(self) -> NextStep:
        return advance(self.search, self.history, self.rules)

    @property
    def open(self) -> list[RunOutcome]:
        """Runs that wait for a worker."""
        return [outcome for outcome in self.outcomes if outcome.state is RunState.WAITING]

    def points(self, stage: int) -> list[dict[str, Any]]:
        """What stands in a stage, in the order of proposal."""
        return [json.loads(entry.params) for entry in self.entries if entry.stage == stage]

    @property
    def winners(self) -> list[dict[str, Any]]:
        return [json.loads(decision.params) for decision in self.decisions]

    def settle(self) -> NextStep:
        """Apply steps until the search waits or has ended."""
        for _ in range(_MOST_STEPS):
            step = self.step
            if not isinstance(step, Propose | AddRuns | Judge | Decide):
                return step
            self.log.append(step)
            self.apply(step)
        raise AssertionError(f"still going after {_MOST_STEPS} steps: {self.log[-3:]}")

    def run(self, order: random.Random | None = None) -> NextStep:
        """Complete runs, in a random order if one is given, until nothing is open."""
        for _ in range(_MOST_STEPS):
            step = self.settle()
            if isinstance(step, Finished | SearchStopped) or not self.open:
                return step
            self.complete((order or random.Random(0)).choice(self.open) if order else self.open[0])
        raise AssertionError("too many runs")

    def complete(self, outcome: RunOutcome) -> None:
        """Train a run up to its next rung, or to its end."""
        if outcome.until_epoch < EPOCHS:
            self._replace(outcome, self._at_rung(outcome))
            return
        result = self.train(json.loads(outcome.params), outcome.seed)
        done = isinstance(result, float)
        ended = replace(
            outcome,
            state=RunState.DONE if done else result,  # type: ignore[arg-type]
            value=result if done and self.rules.baseline_hash else None,  # type: ignore[arg-type]
            grad_evals=self.costs(json.loads(outcome.params)),
        )
        self._replace(outcome, ended)

    def _at_rung(self, outcome: RunOutcome) -> RunOutcome:
        result = self.train(json.loads(outcome.params), outcome.seed)
        troubled = isinstance(result, RunState) and outcome.until_epoch >= self.trouble_at
        return replace(outcome, state=result if troubled else RunState.PAUSED)  # type: ignore[arg-type]

    def _replace(self, outcome: RunOutcome, now: RunOutcome) -> None:
        self.outcomes[self.outcomes.index(outcome)] = now

    def score(self) -> None:
        """Give values to runs that ended before there was a baseline."""
        for number, outcome in enumerate(self.outcomes):
            if outcome.state is RunState.DONE and outcome.value is None:
                value = self.train(json.loads(outcome.params), outcome.seed)
                self.outcomes[number] = replace(outcome, value=value)  # type: ignore[arg-type]

    def apply(self, step: NextStep) -> None:
        if isinstance(step, Propose):
            self._propose(step)
        elif isinstance(step, AddRuns):
            self._add_runs(step)
        elif isinstance(step, Judge):
            self._judge(step)
        elif isinstance(step, Decide):
            stage = step.decision.stage
            self.decisions = [*(d for d in self.decisions if d.stage < stage), step.decision]

    def _judge(self, step: Judge) -> None:
        """As the conductor does; every run is worth at a rung what it is worth at its end."""
        sign = self.search.objective.sign
        values = {
            at.trial: [sign * mean([float(self._value(run)) for run in at.measured])]
            for at in step.trials
            if at.measured
        }
        worse = pruned(step.rule, values) if step.rule and step.needs_values else ()
        for at in step.trials:
            ends = at.standing == "prune" or (at.standing is None and at.trial in worse)
            for run in at.paused:
                now = replace(
                    run,
                    state=RunState.PRUNED if ends else RunState.WAITING,
                    until_epoch=run.until_epoch if ends else step.next_rung or EPOCHS,
                )
                self._replace(run, now)

    def _value(self, run: RunOutcome) -> float:
        """At a rung; a run that is to have trouble later is worth 0 until then."""
        result = self.train(json.loads(run.params), run.seed)
        return 0.0 if isinstance(result, RunState) else result

    def _propose(self, step: Propose) -> None:
        for proposal in step.new:
            known = self._trial(proposal.params)
            trial = len(self._known_trials()) if known is None else known
            self.entries.append(
                StageEntry(
                    stage=step.stage,
                    round=proposal.round,
                    trial=trial,
                    params=proposal.params,
                    written=proposal.written,
                )
            )
        out = [e for e in self.entries if e.stage == step.stage and e.params in step.retired]
        self.entries = [entry for entry in self.entries if entry not in out]
        self.retired += out

    def _add_runs(self, step: AddRuns) -> None:
        for params, seed in step.runs:
            if any((o.params, o.seed) == (params, seed) for o in self.outcomes):
                continue
            trial = self._trial(params)
            assert trial is not None
            self.outcomes.append(
                RunOutcome(
                    run=len(self.outcomes) + 1,
                    trial=trial,
                    params=params,
                    seed=seed,
                    role=step.role,
                    state=RunState.WAITING,
                    token=0,
                    until_epoch=step.first_rung or EPOCHS,
                    value=None,
                    grad_evals=0,
                )
            )

    def _known_trials(self) -> dict[str, int]:
        return {entry.params: entry.trial for entry in (*self.entries, *self.retired)}

    def _trial(self, params: str) -> int | None:
        return self._known_trials().get(params)
