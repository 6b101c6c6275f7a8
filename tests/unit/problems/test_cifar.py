"""CIFAR and CIFAR-N from the user's files: what is read of them, and what is refused."""

from __future__ import annotations

import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.unit.problems.cifar_trees import (
    HUMAN,
    HUNDRED,
    TEN,
    batch,
    human,
    images,
    saved,
    write,
    write_hundred,
    write_ten,
)
from trainers.problems._noise import Noise
from trainers.problems._noisy_labels import NoisyLabels
from trainers.problems._some_tasks import SomeTasks
from trainers.problems.cifar_10 import Cifar10
from trainers.problems.cifar_100 import Cifar100
from trainers.problems.errors import BadOption, DataBroken, DataMissing, UnknownTask
from trainers.protocol import Problem, true_labels
from trainers.testing import ProblemContract

CPU = torch.device("cpu")
FIRST = "cifar-10-batches-py/data_batch_1"
Break = Callable[[Path], None]


@pytest.fixture(scope="module")
def ten(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_ten(tmp_path_factory.mktemp("ten"))


@pytest.fixture(scope="module")
def hundred(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_hundred(tmp_path_factory.mktemp("hundred"))


def found(root: Path, *, values: bool = True) -> str:
    files = Cifar10(**TEN, labels="worse").samples(root)
    return "\n".join(map(str, files.findings(values=values)))


class TestContract(ProblemContract):
    @pytest.fixture
    def problem(self, hundred: Path) -> Problem:
        return Cifar100(**HUNDRED, labels="human", root=str(hundred))


@pytest.mark.parametrize("folder", ["", "cifar-10-batches-py"])
def test_images_and_labels_are_those_of_the_files(tmp_path: Path, folder: str) -> None:
    root = write_ten(tmp_path, folder)
    assert (found(root), found(root, values=False)) == ("", "")
    source = Cifar10(**TEN, root=str(root)).sources(CPU)["test"]
    (read,) = source.batches(None, 20, None)  # type: ignore[arg-type]
    rows = torch.from_numpy(images(20, 6).reshape(20, 3, 32, 32))
    assert torch.equal(read.inputs, rows.float() / 255)
    assert read.targets["class"].tolist() == [number % 10 for number in range(20)]


def test_pickles_of_python_2_are_read(ten: Path, tmp_path: Path) -> None:
    root = Path(shutil.copytree(ten, tmp_path / "copy"))
    old = {key.encode(): value for key, value in batch(20, 1, 10).items()}
    write(root / FIRST, old)
    assert found(root) == ""


def test_labels_of_people_are_read_as_torch_saved_them_at_any_time(
    ten: Path, tmp_path: Path
) -> None:
    root = Path(shutil.copytree(ten, tmp_path / "copy"))
    (root / HUMAN[10]).write_bytes(saved(human(100, 10), archive=False))
    assert found(root) == ""


def test_no_image_is_in_two_splits(ten: Path) -> None:
    problem = Cifar10(**TEN, root=str(ten))
    names = problem.split(problem.samples(ten))
    assert {split: len(of) for split, of in names.items()} == problem.card.sizes
    together = [*names["train"], *names["validation"]]
    assert sorted(together) == sorted(f"train/{number}" for number in range(100))


def test_people_s_labels_are_in_training_and_validation_alone(hundred: Path) -> None:
    clean = Cifar100(**HUNDRED, root=str(hundred))
    people = Cifar100(**HUNDRED, labels="human", root=str(hundred))
    wrong = 0
    for split, source in people.sources(CPU).items():
        true = clean.sources(CPU)[split].targets
        assert torch.equal(source.targets["coarse"], true["coarse"])
        n_wrong = int((source.targets["fine"] != true["fine"]).sum())
        assert (n_wrong == 0) == (split == "test")
        wrong += n_wrong
        told = true_labels(SomeTasks(people, ("fine",)), "fine", split)
        assert told is None if split == "test" else torch.equal(told, true["fine"])
    assert true_labels(people, "coarse", "train") is true_labels(clean, "fine", "train") is None
    assert wrong == 200 / 5
    assert people.card.data_version != clean.card.data_version
    assert "labels that people gave (human, CIFAR-N" in people.card.caveats[-1]


def test_a_spec_s_noise_goes_with_clean_labels_alone(hundred: Path) -> None:
    noise = Noise(tasks=("fine",), kind="symmetric", rate=0.2)
    people = Cifar100(**HUNDRED, labels="human", root=str(hundred))
    for problem in (people, SomeTasks(people, ("fine", "coarse"))):
        with pytest.raises(BadOption, match="has noise by itself"):
            NoisyLabels(problem, noise)
    NoisyLabels(Cifar100(**HUNDRED, root=str(hundred)), noise)


def test_without_files_the_card_is_that_of_the_whole_set() -> None:
    card = Cifar100().card
    assert card.sizes == {"train": 45_000, "validation": 5_000, "test": 10_000}
    assert [task.classes for task in card.tasks] == [100, 20]
    assert "Set `root`" in card.missing
    with pytest.raises(DataMissing, match="Set `root`"):
        Cifar10().sources(CPU)


def stored(value: Any, file: str = FIRST) -> Break:
    return lambda root: write(root / file, value)


def changed(**values: Any) -> Break:
    return stored({**batch(20, 1, 10), **values})


def without(key: str) -> Break:
    return stored({name: value for name, value in batch(20, 1, 10).items() if name != key})


def of_people(value: Any) -> Break:
    return lambda root: (root / HUMAN[10]).write_bytes(saved(value)) and None


def torn(file: str, n_bytes: int) -> Break:
    def broken(root: Path) -> None:
        (root / file).write_bytes((root / file).read_bytes()[:n_bytes])

    return broken


def a_folder(file: str) -> Break:
    def broken(root: Path) -> None:
        (root / file).unlink()
        (root / file).mkdir()

    return broken


class Harmful:
    """Its pickle would run a command."""

    def __reduce__(self) -> tuple[Any, ...]:
        return (print, ("run",))


GIVEN = human(100, 10)
BROKEN: dict[str, tuple[Break, str]] = {
    "no batch": (lambda root: (root / FIRST).unlink(), "torchvision has it, found nothing."),
    "a folder": (a_folder(FIRST), "torchvision has it, found a folder."),
    "no file of people": (lambda root: (root / HUMAN[10]).unlink(), "the labels of CIFAR-N, found"),
    "torn": (torn(FIRST, 61_600), "found no whole pickle ("),
    "very short": (torn(FIRST, 100), "expected 61,440 bytes or more, found 100."),
    "empty": (torn(HUMAN[10], 0), "expected 1 bytes or more, found 0."),
    "no pickle": (lambda root: (root / FIRST).write_bytes(b"x" * 70_000) and None, "no whole pick"),
    "code": (changed(more=Harmful()), "found something that is no array: __builtin__.print."),
    "no table": (stored(list(range(40_000))), "found a list."),
    "no images": (
        stored({"labels": [0] * 20, "more": b"x" * 70_000}),
        "3,072 bytes, found nothing",
    ),
    "images as list": (changed(data=images(20, 1).tolist()), "bytes, found a list."),
    "few images": (changed(data=images(19, 1), more=b"x" * 9_000), "found [19, 3072] of uint8."),
    "floats": (changed(data=images(20, 1) / 255), "found [20, 3072] of float64."),
    "no labels": (without("labels"), "`labels` of 20 class numbers, found nothing."),
    "few labels": (changed(labels=[0] * 19), "`labels` of 20 class numbers, found [19] of int64."),
    "words": (changed(labels=["cat"] * 20), "`labels` of 20 class numbers, found [20] of <U3."),
    "shares": (changed(labels=[0.5] * 20), "class numbers, found [20] of float64."),
    "other set": (changed(labels=[0] * 19 + [99]), "`labels` from 0 to 9, found 99. Take the"),
    "negative": (changed(labels=[-1] * 20), "`labels` from 0 to 9, found -1."),
    "no archive": (
        lambda root: (root / HUMAN[10]).write_bytes(b"x") and None,
        "no whole pickle (",
    ),
    "another pickle": (
        lambda root: write(root / HUMAN[10], {"clean_label": [0] * 100}),
        "found no file of `torch.save`.",
    ),
    "torn archive": (torn(HUMAN[10], 3_000), "found no whole pickle ("),
    "other key": (of_people({"clean_label": GIVEN["clean_label"]}), "`worse_label` of 100 class"),
    "no truth": (of_people({"worse_label": GIVEN["worse_label"]}), "`clean_label` of 100 class"),
    "few of people": (
        of_people({key: of[:99] for key, of in GIVEN.items()}),
        "`clean_label` of 100 class numbers, found [99] of int64.",
    ),
    "a tensor": (
        of_people({key: torch.from_numpy(of) for key, of in GIVEN.items()}),
        "no array: torch._utils._rebuild_tensor_v2",
    ),
    "other order": (
        of_people({**GIVEN, "clean_label": GIVEN["clean_label"][::-1].copy()}),
        "found 100 of 100 others. Take CIFAR-N's file for PyTorch",
    ),
    "odd class": (
        of_people({**GIVEN, "worse_label": GIVEN["worse_label"] + 9}),
        "from 0 to 9, found",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_broken_is_told_by_file_and_refused(ten: Path, tmp_path: Path, name: str) -> None:
    break_it, said = BROKEN[name]
    root = Path(shutil.copytree(ten, tmp_path / "copy"))
    break_it(root)
    assert said in found(root)
    with pytest.raises(DataBroken):
        Cifar10(**TEN, labels="worse", root=str(root)).sources(CPU)


def test_a_missing_folder_is_told(tmp_path: Path) -> None:
    assert "expected the folder of the data set, found nothing" in found(tmp_path / "nowhere")


def test_plans_refuse_what_is_missing(ten: Path, tmp_path: Path) -> None:
    root = Path(shutil.copytree(ten, tmp_path / "copy"))
    (root / FIRST).unlink()
    with pytest.raises(DataBroken, match=r"(?s)before it is trained on.*data_batch_1"):
        _ = Cifar10(**TEN, root=str(root)).card


def test_a_pickle_s_code_is_not_run(ten: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert pickle.loads(pickle.dumps(Harmful())) is None
    assert capsys.readouterr().out == "run\n"
    BROKEN["code"][0](ten.parent / "harm")
    with pytest.raises(DataBroken):
        Cifar10(**TEN, root=str(ten.parent / "harm")).samples(ten.parent / "harm").read("train")
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"labels": "wrong"}, "`labels` must be one of 'clean', 'aggre', 'worse', 'random1'"),
        ({"train_samples": 49_999}, "as many in each of 5 files"),
        ({"validation_samples": 50_000}, "more than `validation_samples`"),
        ({"network": "vgg"}, "`network` must be one of 'resnet', 'mlp'."),
        ({"layers": 20}, "Got 20."),
        ({"width": 0}, "`width` must be a whole number of at least 1."),
        ({"test_samples": 0}, "`test_samples` must be a whole number of at least 1."),
    ],
)
def test_bad_option_says_rule_and_finding(options: dict[str, Any], said: str) -> None:
    with pytest.raises(BadOption) as caught:
        Cifar10(**options)
    assert said in str(caught.value)


def test_unknown_task_is_refused() -> None:
    with pytest.raises(UnknownTask, match="fine, coarse"):
        Cifar100(**HUNDRED).head("class")


def test_arrays_of_any_numpy_are_read(ten: Path, tmp_path: Path) -> None:
    root = Path(shutil.copytree(ten, tmp_path / "copy"))
    write(root / FIRST, {**batch(20, 1, 10), "labels": np.arange(20) % 10}, protocol=5)
    assert found(root) == ""
