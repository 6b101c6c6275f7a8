"""C7: what the intervals of both halves say, and what a study lacks."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports import load
from reports.claims import Claim, claims_of
from reports.claims.conflicts_alike import MARGIN, found_by
from reports.inference import Estimate
from tests.unit.reports import synthetic
from tests.unit.reports.conflicting import compared

values, errors = st.floats(-20, 20), st.floats(0.01, 5)


def _estimate(value: float, error: float) -> Estimate:
    return Estimate(value=value, standard_error=error, df=2, n_seeds=3)


def _claim(**changes: Any) -> Claim:
    claims = claims_of(load(compared(**changes), synthetic.STUDY))
    return next(claim for claim in claims if claim.name == "C7")


@given(values, errors, values, errors)
def test_both_halves_must_be_met_and_one_refutes(
    conflicts: float, error: float, magnitudes: float, other: float
) -> None:
    first, second = _estimate(conflicts, error), _estimate(magnitudes, other)
    one, two = first.interval(), second.interval()
    assert one is not None
    assert two is not None
    finding = found_by(first, second)
    assert (finding == "supported") == (one.high <= MARGIN and two.high < 0)
    assert (finding == "not supported") == (one.low > MARGIN or two.low >= 0)


@pytest.mark.parametrize(
    ("means", "finding"),
    [
        ({}, "supported"),
        ({"tasks_negative_cosine": 0.8}, "not supported"),
        ({"tasks_magnitude": 0.97}, "not supported"),
        ({"tasks_magnitude": 0.9}, "undecided"),
    ],
)
def test_a_study_finds(means: dict[str, float], finding: str) -> None:
    claim = _claim(**means)
    assert claim.finding == finding
    assert bool(claim.would_decide) == (finding == "undecided")
    assert len(claim.runs[synthetic.STUDY]) == 3


def test_it_says_both_differences_with_their_intervals() -> None:
    claim = _claim()
    conflicts, magnitudes = claim.effects
    assert conflicts.value == pytest.approx(0.0)
    assert magnitudes.value == pytest.approx(-0.3)
    assert "95 % interval −2.5 to +2.5" in claim.said
    assert "magnitude similarity −0.300" in claim.said


def test_without_compared_gradients_it_is_not_asked() -> None:
    claims = claims_of(synthetic.frames())
    assert next(claim for claim in claims if claim.name == "C7").finding == "not asked"


def test_of_a_winner_whose_gradients_were_not_compared_it_says_whose() -> None:
    claim = _claim(searches=("scalarization",))
    assert claim.finding == "not asked"
    assert "in runs of EW's winner" in claim.said
