"""A study under way is steered from the command line; its driver is a process of its own."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from storage import RunState
from tests.integration.command import command
from tests.integration.driving import (
    DEADLINE_S,
    start,
    states,
    wait_for_done_runs,
    wait_for_nobody,
)

pytestmark = pytest.mark.slow

SPEC = """
name = "steered"
problem = "digits"
seeds = [0]
problem_options = { train_pairs = 200, validation_pairs = 50, test_pairs = 50, width = 16 }
[training]
epochs = 40
batch_size = 32
pack_size = 1
[budget]
epochs = 400
[baseline]
metrics = { left.error_rate = 0.1, right.error_rate = 0.1, sum.mae = 2.0 }
[[search]]
weighting = "ew"
stages = [{ lr = [1e-3, 2e-3, 3e-3, 4e-3, 5e-3, 6e-3, 7e-3, 8e-3, 9e-3, 1e-2, 2e-2, 3e-2] }]
"""


def test_a_study_is_paused_resumed_given_more_and_stopped(tmp_path: Path) -> None:
    spec = tmp_path / "steered.toml"
    spec.write_text(SPEC)
    url = f"sqlite:///{tmp_path / 'weighbridge.db'}"

    def typed(*words: str, code: int = 0) -> str:
        said = command(tmp_path, *words)
        assert said.code == code, said.err
        return " ".join((said.out + said.err).split())

    with start(spec, url, workers=1) as driver:
        try:
            wait_for_done_runs(url, "steered", 1)
            typed("pause", "steered")
            wait_for_nobody(url, "steered")
            n_done = states(url, "steered")[RunState.DONE]
            assert "`weighbridge resume steered`" in typed("run", spec.name, code=2)
            assert "480" in typed("budget", "steered", "epochs=480")
            typed("resume", "steered")
            wait_for_done_runs(url, "steered", n_done + 1)
            assert "end of an epoch" in typed("stop", "steered")
            assert driver.wait(DEADLINE_S) == 130
        finally:
            driver.send_signal(signal.SIGKILL)
    assert "epochs of the study is 480 (the spec: 400)" in typed("run", spec.name, "--workers", "1")
    assert states(url, "steered") == {RunState.DONE: 12}
    entries = command(tmp_path, "audit", "steered", "--json").json["entries"]
    verbs = ["pause", "raise budget", "resume", "stop"]
    assert [entry["command"] for entry in entries] == verbs
    (limit,) = command(tmp_path, "budget", "steered", "--json").json["limits"]
    assert (limit["is"], limit["left"], limit["raised"]) == (480, 0, True)
