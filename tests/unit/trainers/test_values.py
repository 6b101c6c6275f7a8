"""Events, jobs and cards are plain values that travel between processes."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys

import pytest

from tests.packs import a_job, a_pack
from tests.toy import TASKS, Toy
from trainers.events import (
    EpochDone,
    NetworkFacts,
    OpenFailed,
    PackEnded,
    Ready,
    RunEnded,
    Seconds,
    TrainPack,
)
from trainers.hardware.environment import code_version, environment

EPOCH = EpochDone(run=1, token=2, epoch=3, values=(), seconds=Seconds(), samples=4, grad_evals=5)
END = RunEnded(run=1, token=2, outcome="done", epoch=3, seconds=Seconds())


def test_device_seconds_add_up_all_phases() -> None:
    seconds = Seconds(
        startup_s=1, train_s=2, validation_s=4, test_s=8, checkpoint_s=16, diagnostics_s=32
    )
    assert seconds.device_s == 63


@pytest.mark.parametrize(
    "message",
    [
        Ready(
            startup_s=1.0,
            environment={"code": "1"},
            network=NetworkFacts(convolutional=False, obstacle=""),
        ),
        OpenFailed("why"),
        EPOCH,
        END,
        PackEnded(),
        TrainPack(a_pack(a_job())),
    ],
    ids=lambda message: type(message).__name__,
)
def test_messages_survive_the_pipe(message: object) -> None:
    assert pickle.loads(pickle.dumps(message)) == message


def test_a_card_survives_json() -> None:
    plain = Toy().card.to_plain()
    assert json.loads(json.dumps(plain))["sizes"] == {"train": 12, "validation": 8, "test": 8}


def test_a_card_names_its_tasks_in_order() -> None:
    assert Toy().card.task_names == TASKS


def test_an_environment_is_flat_text() -> None:
    found = environment("cpu")
    assert {type(value) for value in found.values()} == {str}
    assert {"code", "python", "host", "cpu", "device", "package:torch"} <= set(found)


def test_the_code_has_one_version() -> None:
    assert environment("cpu")["code"] == code_version()


@pytest.mark.parametrize(
    "module",
    [
        "cards",
        "events",
        "hardware.energy",
        "jobs",
        "problems",
        "randomness",
        "weightings",
        "worker.process",
    ],
)
def test_importing_plain_values_loads_no_torch(module: str) -> None:
    code = f"import sys, trainers.{module}; print('torch' in sys.modules)"
    command = [sys.executable, "-c", code]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "False"
