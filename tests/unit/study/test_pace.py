"""What an epoch takes by what packs have taken, and how sure that is."""

from __future__ import annotations

import random
from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.inference.student import t_quantile as any_t_quantile
from storage.records import PackCosts
from study.deciding.pace import Pace, Timed, paces, pooled, t_quantile

TASKS = ("a", "b")
SECONDS = st.floats(0.01, 100)


def packs(*device_s: float, search: str = "ew", epochs: int = 10) -> PackCosts:
    """Packs of as many epochs each."""
    return PackCosts(
        search=search,
        device="cpu",
        packs=len(device_s),
        epochs=epochs * len(device_s),
        device_s=sum(device_s),
        epochs_squared=epochs**2 * len(device_s),
        device_s_squared=sum(s * s for s in device_s),
        product=sum(epochs * s for s in device_s),
        epochs_in_turn=epochs**2 * (len(device_s) - 1),
        device_s_in_turn=sum(s * t for s, t in pairwise(device_s)),
        products_in_turn=epochs * sum(s + t for s, t in pairwise(device_s)),
    )


def pace(timed: Timed, **others: Timed) -> Pace:
    found = paces({"ew": timed, **others})["ew"]
    assert found is not None
    return found


@pytest.mark.parametrize("df", [1, 2, 3, 4, 7, 30, 200, 201, 5000])
def test_the_quantile_is_that_of_reports(df: int) -> None:
    assert t_quantile(df) == pytest.approx(float(any_t_quantile(0.975, df)), rel=1e-4)


def test_the_interval_is_that_of_a_sum_of_packs_to_come() -> None:
    found = pace(Timed(tasks=TASKS, own=packs(9, 10, 11)))
    assert (found.epoch_s, found.spread) == (1.0, pytest.approx(0.1))
    # four packs to come, by three: t(2) * 1 s * sqrt(4 + 16/3)
    assert found.half_width(40) == pytest.approx(4.30265 * (4 + 16 / 3) ** 0.5, rel=1e-5)
    assert found.half_width(0) == 0


@given(st.lists(SECONDS, min_size=2, max_size=6), st.integers(1, 400), st.integers(1, 400))
def test_the_less_is_left_and_the_more_was_timed_the_narrower(
    device_s: list[float], epochs: int, more: int
) -> None:
    once = pace(Timed(tasks=TASKS, own=packs(*device_s)))
    twice = pace(Timed(tasks=TASKS, own=pooled([packs(*device_s), packs(*device_s)])))
    width = once.half_width(epochs)
    assert width is not None
    assert width <= (once.half_width(epochs + more) or 0.0)
    assert (twice.half_width(epochs) or 0.0) <= width * (1 + 1e-9)


@given(st.lists(SECONDS, min_size=1, max_size=5), st.lists(SECONDS, min_size=1, max_size=5))
def test_packs_of_two_searches_are_pooled(one: list[float], other: list[float]) -> None:
    both, found = packs(*one, *other), pooled([packs(*one), packs(*other)])
    assert found.packs == both.packs
    assert found.device_s_squared == pytest.approx(both.device_s_squared)


def test_others_with_the_same_optimiser_come_before_those_with_another() -> None:
    timed = {
        "fast": Timed(tasks=TASKS, optimizer="sgd", own=packs(10, 10)),
        "slow": Timed(tasks=TASKS, optimizer="adatask", own=packs(40, 40)),
    }
    found = {
        name: pace(Timed(tasks=TASKS, optimizer=name), **timed).epoch_s
        for name in ("sgd", "adatask", "adam")
    }
    assert found == {"sgd": 1.0, "adatask": 4.0, "adam": 2.5}


def test_own_packs_come_before_like_ones_those_before_calibration() -> None:
    own, like = packs(20, 20), packs(10, 10)
    told = [
        Timed(tasks=TASKS, own=own, like=like, elsewhere=like, calibrated_s=[3.0]),
        Timed(tasks=TASKS, like=like, elsewhere=own, calibrated_s=[3.0]),
        Timed(tasks=TASKS, elsewhere=packs(15, 15), calibrated_s=[3.0]),
        Timed(tasks=TASKS, calibrated_s=[3.0, 5.0]),
    ]
    found = [pace(timed) for timed in told]
    assert [(of.source, of.epoch_s) for of in found] == [
        ("own", 2.0),
        ("like", 1.0),
        ("elsewhere", 1.5),
        ("calibration", 4.0),
    ]
    assert found[3].half_width(10) is None
    assert paces({"ew": Timed(tasks=TASKS)}) == {"ew": None}


def test_what_has_not_begun_is_corrected_by_what_has() -> None:
    begun = Timed(tasks=TASKS, own=packs(20, 20), like=packs(10, 10))
    found = pace(Timed(tasks=TASKS, like=packs(30, 30)), uw=begun)
    assert (found.source, found.epoch_s) == ("like", 6.0)  # here all takes twice as long
    assert found.packs == 1 / (1 / 2 + 1 / 2)  # and that is as sure as two packs


def test_a_search_of_nothing_like_it_goes_by_networks_of_as_many_tasks() -> None:
    alone = Timed(tasks=("a",), own=packs(1, 1))
    whole = Timed(tasks=TASKS, own=packs(20, 20))
    found = pace(Timed(tasks=TASKS), stl=alone, uw=whole)
    assert (found.source, found.epoch_s) == ("others", 2.0)


def total(found: Pace, paid_s: float, epochs: int) -> tuple[float, float]:
    half = found.half_width(epochs) or 0.0
    middle = paid_s + found.epoch_s * epochs
    return middle - half, middle + half


@pytest.mark.parametrize("timed", [2, 5, 15])
def test_the_interval_holds_what_a_search_comes_to(timed: int) -> None:
    """In 2,000 searches of twenty packs, by some of them: 95 % within two percent points."""
    draw, held, n_packs = random.Random(0), 0, 20
    for _ in range(2_000):
        device_s: Sequence[float] = [draw.gauss(10, 1.5) for _ in range(n_packs)]
        known = packs(*device_s[:timed])
        found = pace(Timed(tasks=TASKS, own=known))
        low, high = total(found, known.device_s, 10 * (n_packs - timed))
        held += low <= sum(device_s) <= high
    assert held / 2_000 == pytest.approx(0.95, abs=0.02)


def test_packs_that_follow_each_other_alike_count_as_fewer() -> None:
    """Of a machine that is slow for a while: three in four of 1,000 searches, not one in two."""
    by_turns = packs(*[8, 12] * 5)
    in_a_row = packs(*[8] * 5, *[12] * 5)
    widths = [pace(Timed(tasks=TASKS, own=own)).half_width(100) for own in (by_turns, in_a_row)]
    assert (widths[0] or 0.0) * 2 < (widths[1] or 0.0)
    draw, held = random.Random(0), 0
    for _ in range(1_000):
        busy, device_s = 0.0, []
        for _ in range(20):
            busy = 0.7 * busy + draw.gauss(0, 1)
            device_s.append(20 + 3 * busy)
        known = packs(*device_s[:10])
        low, high = total(pace(Timed(tasks=TASKS, own=known)), known.device_s, 100)
        held += low <= sum(device_s) <= high
    assert held / 1_000 == pytest.approx(0.80, abs=0.1)


def test_later_results_correct_a_wrong_forecast() -> None:
    """Half the pace of the like study: the forecast comes to the truth, and its interval to it."""
    device_s, like = [20.0, 21.0, 19.0, 20.5, 19.5] * 4, packs(10, 11, 9, 10)
    ends = []
    for timed in range(21):
        own = packs(*device_s[:timed]) if timed else None
        found = pace(Timed(tasks=TASKS, own=own, like=like))
        ends.append(total(found, sum(device_s[:timed]), 10 * (20 - timed)))
    widths = [high - low for low, high in ends]
    assert not ends[0][0] <= 400 <= ends[0][1]
    assert all(low <= 400 <= high for low, high in ends[1:])
    assert widths[1:] == sorted(widths[1:], reverse=True)
    assert ends[-1] == (400.0, 400.0)
