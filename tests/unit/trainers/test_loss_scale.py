from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from trainers.engines import loss_scale
from trainers.engines.loss_scale import LossScale

FINE, TOO_LARGE = torch.tensor([1.0]), torch.tensor([math.inf])


@pytest.mark.parametrize("precision", ["float32", "tf32", "bfloat16"])
def test_nothing_is_scaled_but_half_precision(precision: loss_scale.Precision) -> None:
    scale, loss = LossScale(precision), torch.tensor(2.0)
    assert scale.scaled(loss) is loss
    assert scale.take_out([TOO_LARGE.clone()])
    assert scale.state() == {}


@given(st.floats(2.0**-20, 2.0**20, width=32), st.integers(0, 60))
def test_a_scale_changes_no_digit(value: float, n_skipped: int) -> None:
    scale = LossScale("float16")
    for _ in range(n_skipped):
        scale.take_out([TOO_LARGE.clone()])
    gradient = scale.scaled(torch.tensor([value]))
    assert scale.take_out([gradient])
    assert gradient.item() == value


def test_an_overflow_halves_it_and_takes_no_step() -> None:
    scale = LossScale("float16")
    before = scale.factor
    assert not scale.take_out([FINE.clone(), TOO_LARGE.clone()])
    assert (scale.factor, scale.overflowed, scale.n_skipped) == (before / 2, True, 1)
    assert scale.take_out([FINE.clone()])
    assert (scale.overflowed, scale.n_skipped) == (False, 1)


def test_it_never_becomes_0() -> None:
    scale = LossScale("float16")
    for _ in range(2_000):
        scale.take_out([TOO_LARGE.clone()])
    assert scale.factor > 0


def test_it_grows_after_many_steps_without_overflow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loss_scale, "_GROWTH_STEPS", 3)
    scale = LossScale("float16")
    factors = []
    for gradient in (FINE, FINE, TOO_LARGE, FINE, FINE, FINE, FINE):
        scale.take_out([gradient.clone()])
        factors.append(scale.factor / 2.0**15)
    assert factors == [2, 2, 1, 1, 1, 2, 2]


def test_it_goes_on_from_its_state(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loss_scale, "_GROWTH_STEPS", 3)
    first, later = LossScale("float16"), LossScale("float16")
    for gradient in (TOO_LARGE, FINE, FINE):
        first.take_out([gradient.clone()])
    later.restore(first.state())
    for scale in (first, later):
        scale.take_out([FINE.clone()])
    assert first.factor == later.factor == 2.0**16
    with pytest.raises(LookupError):
        later.restore({})
