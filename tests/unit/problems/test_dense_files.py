"""NYUv2 and Cityscapes as problems: cards, splits, hashes, and the checks of all problems."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.unit.problems.trees import NYUV2, write_cityscapes, write_dense_tree, write_nyuv2
from trainers.jobs import ProblemRef
from trainers.problems import card_of
from trainers.problems.checking import check_files
from trainers.problems.cityscapes import Cityscapes
from trainers.problems.errors import (
    BadOption,
    DataBroken,
    DataMissing,
    NotOnDisk,
    UnknownOption,
    UnknownTask,
)
from trainers.problems.nyuv2 import Nyuv2
from trainers.protocol import Problem
from trainers.randomness import Key
from trainers.testing import ProblemContract

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def rooms(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_nyuv2(tmp_path_factory.mktemp("nyuv2"))


@pytest.fixture(scope="module")
def streets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_cityscapes(tmp_path_factory.mktemp("cityscapes"))


class TestNyuv2(ProblemContract):
    @pytest.fixture
    def problem(self, rooms: Path) -> Problem:
        return Nyuv2(**NYUV2, root=str(rooms), loaders=1)


class TestCityscapes(ProblemContract):
    @pytest.fixture
    def problem(self, streets: Path) -> Problem:
        return Cityscapes(**NYUV2, root=str(streets), loaders=0, augment="scale-crop-flip")


def test_without_files_the_card_is_that_of_the_published_split() -> None:
    card = Nyuv2().card
    assert card.sizes == {"train": 636, "validation": 159, "test": 654}
    assert Cityscapes().card.sizes == {"train": 2_380, "validation": 595, "test": 500}
    assert card.data_version == {"files": "not found on this machine"}
    assert "Set `root`" in card.missing
    assert [task.name for task in card.tasks] == ["segmentation", "depth", "normal"]
    assert card.network == "SegNet of 5 stages, width 64, on 288x384, scale-crop-flip"


def test_with_files_the_card_has_their_hash_and_that_of_each_splits_names(rooms: Path) -> None:
    card = Nyuv2(**NYUV2, root=str(rooms)).card
    version = card.data_version
    assert isinstance(version, dict)
    assert version["files"].startswith("sha256:")
    assert {split: of["samples"] for split, of in version["splits"].items()} == card.sizes
    assert card.missing == ""
    other = Nyuv2(**NYUV2, root=str(rooms), split_seed=1).card.data_version
    assert isinstance(other, dict)
    assert other["files"] == version["files"]
    assert other["splits"]["test"] == version["splits"]["test"]
    assert other["splits"]["validation"] != version["splits"]["validation"]


def test_validation_is_held_out_of_training_samples(rooms: Path) -> None:
    problem = Nyuv2(**NYUV2, root=str(rooms))
    split = problem.split(problem.samples(rooms))
    assert {name.split("/")[0] for name in [*split["train"], *split["validation"]]} == {"train"}
    assert sorted([*split["train"], *split["validation"]]) == [f"train/{n}" for n in range(6)]
    assert split["test"] == ["val/0", "val/1", "val/2"]


def test_the_hash_is_that_of_content_wherever_it_lies(rooms: Path, tmp_path: Path) -> None:
    copy = write_nyuv2(tmp_path / "copy")
    first, second = (Nyuv2(**NYUV2, root=str(root)).card.data_version for root in (rooms, copy))
    assert first == second
    label = np.load(copy / "train/label/0.npy")
    label[0, 0] = 5 - label[0, 0]
    np.save(copy / "train/label/0.npy", label)
    changed = Nyuv2(**NYUV2, root=str(copy)).card.data_version
    assert changed != first


def test_the_hash_is_remembered_until_a_file_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WEIGHBRIDGE_CACHE", str(tmp_path / "cache"))
    root = write_nyuv2(tmp_path / "data")
    first = Nyuv2(**NYUV2, root=str(root)).card.data_version
    path = root / "val/depth/0.npy"
    found, content = path.stat(), path.read_bytes()
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    os.utime(path, ns=(found.st_atime_ns, found.st_mtime_ns))
    assert Nyuv2(**NYUV2, root=str(root)).card.data_version == first  # nothing was read again
    os.utime(path, ns=(found.st_atime_ns, found.st_mtime_ns + 1))
    assert Nyuv2(**NYUV2, root=str(root)).card.data_version != first


def test_options_that_say_where_and_how_change_no_run(rooms: Path) -> None:
    plain = Nyuv2(**NYUV2, root=str(rooms)).card
    other = Nyuv2(**NYUV2, root=str(rooms), loaders=0, cache="memory").card
    assert plain == other
    assert {*plain.free_options} == {"root", "loaders", "cache", "pretrained"}


def test_a_folder_of_all_sets_is_looked_in(
    rooms: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "nyuv2").symlink_to(rooms)
    monkeypatch.setenv("WEIGHBRIDGE_DATA", str(tmp_path))
    assert Nyuv2(**NYUV2).sources(CPU)["test"].size == 3
    assert Cityscapes().card.data_version == {"files": "not found on this machine"}


def test_nineteen_classes_are_in_another_folder(streets: Path) -> None:
    problem = Cityscapes(**NYUV2, classes=19, root=str(streets))
    batch = next(iter(problem.sources(CPU)["test"].batches(None, 2, Key("x"))))
    assert batch.targets["segmentation"].shape == (2, 12, 16)
    assert problem.head("segmentation")(torch.zeros(1, 2, 4, 4)).shape == (1, 19, 4, 4)
    assert "label_19" in problem.samples(streets).files("val/0")[1]


def test_the_copy_of_libmtl_has_seven_classes_in_another_folder(tmp_path: Path) -> None:
    root = write_dense_tree(tmp_path, folders=("image", "label", "depth"), n_classes=7)
    batch = next(
        iter(Cityscapes(**NYUV2, root=str(root)).sources(CPU)["test"].batches(None, 2, Key("x")))
    )
    assert batch.targets["segmentation"].max() == 6
    with pytest.raises(DataBroken, match="label_19: expected a folder"):
        _ = Cityscapes(**NYUV2, classes=19, root=str(root)).card


def test_files_that_are_not_there_are_told_before_anything_is_read() -> None:
    with pytest.raises(DataMissing, match=r"Set `root` .*WEIGHBRIDGE_DATA"):
        Nyuv2().sources(CPU)
    with pytest.raises(DataMissing, match="/no/where does not exist"):
        _ = Nyuv2(root="/no/where").card


@pytest.mark.parametrize("reads", ["card", "sources"])
def test_broken_files_are_refused_by_plan_and_by_workers(tmp_path: Path, reads: str) -> None:
    root = write_nyuv2(tmp_path)
    (root / "val/depth/2.npy").unlink()
    (root / "val/image/1.npy").write_bytes(b"")
    problem = Nyuv2(**NYUV2, root=str(root))
    with pytest.raises(DataBroken) as error:
        _ = problem.card if reads == "card" else problem.sources(CPU)
    assert "val/depth/2.npy: expected a file" in str(error.value)
    assert "weighbridge problem check nyuv2 --root DIR" in str(error.value)


def test_many_findings_are_cut_short(tmp_path: Path) -> None:
    root = write_nyuv2(tmp_path)
    for path in (root / "train/image").iterdir():
        path.write_bytes(b"")
    with pytest.raises(DataBroken) as error:
        _ = Nyuv2(**NYUV2, root=str(root)).sources(CPU)
    assert str(error.value).count("\n- ") == 6
    assert "\n- and more" in str(error.value)


def test_all_findings_are_listed_without_a_card(tmp_path: Path) -> None:
    root = write_nyuv2(tmp_path)
    ref = ProblemRef(target="nyuv2", options={**NYUV2, "root": str(root)})
    assert [*check_files(ref)] == []
    for path in (root / "train/image").iterdir():
        path.write_bytes(b"")
    assert len([*check_files(ref)]) == 6
    with pytest.raises(DataBroken):
        card_of(ref)


def test_a_problem_without_files_of_the_users_is_refused() -> None:
    with pytest.raises(NotOnDisk, match="`digits` reads none"):
        next(check_files(ProblemRef(target="digits", options={"root": "/data"})))
    with pytest.raises(UnknownOption, match="Did you mean `root`"):
        next(check_files(ProblemRef(target="nyuv2", options={"rot": "/data"})))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"network": "resnet"}, "`network` must be one of"),
        ({"network": "segnett"}, "Did you mean `segnet`?"),
        ({"size": 288}, "`size` must be two whole numbers, as in [288, 384]. Got 288."),
        ({"size": [288, 0]}, "`size` must be a whole number of at least 1. Got 0."),
        ({"validation_samples": 795}, "must be fewer. Got 795 of 795."),
        ({"validation_samples": 0}, "`validation_samples` must be"),
        ({"loaders": -1}, "`loaders` must be a whole number of at least 0."),
        ({"cache": "disk"}, "`cache` must be one of 'none', 'memory', 'mapped'."),
        ({"augment": "flip"}, "`augment` must be one of"),
        ({"split_seed": 1.5}, "`split_seed`"),
        ({"test_samples": 0}, "`test_samples`"),
    ],
)
def test_bad_option_says_rule_and_finding(options: dict[str, Any], message: str) -> None:
    with pytest.raises(BadOption) as error:
        Nyuv2(**options)
    assert message in str(error.value)


def test_a_root_that_depends_on_where_one_stands_is_refused() -> None:
    with pytest.raises(BadOption, match=r"must be a whole path\. Got 'data/nyuv2'"):
        _ = Nyuv2(root="data/nyuv2").card


def test_classes_are_seven_or_nineteen() -> None:
    with pytest.raises(BadOption, match=r"`classes` must be one of 7, 19\. Got 13\."):
        Cityscapes(classes=13)  # type: ignore[arg-type]


@pytest.mark.parametrize("part", ["head", "functions"])
def test_unknown_task_is_refused(part: str) -> None:
    with pytest.raises(UnknownTask, match="Did you mean `normal`"):
        getattr(Nyuv2(), part)("normals")


def test_equal_problems_are_equal_whether_or_not_files_were_hashed(rooms: Path) -> None:
    first, second = (Nyuv2(**NYUV2, root=str(rooms)) for _ in range(2))
    _ = first.card
    assert first == second
    assert replace(first, split_seed=1) != second
