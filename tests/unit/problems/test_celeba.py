"""CelebA: what is read of the user's files, and what is refused before training starts."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from tests.unit.problems.breaking import (
    edited,
)
from tests.unit.problems.face_files import FACES, N_FACES, has, write_celeba
from trainers.problems.celeba import ATTRIBUTES, CelebA
from trainers.problems.errors import BadOption, DataMissing, UnknownTask
from trainers.problems.files.face_tree import FaceTree
from trainers.protocol import Problem
from trainers.randomness import Key
from trainers.testing import ProblemContract

CPU = torch.device("cpu")
ATTRS, SPLITS = "list_attr_celeba.txt", "list_eval_partition.txt"


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_celeba(tmp_path_factory.mktemp("faces") / "celeba")


def tree(root: Path) -> FaceTree:
    return CelebA(**FACES).samples(root)


def found(root: Path, *, values: bool) -> str:
    return "\n".join(map(str, tree(root).findings(values=values)))


def read(root: Path, name: str) -> dict[str, np.ndarray]:
    samples = tree(root)
    into = {kind: np.zeros(spec.shape, spec.dtype) for kind, spec in samples.arrays.items()}
    samples.read(name, into)
    return into


class OnSmallTrunk(CelebA):
    """Torchvision's ResNets are tried by themselves, and take seconds in each way to train."""

    def trunk(self) -> nn.Module:
        return nn.Sequential(nn.AvgPool2d(8), nn.Flatten(), nn.Linear(3 * 4 * 4, 512))


class TestContract(ProblemContract):
    @pytest.fixture
    def problem(self, whole: Path) -> Problem:
        return OnSmallTrunk(**FACES, root=str(whole), loaders=0)


def test_a_head_takes_what_the_trunk_gives() -> None:
    problem = CelebA(**FACES)
    with torch.no_grad():
        assert problem.head("Bald")(problem.trunk()(torch.zeros(2, 3, 32, 32))).shape == (2, 1)


def test_without_files_the_card_is_that_of_the_whole_set() -> None:
    card = CelebA().card
    assert card.sizes == {"train": 162_770, "validation": 19_867, "test": 19_962}
    assert card.task_names == ATTRIBUTES
    assert len(set(ATTRIBUTES)) == 40
    assert card.network == "ResNet-18, width 64, on 64x64; linear heads"
    assert "docs/benchmarks/celeba.md" in card.missing
    with pytest.raises(DataMissing, match="Set `root`"):
        CelebA().sources(CPU)


def test_a_face_is_shrunk_and_has_its_own_attributes(whole: Path) -> None:
    for number in (0, 4, 10):
        name = f"{number + 1:06d}.jpg"
        sample = read(whole, name)
        with Image.open(whole / "img_align_celeba" / name) as picture:
            small = picture.resize((32, 32), Image.Resampling.BOX)
        difference = sample["image"].astype(int) - np.asarray(small, int).transpose(2, 0, 1)
        assert np.abs(difference).mean() < 6
        for attribute in ("Smiling", "Bald"):
            expected = has(number, ATTRIBUTES.index(attribute))
            assert sample[attribute] == float(expected)


@pytest.mark.parametrize("loaders", [0, 1])
def test_batches_have_a_column_a_task(whole: Path, loaders: int) -> None:
    source = CelebA(**FACES, root=str(whole), loaders=loaders).sources(CPU)["validation"]
    (batch,) = source.batches(None, 8, Key("x"))
    assert batch.inputs.shape == (3, 3, 32, 32)
    assert batch.inputs.dtype == torch.float32
    assert 0 <= batch.inputs.min() <= batch.inputs.max() <= 1
    expected = [float(has(number, ATTRIBUTES.index("Bald"))) for number in (6, 7, 8)]
    assert batch.targets["Bald"].tolist() == expected


@pytest.mark.parametrize("cache", ["memory", "mapped"])
def test_a_cache_holds_the_same(whole: Path, cache: Any) -> None:
    plain, cached = (
        next(iter(problem.sources(CPU)["test"].batches(None, 2, Key("x"))))
        for problem in (
            CelebA(**FACES, root=str(whole), loaders=0),
            CelebA(**FACES, root=str(whole), loaders=0, cache=cache),
        )
    )
    assert torch.equal(plain.inputs, cached.inputs)
    assert torch.equal(plain.targets["Smiling"], cached.targets["Smiling"])


def test_the_split_is_the_official_one_and_in_the_hash(whole: Path, tmp_path: Path) -> None:
    problem = CelebA(**FACES, root=str(whole))
    assert {split: len(of) for split, of in problem.split(tree(whole)).items()} == N_FACES
    first = problem.card.data_version
    root = write_celeba(tmp_path / "copy")
    assert CelebA(**FACES, root=str(root)).card.data_version == first
    edited(ATTRS, lambda text: text.replace("-1", " 1", 1))(root)
    assert CelebA(**FACES, root=str(root)).card.data_version != first


def test_the_official_windows_line_ends_are_read(whole: Path, tmp_path: Path) -> None:
    root = shutil.copytree(whole, tmp_path / "copy")
    for name in (ATTRS, SPLITS):
        (root / name).write_bytes((root / name).read_bytes().replace(b"\n", b"\r\n"))
    assert found(root, values=True) == ""
    assert read(root, "000002.jpg")["Bald"] == read(whole, "000002.jpg")["Bald"]


def test_lists_of_all_faces_are_read_in_a_moment_and_rightly() -> None:
    """As NumPy does it, and as one would by hand."""
    from trainers.problems.files.face_lists import _rows

    draws = np.random.default_rng(0).random((300, 40)) < 0.3
    body = "".join(
        f"{row:06d}.jpg {' '.join(f'{1 if one else -1:2d}' for one in of)}\n"
        for row, of in enumerate(draws)
    )
    faces, values = _rows(Path("list"), body, 40)
    assert faces == [f"{row:06d}.jpg" for row in range(300)]
    np.testing.assert_array_equal(values, draws)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"attributes": ["Smilling"]}, "Did you mean `Smiling`?"),
        ({"attributes": []}, "`attributes` must be a list of names that differ"),
        ({"metrics": ["mae"]}, "`metrics` must have names from auroc"),
        ({"layers": 19}, "`layers` must be one of 18, 34, 50, 101, 152. Got 19."),
        ({"size": 16}, "`size` must be a whole number of at least 32. Got 16."),
        ({"split_seed": 1}, "`split_seed` must be 0: CelebA has an official split"),
        ({"train_samples": 0}, "`train_samples`"),
        ({"loaders": -1}, "`loaders`"),
    ],
)
def test_bad_option_says_rule_and_finding(options: dict[str, Any], message: str) -> None:
    with pytest.raises(BadOption) as error:
        CelebA(**options)
    assert message in str(error.value)


@pytest.mark.parametrize("part", ["head", "functions"])
def test_unknown_task_is_refused(part: str) -> None:
    with pytest.raises(UnknownTask, match="Did you mean `Smiling`"):
        getattr(CelebA(), part)("smiling")
