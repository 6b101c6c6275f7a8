"""Amounts over time: nothing of what attempts came to is lost or comes twice."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.dashboard.following.mirror import Mirror
from reports.dashboard.showing.over_time import binned

NOW_S = 5_000.0
spans = st.tuples(
    st.floats(0, 1000), st.floats(0, 500), st.integers(0, 50), st.integers(1, 3), st.booleans()
)


def mirrored(*attempts: tuple[float, float, int, int, bool]) -> Mirror:
    """Attempts by begin, length, epochs, worker, and whether they still run."""
    mirror = Mirror()
    for k, (begin, length, epochs, worker, runs) in enumerate(attempts):
        end = math.nan if runs else begin + length
        of_attempt = {"started_s": begin, "ended_s": end, "epochs": epochs}
        mirror.attempts.put([k], of_attempt | {"device_s": length, "worker": worker})
    return mirror


@given(st.lists(spans, min_size=1, max_size=20))
def test_bins_hold_all_there_is(attempts: list[tuple[float, float, int, int, bool]]) -> None:
    bins = binned(mirrored(*attempts).attempts, now_s=NOW_S)
    assert bins is not None
    assert len(bins.middles) <= 61
    span_s = bins.ends.max() - bins.attempts["started_s"].min()
    assert bins.lengths_s.sum() == pytest.approx(span_s)  # of the last bin a part, as a rule
    assert bins.amounts("epochs").sum() == pytest.approx(sum(one[2] for one in attempts))
    assert (bins.amounts("device_s") >= -1e-6).all()


@given(
    st.lists(spans, min_size=1, max_size=20),
    st.lists(st.floats(-100, 2000), min_size=1, max_size=20),
)
def test_until_a_moment_each_attempt_has_come_to_its_share(
    attempts: list[tuple[float, float, int, int, bool]], moments: list[float]
) -> None:
    bins = binned(mirrored(*attempts).attempts, now_s=NOW_S)
    assert bins is not None
    began, ended = bins.attempts["started_s"], bins.ends
    shares = (np.array(moments)[:, None] - began) / (ended - began)
    expected = (shares.clip(0, 1) * bins.attempts["epochs"]).sum(axis=1)
    assert bins.until(np.array(moments), "epochs") == pytest.approx(expected, abs=1e-6)


def test_an_amount_comes_evenly_from_begin_to_end() -> None:
    bins = binned(mirrored((10, 20, 40, 1, False)).attempts, now_s=NOW_S)
    assert bins is not None
    asked = np.array([15.0, 10.0, 99.0, 30.0])  # in no order
    assert bins.until(asked, "epochs") == pytest.approx([10, 0, 40, 40])


def test_workers_are_there_from_their_first_to_their_last_sign() -> None:
    mirror = mirrored((0, 10, 1, 1, False), (50, 10, 1, 1, False), (30, 10, 1, 2, False))
    bins = binned(mirror.attempts, now_s=NOW_S)
    assert bins is not None
    assert bins.present_s(np.array([1])).sum() == pytest.approx(60)
    assert bins.present_s(np.array([1, 2])).sum() == pytest.approx(70)


def test_there_is_nothing_over_time_before_an_attempt() -> None:
    assert binned(Mirror().attempts, now_s=NOW_S) is None
