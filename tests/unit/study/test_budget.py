"""Budgets become limits of claims; devices have prices."""

from __future__ import annotations

from typing import Any

import pytest

from storage.limits import Limit, Limits
from storage.records import SearchRecord, Totals
from study.errors import WorkersUnusable
from study.planning.budget import left, limits_of, price_per_h, said
from study.planning.plan import Plan
from study.spec.budget import BudgetSpec
from tests.unit.study.specs import a_plan

EW = {"weighting": "ew", "stages": [{"lr": [0.1, 0.01]}]}
PRICED = {"price_per_h": {"cpu": 0.5}}


def planned(*searches: dict[str, Any], **keys: Any) -> Plan:
    training = {"epochs": 2, "batch_size": 8, "lr": 0.01}
    return a_plan(*searches, **{"training": training, **keys})


def limited(plan: Plan) -> Limits | None:
    records = [
        SearchRecord(id=number, name=s.name, role=s.role, weighting=s.weighting, position=number)
        for number, s in enumerate(plan.searches)
    ]
    return limits_of(plan, records)


def test_without_budgets_there_are_no_limits() -> None:
    assert limited(planned(EW, budget={"trials": 3, "wall_s": 5})) is None


def test_a_studys_budget_limits_all_of_it() -> None:
    budget = {"epochs": 7, "device_s": 2.5, "money": 9}
    found = limited(planned(EW, budget=budget, cost=PRICED))
    assert found == Limits(study=Limit(epochs=7, device_s=2.5, money=9))


def test_a_searchs_budget_limits_that_search() -> None:
    plan = planned(EW | {"budget": {"epochs": 4}})
    number = [search.name for search in plan.searches].index("ew")
    assert limited(plan) == Limits(searches={number: Limit(epochs=4)})


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("epochs", "the budget of 9 epochs"),
        ("device_s", "the budget of 2.5 device-seconds"),
        ("money", "the budget of 4 in money"),
    ],
)
def test_a_limit_is_said_in_words(kind: str, words: str) -> None:
    assert said(BudgetSpec(epochs=9, device_s=2.5, money=4), kind) == words


@pytest.mark.parametrize(
    ("cost", "price"),
    [({}, None), ({"price_per_h": 2.0}, 2.0), (PRICED, 0.5), ({"price_per_h": {"gpu": 1}}, None)],
)
def test_the_price_of_a_device(cost: dict[str, Any], price: float | None) -> None:
    assert price_per_h(planned(EW, cost=cost).spec, "cpu") == price


def test_a_device_without_a_price_cannot_keep_a_budget_of_money() -> None:
    spec = planned(EW, cost=PRICED, budget={"money": 3}).spec
    with pytest.raises(WorkersUnusable, match="The device 'A100' has none"):
        price_per_h(spec, "A100")


def spent(**of: Any) -> Totals:
    return Totals(**{"states": {}, "device_s": 0.0, "money": None, "epochs": 0, "trials": 0} | of)


@pytest.mark.parametrize(
    ("budget", "paid", "rest"),
    [
        ({}, {"epochs": 5}, {}),
        ({"epochs": 9, "trials": 4}, {"epochs": 5, "trials": 4}, {"trials": 0, "epochs": 4}),
        ({"money": 2.0, "device_s": 10}, {"money": 0.5}, {"device_s": 10.0, "money": 1.5}),
        ({"money": 2.0}, {}, {"money": 2.0}),
        ({"device_s": 10.0}, {"device_s": 10.25}, {"device_s": 0.0}),
        ({"wall_s": 7.0}, {}, {}),  # of one command, not of the study
    ],
)
def test_what_is_left(budget: dict[str, Any], paid: dict[str, Any], rest: dict[str, Any]) -> None:
    assert left({"budget": BudgetSpec(**budget).model_dump()}, spent(**paid)) == rest
