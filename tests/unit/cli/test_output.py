"""Units and numbers as the command line writes them."""

from __future__ import annotations

import pytest

from study.cli._output import duration


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0.0, "0 s"),
        (1e-7, "0.1 ms"),
        (0.0123, "12 ms"),
        (0.0999, "100 ms"),
        (0.16, "0.2 s"),
        (9.94, "9.9 s"),
        (9.97, "10 s"),
        (59.4, "59 s"),
        (59.7, "1 min 00 s"),
        (3_599.0, "59 min 59 s"),
        (361_234.0, "100 h 20 min"),
    ],
)
def test_a_duration_is_never_nothing_where_there_was_something(seconds: float, said: str) -> None:
    assert duration(seconds) == said
