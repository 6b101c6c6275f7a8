"""Yeast: what the file holds, how it is split, what the network sees of it."""

from collections.abc import Iterator
from hashlib import sha256
from typing import Any

import pytest
import torch

from trainers.problems._source import TensorSource
from trainers.problems.errors import BadOption, UnknownTask
from trainers.problems.yeast import Yeast
from trainers.protocol import Problem
from trainers.testing import ProblemContract

CPU = torch.device("cpu")
TASKS = [f"class{number}" for number in range(1, 15)]
# Genes of each group, as OpenML 40597 and MULAN have them.
N_GENES = [762, 1038, 983, 862, 722, 597, 428, 480, 178, 253, 289, 1816, 1799, 34]


@pytest.fixture(scope="module")
def sources() -> Iterator[dict[str, TensorSource]]:
    yield Yeast().sources(CPU)


class TestContract(ProblemContract):
    @pytest.fixture
    def problem(self) -> Problem:
        return Yeast(width=8)


def test_same_options_give_the_same_bytes(sources: dict[str, TensorSource]) -> None:
    digest = sha256()
    for split, source in sources.items():
        digest.update(split.encode())
        digest.update(source.inputs.numpy().tobytes())
        for task in TASKS:
            digest.update(source.targets[task].numpy().tobytes())
    assert digest.hexdigest()[:16] == "3ea10a0c8f403c39"


def test_every_gene_of_the_file_is_there_once(sources: dict[str, TensorSource]) -> None:
    inputs = torch.cat([source.inputs for source in sources.values()])
    assert len(inputs.unique(dim=0)) == len(inputs) == 2_417
    found = [sum(int(of.targets[task].sum()) for of in sources.values()) for task in TASKS]
    assert found == N_GENES


@pytest.mark.parametrize("split_seed", [0, 1])
def test_each_group_is_as_frequent_in_every_split(split_seed: int) -> None:
    for source in Yeast(split_seed=split_seed).sources(CPU).values():
        for task, n_genes in zip(TASKS, N_GENES, strict=True):
            assert abs(float(source.targets[task].sum()) - n_genes / 2_417 * source.size) < 2.5


def test_another_seed_is_another_split(sources: dict[str, TensorSource]) -> None:
    other = Yeast(split_seed=1).sources(CPU)
    assert not torch.equal(other["test"].inputs, sources["test"].inputs)


def test_inputs_are_near_unit_variance(sources: dict[str, TensorSource]) -> None:
    for source in sources.values():
        spread = source.inputs.std(dim=0)
        assert ((spread > 0.8) & (spread < 1.2)).all()


def test_metrics_are_those_that_were_chosen_in_their_order() -> None:
    problem = Yeast(metrics=["error_rate", "auroc"])
    assert [metric.name for metric in problem.card.tasks[0].metrics] == ["error_rate", "auroc"]
    assert list(problem.functions("class14").metrics) == ["error_rate", "auroc"]


def test_the_card_is_flagged_and_says_how_uneven_the_groups_are() -> None:
    card = Yeast().card
    assert card.kind == "real"
    assert any("seven genes" in caveat for caveat in card.caveats)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"width": 0}, "`width` must be a whole number of at least 1. Got 0."),
        ({"split_seed": -1}, "`split_seed` must be a whole number of at least 0."),
        ({"metrics": []}, "`metrics` must be a list of names that differ, and not be empty."),
        ({"metrics": "auroc"}, "Got 'auroc'. Choose from auroc, f1, accuracy, error_rate."),
        ({"metrics": ["f1", "f1"]}, "names that differ"),
        ({"metrics": ["auroc", "acuracy"]}, "Got 'acuracy'. Did you mean `accuracy`?"),
    ],
)
def test_bad_option_says_rule_and_finding(options: dict[str, Any], message: str) -> None:
    with pytest.raises(BadOption) as error:
        Yeast(**options)
    assert message in str(error.value)


@pytest.mark.parametrize("part", ["head", "functions"])
def test_unknown_task_is_refused(part: str) -> None:
    with pytest.raises(UnknownTask, match="Did you mean `class14`"):
        getattr(Yeast(), part)("class141")
