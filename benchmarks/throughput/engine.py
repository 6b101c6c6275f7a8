"""Our engines without an orchestrator.

``python -m benchmarks.throughput.engine FOLDER`` is the least that we could take: one process
imports torch and forks two, each of which trains half of the points as one pack. No plan, no
database, no calibration.
"""

from __future__ import annotations

import gc
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from benchmarks.throughput.bare import PARTS
from benchmarks.throughput.workload import Finals, Workload


def main(folder: Path) -> None:
    gc.disable()
    import torch

    import trainers.engines
    import trainers.problems  # noqa: F401 - imported for the processes that are forked

    torch.set_num_threads(1)
    children = []
    for part in range(PARTS):
        children.append(os.fork())
        if not children[-1]:
            _train_part(folder, part)
            os._exit(0)
    for child in children:
        os.waitpid(child, 0)


def _train_part(folder: Path, part: int) -> None:
    workload = Workload.read(folder / "workload.json")
    numbers = range(part, len(workload.points), PARTS)
    found = {number: [values] for number, values in trained(workload, numbers, "fused").items()}
    (folder / f"part{part}.json").write_text(json.dumps(found))


def trained(workload: Workload, numbers: Sequence[int], engine: Literal["fused", "solo"]) -> Finals:
    """Some points of a workload as one pack, trained in this process."""
    from trainers.engines import open_session, train
    from trainers.events import EpochDone
    from trainers.jobs import Job, Pack, ProblemRef, Training
    from trainers.problems import build

    ref = ProblemRef(target=workload.problem, options=workload.options)
    problem = build(ref)
    tasks = tuple(task.name for task in problem.card.tasks)
    jobs = [
        Job(
            run=number,
            token=0,
            weighting=workload.weighting,
            tasks=tasks,
            lr=workload.points[number].lr,
            weight_decay=workload.points[number].weight_decay,
            hyper=_hyper(workload, number),
        )
        for number in numbers
    ]
    pack = Pack(
        problem=ref,
        training=Training(epochs=workload.epochs, batch_size=workload.batch_size),
        seed=workload.seed,
        until_epoch=workload.epochs,
        jobs=tuple(jobs),
        engine=engine,
    )
    return {
        event.run: {"/".join(place): value for *place, value in event.values}
        for event in train(pack, open_session(problem, "cpu"))
        if isinstance(event, EpochDone) and event.epoch == workload.epochs
    }


def _hyper(workload: Workload, number: int) -> dict[str, tuple[float, ...]]:
    """EW has no hyperparameters: it weighs each task with 1."""
    if workload.weighting == "ew":
        return {}
    return {"task_weights": workload.points[number].weights}


def commands(folder: Path, workload: Workload) -> list[list[str]]:
    workload.write(folder / "workload.json")
    return [[sys.executable, "-m", "benchmarks.throughput.engine", str(folder)]]


if __name__ == "__main__":
    main(Path(sys.argv[1]))
