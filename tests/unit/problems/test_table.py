"""A table of the user's as a problem: what is read of it, and what is refused before training."""

from __future__ import annotations

import gzip
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.unit.problems.table_files import (
    OPTIONS,
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
from trainers.problems.errors import BadOption, DataBroken, DataMissing, UnknownTask
from trainers.problems.table import QM9, Table
from trainers.protocol import Problem
from trainers.testing import ProblemContract

CPU = torch.device("cpu")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return write_table(tmp_path / "table")


class TestContract(ProblemContract):
    @pytest.fixture
    def problem(self, root: Path) -> Problem:
        return table(root)


def test_without_a_file_the_card_is_that_of_qm9() -> None:
    card = Table().card
    assert card.sizes == {"train": 113_885, "validation": 10_000, "test": 10_000}
    assert card.task_names == tuple(QM9)
    assert card.tasks[0].metrics[0].unit == "D"
    assert "docs/benchmarks/table.md" in card.missing
    with pytest.raises(DataMissing, match="Set `root`"):
        Table().sources(CPU)


def test_targets_keep_their_units_and_inputs_are_scaled_by_training_rows(root: Path) -> None:
    problem = table(root)
    sources, rows = problem.sources(CPU), cells()
    split = problem.split(problem.samples(root))
    for name, source in sources.items():
        expected = [float(rows[int(row)][3] or "nan") for row in split[name]]
        np.testing.assert_allclose(source.targets["gap"], expected, rtol=1e-6)
        assert source.inputs.shape == (len(split[name]), 2)
    train = sources["train"].inputs
    assert train.mean(0).abs().max() < 1e-5
    assert (train.std(0, correction=0) - 1).abs().max() < 1e-5
    assert problem.card.tasks[1].metrics[0].unit == "m3"
    with torch.no_grad():
        answers = problem.head("volume")(torch.zeros(3, 4))
    assert answers.abs().max() < 2e-4  # of the size of what is to be learned


def test_no_row_is_in_two_splits_and_the_seed_draws_them(root: Path) -> None:
    first, other = (
        problem.split(problem.samples(root)) for problem in (table(root), table(root, split_seed=1))
    )
    assert sorted(row for of in first.values() for row in map(int, of)) == [*range(40)]
    assert {split: len(of) for split, of in first.items()} == table(root).card.sizes
    assert first["test"] != other["test"]


@pytest.mark.parametrize(
    ("file", "delimiter"),
    [("a.csv", ","), ("b.tsv", "\t"), ("c/d.csv.gz", ","), ("e.tsv.gz", "\t")],
)
def test_all_forms_are_read_alike(root: Path, file: str, delimiter: str) -> None:
    path = root / file
    path.parent.mkdir(exist_ok=True)
    content = text(cells(), delimiter).replace("\n", "\r\n").encode("utf-8-sig")
    path.write_bytes(gzip.compress(content) if file.endswith(".gz") else content)
    first, second = (table(root, file=name).samples(root).read() for name in ("table.csv", file))
    np.testing.assert_array_equal(first.inputs, second.inputs)
    np.testing.assert_array_equal(first.targets, second.targets)


def test_inputs_may_be_named(root: Path) -> None:
    columns = table(root, inputs=["atoms"]).samples(root).read()
    assert columns.names == ("atoms",)
    assert columns.inputs[:, 0].tolist() == [float(row[2]) for row in cells()]


def test_the_hash_changes_with_the_table(root: Path, tmp_path: Path) -> None:
    first = table(root).card.data_version
    copy = write_table(tmp_path / "copy")
    assert table(copy).card.data_version == first
    edited(lambda content: content.replace("m0,", "n0,"))(copy)
    assert table(copy).card.data_version != first


def names(*of: str) -> Break:
    return lambda root: (root / "table.csv").write_text(text(cells(), names=[*of]))


def is_a_folder(root: Path) -> None:
    (root / "table.csv").unlink()
    (root / "table.csv").mkdir()


BROKEN: dict[str, tuple[Break, list[str]]] = {
    "no folder": (shutil.rmtree, ["table.csv: expected a table, found nothing"]),
    "no file": (
        lambda root: (root / "table.csv").unlink(),
        ["table.csv: expected a table, found nothing", "say in `file`"],
    ),
    "a folder for a file": (is_a_folder, ["expected a table, found a folder"]),
    "an empty file": (
        edited(lambda _: ""),
        ["expected a line of names and rows below it, found 0 lines"],
    ),
    "names alone": (edited(lambda content: content.split("\n")[0]), ["found 1 lines"]),
    "no text": (
        lambda root: (root / "table.csv").write_bytes(b"\xff\xfe\x00\x80"),
        ["expected a table as text", "Write it as UTF-8"],
    ),
    "semicolons": (
        edited(lambda content: content.replace(",", ";")),
        ["expected a column `gap`, found name;mass;atoms;gap;volume", "parted by commas"],
    ),
    "tabs": (
        edited(lambda content: content.replace(",", "\t")),
        ["expected a column `gap`", "or by tabs in a `.tsv`"],
    ),
    "no names": (
        edited(lambda content: content.partition("\n")[2]),
        ["expected a column `gap`, found m0"],
    ),
    "a target too few": (
        names("name", "mass", "atoms", "gab", "volume"),
        ["expected a column `gap`, found name, mass, atoms, gab, volume"],
    ),
    "a name twice": (
        names("name", "mass", "mass", "gap", "volume"),
        ["expected names of columns that differ in its first line, found 'mass' twice"],
    ),
    "a column without a name": (
        names("name", "mass", "", "gap", "volume"),
        ["expected names of columns that differ", "one without a name"],
    ),
    "a cell too few": (
        edited(lambda content: content.replace("m3,", "", 1)),
        ["expected 5 cells in line 5, found 4", "a cell with a comma stands in quotes"],
    ),
    "a cell too many": (
        edited(lambda content: content.replace("m3,", "m3,1,", 1)),
        ["expected 5 cells in line 5, found 6"],
    ),
    "commas for points": (
        edited(lambda content: content.replace(".", ",")),
        ["cells in line 2, found"],
    ),
    "a torn last row": (
        edited(lambda content: content[: content.rindex(",")]),
        ["expected 5 cells in line 41, found 4"],
    ),
    "a row too few": (
        edited(lambda content: content[: content.rindex("m39")]),
        ["expected 40 rows, found 39", "say in `rows`"],
    ),
    "a row too many": (
        edited(lambda content: content + "m40,1,2,3,4\n"),
        ["expected 40 rows, found 41"],
    ),
    "a text for an input": (
        cell(4, 1, "heavy"),
        ["expected a number in column `mass` of line 6, found 'heavy'", "by `ignored`"],
    ),
    "a missing input": (cell(4, 2, ""), ["a number in column `atoms` of line 6, found ''"]),
    "an infinite input": (cell(0, 1, "inf"), ["a number in column `mass` of line 2, found 'inf'"]),
    "an input that is no number": (cell(0, 1, "nan"), ["of line 2, found 'nan'"]),
    "a text for a target": (cell(9, 3, "n/a"), ["in column `gap` of line 11, found 'n/a'"]),
    "an infinite target": (cell(9, 4, "-inf"), ["in column `volume` of line 11, found '-inf'"]),
    "a line of blanks before what is wrong": (
        edited(lambda content: content.replace("m3,", "\n\nm3,,", 1)),
        ["expected 5 cells in line 7, found 6"],
    ),
    "a name of two lines before what is wrong": (
        edited(lambda content: content.replace("m3,", '"m\n3",').replace("m4,", "m4,,")),
        ["expected 5 cells in line 7, found 6"],
    ),
    "a target that is always the same": (
        column(4, "3"),
        ["expected values of `volume` that differ, found 3 alone", "nothing to learn"],
    ),
    "a target that is never there": (
        column(3, ""),
        ["expected values of `gap` that differ, found none"],
    ),
}


@pytest.mark.parametrize(("broken", "told"), BROKEN.values(), ids=BROKEN)
def test_what_is_no_table_of_numbers_is_told_before_training(
    root: Path, broken: Break, told: list[str]
) -> None:
    broken(root)
    said = found(root)
    assert [text for text in told if text not in said] == []
    with pytest.raises((DataBroken, DataMissing)):
        _ = table(root).card


def test_a_packed_table_that_is_torn_is_told(root: Path) -> None:
    for content in (b"no gzip", gzip.compress(text(cells()).encode())[:-20]):
        (root / "table.csv.gz").write_bytes(content)
        assert "expected a table as text" in found(root, file="table.csv.gz")


def test_all_columns_that_are_wrong_are_listed(root: Path) -> None:
    rows = cells()
    rows[1][1] = rows[2][3] = "?"
    (root / "table.csv").write_text(text(rows))
    assert found(root).count("expected a number in column") == 2


def test_a_table_of_targets_alone_is_told(root: Path) -> None:
    said = found(root, ignored=["name", "mass", "atoms"])
    assert "expected a column to learn from" in said


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"targets": {}}, "`targets` must be a table of columns with their units"),
        ({"targets": ["gap"]}, "Got ['gap']. Write targets = { gap ="),
        ({"targets": {"gap": 1}}, "`targets` must be"),
        ({"inputs": "mass"}, "`inputs` must be a list of columns that differ"),
        ({"inputs": ["gap"]}, "neither targets nor of another list"),
        ({"inputs": ["mass"], "ignored": ["mass"]}, "`ignored` must be a list"),
        ({"inputs": ["mass", "mass"]}, "Name each column once"),
        ({"file": "table.xlsx"}, "`file` must be a path below `root` that ends in .csv, .csv.gz"),
        ({"file": "../table.csv"}, "`file` must be a path below `root`"),
        ({"file": "a/../../table.csv"}, "`file` must be a path below `root`"),
        ({"file": "/data/table.csv"}, "`file` must be a path below `root`"),
        ({"rows": 15}, "must leave two of `rows` to train on. Got 8 and 6 of 15."),
        ({"loss": "huber"}, "`loss` must be one of 'l1', 'mse'."),
        ({"kind": "function"}, "`kind` must be one of 'real'"),
        ({"width": 0}, "`width`"),
    ],
)
def test_bad_option_says_rule_and_finding(options: dict[str, Any], message: str) -> None:
    with pytest.raises(BadOption) as error:
        Table(**{**OPTIONS, **options})
    assert message in str(error.value)


@pytest.mark.parametrize("part", ["head", "functions"])
def test_unknown_task_is_refused(root: Path, part: str) -> None:
    with pytest.raises(UnknownTask, match="Did you mean `gap`"):
        getattr(table(root), part)("gapp")
