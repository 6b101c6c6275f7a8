"""Multi-MNIST from the user's IDX files: what is read of them, and what is refused."""

from __future__ import annotations

import gzip
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.unit.problems.breaking import Break, removed, rewritten
from tests.unit.problems.idx_files import PAIRS, digits, idx, write_idx
from trainers.problems.errors import BadOption, DataBroken, DataMissing, UnknownTask
from trainers.problems.files.idx import IdxSet
from trainers.problems.multifashion_60k import MultiFashion60k
from trainers.problems.multimnist_60k import MultiMnist60k
from trainers.protocol import Problem
from trainers.testing import ProblemContract

CPU = torch.device("cpu")
IMAGES, LABELS = "train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"
PLAIN = "t10k-images-idx3-ubyte"


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_idx(tmp_path_factory.mktemp("digits"))


def files(root: Path) -> IdxSet:
    return MultiMnist60k(**PAIRS).samples(root)


def found(root: Path, *, values: bool) -> str:
    return "\n".join(map(str, files(root).findings(values=values)))


class TestContract(ProblemContract):
    @pytest.fixture
    def problem(self, whole: Path) -> Problem:
        return MultiMnist60k(**PAIRS, network="mlp", root=str(whole))


def test_files_hold_what_was_written(whole: Path) -> None:
    for seed, split in enumerate(("train", "test")):
        for stored, expected in zip(
            files(whole).read(split), digits(PAIRS[f"{split}_samples"], seed), strict=True
        ):
            np.testing.assert_array_equal(stored, expected)


@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize("mark", ["-", "."])
@pytest.mark.parametrize("folder", ["", "raw", "MNIST/raw"])
def test_official_layouts_are_found(tmp_path: Path, folder: str, mark: str, packed: bool) -> None:
    write_idx(tmp_path / folder, packed=packed, mark=mark)
    assert found(tmp_path, values=True) == ""
    assert found(tmp_path, values=False) == ""
    assert files(tmp_path).read("test")[0].shape == (30, 28, 28)


def test_without_files_the_card_is_that_of_the_whole_set() -> None:
    card = MultiMnist60k().card
    assert card.sizes == {"train": 50_000, "validation": 10_000, "test": 10_000}
    assert "docs/benchmarks/multimnist-60k.md" in card.missing
    assert card.kind == "composed"
    assert MultiFashion60k().card.title.startswith("Multi-FashionMNIST")
    with pytest.raises(DataMissing, match="Set `root`"):
        MultiMnist60k().sources(CPU)


def test_no_picture_is_in_two_splits(whole: Path) -> None:
    problem = MultiMnist60k(**PAIRS, root=str(whole))
    split = problem.split(files(whole))
    assert len(split["train"]) == 30
    assert sorted([*split["train"], *split["validation"]]) == sorted(
        f"train/{n}" for n in range(60)
    )
    redrawn = MultiMnist60k(**PAIRS, root=str(whole), split_seed=1)
    other = redrawn.split(redrawn.samples(whole))
    assert other["validation"] != split["validation"]
    assert other["test"] == split["test"]


def test_both_labels_are_those_of_the_pictures(whole: Path) -> None:
    """The bright row of the left picture is its class; that of the right one lies 8 lower."""
    source = MultiMnist60k(**PAIRS, size=36, root=str(whole)).sources(CPU)["test"]
    (batch,) = source.batches(None, 10, None)  # type: ignore[arg-type]
    assert batch.inputs.shape == (5, 1, 36, 36)
    assert batch.inputs.max() == 1
    for image, left, right in zip(
        batch.inputs[:, 0], batch.targets["left"], batch.targets["right"], strict=True
    ):
        assert (image[left, :28] == 1).all()
        assert (image[right + 8, 8:] == 1).all()


def test_the_hash_is_that_of_all_four_files(whole: Path, tmp_path: Path) -> None:
    first = MultiMnist60k(**PAIRS, root=str(whole)).card.data_version
    root = write_idx(tmp_path / "copy")
    assert MultiMnist60k(**PAIRS, root=str(root)).card.data_version == first
    labels = digits(30, 1)[1][::-1]
    (root / "t10k-labels-idx1-ubyte.gz").write_bytes(gzip.compress(idx(labels)))
    assert MultiMnist60k(**PAIRS, root=str(root)).card.data_version != first


def stored(file: str, array: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> Break:
    """Store another array in a packed file."""

    def broken(root: Path) -> None:
        (root / file).write_bytes(gzip.compress(idx(array(*digits(60, 0)))))

    return broken


def repacked(file: str, change: Callable[[bytes], bytes]) -> Break:
    """Store other bytes in what is packed in a file."""
    return rewritten(file, lambda packed: gzip.compress(change(gzip.decompress(packed))))


def unpacked(change: Callable[[bytes], bytes]) -> Break:
    """Images of the test split in a file that is not packed."""

    def broken(root: Path) -> None:
        packed = root / f"{PLAIN}.gz"
        (root / PLAIN).write_bytes(change(gzip.decompress(packed.read_bytes())))
        packed.unlink()

    return broken


def swapped(root: Path) -> None:
    images, labels = (root / IMAGES).read_bytes(), (root / LABELS).read_bytes()
    (root / IMAGES).write_bytes(labels)
    (root / LABELS).write_bytes(images)


def splits_swapped(root: Path) -> None:
    train, test = root / IMAGES, root / "t10k-images-idx3-ubyte.gz"
    content = train.read_bytes()
    train.write_bytes(test.read_bytes())
    test.write_bytes(content)


def is_a_folder(root: Path) -> None:
    (root / LABELS).unlink()
    (root / "train-labels-idx1-ubyte").mkdir()


def is_a_file(root: Path) -> None:
    shutil.rmtree(root)
    root.write_text("")


BROKEN: dict[str, tuple[Break, list[str]]] = {
    "no root": (shutil.rmtree, ["expected the folder of the data set, found nothing"]),
    "a file for a root": (is_a_file, ["expected the folder", "found a file"]),
    "no images": (
        removed(IMAGES),
        ["train-images-idx3-ubyte: expected an IDX file", "found nothing", "Copy all four files"],
    ),
    "no labels": (
        removed(LABELS),
        ["train-labels-idx1-ubyte: expected an IDX file", "found nothing"],
    ),
    "no test files": (
        lambda root: [path.unlink() for path in root.glob("t10k*")],  # type: ignore[dict-item]
        ["t10k-images-idx3-ubyte: expected", "t10k-labels-idx1-ubyte: expected"],
    ),
    "a folder for a file": (is_a_folder, ["expected an IDX file", "found a folder"]),
    "another name": (
        lambda root: (root / IMAGES).rename(root / "train_images.gz"),
        ["train-images-idx3-ubyte: expected an IDX file", "found nothing"],
    ),
    "an empty packed file": (
        rewritten(IMAGES, lambda _: b""),
        [f"{IMAGES}: expected", "an empty file"],
    ),
    "an empty file": (unpacked(lambda _: b""), [f"{PLAIN}: expected", "found an empty file"]),
    "no packed file": (
        rewritten(IMAGES, lambda _: b"<html>Not found</html>"),
        [f"{IMAGES}: expected a whole file, found Not a gzipped file"],
    ),
    "a packed file that ends too soon": (
        rewritten(IMAGES, lambda content: content[:-100]),
        [f"{IMAGES}: expected", "Copy it again"],
    ),
    "a packed file without its ending": (
        unpacked(lambda content: gzip.compress(content)),
        [f"{PLAIN}: expected a file that is not packed", "Add `.gz`"],
    ),
    "a truncated file": (
        unpacked(lambda content: content[:-1]),
        [f"{PLAIN}: expected 23,536 bytes once it is unpacked, found 23,535", "Copy it again"],
    ),
    "bytes too many": (
        unpacked(lambda content: content + b"x"),
        ["expected 23,536 bytes", "found 23,537"],
    ),
    "truncated before it was packed": (
        repacked(IMAGES, lambda content: content[:-784]),
        [f"{IMAGES}: expected 47,056 bytes once it is unpacked, found 46,272"],
    ),
    "a torn header": (
        unpacked(lambda content: content[:10]),
        [f"{PLAIN}: expected 23,536 bytes", "found 10"],
    ),
    "images and labels swapped": (
        swapped,
        [f"{IMAGES}: expected 3 dimensions of bytes", "found 00 00 08 01", "may be swapped"],
    ),
    "training and test swapped": (
        splits_swapped,
        [f"{IMAGES}: expected sizes [60, 28, 28] in its header, found [30, 28, 28]"],
    ),
    "another size of images": (
        stored(IMAGES, lambda images, _: images[:, :20]),
        ["expected sizes [60, 28, 28] in its header, found [60, 20, 28]"],
    ),
    "colours": (
        stored(IMAGES, lambda images, _: images[..., None]),
        ["expected 3 dimensions of bytes", "found 00 00 08 04"],
    ),
    "labels of fewer images": (
        stored(LABELS, lambda _, labels: labels[:-1]),
        [f"{LABELS}: expected sizes [60] in its header, found [59]"],
    ),
    "floats": (
        repacked(IMAGES, lambda content: b"\0\0\x0d" + content[3:]),
        ["expected 3 dimensions of bytes", "found 00 00 0d 03"],
    ),
    "another format": (
        unpacked(lambda content: b"\x89PNG" + content[4:]),
        [f"{PLAIN}: expected 3 dimensions of bytes", "found 89 50 4e 47"],
    ),
}
VALUES: dict[str, tuple[Break, list[str]]] = {
    "letters": (
        stored(LABELS, lambda _, labels: labels + 17),
        [f"{LABELS}: expected classes from 0 to 9, found 26", "Take the labels of this set"],
    ),
    "one label of all": (
        stored(LABELS, lambda _, labels: labels * 0),
        [f"{LABELS}: expected all of 10 classes, found 1 of them"],
    ),
    "black images": (
        stored(IMAGES, lambda images, _: images * 0),
        [f"{IMAGES}: expected images, found zeros alone"],
    ),
    "a packed file with a wrong sum": (
        rewritten(IMAGES, lambda content: content[:-8] + b"\0\0\0\0" + content[-4:]),
        [f"{IMAGES}: expected a whole file, found CRC check failed"],
    ),
}


@pytest.mark.parametrize(("broken", "told"), BROKEN.values(), ids=BROKEN)
def test_missing_torn_and_missized_files_are_found_before_training(
    tmp_path: Path, broken: Break, told: list[str]
) -> None:
    root = write_idx(tmp_path / "digits")
    broken(root)
    assert [text for text in told if text not in found(root, values=False)] == []
    assert found(root, values=True)


@pytest.mark.parametrize(("broken", "told"), VALUES.values(), ids=VALUES)
def test_values_that_cannot_be_are_found_by_the_check_and_by_workers(
    tmp_path: Path, broken: Break, told: list[str]
) -> None:
    root = write_idx(tmp_path / "digits")
    broken(root)
    assert [text for text in told if text not in found(root, values=True)] == []
    with pytest.raises(DataBroken) as error:
        files(root).read("train")
    assert told[0] in str(error.value)


def test_a_split_that_lacks_a_class_is_refused(whole: Path) -> None:
    options = {**PAIRS, "root": str(whole), "validation_samples": 12}
    said = (
        "expected all of 10 classes in the validation split, found none of class 0, 6, 7 in 12 "
        "samples. Use more pictures, or another `validation_samples` or `split_seed`."
    )
    assert said in str(next(MultiMnist60k(**options).check_files()))
    with pytest.raises(DataBroken, match="in the validation split"):
        _ = MultiMnist60k(**options).card
    options["validation_samples"] = 50
    assert "in the train split" in str(next(MultiMnist60k(**options).check_files()))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"network": "segnet"}, "`network` must be one of 'lenet', 'mlp'."),
        ({"size": 14}, "`size` must be one of 28, 36. Got 14."),
        ({"width": 0}, "`width` must be a whole number of at least 1."),
        ({"train_pairs": 0}, "`train_pairs`"),
        ({"validation_samples": 9}, "`validation_samples` must be a whole number of at least 10."),
        ({"test_samples": 9}, "`test_samples` must be a whole number of at least 10."),
        ({"validation_samples": 60_000}, "must be fewer. Got 60,000 of 60,000."),
        ({"test_samples": 1.5}, "`test_samples`"),
        ({"split_seed": -1}, "`split_seed`"),
    ],
)
def test_bad_option_says_rule_and_finding(options: dict[str, Any], message: str) -> None:
    with pytest.raises(BadOption) as error:
        MultiMnist60k(**options)
    assert message in str(error.value)


@pytest.mark.parametrize("part", ["head", "functions"])
def test_unknown_task_is_refused(part: str) -> None:
    with pytest.raises(UnknownTask, match="Did you mean `left`"):
        getattr(MultiMnist60k(), part)("lef")
