"""No sign of a worker's life is believed alone."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from study.drivers.vital_signs import Process, Remedy, Signs, Timeouts, judged

PATIENCE = Timeouts(opening_s=100.0, silent_s=30.0, working_s=60.0)
WELL = Signs(process=Process.RUNS)
END = {Remedy.STUCK, Remedy.SILENT, Remedy.OUT_OF_TIME}

seconds = st.floats(min_value=0.0, max_value=1e6)
any_signs = st.builds(
    Signs,
    process=st.sampled_from(Process),
    pipe_open=st.booleans(),
    unread=st.booleans(),
    silent_s=seconds,
    opening_s=st.none() | seconds,
    working_s=st.none() | seconds,
    killed_s=st.none() | seconds,
)
any_patience = st.builds(Timeouts, opening_s=seconds, silent_s=seconds, working_s=seconds)


@pytest.mark.parametrize(
    ["signs", "verdict"],
    [
        (WELL, Remedy.WELL),
        (Signs(), Remedy.WELL),
        # killed, and a child of its own keeps the pipe open
        (Signs(process=Process.ENDED), Remedy.LOST),
        (Signs(process=Process.ENDED, unread=True), Remedy.WELL),
        # its pipe was closed from within, or its last message is torn
        (Signs(process=Process.RUNS, pipe_open=False), Remedy.LOST),
        (Signs(process=Process.UNKNOWN, pipe_open=False), Remedy.LOST),
        # loads data for ever
        (replace(WELL, opening_s=99.0), Remedy.WELL),
        (replace(WELL, opening_s=101.0), Remedy.STUCK),
        # a stopped process, or one that does not let its other threads run
        (replace(WELL, silent_s=29.0, working_s=29.0), Remedy.WELL),
        (replace(WELL, silent_s=31.0, working_s=31.0), Remedy.SILENT),
        # beats, and does not get on
        (replace(WELL, working_s=61.0), Remedy.OUT_OF_TIME),
        # killed, and waits for a disk that does not answer
        (replace(WELL, killed_s=1.0, silent_s=99.0), Remedy.WELL),
        (replace(WELL, killed_s=11.0), Remedy.LOST),
    ],
)
def test_what_is_to_be_done(signs: Signs, verdict: Remedy) -> None:
    assert judged(signs, PATIENCE) is verdict


@given(any_signs, any_patience)
def test_who_can_say_no_more_is_lost_whatever_else_is_seen(
    signs: Signs, timeouts: Timeouts
) -> None:
    silent = not signs.pipe_open or (signs.process is Process.ENDED and not signs.unread)
    if silent:
        assert judged(signs, timeouts) is Remedy.LOST


@given(any_signs, any_patience)
def test_nobody_is_ended_twice_or_after_its_end(signs: Signs, timeouts: Timeouts) -> None:
    if judged(signs, timeouts) in END:
        assert signs.process is not Process.ENDED
        assert signs.killed_s is None
        assert signs.pipe_open


@given(any_signs)
def test_without_limits_nobody_is_ended(signs: Signs) -> None:
    assert judged(signs, Timeouts()) not in END


@given(any_signs, any_patience)
def test_more_patience_ends_nobody_else(signs: Signs, timeouts: Timeouts) -> None:
    if judged(signs, timeouts) is Remedy.WELL:
        assert judged(signs, replace(timeouts, silent_s=math.inf)) is Remedy.WELL
