"""Budgets say which limit forbids another run."""

from __future__ import annotations

from typing import Any

import pytest

from study.budget import Used, exhausted
from study.spec import BudgetSpec

USED = {"epochs": 90, "device_s": 50.0, "wall_s": 7.0}


@pytest.mark.parametrize(
    ("budget", "used", "reason"),
    [
        ({}, {}, None),
        ({"epochs": 100}, {}, None),
        ({"epochs": 99}, {}, "the budget of 99 epochs"),
        ({"device_s": 51}, {}, None),
        ({"device_s": 50}, {}, "the budget of 50 device-seconds"),
        ({"wall_s": 8}, {}, None),
        ({"wall_s": 7}, {}, "the limit of 7 s for one run of the command"),
        ({"trials": 1}, {}, None),
        ({"epochs": 10, "wall_s": 1}, {}, "the budget of 10 epochs"),
    ],
)
def test_a_limit_forbids_what_would_go_over_it(
    budget: dict[str, Any], used: dict[str, Any], reason: str | None
) -> None:
    assert exhausted(BudgetSpec(**budget), Used(**USED | used), next_epochs=10) == reason
