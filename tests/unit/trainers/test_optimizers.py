from __future__ import annotations

from copy import deepcopy

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.packs import a_job
from trainers import optimizers
from trainers.engines.one_epoch import learning_rate
from trainers.engines.stepping import build_optimizer, densify, restore, take_step
from trainers.jobs import Schedule, Training
from trainers.optimizers import BUILT_IN
from trainers.optimizers.adatask import AdaTask

ANY = Training(epochs=1, batch_size=1)
TORCHS = ("adam", "adamw", "sgd")
"""Those of which torch has its own."""
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


@pytest.mark.parametrize("kind", TORCHS)
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


@pytest.mark.parametrize("kind", TORCHS)
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


def steps_of(
    name: str, slopes: list[list[list[float]]], *, weight_decay: float = 0.0, momentum: float = 0.9
) -> torch.Tensor:
    """``[2]``, from (1, -2) on at rate 0.1, by gradients ``[T, 2]`` of tasks."""
    training = Training(epochs=1, batch_size=1, optimizer=name, momentum=momentum)
    value = torch.tensor([1.0, -2.0], dtype=torch.float64, requires_grad=True)
    job = a_job(lr=0.1, weight_decay=weight_decay)
    of_run = build_optimizer([value], [], job=job, training=training)
    splits = optimizers.optimizer(name).splits_tasks(training)
    for slope in slopes:
        by_task = torch.tensor(slope, dtype=torch.float64)
        value.grad = by_task.sum(0)
        take_step(of_run, training, {value: by_task} if splits else None)
    return value.detach()


def near(*values: float) -> object:
    return pytest.approx(values, abs=1e-12)


def test_signsgd_against_hand_values() -> None:
    # m = (3, -1), then (0.9 * 3 - 2, 0.9 * -1 + 2) = (0.7, 1.1), then (0.63 - 1, 0.99)
    slopes = [[[3.0, -1.0]], [[-2.0, 2.0]], [[-1.0, 0.0]]]
    assert steps_of("signsgd", slopes[:1]).tolist() == near(0.9, -1.9)
    assert steps_of("signsgd", slopes[:2]).tolist() == near(0.8, -2.0)
    assert steps_of("signsgd", slopes).tolist() == near(0.9, -2.1)
    # without momentum: the signs of the gradients themselves; that of 0 is 0
    assert steps_of("signsgd", slopes, momentum=0.0).tolist() == near(1.1, -2.0)
    # 0.5 * (1, -2) turns the second gradient's sign
    assert steps_of("signsgd", [[[1.0, 0.9]]], weight_decay=0.5).tolist() == near(0.9, -1.9)


@given(st.lists(st.tuples(*[st.integers(-9, 9)] * 2), min_size=1, max_size=6), st.booleans())
def test_signsgd_goes_by_the_sign_of_torchs_momentum(
    slopes: list[tuple[int, int]], momentum: bool
) -> None:
    value = torch.zeros(2, dtype=torch.float64, requires_grad=True)
    theirs = torch.optim.SGD([value], lr=1.0, momentum=0.5 * momentum)
    expected = torch.tensor([1.0, -2.0], dtype=torch.float64)
    for slope in slopes:
        value.grad = torch.tensor(slope, dtype=torch.float64)
        before = value.detach().clone()
        theirs.step()
        expected -= 0.1 * (before - value.detach()).sign()
    found = steps_of("signsgd", [[list(map(float, of))] for of in slopes], momentum=0.5 * momentum)
    torch.testing.assert_close(found, expected)


def test_adatask_against_hand_values() -> None:
    # The first step is 0.1 times the sum of the signs of the tasks' gradients, whatever their size.
    assert steps_of("adatask", [[[3.0, -1.0], [100.0, 1e-3]]]).tolist() == pytest.approx(
        [0.8, -2.0], abs=1e-6
    )
    # Gradients 1, then 3: a = 0.1, then 0.39; s = 0.001, then 0.009999; corrected by 0.19 and
    # 0.001999 the step is 0.1 * 2.0526316 / 2.2365219 = 0.0917778; the other task adds nothing.
    found = steps_of("adatask", [[[1.0, 0.0], [0.0, 0.0]], [[3.0, 0.0], [0.0, 0.0]]])
    assert found.tolist() == pytest.approx([0.9 - 0.0917778, -2.0], abs=1e-6)
    # Decay is beside the step: 1 - 0.1 * 0.5 times the value.
    found = steps_of("adatask", [[[1.0, 0.0], [1.0, 0.0]]], weight_decay=0.5)
    assert found.tolist() == pytest.approx([0.95 - 0.2, -1.9], abs=1e-6)


TASK_SLOPES = st.lists(
    st.lists(st.tuples(*[st.floats(-9, 9)] * 2), min_size=3, max_size=3), min_size=1, max_size=6
)


@given(TASK_SLOPES)
def test_adatask_adds_up_the_steps_of_torchs_adam_for_each_task(
    slopes: list[list[tuple[float, float]]],
) -> None:
    expected = torch.tensor([1.0, -2.0], dtype=torch.float64)
    for of_task in zip(*slopes, strict=True):
        value = torch.zeros(2, dtype=torch.float64, requires_grad=True)
        theirs = torch.optim.Adam([value], lr=0.1)
        for slope in of_task:
            value.grad = torch.tensor(slope, dtype=torch.float64)
            theirs.step()
        expected += value.detach()
    found = steps_of("adatask", [[list(of) for of in step] for step in slopes])
    torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-12)


@given(TASK_SLOPES, st.integers(-8, 8))
def test_adatask_does_not_see_powers_of_two_on_a_tasks_loss(
    slopes: list[list[tuple[float, float]]], power: int
) -> None:
    def ours(scale: float) -> torch.Tensor:
        method = AdaTask()
        value = torch.tensor([1.0, -2.0], dtype=torch.float64)
        kept = {of.name: torch.zeros(3, 2, dtype=torch.float64) for of in method.kept(ANY)}
        for n_steps, step in enumerate(slopes, start=1):
            gradient = torch.tensor(step, dtype=torch.float64).round()
            gradient[0] *= scale
            method.update(
                value,
                gradient,
                kept,
                settings=method.settings | {"eps": 1e-300},
                n_steps=n_steps,
                lr=0.1,
                weight_decay=0.25,
            )
        return value

    assert torch.equal(ours(1.0), ours(2.0**power))
