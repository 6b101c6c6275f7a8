"""What a worker's time costs before it is reported."""

from __future__ import annotations

import pytest

from study.running.crew import Slot


@pytest.mark.parametrize("n_devices", [1, 4])
def test_time_that_nobody_has_reported_is_of_all_devices(n_devices: int) -> None:
    slot = Slot(1, n_devices=n_devices)
    slot.take([], 10.0)
    assert slot.unbooked_s(13.0) == 3.0 * n_devices
