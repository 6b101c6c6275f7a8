"""A rung is due once a whole round has reached it, and standing verdicts are read off its runs."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage import RunState
from storage.records import RunOutcome
from study.deciding.rungs import AtRung, Judge, due
from study.spec.stopping import MedianRule, StopRule

S = RunState
RULE = MedianRule(rule="median", rungs=[2, 4])
END = 9
_Run = tuple[RunState, int]


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


EARLY = MedianRule(rule="median", rungs=[2, 4], asynchronous=True)
STATES = st.sampled_from([(state, until) for state in S for until in (2, 4, END)])
TRIALS = st.lists(st.lists(STATES, min_size=2, max_size=2), min_size=1, max_size=5)


class TestAsynchronous:
    def test_a_trial_is_judged_as_soon_as_its_seeds_are_there(self) -> None:
        found = judged([(S.PAUSED, 2), (S.PAUSED, 2)], [(S.PAUSED, 2), (S.LEASED, 2)], rule=EARLY)
        assert found is not None
        assert [(at.trial, len(at.paused), len(at.measured)) for at in found.trials] == [(0, 2, 2)]

    def test_a_trial_waits_for_its_own_seeds(self) -> None:
        assert judged([(S.PAUSED, 2), (S.WAITING, 2)], [(S.DONE, END)], rule=EARLY) is None

    def test_it_is_compared_with_those_that_have_been_there(self) -> None:
        others = [(S.LEASED, 4)], [(S.PRUNED, 2)], [(S.DONE, END)], [(S.WAITING, 2)]
        trials = at([(S.PAUSED, 2)], *others, rule=EARLY)
        assert [trial.trial for trial in trials if trial.measured] == [0, 1, 2, 3]
        assert [trial.trial for trial in trials if trial.standing is None] == [0]

    def test_a_lower_rung_does_not_hold_a_higher_up(self) -> None:
        found = judged([(S.PAUSED, 4)], [(S.PAUSED, 2), (S.LEASED, 2)], rule=EARLY)
        assert found is not None
        assert found.rung == 4

    @given(trials=TRIALS)
    def test_those_on_the_way_have_no_say(self, trials: Sequence[Sequence[_Run]]) -> None:
        rounds = {
            number: [a_run(state, until, seed) for seed, (state, until) in enumerate(trial)]
            for number, trial in enumerate(trials)
        }
        found = due(0, EARLY, {0: rounds})
        if found is None:
            return
        there = {trial.trial for trial in found.trials}
        arrived = {number: runs for number, runs in rounds.items() if number in there}
        assert due(0, EARLY, {0: arrived}) == found

    @given(trials=TRIALS)
    def test_somebody_is_moved_whenever_a_rung_is_due(
        self, trials: Sequence[Sequence[_Run]]
    ) -> None:
        found = judged(*trials, rule=EARLY)
        assert found is None or any(trial.paused for trial in found.trials)
