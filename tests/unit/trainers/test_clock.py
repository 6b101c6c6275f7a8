"""A second of several devices is as many device-seconds."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.toy import Toy
from trainers.engines import open_session, segment
from trainers.engines.solo.group import RunGroup


@pytest.mark.parametrize("size", [1, 3])
def test_a_lap_is_of_all_devices(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    nothing_to_send: Any = None
    group = RunGroup(0, size, nothing_to_send) if size > 1 else None
    session = replace(open_session(Toy(), "cpu"), group=group)
    seconds = iter([10.0, 12.0, 13.0])
    monkeypatch.setattr(segment, "perf_counter", lambda: next(seconds))
    clock = segment.Clock(session)
    assert [clock.lap(), clock.lap()] == [2.0 * size, 1.0 * size]
