from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from torchmetrics.functional import classification, regression

from tests.unit.problems import dense
from tests.unit.problems.dense import ANGLES, N_CLASSES, Case
from trainers.problems import Accuracy, ErrorRate, MeanAbsoluteError
from trainers.problems.dense import (
    MeanAngle,
    MeanIoU,
    MeanRelativeError,
    MedianAngle,
    WithinAngle,
)
from trainers.problems.errors import BadShape
from trainers.protocol import Metric

IOU = MeanIoU(N_CLASSES)
OF_DIRECTIONS = [MeanAngle(), MedianAngle(), *map(WithinAngle, ANGLES)]
METRICS: list[tuple[Metric, Callable[..., Case]]] = [
    (IOU, dense.regions),
    (Accuracy(), dense.regions),
    (ErrorRate(), dense.regions),
    (MeanAbsoluteError(), dense.depths),
    (MeanRelativeError(), dense.depths),
    *((metric, dense.directions) for metric in OF_DIRECTIONS),
]
OF_ALL = pytest.mark.parametrize(("metric", "drawn"), METRICS, ids=[str(m) for m, _ in METRICS])
SEEDS = st.integers(0, 2**32)


def valued(metric: Metric, output: Tensor, target: Tensor) -> float:
    return metric.value(metric.statistics(output, target).double())


@OF_ALL
@given(seed=SEEDS, cuts=st.lists(st.integers(0, 6), max_size=4))
def test_any_cut_into_batches_gives_the_same_bits(
    metric: Metric, drawn: Callable[..., Case], seed: int, cuts: list[int]
) -> None:
    output, target = drawn(seed)
    edges = [0, *sorted(cuts), len(target)]
    parts = [metric.statistics(output[a:b], target[a:b]) for a, b in pairwise(edges)]
    total = sum(reversed(parts[:-1]), start=parts[-1])
    assert torch.equal(total, metric.statistics(output, target))


@OF_ALL
def test_a_stack_gives_the_same_bits_as_one_by_one(
    metric: Metric, drawn: Callable[..., Case]
) -> None:
    output, target = drawn(3)
    pack = torch.stack([output, output.flip(0), -output])
    together = torch.func.vmap(metric.statistics, in_dims=(0, None))(pack, target)
    assert torch.equal(together, torch.stack([metric.statistics(o, target) for o in pack]))


@OF_ALL
def test_another_layout_in_memory_gives_the_same_bits(
    metric: Metric, drawn: Callable[..., Case]
) -> None:
    output, target = drawn(4)
    laid_out = output.to(memory_format=torch.channels_last)
    assert torch.equal(metric.statistics(laid_out, target), metric.statistics(output, target))


@OF_ALL
def test_nothing_valid_has_no_value(metric: Metric, drawn: Callable[..., Case]) -> None:
    output, target = drawn(0)
    nothing = torch.full_like(target, math.nan if target.is_floating_point() else -1)
    assert math.isnan(valued(metric, output, nothing))
    assert metric.statistics(output, nothing).sum() == 0


@OF_ALL
def test_nothing_valid_adds_nothing(metric: Metric, drawn: Callable[..., Case]) -> None:
    output, target = drawn(0)
    gap = torch.full_like(target[:1], math.nan if target.is_floating_point() else -1)
    more = metric.statistics(torch.cat([output, output[:1]]), torch.cat([target, gap]))
    assert torch.equal(more, metric.statistics(output, target))


@given(seed=SEEDS)
def test_iou_is_numpys(seed: int) -> None:
    case = dense.regions(seed)
    assert valued(IOU, *case) == pytest.approx(dense.numpy_iou(*case), rel=1e-12)


@given(seed=SEEDS)
def test_iou_and_accuracy_are_those_of_torchmetrics(seed: int) -> None:
    case = dense.regions(seed)
    peers: dict[Metric, Any] = {
        IOU: classification.multiclass_jaccard_index(*case, N_CLASSES, ignore_index=-1),
        Accuracy(): classification.multiclass_accuracy(
            *case, N_CLASSES, average="micro", ignore_index=-1
        ),
    }
    for metric, expected in peers.items():
        assert valued(metric, *case) == pytest.approx(float(expected), rel=1e-6)


def test_iou_by_hand() -> None:
    labels = torch.tensor([[0, 0, 1, 1, -1, 2]])
    logits = torch.nn.functional.one_hot(torch.tensor([[0, 1, 1, 1, 2, 0]]), 4).movedim(2, 1)
    # class 0: 1 of 3, 1: 2 of 3, 2: 0 of 1; class 3 is nowhere
    assert valued(MeanIoU(4), logits.float(), labels) == pytest.approx(1 / 3)


def test_a_class_that_never_occurs_does_not_count() -> None:
    labels = torch.tensor([[0, 0, 1, 1]])
    for n in (2, 3, 40):
        logits = torch.nn.functional.one_hot(labels, n).movedim(2, 1).float()
        assert valued(MeanIoU(n), logits, labels) == 1.0


def test_logits_of_another_number_of_classes_are_refused() -> None:
    with pytest.raises(BadShape, match="needs 4 logits a pixel"):
        MeanIoU(4).statistics(torch.zeros(1, 3, 2), torch.zeros(1, 2, dtype=torch.long))


def test_a_label_beyond_the_classes_is_not_counted_as_another() -> None:
    for label in (3, 4):
        with pytest.raises(RuntimeError, match="out of bounds"):
            MeanIoU(3).statistics(torch.zeros(1, 3, 1), torch.tensor([[label]]))


@given(seed=SEEDS)
def test_relative_error_is_numpys_and_torchmetrics(seed: int) -> None:
    output, target = dense.depths(seed)
    found = valued(MeanRelativeError(), output, target)
    assert found == pytest.approx(dense.numpy_relative(output, target), rel=1e-6)
    there = target.isfinite() & (target != 0)
    expected = regression.mean_absolute_percentage_error(output[there], target[there])
    assert found == pytest.approx(float(expected), rel=1e-5)


def test_relative_error_by_hand() -> None:
    target = torch.tensor([[2.0, -4.0, 0.0, math.nan]])
    assert valued(MeanRelativeError(), torch.tensor([[3.0, -4.0, 9.0, 9.0]]), target) == 0.25


@given(seed=SEEDS)
def test_angles_are_numpys(seed: int) -> None:
    case = dense.directions(seed)
    angles = dense.numpy_angles(*case)
    assert valued(MeanAngle(), *case) == pytest.approx(angles.mean(), abs=1e-6)
    assert valued(MedianAngle(), *case) == pytest.approx(np.median(angles), abs=1 / 256 + 1e-6)
    for limit in ANGLES:
        assert valued(WithinAngle(limit), *case) == np.mean(angles < limit)


@pytest.mark.parametrize("degrees", [0.0, 0.001, 11.0, 89.999, 90.001, 150.0, 180.0])
def test_angles_by_hand(degrees: float) -> None:
    angle = math.radians(degrees)
    output = torch.tensor([[5 * math.cos(angle), 5 * math.sin(angle), 0.0]], dtype=torch.float64)
    target = torch.tensor([[2.0, 0.0, 0.0]])
    assert valued(MeanAngle(), output, target) == pytest.approx(degrees, abs=1e-6)
    assert valued(MedianAngle(), output, target) == pytest.approx(degrees, abs=1 / 256 + 1e-9)
    assert valued(WithinAngle(90.0), output, target) == (degrees < 90)


@pytest.mark.parametrize("angles", [[10.0, 20.0], [10.0, 20.0, 70.0], [5.0, 10.0, 20.0, 70.0]])
def test_a_median_lies_in_the_middle(angles: list[float]) -> None:
    turned = torch.tensor(angles, dtype=torch.float64).deg2rad()
    output = torch.stack([turned.cos(), turned.sin()], dim=1)
    target = torch.tensor([[1.0, 0.0]]).expand(len(angles), 2)
    assert valued(MedianAngle(), output, target) == pytest.approx(np.median(angles), abs=1 / 256)


def test_an_output_without_direction_is_at_right_angles() -> None:
    assert valued(MeanAngle(), torch.zeros(1, 3), torch.tensor([[0.0, 0.0, 1.0]])) == 90


@pytest.mark.parametrize("metric", [MeanAngle(), MedianAngle()])
def test_a_diverged_direction_stays_visible(metric: Metric) -> None:
    output, target = dense.directions(1)
    output[2] = math.nan
    assert math.isnan(valued(metric, output, target))


def test_a_diverged_depth_stays_visible() -> None:
    output, target = dense.depths(1)
    assert math.isnan(valued(MeanRelativeError(), output * math.nan, target))
    assert math.isinf(valued(MeanRelativeError(), output * math.inf, target))


def test_large_sums_are_exact() -> None:
    """Errors of which float64 could hold the sum of 5e8, if it kept multiples of 6e-8."""
    many, one = torch.full((1, 1), 2.0**52).double(), torch.full((1, 1), 2.0**-20).double()
    zero = torch.zeros(1, 1).double()
    total = sum(MeanAbsoluteError().statistics(one, zero) for _ in range(64))
    total = total + MeanAbsoluteError().statistics(many, zero)
    assert total.tolist() == [2.0**52, 2.0**-14, 65.0]
