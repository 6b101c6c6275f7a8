from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from tests.contract.fused_cases import Normed, Placed
from tests.toy import TASKS, Toy
from trainers.engines import open_session
from trainers.engines.fused.padding import (
    PLACELESS,
    a_forward,
    n_padding_rows_of,
    placed_operations,
    samples,
)
from trainers.engines.fused.weighting_rows import TAIL
from trainers.jobs import Training

MOST = 5 * TAIL
POINTWISE: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "abs": lambda x, _: x.abs(),
    "add": torch.add,
    "sub": torch.sub,
    "mul": torch.mul,
    "div": torch.div,
    "neg": lambda x, _: -x,
    "floor": lambda x, _: x.floor(),
    "round": lambda x, _: x.round(),
    "sqrt": lambda x, _: x.abs().sqrt(),
    "sgn": lambda x, _: x.sgn(),
    "clamp": lambda x, _: x.clamp(-0.5, 0.5),
    "nan_to_num": lambda x, _: x.nan_to_num(),
    "relu": lambda x, _: x.relu(),
    "threshold_backward": lambda x, y: torch.ops.aten.threshold_backward(x, y, 0.0),
    "exp": lambda x, _: x.exp(),
    "log": lambda x, _: x.abs().log(),
    "tanh": lambda x, _: x.tanh(),
    "tanh_backward": lambda x, y: torch.ops.aten.tanh_backward(x, y.tanh()),
    "where": lambda x, y: torch.where(x > 0, x, y),
}


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
@pytest.mark.parametrize("name", POINTWISE)
def test_a_placeless_operation_gives_the_same_at_every_place(name: str, dtype: torch.dtype) -> None:
    assert name in PLACELESS
    first, second = torch.randn(2, MOST, generator=torch.Generator().manual_seed(0)).to(dtype)
    whole = POINTWISE[name](first, second)
    for size in range(1, MOST):
        assert torch.equal(POINTWISE[name](first[:size], second[:size]), whole[:size])


def test_arithmetic_needs_no_padding() -> None:
    training = Training(epochs=1, batch_size=6)
    assert n_padding_rows_of(open_session(Toy(dropout=0.5), "cpu"), TASKS, training) == 0


@pytest.mark.parametrize("batch_size", [5, 6, 12])
@pytest.mark.parametrize("problem", [Normed(), Placed()], ids=["normed", "placed"])
def test_padding_rows_take_all_that_a_kernel_leaves_over(problem: Toy, batch_size: int) -> None:
    session = open_session(problem, "cpu")
    last_batch = {5: 2, 6: 6, 12: 8}[batch_size]  # at most all samples for validation
    of_two_rows = min(placed(problem, last_batch).values())
    training = Training(epochs=1, batch_size=batch_size, eval_batch_size=8)
    assert n_padding_rows_of(session, TASKS, training) * of_two_rows / 2 >= TAIL


def test_larger_batches_need_fewer_padding_rows() -> None:
    session = open_session(Placed(), "cpu")
    few, many = (
        n_padding_rows_of(session, TASKS, Training(epochs=1, batch_size=size, eval_batch_size=8))
        for size in (12, 11)
    )
    assert 0 < few < many


def test_half_precision_needs_more_padding_rows_as_its_vectors_are_longer() -> None:
    session = open_session(Placed(), "cpu")
    single, half = (
        n_padding_rows_of(session, TASKS, Training(epochs=1, batch_size=6, precision=precision))
        for precision in ("float32", "bfloat16")
    )
    assert 0 < single < half


def test_operations_that_depend_on_their_place_are_found() -> None:
    assert {"silu", "softplus", "sigmoid"} <= set(placed(Placed(), 2))


def test_a_scaled_addition_is_not_taken_for_placeless() -> None:
    class Scaled(Toy):
        def trunk(self) -> torch.nn.Module:
            return torch.nn.Sequential(super().trunk(), ScaledSum())

    assert "add" in placed(Scaled(), 2)


class ScaledSum(torch.nn.Module):
    def forward(self, inputs: Tensor) -> Tensor:
        return torch.add(inputs, inputs.square(), alpha=0.1)


def placed(problem: Toy, size: int) -> dict[str, int]:
    session = open_session(problem, "cpu")
    batch = samples(session, size)
    return placed_operations(a_forward(session, TASKS), batch, batch)
