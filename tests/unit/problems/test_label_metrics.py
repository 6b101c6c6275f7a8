"""Metrics of labels against torchmetrics, against NumPy, and however batches are cut."""

import math
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from torch import Tensor
from torchmetrics.functional import classification as theirs

from trainers.evaluation import Statistics
from trainers.problems import bce
from trainers.problems.labels import F1, Auroc, LabelAccuracy, LabelErrorRate
from trainers.protocol import Metric, TaskFunctions

METRICS: list[Metric] = [
    LabelAccuracy(),
    LabelErrorRate(),
    F1(),
    F1(average="positive"),
    Auroc(),
]
CUTS = st.lists(st.integers(0, 60), max_size=5)
RATES = st.sampled_from([0.0, 0.05, 0.5, 1.0])


def sample(seed: int, rate: float, n: int = 60) -> tuple[Tensor, Tensor]:
    """Logits with ties, ``[n, 1]``, and labels ``[n]`` of which some are missing."""
    generator = torch.Generator().manual_seed(seed)
    target = (torch.rand(n, generator=generator) < rate).float()
    target[torch.rand(n, generator=generator) < 0.2] = math.nan
    logits = torch.randn(n, 1, generator=generator, dtype=torch.float64)
    return (4 * logits).round() / 4, target


def value(metric: Metric, output: Tensor, target: Tensor) -> float:
    return metric.value(metric.statistics(output, target))


def valid(output: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    known = ~target.isnan()
    return output[:, 0][known].sigmoid(), target[known].long()


@given(seed=st.integers(0, 2**32), rate=RATES)
def test_accuracy_error_rate_and_f1_are_torchmetrics(seed: int, rate: float) -> None:
    output, target = sample(seed, rate)
    scores, labels = valid(output, target)
    accuracy = float(theirs.binary_accuracy(scores, labels))
    assert value(LabelAccuracy(), output, target) == pytest.approx(accuracy)
    assert value(LabelErrorRate(), output, target) == pytest.approx(1 - accuracy)
    positive = float(theirs.binary_f1_score(scores, labels))
    assert value(F1(average="positive"), output, target) == pytest.approx(positive)
    told = (scores > 0.5).long()
    macro = float(theirs.multiclass_f1_score(told, labels, num_classes=2, average="macro"))
    assert value(F1(), output, target) == pytest.approx(macro)


@given(seed=st.integers(0, 2**32), rate=st.sampled_from([0.05, 0.5, 0.9]))
def test_auroc_is_torchmetrics_where_both_labels_occur(seed: int, rate: float) -> None:
    output, target = sample(seed, rate)
    scores, labels = valid(output, target)
    if 0 < labels.sum() < len(labels):
        expected = float(theirs.binary_auroc(scores, labels))
        assert value(Auroc(), output, target) == pytest.approx(expected, abs=1e-6)


def auroc_by_pairs(scores: NDArray[Any], labels: NDArray[Any]) -> float:
    """All pairs of a yes and a no, one by one."""
    above, below = scores[labels > 0.5][:, None], scores[labels < 0.5][None]
    wins = np.where(above > below, 1.0, np.where(above == below, 0.5, 0.0))
    return float(wins.mean()) if wins.size else 0.5


def f1_by_counts(told: NDArray[Any], labels: NDArray[Any]) -> float:
    """Mean of the F1 of each class that occurs in labels or answers."""
    found = []
    for cls in (True, False):
        hits = ((told == cls) & (labels == cls)).sum()
        n_told, n_so = (told == cls).sum(), (labels == cls).sum()
        if n_told + n_so:
            found.append(2 * hits / (n_told + n_so))
    return float(np.mean(found))


@given(seed=st.integers(0, 2**32), rate=RATES)
def test_values_are_those_of_a_plain_numpy_version(seed: int, rate: float) -> None:
    output, target = sample(seed, rate)
    known = ~np.isnan(target.numpy())
    scores, labels = output[:, 0].numpy()[known], target.numpy()[known]
    told, is_so = scores > 0, labels > 0.5
    assert value(LabelAccuracy(), output, target) == pytest.approx((told == is_so).mean())
    assert value(F1(), output, target) == pytest.approx(f1_by_counts(told, is_so))
    assert value(Auroc(), output, target) == pytest.approx(auroc_by_pairs(scores, labels))


@pytest.mark.parametrize("metric", METRICS, ids=repr)
@given(seed=st.integers(0, 2**32), cuts=CUTS, rate=RATES)
def test_split_anywhere_and_in_any_order_the_value_is_that_of_the_whole(
    metric: Metric, seed: int, cuts: list[int], rate: float
) -> None:
    output, target = sample(seed, rate)
    edges = [0, *sorted(cuts), len(target)]
    found = Statistics({"task": TaskFunctions(loss=bce, metrics={"m": metric})})
    for start, end in reversed([*pairwise(edges)]):
        found.add(("task", "m"), metric.statistics(output[start:end], target[start:end]))
    assert metric.value(found.totals()["task", "m"]) == value(metric, output, target)


@pytest.mark.parametrize("metric", METRICS, ids=repr)
def test_vmap_over_outputs_equals_one_by_one(metric: Metric) -> None:
    output, target = sample(3, 0.3)
    pack = torch.stack([output, output.flip(0), -output])
    together = torch.func.vmap(metric.statistics, in_dims=(0, None))(pack, target)
    each = torch.stack([metric.statistics(one, target) for one in pack])
    assert torch.equal(together.nan_to_num(-9), each.nan_to_num(-9))


@pytest.mark.parametrize(
    ("metric", "output", "target", "expected"),
    [
        (LabelAccuracy(), [1.0, -1.0, 0.0, 2.0], [1.0, 1.0, 0.0, math.nan], 2 / 3),
        (LabelErrorRate(), [1.0, -1.0, 0.0, 2.0], [1.0, 1.0, 0.0, math.nan], 1 / 3),
        (F1(average="positive"), [1.0, -1.0, 2.0, -3.0], [1.0, 1.0, 0.0, 0.0], 0.5),
        (F1(), [1.0, -1.0, -2.0, -3.0], [1.0, 1.0, 0.0, 0.0], (2 / 3 + 4 / 5) / 2),
        (Auroc(), [1.0, 2.0, 2.0, 3.0], [0.0, 1.0, 0.0, 1.0], 3.5 / 4),
        # a class that never occurs
        (F1(average="positive"), [-1.0, -2.0], [0.0, 0.0], 0.0),
        (F1(), [-1.0, -2.0], [0.0, 0.0], 1.0),
        (F1(), [-1.0, 2.0], [0.0, 0.0], (0.0 + 2 / 3) / 2),
        (Auroc(), [-1.0, 2.0], [0.0, 0.0], 0.5),
        (Auroc(), [-1.0, 2.0], [1.0, 1.0], 0.5),
    ],
)
def test_values_by_hand(
    metric: Metric, output: list[float], target: list[float], expected: float
) -> None:
    assert value(metric, torch.tensor(output), torch.tensor(target)) == pytest.approx(expected)


@pytest.mark.parametrize("metric", METRICS, ids=repr)
def test_without_a_valid_element_there_is_no_number(metric: Metric) -> None:
    assert math.isnan(value(metric, torch.tensor([1.0]), torch.tensor([math.nan])))


def test_an_order_by_no_numbers_is_no_number() -> None:
    assert math.isnan(value(Auroc(), torch.tensor([math.nan, 1.0]), torch.tensor([0.0, 1.0])))


def test_labels_of_many_columns_count_each() -> None:
    output = torch.tensor([[1.0, -1.0], [1.0, 1.0]])
    target = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    assert value(LabelAccuracy(), output, target) == 0.75
