"""What a worker imports as it starts, loads data and trains, and what it does not."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

PROGRAM = """
import json, sys

def loaded():
    heavy = "torch._dynamo", "sympy", "pandas", "sklearn", "mlxtend"
    return [name for name in heavy if name in sys.modules]

found = {}
import trainers.engines, trainers.functions, trainers.problems, trainers.worker.process
found["start"] = loaded()

import torch
from trainers.problems.digits import Digits
Digits().sources(torch.device("cpu"))
found["digits"] = loaded()

from dataclasses import replace
from tests.packs import a_pack, a_session, two_jobs
pack = a_pack(*two_jobs("uw"), precision="bfloat16")
for engine in ("solo", "fused"):
    ended = list(trainers.engines.train(replace(pack, engine=engine), a_session()))
    assert ended[-1].outcome == "done", ended
found["low precision"] = loaded()

from tests.packs import a_job
from tests.scene import DENSE, Scene
scene = Scene(network="unet")
for engine in ("solo", "fused"):
    pack = replace(a_pack(a_job(tasks=DENSE), epochs=1, batch_size=1), engine=engine)
    ended = list(trainers.engines.train(pack, trainers.engines.open_session(scene, "cpu")))
    assert ended[-1].outcome == "done", ended
found["images"] = loaded()

broken = [one for one in trainers.engines.promises(a_session()) if one.broken]
assert not broken, broken
found["promises"] = loaded()
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def loaded() -> dict[str, list[str]]:
    """Heavy modules that one process has imported, after each step of a worker's life."""
    said = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True
    )
    assert said.stderr == ""
    return dict(json.loads(said.stdout))


def test_what_no_worker_needs_is_not_imported(loaded: dict[str, list[str]]) -> None:
    assert loaded["start"] == []


def test_loading_digits_does_not_import_scikit_learn(loaded: dict[str, list[str]]) -> None:
    assert loaded["digits"] == []


def test_the_compiler_stays_out_of_low_precision(loaded: dict[str, list[str]]) -> None:
    assert "torch._dynamo" not in loaded["low precision"]


def test_counting_operations_of_images_does_without_sympy(loaded: dict[str, list[str]]) -> None:
    assert loaded["images"] == []


def test_a_problem_is_tried_without_the_compiler(loaded: dict[str, list[str]]) -> None:
    assert "torch._dynamo" not in loaded["promises"]
