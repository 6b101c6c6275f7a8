"""What workers' time costs before it is reported, and how far they are."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from study.running.crew import Crew, Slot


@pytest.mark.parametrize("n_devices", [1, 4])
def test_time_that_nobody_has_reported_is_of_all_devices(n_devices: int) -> None:
    slot = Slot(1, n_devices=n_devices)
    slot.take([], 10.0)
    assert slot.unbooked_s(13.0) == 3.0 * n_devices


NO_DRIVER: Any = None


def a_claim(run: int, epochs_left: int = 10) -> Any:
    return SimpleNamespace(run=run, epochs_left=epochs_left)


def test_runs_of_a_pack_share_the_time_that_nobody_has_reported() -> None:
    slot = Slot(1)
    slot.take([a_claim(1), a_claim(2)], 10.0)
    assert slot.unbooked_s(14.0) == 2.0


def test_who_is_given_a_pack_has_not_been_silent_with_it() -> None:
    slot = Slot(1, silent_s=99.0)
    slot.take([a_claim(1)], 10.0)
    assert slot.silent_s == 0.0


def test_the_mean_size_of_packs_is_that_of_their_epochs() -> None:
    crew, slot = Crew(NO_DRIVER), Slot(1)
    assert crew.mean_pack_size == 1.0
    for runs in ([1], [2, 3, 4]):
        slot.take([a_claim(run) for run in runs], 0.0)
        for run in runs:
            crew.epoch_done(slot, run, device_s=1.0)
    assert crew.mean_pack_size == (1 + 3 * 3) / 4


def test_runs_in_training_are_left_less_what_is_done_of_them() -> None:
    crew, slot = Crew(NO_DRIVER), Slot(1)
    crew.slots[7] = slot
    slot.take([a_claim(1), a_claim(2)], 0.0)
    for _ in range(5):
        crew.epoch_done(slot, 1, device_s=1.0)
    assert crew.runs_left == 2 * (1 - 5 / 20)
