"""What a trainer reports on validation alone stands in tables all the same, and says so.

No loss is named of what it learns.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from reports import compare, load
from reports._selected import untested
from reports.frames import StudyFrames
from reports.html._metrics import metric_numbers
from reports.html._problem import problem
from reports.tables.columns import columns_of
from tests.unit.reports import synthetic

KEY = ("train", "loss")


def study(
    *, trainer: str | None = "mine", tested: bool = False, others: Sequence[str] = ()
) -> StudyFrames:
    """One metric, on validation; on test, too, if it is tested. Others are on validation alone."""
    made = synthetic.function_reader(8, (3, 5))
    made.spec["trainer"] = trainer
    rows = made.rows["epoch_metrics"]
    if tested:
        made.rows["epoch_metrics"] = [*rows, *({**row, "split": "test"} for row in rows)]
    metrics = made.card["tasks"][0]["metrics"]
    metrics += [{**metrics[0], "name": name, "title": name} for name in others]
    made.rows["epoch_metrics"] += [{**row, "metric": name} for row in rows for name in others]
    return load(made, synthetic.STUDY)


def test_only_what_has_no_test_value_is_taken_from_validation() -> None:
    assert untested(study()) == {KEY}
    assert untested(study(tested=True)) == frozenset()


def test_of_others_than_trainers_nothing_is() -> None:
    assert untested(study(trainer=None)) == frozenset()


def test_tables_have_the_value_and_say_of_which_split_it_is() -> None:
    for tested, said in ((False, " (validation)"), (True, "")):
        frames = study(tested=tested)
        rows = compare(frames).rows
        assert all(math.isfinite(row.metrics[KEY]) for row in rows)
        (numbers,) = metric_numbers(frames, rows)
        assert numbers.title.endswith("(validation)") == bool(said)


def test_the_table_for_a_paper_has_test_values_alone() -> None:
    frames = study(tested=True, others=["found"])
    rows = compare(frames).rows
    assert {("train", "found")} == untested(frames)
    assert [column.name for column in columns_of(frames, rows)] == ["loss", "cost_solo_s"]


def test_of_a_trainers_task_no_loss_is_named() -> None:
    card = {"tasks": [{"name": "where", "loss": "BCE", "metrics": [{"name": "auroc"}]}]}
    assert "where: auroc (trained with BCE)" in problem(card)
    assert "where: auroc<" in problem({**card, "trainer": {"name": "cam"}})
