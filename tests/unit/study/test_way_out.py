"""What to do about a baseline that is missing follows from what its runs ended with."""

from __future__ import annotations

import pytest

from study.planning.baseline import baseline_missing


@pytest.mark.parametrize(
    ("diverged", "way_out"),
    [
        (
            "In epoch 3 the train loss of task left is inf.",
            "Give the task smaller learning rates, in [baseline] `lr`; or",
        ),
        (
            "In epoch 1 the validation r2 of task left is nan.",
            "Mend that metric, or give the task smaller learning rates, in [baseline] `lr`; or",
        ),
    ],
)
def test_a_metric_that_is_no_number_is_no_matter_of_learning_rates(
    diverged: str, way_out: str
) -> None:
    said = str(
        baseline_missing(
            "left", "no trial can win", [], diverged=diverged, study="tiny", storage="sqlite:///a"
        )
    )
    assert f"Nothing can be compared without it. {diverged} {way_out} give numbers" in said
