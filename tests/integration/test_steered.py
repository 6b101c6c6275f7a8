"""What the verbs that steer a study say of it; nothing is trained."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from storage.records import Holder
from storage.states import RunState
from study.api import Study
from study.catalogue import preset_text
from study.cli._ending import way_on
from study.drivers.holder import this_process
from tests.contract.storage_bench import Bench, end
from tests.integration.command import command


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(f"sqlite:///{tmp_path / 'weighbridge.db'}")
    bench.plan("a", "b")
    yield bench
    bench.storage.close()


def _held(bench: Bench, by: Holder) -> None:
    bench.holder_id = bench.storage.register_holder(by)
    bench.claim_one()


_KILLED = replace(this_process(), process_start="0")


def test_stop_knows_that_a_driver_was_killed(bench: Bench, tmp_path: Path) -> None:
    _held(bench, _KILLED)
    said = command(tmp_path, "stop", "demo").text
    assert "nobody is at work on it. 1 run in training: its driver has gone" in said
    assert "next: weighbridge run demo" in said
    assert "nobody trains it" in command(tmp_path, "pause", "demo").text


def test_stop_counts_drivers_apart_from_their_runs(bench: Bench, tmp_path: Path) -> None:
    _held(bench, _KILLED)
    bench.claim_one()
    said = command(tmp_path, "stop", "demo").text
    assert "2 runs in training: their driver has gone" in said
    bench.plan("c")
    _held(bench, replace(_KILLED, pid=_KILLED.pid + 1))
    said = command(tmp_path, "stop", "demo").text
    assert "3 runs in training: their drivers have gone" in said


def test_stop_says_who_ends_and_what_goes_on_a_paused_study(bench: Bench, tmp_path: Path) -> None:
    _held(bench, this_process())
    assert "1 run in training ends first" in command(tmp_path, "pause", "demo").text
    said = command(tmp_path, "stop", "demo").text
    assert f"process {this_process().pid} on" in said
    assert "1 run in training is saved." in said
    assert "next: weighbridge resume demo" in said


def test_a_budget_that_was_lowered_for_one_run_is_not_to_be_raised(tmp_path: Path) -> None:
    file, url = tmp_path / "a.toml", f"sqlite:///{tmp_path / 'weighbridge.db'}"
    file.write_text(preset_text("digits") + "\n[budget]\nepochs = 1200\n")
    opened = Study.open(str(file), storage=url)
    for epochs, way in ((700, "without it, goes on."), (1200, "raise it in the spec")):
        assert way in way_on(str(file), opened.with_budget({"epochs": epochs}), ["epochs"])
    assert "raise it in the spec" in way_on(str(file), opened, [])


def test_what_a_verb_changes_is_told_as_json(bench: Bench, tmp_path: Path) -> None:
    _held(bench, _KILLED)
    claim = bench.claim_one()
    bench.storage.record([end(claim, RunState.FAILED)])

    def told(*words: str) -> list[object]:
        found = command(tmp_path, *words, "--json").json
        return [found["changed"], found["before"], found["after"]]

    assert told("pause", "demo") == [True, {"paused": False}, {"paused": True}]
    assert told("pause", "demo") == [False, {"paused": True}, {"paused": True}]
    assert told("resume", "demo") == [True, {"paused": True}, {"paused": False}]
    stopped = command(tmp_path, "stop", "demo", "--json").json
    assert (stopped["drivers"], stopped["runs_left_behind"]) == ([], 1)
    assert told("retry", "demo", "--lost")[0] is False
    assert (
        "no run has lost its worker; 1 failed" in command(tmp_path, "retry", "demo", "--lost").text
    )
    assert told("retry", "demo") == [True, {"failed": 1}, {"failed": 0}]
    said = command(tmp_path, "retry", "demo").text
    assert "no run of it has failed. next: weighbridge run demo" in said
    assert told("delete", "demo", "--yes")[1]["runs"] == 2
