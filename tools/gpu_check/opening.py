"""Two workers open on a device without a number and with one; a study's ledger is its time."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from study.api import Study
from study.drivers.local.driver import LocalDriver
from study.drivers.local.fork_server import ForkServer
from study.drivers.peers import first_devices
from study.drivers.protocol import FromWorker, WorkerLost
from study.spec.study_spec import parse
from tools.gpu_check._setting import Found, Setting, goal
from trainers.events import OpenFailed, Ready
from trainers.jobs import ProblemRef, Training

MLP = "tools.gpu_check.problems:Mlp"
PATIENCE_S = 25.0


def check(setting: Setting) -> Found:
    """Open two workers by each name of the device, and run a grid on one."""
    opened, path = {}, str(setting.folder / "fork_server")
    fork_server = ForkServer.start()
    fork_server.listen(path)
    for name in dict.fromkeys([setting.device, str(setting.where)]):
        opened[name] = _opened(first_devices(name, workers=2, ranks=1), setting, path)
    fork_server.close()
    ledger = _ledger(setting)
    good = all(len(ready) == 2 for ready in opened.values()) and ledger["left"] == 0
    found: Found = {"ok": good, "opened": opened, "study": ledger}
    if setting.cuda:
        apart = abs(ledger["device_s"] / ledger["wall_s"] - 1)
        found["goals"] = {"ledger_apart_from_wall": goal(apart, 0.02, at_least=False)}
    return found


def _opened(devices: Sequence[str], setting: Setting, fork_server: str) -> list[str]:
    """The device that each worker says it has opened on.

    Raises:
        RuntimeError: One has not.
    """
    problem = ProblemRef(target=MLP, options={"small": setting.small})
    training = Training(epochs=1, batch_size=64)
    near = partial(ForkServer.near, fork_server)
    driver = LocalDriver(problem, training, devices=devices, open_fork_server=near)
    driver.start()
    deadline_s, found = time.monotonic() + PATIENCE_S * setting.patience, list[str]()
    try:
        while len(found) < len(devices) and time.monotonic() < deadline_s:
            for event in driver.poll(0.25):
                if isinstance(event, WorkerLost):
                    raise RuntimeError(f"a worker was lost: {event.reason}")
                if isinstance(event, FromWorker) and isinstance(event.message, OpenFailed):
                    raise RuntimeError(event.message.message)
                if isinstance(event, FromWorker) and isinstance(event.message, Ready):
                    found.append(event.message.environment["device"])
    finally:
        driver.close()
    return found


def _ledger(setting: Setting) -> Found:
    """A grid on SQLite with one worker: its device-seconds beside the time it took."""
    database = setting.folder / "study.db"
    spec = parse(
        {
            "name": "gpu-check",
            "problem": MLP,
            "problem_options": {"small": setting.small},
            "seeds": [0],
            "training": {"epochs": setting.pick(2, 40), "batch_size": 64, "lr": 0.001},
            "search": [
                {
                    "name": "grid",
                    "weighting": "scalarization",
                    "stages": [{"task_weights": {"simplex_step": setting.pick(0.25, 0.125)}}],
                }
            ],
        },
        source="of the check",
    )
    study = Study(spec, storage=f"sqlite:///{database}", folder=os.getcwd())
    began_s = time.monotonic()
    outcome = study.run(workers=1, device=setting.device)
    wall_s = time.monotonic() - began_s
    return {
        "runs": sum(outcome.states.values()),
        "left": sum(n for state, n in outcome.states.items() if state.value != "done"),
        "wall_s": wall_s,
        "device_s": _device_s(database),
    }


def _device_s(database: Path) -> float:
    connection = sqlite3.connect(database)
    ((found,),) = connection.execute("SELECT sum(device_s) FROM attempt_costs")
    connection.close()
    return float(found)
