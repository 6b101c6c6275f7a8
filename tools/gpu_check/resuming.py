"""A pack that is killed with signal 9 goes on from its checkpoint; a GPU's file opens on a CPU."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any

from tools.gpu_check._processes import Failed, in_process, in_processes
from tools.gpu_check._setting import Found, Setting, a_pack, jobs, same, session_of
from trainers.engines import Session, open_session, train
from trainers.engines.solo.run import SoloRun
from trainers.events import CheckpointWritten, EpochDone, Event, RunEnded
from trainers.jobs import Checkpoint, Pack
from trainers.keeping import checkpoints

EPOCHS, KILLED_AT = 4, 2
LIMIT_S = 20.0


def check(setting: Setting) -> Found:
    """Compare the epochs of a killed and resumed pack with those of one left alone."""
    with suppress(Failed):  # which is what it is to do
        in_process(partial(_killed, setting), limit_s=LIMIT_S * setting.patience)
    (path,) = (setting.folder / "checkpoints").glob(f"*-epoch{KILLED_AT}.pt")
    resumed, whole, moved = in_processes(
        [
            partial(_resumed, setting, str(path)),
            partial(_whole, setting),
            partial(_there_and_back, setting, str(path)),
        ],
        limit_s=LIMIT_S * setting.patience,
    )
    late = {
        run: {e: v for e, v in epochs.items() if e > KILLED_AT} for run, epochs in whole.items()
    }
    return {
        "ok": resumed == late and moved,
        "resumed_is_whole": resumed == late,
        "cpu_and_back_is_same": moved,
        "runs": len(whole),
    }


def _pack(setting: Setting) -> Pack:
    n = setting.pick(3, 8)
    return a_pack(jobs(n, weightings=("uw", "dwa", "ew")), rows=n, epochs=EPOCHS)


def _killed(setting: Setting) -> None:
    pack = replace(_pack(setting), checkpoints=str(setting.folder / "checkpoints"), checkpoint_s=0)
    for event in train(pack, session_of("dropping", setting)):
        if isinstance(event, CheckpointWritten) and event.checkpoint.epoch == KILLED_AT:
            os.kill(os.getpid(), signal.SIGKILL)


def _resumed(setting: Setting, path: str) -> dict[int, dict[int, Any]]:
    pack = _pack(setting)
    resume = (Checkpoint(path=path, epoch=KILLED_AT),)
    going_on = replace(pack, jobs=tuple(replace(job, resume=resume) for job in pack.jobs))
    return _epochs(train(going_on, session_of("dropping", setting)))


def _whole(setting: Setting) -> dict[int, dict[int, Any]]:
    return _epochs(train(_pack(setting), session_of("dropping", setting)))


def _epochs(events: Iterator[Event]) -> dict[int, dict[int, Any]]:
    """Values by run and epoch.

    Raises:
        RuntimeError: A run did not come to its end.
    """
    found: dict[int, dict[int, Any]] = {}
    for event in events:
        if isinstance(event, EpochDone):
            found.setdefault(event.run, {})[event.epoch] = event.values
        elif isinstance(event, RunEnded) and event.outcome != "done":
            raise RuntimeError(f"run {event.run} {event.outcome}: {event.reason}")
    return found


def _there_and_back(setting: Setting, path: str) -> bool:
    """Load the device's file on a CPU, save it there, load that on the device."""
    first = checkpoints.load(path)
    here = session_of("dropping", setting)
    there = open_session(here.problem, "cpu")
    pack, again = replace(_pack(setting), engine="solo"), str(setting.folder / "again.pt")
    moved = {}
    for job in pack.jobs:
        moved[job.run] = _through(checkpoints.state_of(job.run, first), job.run, pack, there)
    checkpoints.save_runs(moved, again)
    back = checkpoints.load(again)
    states = {
        job.run: _through(checkpoints.state_of(job.run, back), job.run, pack, here)
        for job in pack.jobs
    }
    return all(_alike(states[run], first["runs"][run]) for run in states)


def _through(state: checkpoints.State, run: int, pack: Pack, session: Session) -> Any:
    (job,) = (job for job in pack.jobs if job.run == run)
    solo = SoloRun(job, pack, session)
    solo.restore(state)
    return solo.state_dict()


def _alike(left: Any, right: Any) -> bool:
    return all(same(left[part], right[part]) for part in ("network", "params", "state")) and same(
        left["optimizer"]["state"], right["optimizer"]["state"]
    )
