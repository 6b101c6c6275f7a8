"""A calibration times steps alone and in packs, and never asks for more than fits."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from tests.decoding import Decoding
from tests.toy import TASKS, Toy
from trainers.engines import Session, calibrate, calibration, open_session
from trainers.engines.pace import Pace
from trainers.events import Calibrated
from trainers.hardware.gpu import CONTEXT_BYTES
from trainers.jobs import Calibrate, Engine, ProblemRef, Training
from trainers.network import build_network
from trainers.protocol import TaskFunctions
from trainers.randomness import Key
from trainers.resources import pack_memory_bytes


def wanted(**changes: Any) -> Calibrate:
    return Calibrate(
        **{
            "problem": ProblemRef(target="toy:Toy"),
            "training": Training(epochs=1, batch_size=6),
            "shapes": (TASKS, ("level",)),
            "most": 9,
            "run_epochs": 10**9,
            **changes,
        }
    )


@pytest.fixture(autouse=True)
def whatever_the_machine_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calibration, "_LOSS", 1e9)


@pytest.fixture
def session() -> Session:
    return open_session(Toy(), "cpu")


def test_each_network_is_timed_alone_and_the_first_in_packs(session: Session) -> None:
    found = calibrate(wanted(), session)
    assert not found.failure
    assert [shape.tasks for shape in found.shapes] == [TASKS, ("level",)]
    whole, level = found.shapes
    assert set(whole.run_step_ms) == {1, 2, 8, 9}
    assert set(level.run_step_ms) == {1}
    assert whole.pack_size in (2, 8, 9)
    assert all(ms > 0 for ms in whole.run_step_ms.values())
    assert min(whole.epoch_s, level.epoch_s) > 0
    assert found.seconds > 0


def test_an_epoch_has_all_steps_and_the_whole_validation(session: Session) -> None:
    (shape,) = calibrate(wanted(shapes=(TASKS,), most=1), session).shapes
    n_steps = session.sources["train"].size / 6
    assert shape.epoch_s >= n_steps * shape.run_step_ms[1] / 1_000


def test_without_packs_only_single_runs_are_timed(session: Session) -> None:
    (shape,) = calibrate(wanted(shapes=(TASKS,), most=1), session).shapes
    assert (list(shape.run_step_ms), shape.pack_size) == ([1], 1)


def test_no_larger_pack_is_tried_than_fits_into_the_memory(session: Session) -> None:
    (shape,) = calibrate(wanted(shapes=(TASKS,), most=64, memory_gib=1e-9), session).shapes
    assert set(shape.run_step_ms) == {1, 2}


def test_no_larger_pack_is_tried_than_fits_into_the_workers_share() -> None:
    session = open_session(Toy(), "cpu", memory_share=1e-9)
    (shape,) = calibrate(wanted(shapes=(TASKS,), most=64), session).shapes
    assert set(shape.run_step_ms) == {1, 2}


@pytest.fixture
def streamed() -> Session:
    return open_session(Decoding(), "cpu")


@pytest.mark.parametrize("engine", ["solo", "fused"])
def test_packs_of_streamed_data_are_timed_in_both_engines(
    streamed: Session, engine: Engine
) -> None:
    found = calibrate(wanted(engine=engine, shapes=(TASKS,)), streamed)
    assert not found.failure
    (shape,) = found.shapes
    assert set(shape.run_step_ms) == {1, 2, 8, 9}
    assert shape.epoch_s > 0.0


def test_a_pack_in_step_reads_each_batch_once() -> None:
    alone, packs = Decoding(), Decoding()
    for problem, most in ((alone, 1), (packs, 9)):
        timed = wanted(engine="solo", shapes=(TASKS,), most=most)
        calibrate(timed, open_session(problem, "cpu"))
    passes = [problem.made["train"]["0/augment/1", 0] for problem in (alone, packs)]
    assert passes == [1, 1 + len((2, 8, 9))]


def test_the_pace_of_a_stream_leaves_the_first_wait_out() -> None:
    pace = Pace(n=4, whole_s=5.0, batch_s=1.0)
    assert pace.pass_s(4) == 5.0
    assert pace.pass_s(100) == 101.0


def test_in_step_only_what_each_run_keeps_must_fit_into_the_memory(streamed: Session) -> None:
    few = calibrate(wanted(engine="solo", shapes=(TASKS,), most=9, memory_gib=1e-9), streamed)
    assert set(few.shapes[0].run_step_ms) == {1, 2}


@pytest.mark.parametrize(
    ("name", "copies"),  # of parameters a run: them and gradients twice, and what is kept of both
    [("adam", 2 + 1 + 2), ("adatask", 2 + 3 + 2 * 3)],
)
def test_what_is_kept_for_each_task_must_fit_into_the_memory(
    streamed: Session, name: str, copies: int
) -> None:
    network = build_network(streamed.problem, TASKS, Key("any"))
    n_bytes = sum(4 * param.numel() for param in network.parameters())
    five = (5 * copies * n_bytes + 1) / 2**30
    training = Training(epochs=1, batch_size=6, optimizer=name)
    asked = wanted(engine="solo", shapes=(TASKS,), training=training, memory_gib=five)
    assert set(calibrate(asked, streamed).shapes[0].run_step_ms) == {1, 2, 5}


class FailingInStep(Decoding):
    """Streamed data, and a loss that raises."""

    def functions(self, task: str) -> TaskFunctions:
        return Failing().functions(task)


def test_an_error_in_step_is_told_and_not_raised() -> None:
    found = calibrate(wanted(engine="solo"), open_session(FailingInStep(), "cpu"))
    assert found.failure == "ValueError: no loss today"


class Failing(Toy):
    """A loss that raises."""

    def functions(self, task: str) -> TaskFunctions:
        def loss(output: Any, target: Any) -> Tensor:
            raise ValueError("no loss today")

        return replace(super().functions(task), loss=loss)


def test_an_error_is_told_and_not_raised() -> None:
    found = calibrate(wanted(), open_session(Failing(), "cpu"))
    assert found.shapes == ()
    assert found.failure == "ValueError: no loss today"


def test_a_limit_of_memory_is_taken_as_it_is() -> None:
    assert pack_memory_bytes(torch.device("cpu"), 0.5, share=0.25) == 2**29


def test_without_a_limit_half_of_the_free_memory_is_shared(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = {"SC_AVPHYS_PAGES": 1_000, "SC_PAGE_SIZE": 4_096}
    monkeypatch.setattr("os.sysconf", sizes.__getitem__)
    assert pack_memory_bytes(torch.device("cpu"), None) == 500 * 4_096
    assert pack_memory_bytes(torch.device("cpu"), None, share=0.25) == 125 * 4_096


@pytest.mark.parametrize(("free_gib", "room_gib"), [(60, 30.0), (90, 40.0)])
def test_on_a_gpu_half_of_what_is_free_and_the_processs_own(
    free_gib: int, room_gib: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    mib = 2**20
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda _: (free_gib * 2**30, 160 * 2**30))
    share = (80 * 2**30 + CONTEXT_BYTES) / (160 * 2**30)  # leaves 80 GiB for tensors
    room = pack_memory_bytes(torch.device("cuda"), None, share=share)
    assert room == pytest.approx(room_gib * 2**30, abs=mib)


class Slow(Toy):
    """Each loss takes some seconds of a clock that nothing else moves."""

    def __init__(self, loss_s: float) -> None:
        super().__init__()
        object.__setattr__(self, "clock", {"s": 0.0})
        object.__setattr__(self, "loss_s", loss_s)

    def now(self) -> float:
        return self.clock["s"]  # type: ignore[attr-defined,no-any-return]

    def functions(self, task: str) -> TaskFunctions:
        usual = super().functions(task)

        def loss(output: Any, target: Any) -> Tensor:
            self.clock["s"] += self.loss_s  # type: ignore[attr-defined]
            return usual.loss(output, target)

        return replace(usual, loss=loss)


def measured(problem: Slow, **changes: Any) -> Calibrated:
    found = calibrate(wanted(**changes), open_session(problem, "cpu"), problem.now)
    assert not found.failure
    return found


def test_long_steps_are_timed_by_a_few_of_them() -> None:
    step_s = 3 * 2.0
    found = measured(Slow(2.0), run_epochs=1)
    whole, level = found.shapes
    assert set(whole.run_step_ms) == {1, 2}
    assert found.seconds <= 8 * step_s  # two steps alone and two in a pack, looks and evaluation
    assert whole.run_step_ms[1] == 1_000 * step_s
    assert 0 < level.run_step_ms[1] < whole.run_step_ms[1]
    assert 0 < level.epoch_s < whole.epoch_s


@pytest.mark.parametrize("run_epochs", [100, 1_000, 10_000])
def test_timing_takes_two_percent_of_what_is_planned(run_epochs: int) -> None:
    found = measured(Slow(0.1), run_epochs=run_epochs, most=64)
    planned_s = run_epochs * found.shapes[0].epoch_s
    # it looks ahead by what a step took before: one pack may exceed it
    assert found.seconds <= 1.25 * 0.02 * planned_s + 8 * 0.3


def test_two_percent_of_what_is_planned_may_be_spent_and_a_second_in_any_case() -> None:
    allowance = calibration._Allowance(1_000, lambda: 0.0)
    assert [allowance.has(seconds) for seconds in (1.0, 1.1)] == [True, False]
    allowance.plan(0.5)
    assert [allowance.has(seconds) for seconds in (10.0, 10.1)] == [True, False]
    allowance.plan(0.01)
    assert [allowance.has(seconds) for seconds in (1.0, 1.1)] == [True, False]


@pytest.mark.parametrize("most", [2, 8, 9, 32])
def test_sizes_grow_four_fold_and_the_largest_is_the_last(most: int) -> None:
    sizes = list(calibration._sizes(most))
    assert sizes == sorted({size for size in (2, 8, 32) if size < most} | {most})


def test_of_packs_that_are_nearly_as_good_the_smallest_is_taken(
    monkeypatch: pytest.MonkeyPatch, session: Session
) -> None:
    times = {2: 2.0, 8: 1.04, 32: 1.0, 64: 1.2}
    monkeypatch.setattr(calibration, "_run_step_ms", lambda size, *_: times[size])
    (shape,) = calibrate(wanted(shapes=(TASKS,), most=64), session).shapes
    assert set(shape.run_step_ms) == {1, *times}
    assert shape.pack_size == 8


def test_a_step_of_a_pack_in_step_takes_each_run_as_long_as_alone() -> None:
    problem = Slow(0.5)
    (shape,) = measured(problem, engine="solo", shapes=(TASKS,), most=2, run_epochs=10**6).shapes
    assert shape.run_step_ms[2] == pytest.approx(shape.run_step_ms[1])


def test_short_steps_are_timed_as_often_as_it_takes() -> None:
    found = measured(Slow(1e-4), run_epochs=1, most=64)
    assert set(found.shapes[0].run_step_ms) == {1, 2, 8, 32, 64}
    assert found.shapes[0].run_step_ms[1] == pytest.approx(0.3)
