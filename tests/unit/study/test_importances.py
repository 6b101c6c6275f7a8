"""Optuna's estimators are asked as they are meant to be."""

import math

import pytest

from study.searches import importances as door
from study.searches.importances import importances

RATES = (1e-3, 3e-3, 1e-2, 3e-2, 1e-1)
POINTS = [{"lr": lr, "kind": kind, "idle": k} for lr in RATES for kind in "ab" for k in range(3)]
VALUES = [math.log10(point["lr"] / 1e-2) ** 2 for point in POINTS]  # type: ignore[operator]


def test_what_alone_makes_a_difference_has_the_largest_share() -> None:
    found = importances(POINTS, VALUES)
    assert [*found] == ["PED-ANOVA", "fANOVA"]
    for shares in found.values():
        assert sum(shares.values()) == pytest.approx(1)
        assert max(shares, key=shares.__getitem__) == "lr"
    assert importances(POINTS, VALUES) == found


def test_without_scikit_learn_there_are_no_forests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "find_spec", lambda _: None)
    assert [*importances(POINTS, VALUES)] == ["PED-ANOVA"]


def test_of_more_trials_than_a_report_can_wait_for_there_are_none() -> None:
    assert [*importances(POINTS * 4, VALUES * 4)] == ["PED-ANOVA"]
    assert importances(POINTS * 67, VALUES * 67) == {}
