"""Numbers in sentences."""

from __future__ import annotations

import pytest

from storage.wording import counted, of_limit


@pytest.mark.parametrize(
    ("n", "words", "said"),
    [
        (0, ("seed",), "0 seeds"),
        (1, ("seed",), "1 seed"),
        (2, ("seed",), "2 seeds"),
        (1, ("study", "studies"), "1 study"),
        (2, ("study", "studies"), "2 studies"),
        (1.0, ("core",), "1 core"),
        (0.5, ("core",), "0.5 cores"),
        (1_234_567, ("run",), "1,234,567 runs"),
    ],
)
def test_one_is_not_several(n: float, words: tuple[str, ...], said: str) -> None:
    assert counted(n, *words) == said


@pytest.mark.parametrize(
    ("kind", "part", "limit", "said"),
    [
        ("epochs", 1200, 10_000, "1,200 of 10,000 epochs"),
        ("trials", 0, 2, "0 of 2 trials (without baselines)"),
        ("device_s", 40.0, 120.0, "40 s of 2 min 00 s of device time"),
        ("money", 0.05, 5000.0, "0.05 of 5,000.00 in money"),
    ],
)
def test_a_part_of_a_limit_has_the_unit_of_the_limit(
    kind: str, part: float, limit: float, said: str
) -> None:
    assert of_limit(kind, part, limit) == said
