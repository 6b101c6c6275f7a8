"""Budgets as they are written: one grammar for all verbs."""

from __future__ import annotations

import pytest

from storage.amounts import BY_NAME, UNITS, Kind, read_amount
from storage.errors import BadAmount

ALL = tuple(UNITS)


@pytest.mark.parametrize(
    ("text", "kind", "amount"),
    [
        *(("600s", "device_s", 600.0), ("2 min", "device_s", 120.0), ("8H", "device_s", 28_800.0)),
        *(("200epochs", "epochs", 200), ("1epoch", "epochs", 1), ("30 runs", "runs", 30)),
        *(("2.50money", "money", 2.5), ("90trials", "trials", 90), ("3J", "energy_j", 3.0)),
        *(("1.5Tflops", "flops", 1.5e12), ("2kWh", "energy_j", 7.2e6)),
        *(("epochs=900", "epochs", 900), (" epochs = 1e3 ", "epochs", 1000)),
        *(("device_s=600", "device_s", 600.0), ("device_s=8h", "device_s", 28_800.0)),
        *(("wall_s=30min", "wall_s", 1800.0), ("wall_s=60", "wall_s", 60.0)),
        *(("money=2.5", "money", 2.5), ("energy_j=1kWh", "energy_j", 3.6e6)),
        ("epochs=200epochs", "epochs", 200),
    ],
)
def test_an_amount_has_a_unit_or_a_name(text: str, kind: str, amount: float) -> None:
    assert read_amount(text, of=ALL) == (kind, pytest.approx(amount, rel=1e-12))


@pytest.mark.parametrize("kind", ALL)
def test_whatever_has_a_unit_can_be_told_either_way(kind: Kind) -> None:
    for unit, size in UNITS[kind].items():
        assert read_amount(f"{kind}=3{unit}", of=ALL) == (kind, 3 * size)
        if kind not in BY_NAME:
            assert read_amount(f"3{unit}", of=ALL) == (kind, 3 * size)


def test_what_is_counted_stays_whole() -> None:
    amounts = [read_amount(text, of=ALL)[1] for text in ("200epochs", "trials=7", "2e3runs")]
    assert [type(one) for one in amounts] == [int, int, int]


@pytest.mark.parametrize(
    "text",
    [
        *("", "600", "h", "-3s", "0s", "1.2.3s", "5 parsecs", "nan s", "inf h", "1e999s"),
        *("epochs=-5", "epochs=", "=5", "epochs=8h", "wall_s=5epochs", "lr=5", "5=epochs"),
    ],
)
def test_what_is_no_amount_says_what_one_is(text: str) -> None:
    with pytest.raises(BadAmount, match=r"number above 0 and a unit: s, min.*600s, 8h or 200epoch"):
        read_amount(text, of=ALL)


def test_what_is_not_asked_for_is_none() -> None:
    with pytest.raises(BadAmount, match=r"unit: s, min, h, d \(device time\), epochs; or NAME="):
        read_amount("5money", of=("device_s", "epochs"))
    with pytest.raises(BadAmount, match="epochs=200 or wall_s=30min"):
        read_amount("30runs", of=("device_s", "wall_s", "epochs"))
