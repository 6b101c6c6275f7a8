from hashlib import sha256
from typing import Any

import numpy as np
import pytest
import torch

from trainers.problems._digit_pairs import DigitPairs
from trainers.problems._draws import draw_pairs
from trainers.problems._embedded import load
from trainers.problems._pairs import digit_parser
from trainers.problems.digits import Digits
from trainers.problems.errors import BadOption, UnknownTask
from trainers.problems.multimnist import MultiMnist
from trainers.protocol import Problem
from trainers.testing import ProblemContract

CPU = torch.device("cpu")
GOLDEN = {
    Digits(): "e96d7f7ac4b9294c",
    MultiMnist(): "d04601ed39cb530c",
    MultiMnist(size=28, test_pairs=37, split_seed=1): "b4735e6721675582",
}
PROBLEMS = [Digits(), Digits(network="lenet"), MultiMnist(), MultiMnist(size=28, network="lenet")]


def _fingerprint(problem: DigitPairs) -> str:
    digest = sha256()
    for split, source in problem.sources(CPU).items():
        digest.update(split.encode())
        digest.update(source.inputs.numpy().tobytes())
        for task in ("left", "right", "sum"):
            digest.update(source.targets[task].numpy().tobytes())
    return digest.hexdigest()[:16]


@pytest.mark.parametrize("problem", GOLDEN, ids=repr)
def test_same_options_give_the_same_bytes(problem: DigitPairs) -> None:
    assert _fingerprint(problem) == GOLDEN[problem]


class TestContract(ProblemContract):
    @pytest.fixture(params=PROBLEMS, ids=repr)
    def problem(self, request: pytest.FixtureRequest) -> Problem:
        problem: Problem = request.param
        return problem


@pytest.mark.parametrize("problem", [Digits(), MultiMnist(), MultiMnist(size=28)], ids=repr)
def test_images_fill_the_unit_interval(problem: DigitPairs) -> None:
    for source in problem.sources(CPU).values():
        assert source.inputs.shape[1:] == (1, problem.side, problem.side)
        assert source.inputs.min() == 0
        assert 0.9 < source.inputs.max() <= 1


@pytest.mark.parametrize("problem", [Digits(), MultiMnist()], ids=repr)
def test_sum_is_left_plus_right(problem: DigitPairs) -> None:
    for source in problem.sources(CPU).values():
        left, right = source.targets["left"], source.targets["right"]
        assert torch.equal(source.targets["sum"], (left + right).float())


@pytest.mark.parametrize("problem", [Digits(), MultiMnist(train_pairs=400)], ids=repr)
def test_distinct_samples_on_the_card_are_those_of_the_data(problem: DigitPairs) -> None:
    """Counted by left digits: of 1,000 pairs of 3,000 digits all are distinct."""
    arrays = load(problem.digits.file, digit_parser(problem.digits.digit_side), cache=None)
    pairs = draw_pairs(arrays["labels"].astype(np.int64), problem.card.sizes, 0)
    assert {split: len(set(rows.left)) for split, rows in pairs.items()} == problem.card.distinct


def test_each_class_is_a_tenth_of_multi_mnist() -> None:
    for source in MultiMnist().sources(CPU).values():
        for task in ("left", "right"):
            assert torch.bincount(source.targets[task]).tolist() == [100] * 10


def test_images_show_their_labels() -> None:
    """A nearest class mean beats guessing on both digits, so labels and images belong together."""
    sources = MultiMnist().sources(CPU)
    images = {split: source.inputs.flatten(1) for split, source in sources.items()}
    for task in ("left", "right"):
        labels = sources["train"].targets[task]
        means = torch.stack([images["train"][labels == c].mean(dim=0) for c in range(10)])
        guess = torch.cdist(images["test"], means).argmin(dim=1)
        assert (guess == sources["test"].targets[task]).double().mean() > 0.4


@pytest.mark.parametrize("problem", PROBLEMS, ids=repr)
def test_card_says_what_it_is_and_whether_the_network_convolves(problem: DigitPairs) -> None:
    assert problem.card.kind == "composed"
    assert problem.card.convolutional == (problem.network == "lenet")


def test_network_is_named_on_the_card() -> None:
    assert MultiMnist().card.network == "MLP 196-128-128; linear heads"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"size": 20}, "`size` must be one of 14, 28. Got 20."),
        ({"size": "14"}, "`size` must be one of 14, 28. Got '14'."),
        ({"network": "lenett"}, "Did you mean `lenet`?"),
        ({"width": 0}, "`width` must be a whole number of at least 1. Got 0."),
        ({"width": 1.5}, "Got 1.5."),
        ({"train_pairs": True}, "Got True."),
        ({"test_pairs": -1}, "`test_pairs`"),
        ({"split_seed": -1}, "`split_seed` must be a whole number of at least 0."),
    ],
)
def test_bad_option_says_rule_and_finding(options: dict[str, Any], message: str) -> None:
    with pytest.raises(BadOption) as error:
        MultiMnist(**options)
    assert message in str(error.value)


@pytest.mark.parametrize("part", ["head", "functions"])
def test_unknown_task_is_refused(part: str) -> None:
    with pytest.raises(UnknownTask, match="Did you mean `left`"):
        getattr(Digits(), part)("lef")
