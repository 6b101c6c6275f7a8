"""`label_noise` in a spec: what is asked, and what is refused before anything is trained."""

from __future__ import annotations

from typing import Any

import pytest

from study.errors import BadSpec
from tests.unit.study.specs import a_plan

PAIR = {"task": "left", "kind": "pair", "rate": 0.1}
MATRIX = {"task": "left", "kind": "matrix"}
TENTH = [[0.1] * 10 for _ in range(10)]


def test_the_card_says_how_many_labels_are_wrong() -> None:
    told = a_plan(label_noise={"task": ["left", "right"], "kind": "pair", "rate": 0.1}).card
    *_, left, right = told.caveats
    assert left.startswith("Task left has wrong labels on purpose: 80 of 800 labels in train and")
    assert "40 of 400 labels in validation, the next class (noise seed 0)." in left
    assert right.startswith("Task right has")
    drawn = a_plan(label_noise=MATRIX | {"rows": TENTH}).card.caveats[-1]
    assert "90 to 90 % of each class's labels in train and validation" in drawn


@pytest.mark.parametrize(
    ("noise", "said"),
    [
        (0.4, "[label_noise] must be a table. Got 0.4."),
        ([PAIR], "[label_noise] must be a table. Got [{"),
        ({}, "[label_noise] `kind` must be one of symmetric, pair, matrix. Got none."),
        (PAIR | {"kind": "pear"}, "`kind` must be one of symmetric, pair, matrix. Got 'pear'."),
        (PAIR | {"kind": ["pair"]}, "`kind` must be one of symmetric, pair, matrix. Got ['pair']."),
        (PAIR | {"rate": 1}, "[label_noise] `rate` must be below 1.0. Got 1."),
        (PAIR | {"rate": -0.1}, "[label_noise] `rate` must be 0 or above. Got -0.1."),
        (PAIR | {"rate": "much"}, "[label_noise] `rate` must be a number. Got 'much'."),
        (PAIR | {"rate": True}, "[label_noise] `rate` must be a number. Got true."),
        (PAIR | {"rate": float("nan")}, "[label_noise] `rate` must be a finite number. Got nan."),
        (PAIR | {"rate": []}, "[label_noise] `rate` must not be empty."),
        (PAIR | {"rate": [0.1, 0.1]}, "[label_noise] `rate` must not repeat a value."),
        (PAIR | {"rate": [0.1, 1.5]}, "[label_noise] `rate`, value 2, must be below 1.0."),
        ({"task": "left", "kind": "pair"}, "[label_noise] `rate` is missing. Add it: share of"),
        ({"kind": "pair", "rate": 0.1}, "[label_noise] `task` is missing."),
        (PAIR | {"task": []}, "[label_noise] `task` must not be empty."),
        (PAIR | {"task": ["left", "left"]}, "[label_noise] `task` must not repeat a task."),
        (PAIR | {"task": 3}, "[label_noise] `task` must be text in quotes. Got 3."),
        (PAIR | {"task": "lefd"}, "left, right, sum. Got `lefd`. Did you mean `left`?"),
        (PAIR | {"task": "lefd", "rate": 0}, "left, right, sum. Got `lefd`. Did you mean `left`?"),
        (PAIR | {"task": ["left", "sum"]}, "Task sum (L1) has none. Choose another, or,"),
        (PAIR | {"seed": -1}, "[label_noise] `seed` must be 0 or above. Got -1."),
        (PAIR | {"rows": TENTH}, "[label_noise] `rows` does not go with pair."),
        (PAIR | {"reat": 0.1}, "Unknown key `reat` in [label_noise]. Did you mean `rate`?"),
        (MATRIX, "[label_noise] `rows` is missing."),
        (MATRIX | {"rows": TENTH, "rate": 0.1}, "[label_noise] `rate` does not go with matrix."),
        (MATRIX | {"rows": []}, "a probability of each class in each. Got 0 rows of 0."),
        (MATRIX | {"rows": [[1, 0], [1]]}, "Got 2 rows of 2, 1."),
        (MATRIX | {"rows": [[0.5, 0.5]] * 2}, "each of the 10 classes of task left. Got 2."),
        (MATRIX | {"rows": [[0.5, 0.6], [0, 1]]}, "Row 0 is [0.5, 0.6], which sums to 1.1."),
        (MATRIX | {"rows": [[0, 1], [1.5, -0.5]]}, "0 or above. Row 1 is [1.5, -0.5]."),
        (MATRIX | {"rows": [[1, 0], [1, 0]]}, "Class 1 vanishes: its column is all 0."),
        (MATRIX | {"rows": [["a"]]}, "must be a number. Got 'a'."),
    ],
)
def test_what_makes_no_sense_is_refused(noise: Any, said: str) -> None:
    with pytest.raises(BadSpec) as caught:
        a_plan(label_noise=noise)
    assert said in str(caught.value)


def test_a_task_that_is_not_asked_has_no_noise() -> None:
    with pytest.raises(BadSpec, match=r"of the problem: right, sum\. Got `left`"):
        a_plan(tasks=["right", "sum"], label_noise=PAIR)
