from __future__ import annotations

from copy import deepcopy

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.packs import a_job
from trainers.engines.one_epoch import learning_rate
from trainers.engines.stepping import build_optimizer, densify, restore, take_step
from trainers.jobs import Schedule, Training
from trainers.optimizers import BUILT_IN

COSINE = Schedule(kind="cosine")
STEP = Schedule(kind="step", step_epochs=2, gamma=0.1)
epochs_and_one = st.integers(1, 500).flatmap(lambda n: st.tuples(st.just(n), st.integers(1, n)))


def rates(schedule: Schedule, epochs: int) -> list[float]:
    return [learning_rate(2.0, schedule, epoch=e, epochs=epochs) for e in range(1, epochs + 1)]


def test_a_constant_rate_is_the_runs_own() -> None:
    assert rates(Schedule(), 3) == [2.0, 2.0, 2.0]


def test_steps_against_hand_values() -> None:
    assert rates(STEP, 5) == pytest.approx([2.0, 2.0, 0.2, 0.2, 0.02])


def test_a_step_every_epoch() -> None:
    assert rates(Schedule(kind="step", gamma=0.5), 4) == [2.0, 1.0, 0.5, 0.25]


def test_cosine_against_hand_values() -> None:
    # (1 + cos(pi k / 4)) for k = 0, 1, 2, 3
    assert rates(COSINE, 4) == pytest.approx([2.0, 1.7071067811865475, 1.0, 0.2928932188134524])


@pytest.mark.parametrize("schedule", [Schedule(), STEP, COSINE])
def test_the_first_epoch_has_the_runs_own_rate(schedule: Schedule) -> None:
    assert rates(schedule, 7)[0] == 2.0


@given(epochs_and_one)
def test_cosine_stays_above_zero(drawn: tuple[int, int]) -> None:
    epochs, epoch = drawn
    assert 0.0 < learning_rate(1.0, COSINE, epoch=epoch, epochs=epochs) <= 1.0


@given(st.sampled_from([STEP, COSINE]), st.integers(2, 100))
def test_rates_never_rise(schedule: Schedule, epochs: int) -> None:
    drawn = rates(schedule, epochs)
    assert drawn == sorted(drawn, reverse=True)


@pytest.mark.parametrize(
    ["kind", "expected"],
    [("sgd", torch.optim.SGD), ("adam", torch.optim.Adam), ("adamw", torch.optim.AdamW)],
)
def test_the_kind_is_the_studys(kind: str, expected: type[torch.optim.Optimizer]) -> None:
    assert type(built(kind)).__bases__ == (expected,)


@pytest.mark.parametrize("kind", BUILT_IN)
def test_decay_is_for_the_network_only(kind: str) -> None:
    assert [group["weight_decay"] for group in built(kind).param_groups] == [0.1, 0.0]


@pytest.mark.parametrize("kind", BUILT_IN)
def test_all_share_one_learning_rate(kind: str) -> None:
    assert [group["lr"] for group in built(kind).param_groups] == [0.05, 0.05]


def test_without_learned_weights_there_is_one_group() -> None:
    training = Training(epochs=1, batch_size=1)
    network = [torch.zeros(2, requires_grad=True)]
    assert len(build_optimizer(network, [], job=a_job(), training=training).param_groups) == 1


@pytest.mark.parametrize("kind", BUILT_IN)
def test_a_state_saved_in_another_layout_goes_on_alike(kind: str) -> None:
    training = Training(epochs=1, batch_size=1, optimizer=kind)
    start = torch.arange(36.0).view(2, 2, 3, 3)
    slope = start.flip(0, 1, 2, 3).contiguous()
    plain, moved = (
        start.clone(memory_format=layout).requires_grad_()
        for layout in (torch.contiguous_format, torch.channels_last)
    )
    before, after = (
        build_optimizer([param], [], job=a_job(), training=training) for param in (plain, moved)
    )
    plain.grad = slope.clone()
    take_step(before, training)
    with torch.no_grad():
        moved.copy_(plain)
    restore(after, deepcopy(before.state_dict()))
    moved.grad = slope.clone(memory_format=torch.channels_last)
    for optimizer in (before, after):
        take_step(optimizer, training)
    assert torch.equal(plain, moved)


def built(kind: str) -> torch.optim.Optimizer:
    training = Training(epochs=1, batch_size=1, optimizer=kind)
    network, learned = torch.zeros(2, requires_grad=True), torch.zeros(3, requires_grad=True)
    return build_optimizer([network], [learned], job=a_job(weight_decay=0.1), training=training)


@pytest.mark.parametrize("kind", BUILT_IN)
def test_complex_numbers_are_changed_as_torch_changes_them(kind: str) -> None:
    training = Training(epochs=1, batch_size=1, optimizer=kind)  # type: ignore[arg-type]
    start = torch.randn(3, 2, dtype=torch.complex64)
    ours, theirs = (start.clone().requires_grad_() for _ in range(2))
    pairs = [
        (param, build_optimizer([param], [], job=a_job(weight_decay=0.1), training=training))
        for param in (ours, theirs)
    ]
    for _ in range(3):
        for param, optimizer in pairs:
            optimizer.zero_grad()
            (param.abs() ** 2 + param.conj().imag).sum().backward()
            if param is ours:
                take_step(optimizer, training)
            else:
                optimizer.step()
    torch.testing.assert_close(ours, theirs)


def test_gradients_of_some_rows_stand_for_all() -> None:
    training = Training(epochs=1, batch_size=1, optimizer="sgd")
    start = torch.randn(4, 2)
    ours, theirs = (start.clone().requires_grad_() for _ in range(2))
    pairs = [(ours, build_optimizer([ours], [], job=a_job(), training=training))]
    pairs += [(theirs, torch.optim.SGD([theirs], lr=0.05, momentum=0.9))]
    for row in (1, 2, 1):
        for param, optimizer in pairs:
            optimizer.zero_grad()
            torch.nn.functional.embedding(
                torch.tensor([row, 3]), param, sparse=True
            ).sum().backward()
            assert param.grad is not None and param.grad.is_sparse
            if param is ours:
                densify([param])
                take_step(optimizer, training)
            else:
                optimizer.step()
    torch.testing.assert_close(ours, theirs)


@pytest.mark.parametrize("kind", BUILT_IN)
def test_a_parameter_without_dimensions_is_changed_as_torch_changes_it(kind: str) -> None:
    training = Training(epochs=1, batch_size=1, optimizer=kind)
    ours, theirs = (torch.tensor(1.0, requires_grad=True) for _ in range(2))
    pairs = [
        (of, build_optimizer([of], [], job=a_job(), training=training)) for of in (ours, theirs)
    ]
    for param, optimizer in pairs:
        (param**2).backward()
        if param is ours:
            take_step(optimizer, training)
        else:
            optimizer.step()
    torch.testing.assert_close(ours, theirs)
    assert ours != 1.0
