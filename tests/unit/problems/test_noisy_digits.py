"""Noisy digits: which are where, and how many labels are wrong."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import pytest
import torch

from trainers.problems._noise import Noise
from trainers.problems._noisy_labels import NoisyLabels
from trainers.problems._source import TensorSource
from trainers.problems.errors import BadOption, UnknownTask
from trainers.problems.noisy_digits import NoisyDigits, _CleanDigits
from trainers.protocol import Problem
from trainers.testing import ProblemContract

CPU = torch.device("cpu")
WRONG = {"train": 1_400, "validation": 200, "test": 0}
"""At the default rate of 0.4."""


@pytest.fixture(scope="module")
def clean() -> dict[str, TensorSource]:
    return _CleanDigits(0).sources(CPU)


class TestContract(ProblemContract):
    @pytest.fixture
    def problem(self) -> Problem:
        return NoisyDigits()


def test_every_digit_of_the_file_is_there_once_and_classes_are_even(
    clean: dict[str, TensorSource],
) -> None:
    images = torch.cat([source.inputs.flatten(1) for source in clean.values()])
    assert len(images.unique(dim=0)) == len(images) == 5_000
    for source in clean.values():
        assert torch.bincount(source.targets["digit"]).tolist() == [source.size // 10] * 10


def test_same_options_give_the_same_bytes(clean: dict[str, TensorSource]) -> None:
    digest = sha256()
    for split, source in NoisyDigits().sources(CPU).items():
        (batch,) = source.batches(None, 5_000, None)  # type: ignore[arg-type]
        digest.update(split.encode())
        digest.update(clean[split].inputs.numpy().tobytes())
        digest.update(batch.targets["digit"].numpy().tobytes())
    assert digest.hexdigest()[:16] == "7356477820b16540"


@pytest.mark.parametrize("kind", ["symmetric", "pair"])
def test_so_many_labels_are_wrong(clean: dict[str, TensorSource], kind: Any) -> None:
    for split, source in NoisyDigits(kind=kind).sources(CPU).items():
        (batch,) = source.batches(None, 5_000, None)  # type: ignore[arg-type]
        assert int((batch.targets["digit"] != clean[split].targets["digit"]).sum()) == WRONG[split]


def test_the_card_says_how_many() -> None:
    card = NoisyDigits(rate=0.2).card
    assert "700 of 3,500 labels in train and 100 of 500 labels in validation" in card.caveats[-1]
    assert NoisyDigits().card.data_version != card.data_version


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"rate": 1.0}, "0 or above and below 1. Got 1.0. Write 0.4 for 40 %."),
        ({"rate": "0.4"}, "0 or above and below 1. Got '0.4'."),
        ({"kind": "pear"}, "`kind` must be one of 'symmetric', 'pair', 'matrix'. Got 'pear'."),
        ({"kind": "matrix"}, "Got 0 rows of 0."),
        ({"kind": "matrix", "rows": 3}, "`rows` of label noise must be a list of rows. Got 3."),
        ({"kind": "matrix", "rows": [["a"]]}, "must be a list of rows. Got [['a']]."),
        ({"kind": "matrix", "rows": [[1, 0], [0, 1]]}, "each of the 10 classes of task digit."),
        ({"noise_seed": -1}, "`noise_seed` must be a whole number of at least 0."),
        ({"split_seed": 0.5}, "`split_seed` must be a whole number of at least 0."),
    ],
)
def test_what_makes_no_sense_is_refused(options: dict[str, Any], said: str) -> None:
    with pytest.raises(BadOption) as caught:
        NoisyDigits(**options)
    assert said in str(caught.value)


def test_noise_of_a_spec_does_not_go_on_top() -> None:
    noise = Noise(tasks=("digit",), kind="pair", rate=0.1)
    with pytest.raises(BadOption, match="Set its `kind` and `rate` in \\[problem_options\\]"):
        NoisyLabels(NoisyDigits(), noise)


@pytest.mark.parametrize("part", ["head", "functions"])
def test_unknown_task_is_refused(part: str) -> None:
    with pytest.raises(UnknownTask, match="Did you mean `digit`"):
        getattr(NoisyDigits(), part)("digt")
