"""Estimates, variance components, families and sign flips: by hand, and what always holds."""

import itertools
import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.inference import (
    Components,
    Estimate,
    Interval,
    MeanSquare,
    estimated,
    holm_levels,
    mean_of,
    mixed_share,
    mixing_parts,
    paired,
    pairing,
    pooled,
    share_better,
    sign_flip_p,
    unpaired,
)
from reports.inference.baseline import baseline_part, delta_m_slopes
from storage.objectives.delta_m import delta_m

VALUES = st.floats(-100, 100, allow_nan=False, width=32)
T_2, T_4 = 4.302652729911275, 2.7764451051977987  # 97.5 % with 2 and 4 degrees of freedom


def layouts(n_trials: int = 5, n_seeds: int = 4) -> st.SearchStrategy[list[list[float]]]:
    row = st.lists(VALUES, min_size=n_seeds, max_size=n_seeds)
    return st.lists(row, min_size=n_trials, max_size=n_trials)


# -- intervals ------------------------------------------------------------------------------


def test_the_mean_of_three_seeds_has_the_t_interval_of_the_textbook() -> None:
    found = mean_of([1.0, 2.0, 3.0]).interval()
    assert found is not None
    assert (found.low, found.high) == pytest.approx(
        (2 - T_2 / math.sqrt(3), 2 + T_2 / math.sqrt(3))
    )
    assert found.df == 2


@pytest.mark.parametrize("values", [[1.0], [1.0, math.inf, 2.0]])
def test_nothing_is_told_by_one_seed_or_where_one_diverged(values: list[float]) -> None:
    found = mean_of(values)
    assert found.interval() is None
    assert math.isnan(found.p_value)
    assert found.seeds_to_reach(1.0) is None


def test_an_interval_excludes_0_just_if_the_p_value_is_below_its_level() -> None:
    for value in np.linspace(0.1, 5, 23):
        made = Estimate(value=float(value), standard_error=1.0, df=7.5, n_seeds=4)
        found = made.interval(0.9)
        assert found is not None
        assert found.excludes(0.0) is (made.p_value < 0.1)


def test_seeds_to_reach_is_the_first_that_is_enough() -> None:
    made = Estimate(value=0.0, standard_error=1.0, df=2, n_seeds=3)
    n_seeds = made.seeds_to_reach(1.0)
    assert n_seeds is not None

    def half(n: int) -> float:
        found = Estimate(value=0, standard_error=math.sqrt(3 / n), df=n - 1, n_seeds=n).interval()
        assert found is not None
        return found.half_width

    assert half(n_seeds) <= 1.0 < half(n_seeds - 1)


def test_what_ten_thousand_seeds_do_not_reach_is_not_promised() -> None:
    made = Estimate(value=0.0, standard_error=1.0, df=2, n_seeds=3)
    assert made.seeds_to_reach(1e-3) is None
    assert made.seeds_to_reach(0.0) is None


@pytest.mark.parametrize(
    ("ends", "margin", "within"),
    [((-1.0, 1.0), 1.0, True), ((-1.1, 0.5), 1.0, False), ((0.2, 1.01), 1.0, False)],
)
def test_within_a_margin_is_the_whole_interval_only(
    ends: tuple[float, float], margin: float, within: bool
) -> None:
    assert Interval(low=ends[0], high=ends[1], df=2).within(margin) is within


# -- variance components --------------------------------------------------------------------


def test_a_layout_made_by_hand_gives_back_its_parts() -> None:
    # trials 0 and 10, seeds 0 and 2, and a rest of +-1
    found = Components.of([[1.0, 1.0], [9.0, 13.0]])
    assert found.seed_means == (5.0, 7.0)
    assert found.residual_variance == pytest.approx(4.0)
    assert found.seed_variance == 0.0, "2 is no more than the rest's share, 4/2"


@given(layouts())
def test_one_winner_has_the_pooled_variance_within_trials(table: list[list[float]]) -> None:
    values = np.array(table)
    variance, df = Components.of(values).variance()
    within = float(np.mean(np.var(values, axis=1, ddof=1)))
    assert float(variance) * 4 == pytest.approx(within, rel=1e-6, abs=1e-6)
    assert 3 - 1e-9 <= float(df) <= 5 * 3 + 1e-9


@given(layouts(), st.floats(0.01, 1))
def test_a_variance_is_never_negative(table: list[list[float]], share: float) -> None:
    components = Components.of(table)
    variance, df = components.variance([share, 1.0])
    assert (variance >= -1e-9).all()
    assert variance[0] <= variance[1] + 1e-9
    assert (df >= 1 - 1e-9).all()


@given(layouts(), VALUES, st.lists(VALUES, min_size=5, max_size=5))
def test_what_trials_differ_by_is_in_no_component(
    table: list[list[float]], shift: float, by_trial: list[float]
) -> None:
    values = np.array(table)
    moved = values + shift + np.array(by_trial)[:, None]
    one, other = Components.of(values), Components.of(moved)
    assert other.residual_variance == pytest.approx(one.residual_variance, abs=1e-6)
    assert other.seed_variance == pytest.approx(one.seed_variance, abs=1e-6)


@given(layouts(), st.lists(VALUES, min_size=4, max_size=4))
def test_what_seeds_are_worth_to_both_methods_cancels_in_their_difference(
    table: list[list[float]], by_seed: list[float]
) -> None:
    a = np.array(table)
    b = a[:3] * 0.5 + 1
    before = pooled(1.0, (Components.of(a), 1.0), (Components.of(b), 1.0))
    both = np.array(by_seed)
    after = pooled(1.0, (Components.of(a + both), 1.0), (Components.of(b + both), 1.0))
    assert after.standard_error == pytest.approx(before.standard_error, rel=1e-5, abs=1e-5)


@given(st.lists(VALUES, min_size=4, max_size=4), st.lists(VALUES, min_size=4, max_size=4))
def test_of_one_trial_each_a_pooled_difference_is_a_paired_one(
    a: list[float], b: list[float]
) -> None:
    value = float(np.mean(np.array(a) - np.array(b)))
    found = pooled(value, (Components.of([a]), 1.0), (Components.of([b]), 1.0))
    wanted = paired(a, b)
    assert found.standard_error == pytest.approx(wanted.standard_error, rel=1e-6, abs=1e-9)
    assert found.df == pytest.approx(wanted.df)


def test_a_winner_that_is_drawn_among_many_varies_less() -> None:
    rng = np.random.default_rng(1)
    components = Components.of(rng.normal(size=(12, 5)))
    certain, one_of_four = components.variance([1.0, 0.25])[0]
    assert one_of_four < certain


def test_seeds_that_waver_between_trials_count_the_rest_more_often() -> None:
    assert mixed_share([4, 4, 4]) == 1.0
    assert mixed_share([4, 4, 7]) == pytest.approx(1 + 0.3 * (1 + 1 + 2) / 3)
    assert mixed_share([1, 2, 3, 4]) == pytest.approx(1 + 0.3 * 3)


@given(layouts())
def test_mixing_widens_pooled_and_paired_differences_by_the_same(table: list[list[float]]) -> None:
    a, b = np.array(table)[:3], np.array(table)[3:]
    sides = (Components.of(a), 1.8), (Components.of(b), 1.0)
    plain = paired(a[0], b[0]).standard_error
    mixed = paired(a[0], b[0], more=mixing_parts(*sides)).standard_error
    wanted = 0.8 * sides[0][0].residual_variance / 4
    assert mixed**2 - plain**2 == pytest.approx(wanted, rel=1e-6, abs=1e-6)


def test_one_seed_has_no_components() -> None:
    components = Components.of([[1.0], [2.0]])
    assert pooled(1.0, (components, 1.0), (components, 1.0)).interval() is None
    assert math.isnan(components.seed_variance)


def test_degrees_of_freedom_of_one_mean_square_are_its_own() -> None:
    found = estimated(0.0, [MeanSquare(value=4.0, weight=0.25, df=3)], n_seeds=4)
    assert (found.standard_error, found.df) == (1.0, 3.0)


def test_unpaired_values_are_compared_after_welch() -> None:
    a = Estimate(value=3.0, standard_error=3.0, df=4, n_seeds=5)
    b = Estimate(value=1.0, standard_error=4.0, df=9, n_seeds=10)
    found = unpaired(a, b)
    assert (found.value, found.standard_error) == (2.0, 5.0)
    assert found.df == pytest.approx(25**2 / (9**2 / 4 + 16**2 / 9))


def test_of_no_standard_error_there_is_no_unpaired_interval() -> None:
    a = Estimate(value=3.0, standard_error=3.0, df=4, n_seeds=5)
    b = Estimate(value=1.0, standard_error=math.nan, df=0, n_seeds=1)
    assert unpaired(a, b).interval() is None


@pytest.mark.parametrize("scale", [1.0, -1.0])
def test_delta_m_moves_with_the_baseline_by_its_slopes(scale: float) -> None:
    metrics, base = [8.0, 0.5], np.array([10.0 * scale, 0.4])
    directions, step = ("min", "max"), np.array([1e-6, -2e-6])
    before, after = (delta_m(metrics, b.tolist(), directions) for b in (base, base + step))
    assert after - before == pytest.approx(delta_m_slopes(metrics, base, [1, -1]) @ step, rel=1e-4)


@pytest.mark.parametrize("correlation", [-0.8, 0.0, 0.8])
def test_the_baseline_adds_what_its_metrics_vary_by_together(correlation: float) -> None:
    base, sd = np.array([10.0, 0.4]), np.array([1.0, 0.03])
    slopes = delta_m_slopes([8.0, 0.5], base, [1, -1])
    rng = np.random.default_rng(0)
    own, other = rng.normal(size=(2, 4000, 3))
    both = np.stack([own, correlation * own + (1 - correlation**2) ** 0.5 * other], axis=2)
    alone = base + sd * both  # [studies, S, m]
    parts = [baseline_part(slopes.tolist(), values) for values in alone]
    told = np.mean([part.value * part.weight for part in parts])
    values = [delta_m([8.0, 0.5], mean.tolist(), ("min", "max")) for mean in alone.mean(axis=1)]
    assert told == pytest.approx(np.var(values), rel=0.1)
    assert {part.df for part in parts} == {2}


# -- families -------------------------------------------------------------------------------


def holm(p_values: Sequence[float], error: float = 0.05) -> list[bool]:
    """Which hypotheses Holm's step-down test rejects, by its textbook form."""
    order = sorted(range(len(p_values)), key=p_values.__getitem__)
    rejected = [False] * len(p_values)
    for k, at in enumerate(order):
        if p_values[at] > error / (len(p_values) - k):
            break
        rejected[at] = True
    return rejected


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_intervals_exclude_0_just_where_holm_rejects(p_values: list[float]) -> None:
    levels = holm_levels(p_values)
    found = [p <= 1 - level for p, level in zip(p_values, levels, strict=True)]
    clear = [abs(p - (1 - level)) > 1e-12 for p, level in zip(p_values, levels, strict=True)]
    wanted = holm(p_values)
    assert [f for f, c in zip(found, clear, strict=True) if c] == [
        w for w, c in zip(wanted, clear, strict=True) if c
    ]


def test_levels_are_those_of_the_textbook() -> None:
    assert holm_levels([0.04, 0.001, 0.03]) == pytest.approx([0.975, 1 - 0.05 / 3, 0.975])
    assert holm_levels([0.2]) == [0.95]
    assert holm_levels([]) == []


def test_a_comparison_without_an_interval_counts_and_rejects_nothing() -> None:
    assert holm_levels([math.nan, 0.01]) == pytest.approx([0.95, 0.975])


# -- tests without a distribution -----------------------------------------------------------


@pytest.mark.parametrize("n_seeds", [1, 3, 5])
def test_below_six_seeds_sign_flips_cannot_decide(n_seeds: int) -> None:
    assert sign_flip_p(np.full(n_seeds, -3.0)) is None


def test_six_equal_signs_are_the_least_that_decides() -> None:
    assert sign_flip_p([-1.0, -2, -3, -4, -5, -6]) == pytest.approx(2 / 64)


@given(st.lists(VALUES, min_size=6, max_size=8))
def test_sign_flips_equal_enumeration(gaps: list[float]) -> None:
    seen = abs(math.fsum(gaps))
    slack = 1e-9 * (1 + sum(map(abs, gaps)))
    sums = [
        abs(math.fsum(sign * gap for sign, gap in zip(signs, gaps, strict=True)))
        for signs in itertools.product((1, -1), repeat=len(gaps))
    ]
    low = np.mean([total >= seen + slack for total in sums])
    high = np.mean([total >= seen - slack for total in sums])
    found = sign_flip_p(gaps)
    assert found is not None
    assert low <= found <= high


def test_many_seeds_are_flipped_at_random_but_always_alike() -> None:
    gaps = np.random.default_rng(3).normal(0.3, 1, size=40)
    found = sign_flip_p(gaps)
    assert found == sign_flip_p(gaps)
    assert found == pytest.approx(paired(gaps, np.zeros(40)).p_value, abs=0.02)


def test_the_share_of_better_pairs_counts_ties_half() -> None:
    assert share_better([1.0, 2.0], [2.0, 3.0], sign=1.0) == pytest.approx(3.5 / 4)
    assert share_better([1.0, 2.0], [2.0, 3.0], sign=-1.0) == pytest.approx(0.5 / 4)
    assert math.isnan(share_better([], [1.0], sign=1.0))
    assert share_better([math.inf, 1.0], [math.inf], sign=1.0) == pytest.approx(1.5 / 2)


@given(st.lists(VALUES, min_size=1, max_size=6), st.lists(VALUES, min_size=1, max_size=6))
def test_one_of_two_is_better(a: list[float], b: list[float]) -> None:
    both = share_better(a, b, sign=1.0) + share_better(b, a, sign=1.0)
    assert both == pytest.approx(1.0)


# -- pairing --------------------------------------------------------------------------------


def test_pairing_saves_the_seeds_that_its_correlation_is_worth() -> None:
    rng = np.random.default_rng(5)
    shared = rng.normal(size=50)
    a, b = shared + 0.1 * rng.normal(size=50), shared + 0.1 * rng.normal(size=50)
    found = pairing(a, b)
    assert found is not None
    assert found.low < found.correlation < found.high <= 1
    alone = math.sqrt((np.var(a, ddof=1) + np.var(b, ddof=1)) / (50 + found.seeds_saved))
    assert alone == pytest.approx(paired(a, b).standard_error)


def test_three_seeds_tell_no_correlation() -> None:
    assert pairing([1.0, 2.0, 3.0], [1.0, 2.5, 3.0]) is None


def test_values_that_do_not_vary_have_no_correlation() -> None:
    assert pairing([1.0] * 5, [1.0, 2.0, 3.0, 4.0, 5.0]) is None
    assert pairing([1.0, 2.0, 3.0, 4.0], [2.0, 3.0, 4.0, 5.0]) is None
