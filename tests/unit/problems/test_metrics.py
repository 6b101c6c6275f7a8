import math
from itertools import pairwise

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from torchmetrics.functional.regression import (
    weighted_mean_absolute_percentage_error as theirs,
)

from trainers.problems import Accuracy, ErrorRate, MeanAbsoluteError
from trainers.problems._metrics import RelativeAbsoluteError
from trainers.problems.errors import BadOption, BadShape
from trainers.protocol import Metric

LOGITS = torch.tensor([[2.0, -1.0], [0.0, 1.0], [1.0, 0.0], [0.0, 3.0], [5.0, 0.0]])
CLASSES = torch.tensor([0, 0, 1, 1, -1])
NUMBERS = torch.tensor([1.0, -2.0, math.nan, 4.0])


def _value(metric: Metric, output: Tensor, target: Tensor) -> float:
    return metric.value(metric.statistics(output, target))


def _sample(metric: Metric, seed: int, n: int) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    if isinstance(metric, MeanAbsoluteError):
        # Float64 fills all bits, so that sums of raw differences would be rounded.
        target = 100 * torch.randn(n, generator=generator, dtype=torch.float64)
        target[torch.rand(n, generator=generator) < 0.2] = math.nan
        return torch.randn(n, 1, generator=generator, dtype=torch.float64), target
    return torch.randn(n, 4, generator=generator), torch.randint(-1, 4, (n,), generator=generator)


@pytest.mark.parametrize(
    ("metric", "output", "target", "expected"),
    [
        (ErrorRate(), LOGITS, CLASSES, 0.5),
        (ErrorRate(), LOGITS[:3], CLASSES[:3], 2 / 3),
        (Accuracy(), LOGITS[:3], CLASSES[:3], 1 / 3),
        (MeanAbsoluteError(), torch.tensor([[1.5], [0.0], [7.0], [3.5]]), NUMBERS, 1.0),
        (MeanAbsoluteError(), torch.tensor([1.5, 0.0, 7.0, 3.5]), NUMBERS, 1.0),
    ],
)
def test_values_by_hand(metric: Metric, output: Tensor, target: Tensor, expected: float) -> None:
    assert _value(metric, output, target) == expected


@pytest.mark.parametrize("metric", [ErrorRate(), Accuracy(), MeanAbsoluteError()])
@given(seed=st.integers(0, 2**32), cuts=st.lists(st.integers(0, 200), max_size=6))
def test_split_anywhere_the_sum_equals_the_whole(
    metric: Metric, seed: int, cuts: list[int]
) -> None:
    output, target = _sample(metric, seed, 200)
    edges = [0, *sorted(cuts), 200]
    parts = [metric.statistics(output[a:b], target[a:b]) for a, b in pairwise(edges)]
    total = sum(reversed(parts[:-1]), start=parts[-1])
    assert torch.equal(total, metric.statistics(output, target))


@given(seed=st.integers(0, 2**32))
def test_error_rate_and_accuracy_are_complements(seed: int) -> None:
    output, target = _sample(ErrorRate(), seed, 50)
    total = _value(ErrorRate(), output, target) + _value(Accuracy(), output, target)
    assert total == pytest.approx(1.0)


@given(seed=st.integers(0, 2**32))
def test_mean_absolute_error_is_the_mean_to_its_resolution(seed: int) -> None:
    output, target = _sample(MeanAbsoluteError(), seed, 200)
    expected = (output[:, 0].double() - target.double()).abs().nanmean().item()
    assert _value(MeanAbsoluteError(), output, target) == pytest.approx(expected, abs=6e-8)


@pytest.mark.parametrize("metric", [ErrorRate(), Accuracy(), MeanAbsoluteError()])
def test_vmap_over_outputs_equals_one_by_one(metric: Metric) -> None:
    output, target = _sample(metric, 3, 40)
    pack = torch.stack([output, output.flip(0), -output])
    together = torch.func.vmap(metric.statistics, in_dims=(0, None))(pack, target)
    assert torch.equal(together, torch.stack([metric.statistics(o, target) for o in pack]))


@pytest.mark.parametrize("metric", [ErrorRate(), Accuracy()])
def test_images_count_pixels(metric: Metric) -> None:
    logits = torch.zeros(1, 2, 2, 2)
    logits[0, 1, 0, 0] = 1
    target = torch.tensor([[[1, 1], [0, -1]]])
    assert metric.statistics(logits, target)[1] == 3


@pytest.mark.parametrize("metric", [ErrorRate(), Accuracy()])
def test_nothing_valid_has_no_class_value(metric: Metric) -> None:
    assert math.isnan(_value(metric, LOGITS, torch.full((5,), -1)))


def test_nothing_valid_has_no_mean_absolute_error() -> None:
    assert math.isnan(_value(MeanAbsoluteError(), torch.zeros(2), torch.full((2,), math.nan)))


def test_a_diverged_output_stays_visible() -> None:
    assert math.isnan(_value(MeanAbsoluteError(), torch.full((4,), math.nan), NUMBERS))


def test_shapes_that_would_broadcast_are_refused() -> None:
    with pytest.raises(BadShape, match="one shape"):
        MeanAbsoluteError().statistics(torch.zeros(4), torch.zeros(4, 1))


RAGGED = [MeanAbsoluteError(2.0**-16), RelativeAbsoluteError(2.0**-16)]


@pytest.mark.parametrize("metric", RAGGED, ids=repr)
@given(seed=st.integers(0, 2**32), cuts=st.lists(st.integers(0, 200), max_size=6))
def test_small_amounts_add_up_exactly_too(metric: Metric, seed: int, cuts: list[int]) -> None:
    output, target = (1e-5 * of for of in _sample(MeanAbsoluteError(), seed, 200))
    edges = [0, *sorted(cuts), 200]
    parts = [metric.statistics(output[a:b], target[a:b]) for a, b in pairwise(edges)]
    total = sum(reversed(parts[:-1]), start=parts[-1])
    assert torch.equal(total, metric.statistics(output, target))


@pytest.mark.parametrize("scale", [1e-5, 1.0, 1e7])
def test_relative_error_is_torchmetrics_whatever_the_unit(scale: float) -> None:
    output, target = (scale * of for of in _sample(MeanAbsoluteError(), 1, 200))
    known = ~target.isnan()
    expected = theirs(output[known, 0], target[known]).item()
    found = _value(RelativeAbsoluteError(2.0**-16), output, target)
    assert found == pytest.approx(expected, rel=1e-6)
    mean = _value(MeanAbsoluteError(2.0**-16), output, target)
    assert found == pytest.approx(mean / float(target[known].abs().mean()))


def test_relative_error_of_nothing_is_no_number() -> None:
    assert math.isnan(_value(RelativeAbsoluteError(), torch.ones(2), torch.zeros(2)))


@pytest.mark.parametrize("resolution", [0.0, -1.0, 0.3, math.inf, math.nan])
def test_a_resolution_must_be_a_power_of_two(resolution: float) -> None:
    with pytest.raises(BadOption, match="must be a power of two"):
        MeanAbsoluteError(resolution)
