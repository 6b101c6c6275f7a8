"""Cards of trainers check all that a user writes, and the parameters of a study."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tiny_trainer import Tiny
from trainers.cards import MetricCard
from trainers.errors import BadCard, BadParameter
from trainers.trainer_card import ObjectiveCard, ParameterCard, TrainerCard

ERROR = MetricCard(name="error", title="Error", direction="min")
TRULY = MetricCard(name="found", title="Found", direction="max", uses_truth=True)


def card(**changed: Any) -> TrainerCard:
    fields: dict[str, Any] = {
        "name": "mine",
        "title": "Mine",
        "source": "me",
        "task_title": "It",
        "metrics": (ERROR, TRULY),
        "objectives": (ObjectiveCard(name="val_error", metric="error"),),
    }
    return TrainerCard(**fields | changed)


def parameter(**fields: Any) -> ParameterCard:
    return ParameterCard(**{"name": "rate", "title": "Rate", "default": 0.5, **fields})


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"metrics": ()}, "`metrics` must not be empty"),
        ({"objectives": ()}, "`objectives` must not be empty"),
        ({"metrics": (MetricCard(name="loss", title="x", direction="min"),)}, "call a metric"),
        ({"metrics": (MetricCard(name="test_x", title="x", direction="min"),)}, "call a metric"),
        ({"objectives": (ObjectiveCard(name="o", metric="eror"),)}, "Did you mean `error`?"),
        ({"objectives": (ObjectiveCard(name="o", metric="found"),)}, "say `uses_truth=True`"),
        ({"parameters": (parameter(), parameter())}, "no two of one name"),
    ],
)
def test_a_card_that_breaks_a_rule_is_refused(changed: dict[str, Any], why: str) -> None:
    with pytest.raises(BadCard, match="TrainerCard `mine`") as caught:
        card(**changed)
    assert why in str(caught.value)


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"name": "learning rate"}, "must be one word"),
        ({"default": 2.0, "high": 1.0}, "numbers up to 1. Got 2.0"),
        ({"default": "a", "choices": ("b",)}, "one of 'b'. Got 'a'"),
        ({"default": "a", "choices": ("a",), "low": 0.0}, "exclude limits"),
        ({"default": math.nan}, "must be a number"),
        ({"default": True}, "must be a number. Got True"),
        ({"default": 1.5, "integer": True}, "must be a whole number. Got 1.5"),
    ],
)
def test_a_parameter_that_breaks_a_rule_is_refused(fields: dict[str, Any], why: str) -> None:
    with pytest.raises(BadCard) as caught:
        parameter(**fields)
    assert why in str(caught.value)


@given(st.integers(-10, 10))
def test_numbers_have_the_type_that_the_card_says(value: int) -> None:
    assert type(parameter(default=0).checked(value)) is float
    assert type(parameter(default=0, integer=True).checked(float(value))) is int


def test_true_is_no_number_of_choices() -> None:
    with pytest.raises(BadParameter):
        parameter(default=1, choices=(1, 2)).checked(True)


def test_defaults_fill_what_a_study_leaves_out() -> None:
    params = Tiny().card.filled({"rate": 1})
    assert params == {"rate": 1.0, "rounds": 2, "way": "plain", "dies": False}


def test_an_unknown_parameter_is_answered_with_the_nearest() -> None:
    with pytest.raises(BadParameter, match="Did you mean `rounds`"):
        Tiny().card.filled({"round": 1})


def test_all_that_may_be_reported_is_the_cards_and_the_loss() -> None:
    names = {"loss", "error", "found"}
    assert card().reported == names | {f"test_{name}" for name in names}
