"""Which rung of a stage is due: a pure function of how the stage's runs stand.

A round is judged at a rung once none of its runs is on the way there any more; by an asynchronous
rule each of its trials is, once none of the trial's own runs is, and those on the way are not
looked at. What was judged is read off the runs themselves: one that may go beyond the rung was
kept, a pruned one was not. So a verdict stands for its whole trial, for seeds that are added later
too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from storage import FINAL, RunState
from storage.records import RunOutcome
from study.spec.stopping import OptunaRule, PatienceRule, StopRule

Trials = Mapping[int, Sequence[RunOutcome]]
"""Trial -> its runs, one a seed."""

_ON_THE_WAY = (RunState.WAITING, RunState.LEASED)
_OUT = (RunState.DIVERGED, RunState.PRUNED)


@dataclass(frozen=True, slots=True, kw_only=True)
class AtRung:
    """A trial of a round at a rung.

    Attributes:
        runs: All its runs.
        paused: Those that stand at the rung.
        measured: All its runs, if each has been at the rung; else none: it is not compared.
        standing: What is known already: it was kept here before, or cannot win any more. A rule
            of patience asks of each run anew.
    """

    trial: int
    runs: Sequence[RunOutcome]
    paused: Sequence[RunOutcome]
    measured: Sequence[RunOutcome]
    standing: Literal["keep", "prune"] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Judge:
    """A whole round has reached a rung, or some of it for an asynchronous rule.

    Attributes:
        trials: Those of the round that are not on the way to the rung.
        earlier: Trials of the rounds before, for a rule that looks at them.
        next_rung: Up to where those go on that are kept; None for all epochs.
        replaced: Of a population, trials that end here, each with the child in its place.
    """

    stage: int
    round: int
    rung: int
    rule: StopRule | None
    next_rung: int | None
    trials: Sequence[AtRung]
    earlier: Trials = field(default_factory=dict)
    replaced: Mapping[int, int] = field(default_factory=dict)

    @property
    def needs_values(self) -> bool:
        """Whether some trial is kept or pruned by what it is worth."""
        return any(trial.standing is None for trial in self.trials)


def due(stage: int, rule: StopRule | None, rounds: Mapping[int, Trials]) -> Judge | None:
    """The first rung that can be judged; None while runs are on their way, or none is paused."""
    earlier: dict[int, Sequence[RunOutcome]] = {}
    for number, trials in sorted(rounds.items()):
        if isinstance(rule, OptunaRule) and any(map(_is_open, earlier.values())):
            return None  # what it says hangs on all that was before
        for rung in _paused_at(trials):
            there = {t: runs for t, runs in trials.items() if not _on_the_way(runs, rung)}
            some_suffice = rule is not None and rule.asynchronous
            if len(there) == len(trials) or (some_suffice and rung in _paused_at(there)):
                judge = _judge(stage, number, rung, rule, there)
                return replace(judge, earlier=earlier) if isinstance(rule, OptunaRule) else judge
        earlier |= trials
    return None


def _paused_at(trials: Trials) -> list[int]:
    """Epochs at which runs are paused; rising, as lower rungs come first."""
    return sorted({run.until_epoch for runs in trials.values() for run in runs if _is_paused(run)})


def _on_the_way(runs: Sequence[RunOutcome], rung: int) -> bool:
    """Whether a trial may still reach a rung at which it is not complete."""
    if _is_out(runs):
        return False
    return any(
        (run.state in _ON_THE_WAY and run.until_epoch <= rung)
        or (_is_paused(run) and run.until_epoch < rung)
        for run in runs
    )


def _judge(stage: int, number: int, rung: int, rule: StopRule | None, trials: Trials) -> Judge:
    """The rung as it stands; runs that are paused elsewhere than at a rung just go on."""
    is_rung = rule is not None and rung in rule.rungs
    return Judge(
        stage=stage,
        round=number,
        rung=rung,
        rule=rule,
        next_rung=None if rule is None else rule.after(rung),
        trials=[
            _at_rung(trial, runs, rung, is_rung=is_rung, patient=isinstance(rule, PatienceRule))
            for trial, runs in sorted(trials.items())
        ],
    )


def _at_rung(
    trial: int, runs: Sequence[RunOutcome], rung: int, *, is_rung: bool, patient: bool
) -> AtRung:
    paused = [run for run in runs if _is_paused(run) and run.until_epoch == rung]
    measured = runs if all(_has_been_at(run, rung) for run in runs) else ()
    standing: Literal["keep", "prune"] | None = None
    if _is_out(runs):
        standing = "prune"
    elif patient and is_rung:
        standing = None
    elif not is_rung or not measured or any(run.until_epoch > rung for run in runs):
        standing = "keep"
    return AtRung(trial=trial, runs=runs, paused=paused, measured=measured, standing=standing)


def _has_been_at(run: RunOutcome, rung: int) -> bool:
    """Whether a run has values up to the rung."""
    at_end = run.state in (RunState.PAUSED, RunState.PRUNED, RunState.DONE)
    return run.until_epoch > rung or (run.until_epoch == rung and at_end)


def _is_open(runs: Sequence[RunOutcome]) -> bool:
    """Whether some of a trial's runs may be trained further."""
    return any(run.state not in FINAL for run in runs)


def _is_paused(run: RunOutcome) -> bool:
    return run.state is RunState.PAUSED


def _is_out(runs: Sequence[RunOutcome]) -> bool:
    """Whether a trial cannot win any more, whatever becomes of its other seeds."""
    return any(run.state in _OUT for run in runs)
