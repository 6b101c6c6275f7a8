"""How pages write numbers."""

from __future__ import annotations

import math

import pytest

from reports.dashboard.rendering import words
from storage.objectives import known
from storage.objectives.delta_m import NAME as DELTA_M

OBJECTIVES = known([("a", "mae", "min")])


@pytest.mark.parametrize(
    ("value", "digits", "said"),
    [
        (3312.4, 3, "3,312"),
        (768_000.0, 4, "768,000"),
        (999.96, 4, "1,000"),
        (-1234.5, 4, "−1,234"),
        (205.4, 3, "205"),
        (0.0123, 4, "0.0123"),
        (7.68e15, 4, "7.68e+15"),
        (math.nan, 4, "–"),
        (-math.inf, 4, "−∞"),
    ],
)
def test_thousands_are_whole_and_apart(value: float, digits: int, said: str) -> None:
    assert words.number(value, digits) == said


@pytest.mark.parametrize(
    ("value", "said"), [(1.04, "+1.04"), (0.8885, "+0.89"), (6, "+6.00"), (-2.5, "−2.50")]
)
def test_delta_m_has_its_sign_and_two_decimals(value: float, said: str) -> None:
    assert words.ranked(value, OBJECTIVES[DELTA_M]) == said


def test_a_value_that_is_not_known_is_a_dash() -> None:
    assert {words.ranked(math.nan, one) for one in OBJECTIVES.values()} == {"–"}
    assert words.cost(math.nan, "memory") == "–"


@pytest.mark.parametrize(
    ("value", "kind", "said"),
    [
        (550_502_400, "memory", "525 MiB"),
        (3 * 2**30, "memory", "3.00 GiB"),
        (5, "money", "5.00"),
        (0.0123, "money", "0.012"),
        (768_000, "number", "768,000"),
    ],
)
def test_costs_are_in_the_units_that_people_use(value: float, kind: str, said: str) -> None:
    assert words.cost(value, kind) == said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("End it by `weighbridge stop a`.", "End it by <code>weighbridge stop a</code>."),
        ("`<b>` & <i>", "<code>&lt;b&gt;</code> &amp; &lt;i&gt;"),
        ("a ` alone <b>", "a ` alone &lt;b&gt;"),
        ("", ""),
    ],
)
def test_commands_in_messages_are_code_and_the_rest_is_escaped(text: str, said: str) -> None:
    assert words.coded(text) == said
