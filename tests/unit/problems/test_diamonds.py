"""Diamonds: which stones count, how they are split, and what the network sees of them."""

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from trainers.problems._embedded import load
from trainers.problems._source import TensorSource
from trainers.problems._stones import GRADES, MEASURES, N_INPUTS, split_stones, stones
from trainers.problems.diamonds import _N_STONES, FILE, Diamonds, DiamondsFive
from trainers.problems.errors import BadOption, UnknownTask
from trainers.protocol import Problem
from trainers.testing import ProblemContract

CPU = torch.device("cpu")
PAGE = Path(__file__).parents[3] / "docs" / "quickstart.md"
HEADER = "carat,cut,color,clarity,depth,table,price,x,y,z"
SMALL = Diamonds(train_stones=600, validation_stones=200, test_stones=100)


@pytest.fixture(scope="module")
def sources() -> Iterator[dict[str, TensorSource]]:
    yield Diamonds().sources(CPU)


def columns_of(*rows: str) -> dict[str, list[Any]]:
    found = stones("\n".join([HEADER, *rows]).encode())
    return {name: column.tolist() for name, column in found.items()}


class TestContract(ProblemContract):
    @pytest.fixture(params=[Diamonds, DiamondsFive])
    def problem(self, request: pytest.FixtureRequest) -> Problem:
        small: Problem = request.param(train_stones=600, validation_stones=200, test_stones=100)
        return small


def test_same_options_give_the_same_bytes() -> None:
    digest = sha256()
    for split, source in SMALL.sources(CPU).items():
        digest.update(split.encode())
        digest.update(source.inputs.numpy().tobytes())
        for task in ("price", "cut", "table"):
            digest.update(source.targets[task].numpy().tobytes())
    assert digest.hexdigest()[:16] == "64c64907378344d0"


def test_stones_that_cannot_be_are_left_out() -> None:
    found = columns_of(
        "0.23,Ideal,E,SI2,61.5,55,326,3.95,3.98,2.43",
        "1.0,Good,D,IF,60,57,5000,0,6.4,3.9",
        "1.0,Good,D,IF,60,57,5000,6.4,58.9,3.9",
    )
    assert found["price"] == [326.0]
    assert (found["cut"], found["color"], found["clarity"]) == ([4], [5], [1])


def test_one_stone_at_two_prices_counts_once() -> None:
    stone = "0.23,Ideal,E,SI2,61.5,55,{},3.95,3.98,2.43"
    other = "0.24,Ideal,E,SI2,61.5,55,326,3.95,3.98,2.43"
    found = columns_of(stone.format(326), other, stone.format(400))
    assert (found["carat"], found["price"]) == ([0.23, 0.24], [326.0, 326.0])


def test_the_file_has_as_many_stones_as_the_card_counts_on() -> None:
    assert len(load(FILE, stones, cache=None)["price"]) == _N_STONES


def test_splits_share_no_stone_and_those_that_judge_stay_when_more_are_trained_on() -> None:
    sizes = {"train": 50, "validation": 20, "test": 30}
    few, many = (split_stones(150, sizes | {"train": n}, 0) for n in (50, 100))
    assert sorted(np.concatenate(list(many.values())).tolist()) == list(range(150))
    assert all(np.array_equal(few[split], many[split]) for split in ("validation", "test"))
    assert np.array_equal(few["train"], many["train"][:50])
    other = split_stones(150, sizes, 1)
    assert not np.array_equal(few["test"], other["test"])


def test_inputs_are_near_unit_variance_and_bounded(sources: dict[str, TensorSource]) -> None:
    for source in sources.values():
        assert source.inputs.shape[1] == N_INPUTS
        assert source.inputs.abs().max() <= 5
        measures = source.inputs[:, :4]
        assert measures.mean(dim=0).abs().max() < 0.3
        assert ((measures.std(dim=0) > 0.7) & (measures.std(dim=0) < 1.4)).all()


def test_each_stone_has_one_colour_and_one_clarity(sources: dict[str, TensorSource]) -> None:
    grades = sources["train"].inputs[:, 4:]
    assert (grades[:, : len(GRADES["color"])].sum(dim=1) == 1).all()
    assert (grades[:, len(GRADES["color"]) :].sum(dim=1) == 1).all()


def test_inputs_tell_of_their_targets(sources: dict[str, TensorSource]) -> None:
    """A linear fit on the training stones explains most of the price on others."""
    train, test = sources["train"], sources["test"]
    solved = torch.linalg.lstsq(train.inputs, train.targets["price"][:, None], driver="gelsd")
    error = (test.inputs @ solved.solution)[:, 0] - test.targets["price"]
    assert error.var() < 0.05 * test.targets["price"].var()


def test_all_else_about_a_stone_is_asked_of_its_measures(
    sources: dict[str, TensorSource],
) -> None:
    problem = DiamondsFive()
    five = problem.sources(CPU)
    for split, source in five.items():
        assert source.inputs.shape[1] == problem.n_inputs == len(MEASURES)
        assert source.inputs.abs().max() <= 5
        assert source.inputs.mean(dim=0).abs().max() < 0.3
        for task in ("price", "cut"):  # the same stones
            assert torch.equal(source.targets[task], sources[split].targets[task])
        for task in GRADES:
            assert source.targets[task].max() == problem.outputs[task] - 1
    assert 0.78 < five["train"].targets["carat"].mean() < 0.81


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"width": 0}, "`width` must be a whole number of at least 1. Got 0."),
        ({"train_stones": 50_000}, "at most 53,573 stones together. Got 60,000."),
        ({"split_seed": -1}, "`split_seed` must be a whole number of at least 0."),
    ],
)
def test_bad_option_says_rule_and_finding(options: dict[str, Any], message: str) -> None:
    with pytest.raises(BadOption) as error:
        Diamonds(**options)
    assert message in str(error.value)


@pytest.mark.parametrize("part", ["head", "functions"])
def test_unknown_task_is_refused(part: str) -> None:
    with pytest.raises(UnknownTask, match="Did you mean `table`"):
        getattr(Diamonds(), part)("tabel")


def test_what_guessing_the_middle_reaches_is_as_the_page_on_the_quickstart_says(
    sources: dict[str, TensorSource],
) -> None:
    targets = sources["test"].targets
    grades = torch.bincount(targets["cut"])
    guessed = [f"{_spread(targets['price']):.2f}", f"{1 - grades.max() / grades.sum():.2f}"]
    guessed.append(f"{_spread(targets['table']):.1f}")
    lines = [line for line in PAGE.read_text().splitlines() if line.startswith("| `")]
    assert [line.split("|")[-2].strip() for line in lines[:3]] == guessed


def _spread(target: torch.Tensor) -> float:
    """Mean absolute error of the median."""
    return float((target - target.median()).abs().mean())
