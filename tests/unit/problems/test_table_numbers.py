"""Numbers of a table that a network cannot learn from: too large, too alike, too few in a split."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.problems.table_files import (
    Break,
    cell,
    cells,
    column,
    edited,
    found,
    table,
    text,
    write_table,
)
from trainers.problems._fewer_labels import FewerLabels
from trainers.problems._some_tasks import SomeTasks
from trainers.problems.errors import BadOption, DataBroken


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return write_table(tmp_path / "table")


def far_from_zero(root: Path) -> None:
    rows = cells()
    for number, row in enumerate(rows):
        row[3] = f"{1e9 + number % 3}"
    (root / "table.csv").write_text(text(rows))


BROKEN: dict[str, tuple[Break, list[str]]] = {
    "a number with underscores": (cell(4, 1, "1_00"), ["of line 6, found '1_00'. Write it as"]),
    "a number of another script": (cell(4, 3, "١٢"), ["`gap` of line 6, found '١٢'"]),
    "an input beyond 32 bits": (
        cell(4, 1, "-1e39"),
        ["numbers in column `mass` at most 3.4e+38 in size, found 1e+39. Give the column another"],
    ),
    "a target beyond 32 bits": (cell(4, 3, "4e38"), ["`gap` at most 3.4e+38 in size, found 4e+38"]),
    "a target of which 32 bits keep nothing": (
        edited(lambda content: content.replace("e-05", "e-305").replace("e-06", "e-306")),
        ["numbers in column `volume` with differences that 32 bits can hold"],
    ),
    "a target far from zero": (
        far_from_zero,
        ["`gap` with differences that 32 bits can hold, found 1000000000", "from another zero"],
    ),
    "an input whose spread vanishes": (
        column(1, "1e-300", first="2e-300"),
        ["numbers in column `mass` with differences that 32 bits can hold"],
    ),
}


@pytest.mark.parametrize(("broken", "told"), BROKEN.values(), ids=BROKEN)
def test_numbers_that_cannot_be_learned_are_told_before_training(
    root: Path, broken: Break, told: list[str]
) -> None:
    broken(root)
    said = found(root)
    assert [text for text in told if text not in said] == []
    with pytest.raises(DataBroken):
        _ = table(root).card


@pytest.mark.parametrize(
    ("split", "n_known", "told"),
    [
        ("train", 0, "values of `gap` that differ in the train rows, found none"),
        ("train", 1, "values of `gap` that differ in the train rows, found 2 alone"),
        ("validation", 0, "values of `gap` in the validation rows, found none"),
        ("test", 0, "values of `gap` in the test rows, found none"),
        ("train", 2, ""),
        ("validation", 1, ""),
    ],
)
def test_a_sparse_target_is_known_in_each_split(
    root: Path, split: str, n_known: int, told: str
) -> None:
    rows, problem = cells(), table(root)
    of_split = problem.split(problem.samples(root))
    for of in of_split.values():
        for number in of:
            rows[int(number)][3] = "1"
    for value, other in (("2", "train"), ("3", "validation")):
        rows[int(of_split[other][0])][3] = value
    for number in of_split[split][n_known:]:
        rows[int(number)][3] = ""
    (root / "table.csv").write_text(text(rows))
    assert told in found(root)
    assert bool(found(root)) == bool(told)


@pytest.mark.parametrize("some", [False, True])
def test_hidden_labels_reach_no_head(root: Path, some: bool) -> None:
    def fewer() -> FewerLabels:
        problem = table(root)
        return FewerLabels(SomeTasks(problem, ("volume",)) if some else problem, {"volume": 0.3})

    before, train = fewer(), table(root).split(table(root).samples(root))["train"]
    kept = {int(train[at]) for at in before.labelled("volume", len(train)).tolist()}
    scales = [
        (head.centre, head.spread) for head in (before.head("volume"), table(root).head("volume"))
    ]
    rows = cells()
    for number in {*range(len(rows))} - kept:
        rows[number][4] = "1000"
    (root / "table.csv").write_text(text(rows))
    found = fewer().head("volume")
    assert (found.centre, found.spread) == scales[0]
    assert scales[0] != scales[1]
    expected = [float(rows[number][4]) for number in kept]
    assert found.centre == pytest.approx(sum(expected) / len(expected), rel=0.01)


def test_too_few_labels_to_scale_a_head_by_are_refused(root: Path) -> None:
    with pytest.raises(BadOption, match=r"must keep two labels .* Of 1 rows .* `volume`"):
        FewerLabels(table(root), {"volume": 0.01}).head("volume")
