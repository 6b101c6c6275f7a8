"""Stopping rules prune the worse trials of a round, whatever their order."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from study.spec.stopping import (
    CohortRule,
    HalvingRule,
    MedianRule,
    PatienceRule,
    RungValues,
    StopRule,
    pruned,
)

VALUE = st.sampled_from([-1.5, 0.0, 0.5, 2.0]) | st.floats(-1e6, 1e6)
TASKS = st.shared(st.integers(1, 3), key="tasks")
ROUND = st.dictionaries(
    st.integers(0, 99),
    TASKS.flatmap(lambda n: st.lists(VALUE, min_size=n, max_size=n)),
    min_size=1,
    max_size=12,
)
MEDIAN = MedianRule(rule="median", rungs=[1])
COHORT = CohortRule(rule="worse-than-cohort", rungs=[1])


def halving(keep: float) -> HalvingRule:
    return HalvingRule(rule="halving", rungs=[1], keep=keep)


def early(rule: MedianRule | HalvingRule) -> MedianRule | HalvingRule:
    """The rule that waits for no round."""
    return rule.model_copy(update={"asynchronous": True})


OF_TRIALS = st.just(MEDIAN) | st.floats(0.05, 0.95).map(halving)
RULES = OF_TRIALS | OF_TRIALS.map(early) | st.just(COHORT)


@given(rule=RULES, values=ROUND)
def test_at_least_one_survives(rule: StopRule, values: RungValues) -> None:
    assert pruned(rule, values) < set(values)


@given(rule=RULES, values=ROUND)
def test_the_best_is_never_pruned(rule: StopRule, values: RungValues) -> None:
    best = min(values, key=lambda trial: values[trial])
    assert best not in pruned(rule, values)


@given(values=ROUND)
def test_the_best_in_any_task_survives_the_cohort(values: RungValues) -> None:
    gone = pruned(COHORT, values)
    for column in range(len(next(iter(values.values())))):
        assert min(values, key=lambda trial: values[trial][column]) not in gone


@given(rule=RULES, values=ROUND, order=st.randoms(use_true_random=False))
def test_the_order_of_trials_changes_nothing(
    rule: StopRule, values: RungValues, order: random.Random
) -> None:
    trials = list(values)
    order.shuffle(trials)
    assert pruned(rule, {trial: values[trial] for trial in trials}) == pruned(rule, values)


@given(rule=RULES, values=ROUND)
def test_equal_trials_are_treated_alike(rule: StopRule, values: RungValues) -> None:
    gone = pruned(rule, values)
    for trial in gone:
        assert all(other in gone for other in values if values[other] == values[trial])


@given(rule=RULES, values=ROUND)
def test_no_survivor_is_worse_than_one_that_is_pruned(rule: StopRule, values: RungValues) -> None:
    gone = pruned(rule, values)
    for trial in set(values) - gone:
        assert not any(
            all(mine > theirs for mine, theirs in zip(values[trial], values[other], strict=True))
            for other in gone
        )


@pytest.mark.parametrize("rule", [MEDIAN, COHORT, halving(0.5)], ids=str)
def test_without_trials_nothing_is_pruned(rule: StopRule) -> None:
    assert pruned(rule, {}) == frozenset()


def by_number(*values: float | Sequence[float]) -> Mapping[int, Sequence[float]]:
    return dict(enumerate([v] if isinstance(v, float) else v for v in values))


@pytest.mark.parametrize(
    ("values", "gone"),
    [
        ((1.0,), set()),
        ((1.0, 2.0), {1}),
        ((3.0, 1.0, 2.0), {0}),
        ((4.0, 1.0, 2.0, 3.0), {0, 3}),
        ((1.0, 2.0, 2.0), set()),
        ((1.0, 1.0, 2.0, 2.0), {2, 3}),
    ],
)
def test_the_median_rule_prunes_what_is_worse_than_the_median(
    values: Sequence[float], gone: set[int]
) -> None:
    assert pruned(MEDIAN, by_number(*values)) == gone


@pytest.mark.parametrize(
    ("keep", "values", "gone"),
    [
        (0.5, (4.0, 1.0, 2.0, 3.0), {0, 3}),
        (0.5, (1.0, 2.0, 3.0, 4.0, 5.0), {3, 4}),
        (0.5, (1.0, 2.0, 2.0, 4.0), {3}),
        (0.01, (3.0, 2.0, 1.0), {0, 1}),
        (0.99, (3.0, 2.0, 1.0), set()),
    ],
)
def test_halving_keeps_a_share_rounded_up(
    keep: float, values: Sequence[float], gone: set[int]
) -> None:
    assert pruned(halving(keep), by_number(*values)) == gone


def test_a_share_is_exact() -> None:
    values = by_number(*map(float, range(100)))
    assert len(pruned(halving(0.29), values)) == 71


def test_the_cohort_prunes_what_is_worse_in_every_task() -> None:
    values = by_number([1.0, 9.0], [2.0, 2.0], [3.0, 1.0], [3.0, 9.0], [2.0, 3.0])
    assert pruned(COHORT, values) == {3}


@pytest.mark.parametrize(("epoch", "rung"), [(0, 2), (2, 5), (3, 5), (5, None)])
def test_the_next_rung_lies_beyond_an_epoch(epoch: int, rung: int | None) -> None:
    assert MedianRule(rule="median", rungs=[2, 5]).after(epoch) == rung


class TestPatience:
    @given(curve=st.lists(VALUE, min_size=1, max_size=8), patience=st.integers(1, 8))
    def test_it_ends_when_nothing_was_better_for_so_long(
        self, curve: list[float], patience: int
    ) -> None:
        rule = PatienceRule(rule="patience", patience=patience, rungs=[1])
        before, since = curve[: max(len(curve) - patience, 0)], curve[-patience:]
        assert rule.ends(curve, lower=True) == (bool(before) and min(since) >= min(before))
        assert rule.ends([-value for value in curve], lower=False) == rule.ends(curve, lower=True)


class TestAsynchronous:
    @pytest.mark.parametrize(
        ("waiting", "fewest"),
        [
            (halving(0.5), 2),
            (halving(0.1), 10),
            (halving(0.3), 3),
            (halving(0.3333), 3),
            (halving(0.4), 2),
            (halving(0.9), 1),
            (MEDIAN, 2),
        ],
    )
    def test_with_too_few_seen_every_trial_goes_on(
        self, waiting: MedianRule | HalvingRule, fewest: int
    ) -> None:
        rule = early(waiting)
        assert (waiting.fewest, rule.fewest) == (1, fewest)
        seen = by_number(*map(float, range(fewest)))
        # 0.9 of one, rounded up, is one
        assert fewest - 1 in pruned(rule, seen) or waiting == halving(0.9)
        assert pruned(rule, {trial: seen[trial] for trial in range(fewest - 1)}) == frozenset()

    @given(rule=OF_TRIALS, values=ROUND)
    def test_with_enough_seen_it_is_the_rule_on_a_round_of_those(
        self, rule: MedianRule | HalvingRule, values: RungValues
    ) -> None:
        enough = len(values) >= early(rule).fewest
        assert pruned(early(rule), values) == (pruned(rule, values) if enough else frozenset())

    @given(rule=OF_TRIALS, values=ROUND)
    def test_whoever_is_the_best_when_it_comes_goes_on(
        self, rule: MedianRule | HalvingRule, values: RungValues
    ) -> None:
        seen: dict[int, Sequence[float]] = {}
        for trial, value in values.items():
            seen[trial] = value
            if value == min(seen.values()):
                assert trial not in pruned(early(rule), seen)
