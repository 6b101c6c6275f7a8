"""A rung is due once a whole round has reached it, and standing verdicts are read off its runs."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from storage import RunState
from storage.records import RunOutcome
from study.rungs import AtRung, Judge, due
from study.stopping import StopRule

S = RunState
RULE = StopRule(kind="median", rungs=(2, 4))
END = 9


def a_run(state: RunState, until: int, seed: int = 0) -> RunOutcome:
    return RunOutcome(
        run=seed,
        trial=0,
        params="{}",
        seed=seed,
        role="search",
        state=state,
        token=1,
        until_epoch=until,
        value=None,
        grad_evals=0,
    )


def judged(*trials: Sequence[tuple[RunState, int]], rule: StopRule | None = RULE) -> Judge | None:
    """What is due for one round of trials, each (state, until_epoch) a seed."""
    runs = {
        number: [a_run(state, until, seed) for seed, (state, until) in enumerate(trial)]
        for number, trial in enumerate(trials)
    }
    return due(0, rule, {0: runs})


def at(*trials: Sequence[tuple[RunState, int]], rule: StopRule | None = RULE) -> list[AtRung]:
    found = judged(*trials, rule=rule)
    assert found is not None
    return list(found.trials)


@pytest.mark.parametrize(
    "other",
    [[(S.WAITING, 2)], [(S.LEASED, 2)], [(S.PAUSED, 2), (S.LEASED, 2)]],
)
def test_a_round_waits_for_its_last_run(other: Sequence[tuple[RunState, int]]) -> None:
    assert judged([(S.PAUSED, 2)], other) is None


@pytest.mark.parametrize(
    "other",
    [
        [(S.PAUSED, 2)],
        [(S.DIVERGED, 2), (S.LEASED, 2)],  # it cannot win, whatever its second seed does
        [(S.FAILED, 2)],
        [(S.PRUNED, 2)],
        [(S.LEASED, 4)],
        [(S.DONE, END)],
    ],
)
def test_others_do_not_keep_a_round(other: Sequence[tuple[RunState, int]]) -> None:
    found = judged([(S.PAUSED, 2)], other)
    assert found is not None
    assert (found.rung, found.next_rung) == (2, 4)


def test_after_the_last_rung_all_epochs_are_left() -> None:
    found = judged([(S.PAUSED, 4)])
    assert found is not None
    assert found.next_rung is None


def test_a_lower_rung_comes_first_and_holds_the_higher_up() -> None:
    found = judged([(S.PAUSED, 4)], [(S.PAUSED, 2)])
    assert found is not None
    assert found.rung == 2
    assert judged([(S.PAUSED, 4)], [(S.LEASED, 2)]) is None


def test_without_paused_runs_nothing_is_due() -> None:
    assert judged([(S.DONE, END)], [(S.LEASED, 2)], [(S.PRUNED, 2)]) is None


def test_rounds_are_judged_by_themselves() -> None:
    found = due(3, RULE, {0: {0: [a_run(S.LEASED, 2)]}, 1: {1: [a_run(S.PAUSED, 2)]}})
    assert found is not None
    assert (found.stage, found.round, [trial.trial for trial in found.trials]) == (3, 1, [1])


def test_a_trial_that_nothing_is_known_of_is_judged_by_its_values() -> None:
    found = judged([(S.PAUSED, 2), (S.PAUSED, 2)], [(S.PAUSED, 2), (S.PAUSED, 2)])
    assert found is not None
    assert found.needs_values
    assert [len(trial.measured) for trial in found.trials] == [2, 2]


@pytest.mark.parametrize(
    ("other", "standing", "is_measured"),
    [
        ((S.LEASED, 4), "keep", True),  # kept before this seed came
        ((S.DONE, END), "keep", True),
        ((S.PRUNED, 2), "prune", True),
        ((S.PRUNED, 4), "prune", True),
        ((S.DIVERGED, 2), "prune", False),
        ((S.DIVERGED, 4), "prune", True),  # it had a value at this rung
        ((S.FAILED, 2), "keep", False),  # an accident says nothing of the trial
    ],
)
def test_a_verdict_stands_for_the_whole_trial(
    other: tuple[RunState, int], standing: str, is_measured: bool
) -> None:
    (trial,) = at([(S.PAUSED, 2), other])
    assert (trial.standing, bool(trial.measured)) == (standing, is_measured)
    assert [run.seed for run in trial.paused] == [0]


def test_a_trial_that_was_pruned_before_is_not_compared_later() -> None:
    _, gone = at([(S.PAUSED, 4)], [(S.PRUNED, 2)])
    assert (gone.measured, gone.paused) == ((), [])


@pytest.mark.parametrize("rule", [None, RULE])
def test_a_run_that_is_paused_at_no_rung_just_goes_on(rule: StopRule | None) -> None:
    (trial,) = at([(S.PAUSED, 3)], rule=rule)
    assert trial.standing == "keep"
