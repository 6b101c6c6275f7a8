"""What workers' time costs before it is reported, and how far they are."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from study.running.worker_pool import WorkerPool, WorkerState


@pytest.mark.parametrize("n_devices", [1, 4])
def test_time_that_nobody_has_reported_is_of_all_devices(n_devices: int) -> None:
    state = WorkerState(1, n_devices=n_devices)
    state.take([], 10.0)
    assert state.unbooked_s(13.0) == 3.0 * n_devices


NO_DRIVER: Any = None


def a_claim(run: int, epochs_left: int = 10) -> Any:
    return SimpleNamespace(run=run, epochs_left=epochs_left)


def test_runs_of_a_pack_share_the_time_that_nobody_has_reported() -> None:
    state = WorkerState(1)
    state.take([a_claim(1), a_claim(2)], 10.0)
    assert state.unbooked_s(14.0) == 2.0


def test_who_is_given_a_pack_has_not_been_silent_with_it() -> None:
    state = WorkerState(1, silent_s=99.0)
    state.take([a_claim(1)], 10.0)
    assert state.silent_s == 0.0


def test_the_mean_size_of_packs_is_that_of_their_epochs() -> None:
    pool, state = WorkerPool(NO_DRIVER), WorkerState(1)
    assert pool.mean_pack_size == 1.0
    for runs in ([1], [2, 3, 4]):
        state.take([a_claim(run) for run in runs], 0.0)
        for run in runs:
            pool.epoch_done(state, run, device_s=1.0)
    assert pool.mean_pack_size == (1 + 3 * 3) / 4


def test_runs_in_training_are_left_less_what_is_done_of_them() -> None:
    pool, state = WorkerPool(NO_DRIVER), WorkerState(1)
    pool.workers[7] = state
    state.take([a_claim(1), a_claim(2)], 0.0)
    for _ in range(5):
        pool.epoch_done(state, 1, device_s=1.0)
    assert pool.runs_left == 2 * (1 - 5 / 20)
