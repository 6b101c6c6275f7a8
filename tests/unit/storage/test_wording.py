"""Numbers in sentences."""

from __future__ import annotations

import pytest

from storage.wording import counted


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
        (1_234_567, ("run",), "1234567 runs"),
    ],
)
def test_one_is_not_several(n: float, words: tuple[str, ...], said: str) -> None:
    assert counted(n, *words) == said
