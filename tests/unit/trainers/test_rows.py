from __future__ import annotations

from dataclasses import replace
from math import prod

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.packs import a_job
from trainers.engines.fused.rows import ALIGNMENT, RowLayout, Rows
from trainers.engines.fused.stacked_optimizers import (
    GroupedOptimizer,
    RatedOptimizer,
    StackedOptimizer,
)
from trainers.jobs import Training
from trainers.optimizers import BUILT_IN, optimizer

CPU = torch.device("cpu")
MOST = 40
shapes = st.lists(st.lists(st.integers(1, 5), max_size=3).map(tuple), min_size=1, max_size=5).map(
    lambda found: {f"p{number}": shape for number, shape in enumerate(found)}
)


@given(shapes)
def test_rows_are_filled_up(drawn: dict[str, tuple[int, ...]]) -> None:
    width = RowLayout(drawn).width
    assert width % ALIGNMENT == 0
    assert 0 <= width - sum(map(prod, drawn.values())) < ALIGNMENT


@given(shapes, st.integers(1, 4))
def test_tensors_lie_in_their_rows_one_after_the_other(
    drawn: dict[str, tuple[int, ...]], n_rows: int
) -> None:
    layout = RowLayout(drawn)
    rows = torch.arange(n_rows * layout.width).view(n_rows, -1)
    views = layout.views(rows)
    assert {name: tuple(view.shape) for name, view in views.items()} == {
        name: (n_rows, *shape) for name, shape in drawn.items()
    }
    for row in range(n_rows):
        flat = torch.cat([view[row].flatten() for view in views.values()])
        assert torch.equal(flat, rows[row, : len(flat)])


@given(shapes)
def test_on_a_gpu_each_tensor_begins_at_16_bytes(drawn: dict[str, tuple[int, ...]]) -> None:
    layout = RowLayout.on(torch.device("cuda:0"), drawn)
    views = layout.views(torch.zeros(2, layout.width))
    assert all(view.storage_offset() % 4 == 0 for view in views.values())
    assert layout.width % ALIGNMENT == 0
    assert RowLayout.on(CPU, drawn) == RowLayout(drawn)


def test_leaves_and_gradients_are_views_of_the_rows() -> None:
    rows = Rows(RowLayout({"w": (2, 3)}), n_rows=2, kept=(), device=CPU)
    rows.values.fill_(3.0)
    rows.gradients["w"].fill_(5.0)
    assert rows.leaves["w"].is_leaf
    assert rows.leaves["w"].requires_grad
    assert rows.leaves["w"].tolist() == [[[3.0] * 3] * 2] * 2
    assert rows.grads.sum() == 2 * 6 * 5.0


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("optimizer", BUILT_IN)
def test_an_update_has_the_same_bits_in_any_number_of_rows(
    optimizer: str, dtype: torch.dtype
) -> None:
    training = Training(epochs=1, batch_size=1, optimizer=optimizer)
    whole = updated(training, dtype, n_rows=MOST)
    for n_rows in range(1, MOST):
        assert torch.equal(updated(training, dtype, n_rows=n_rows), whole[:n_rows])


@pytest.mark.parametrize("optimizer", BUILT_IN)
def test_neighbours_with_other_rates_change_no_bit(optimizer: str) -> None:
    training = Training(epochs=1, batch_size=1, optimizer=optimizer)
    alike = updated(training, torch.float32, n_rows=6)
    mixed = updated(training, torch.float32, n_rows=6, other_from=4)
    assert torch.equal(mixed[:4], alike[:4])
    assert not torch.equal(mixed[4:], alike[4:])


@pytest.mark.parametrize("optimizer", BUILT_IN)
@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_rates_beside_the_rows_change_them_as_one_kernel_a_rate_does(
    optimizer: str, momentum: float
) -> None:
    training = Training(epochs=1, batch_size=1, optimizer=optimizer, momentum=momentum)
    fused, rated = (
        updated(training, torch.float32, n_rows=6, other_from=4, kind=kind)
        for kind in (GroupedOptimizer, RatedOptimizer)
    )
    torch.testing.assert_close(rated, fused, rtol=2e-6, atol=2e-7)


def updated(
    training: Training,
    dtype: torch.dtype,
    *,
    n_rows: int,
    other_from: int = MOST,
    kind: type[StackedOptimizer] = GroupedOptimizer,
) -> torch.Tensor:
    """Rows after three steps; 67 numbers of each are used, which no vector divides."""
    generator = torch.Generator().manual_seed(0)
    kept = optimizer(training.optimizer).kept(training)
    start, slope = torch.randn(2, MOST, 67, generator=generator, dtype=dtype)
    torch.set_default_dtype(dtype)
    try:
        network, learned = (
            Rows(
                RowLayout(of),
                n_rows=n_rows,
                kept=kept,
                device=CPU,
            )
            for of in ({"w": (67,)}, {})
        )
    finally:
        torch.set_default_dtype(torch.float32)
    network.layout.views(network.values)["w"].copy_(start[:n_rows])
    job = a_job(lr=0.01, weight_decay=0.1)
    jobs = [job if row < other_from else replace(job, lr=0.03) for row in range(n_rows)]
    stacked = kind(jobs, network=network, learned=learned, training=training, steps_done=0)
    for number in range(1, 4):
        network.gradients["w"].copy_(slope[:n_rows] * number)
        stacked.step()
    return network.layout.views(network.values)["w"]
