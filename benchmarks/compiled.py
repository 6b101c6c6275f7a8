"""What `torch.compile` and bfloat16 change in training steps: ``python -m benchmarks.compiled``.

Steps of one pack on `digits` and of one run alone, plain and in each other way, in turns, so that
other load on the machine meets all of them alike. Evaluation is never compiled and not timed.
Prints a table and, last, one JSON object; for each engine:

- ``step_ms``: of the plain way, the median of all rounds;
- ``<way>_ratio``: the plain way's time over this way's, the median of the rounds' ratios;
- ``<way>_compile_s``: start of the way less that of the plain one; much less if torch has it in its
  cache on disk.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch

from trainers.engines import Session, open_session
from trainers.engines.fused.engine import Stacks
from trainers.engines.solo.engine import Solos
from trainers.hardware import compiler
from trainers.jobs import Engine, Job, Pack, ProblemRef, Training
from trainers.problems import build

WAYS: dict[str, dict[str, Any]] = {
    "plain": {},
    "compiled": {"compile": True},
    "bfloat16": {"precision": "bfloat16"},
    "both": {"compile": True, "precision": "bfloat16"},
}
TrainEpoch = Callable[[], tuple[object, int]]
_ENGINES: tuple[Engine, ...] = ("fused", "solo")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--width", type=int, default=64, help="of the network")
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--runs", type=int, default=32, help="runs of the pack")
    parser.add_argument("--rounds", type=int, default=15)
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    compiler.let_in()
    ref = ProblemRef(target="digits", options={"width": chosen.width})
    session = open_session(build(ref), "cpu")
    training = Training(epochs=1_000, batch_size=chosen.batch_size)
    figures: dict[str, float] = {}
    for engine in _ENGINES:
        pack = _pack(ref, training, engine, chosen.runs if engine == "fused" else 1)
        found = _compared(pack, session, chosen.rounds)
        figures |= {f"{engine}_{name}": round(value, 3) for name, value in found.items()}
    for name, value in figures.items():
        print(f"{name:28} {value:8.3f}")
    print(json.dumps({**vars(chosen), **figures}))


def _compared(pack: Pack, session: Session, rounds: int) -> dict[str, float]:
    started_s: dict[str, float] = {}
    epochs: dict[str, TrainEpoch] = {}
    for way, changes in WAYS.items():
        began_s = time.perf_counter()
        changed = replace(pack, training=replace(pack.training, **changes))
        epochs[way] = _epochs_of(changed, session)
        epochs[way]()
        started_s[way] = time.perf_counter() - began_s
    times = [{way: _step_ms(epoch) for way, epoch in epochs.items()} for _ in range(rounds)]
    figures = {"step_ms": statistics.median(each["plain"] for each in times)}
    for way in list(WAYS)[1:]:
        figures[f"{way}_ratio"] = statistics.median(each["plain"] / each[way] for each in times)
        if "compile" in WAYS[way]:
            figures[f"{way}_compile_s"] = started_s[way] - started_s["plain"]
    return figures


def _step_ms(train_epoch: TrainEpoch) -> float:
    began_s = time.perf_counter()
    _, n_steps = train_epoch()
    return 1_000 * (time.perf_counter() - began_s) / n_steps


def _epochs_of(pack: Pack, session: Session) -> TrainEpoch:
    """Epochs of the pack's runs, as its engine trains them."""
    teams: Any = Solos(pack, session)
    if pack.engine == "fused":
        teams = Stacks(pack.jobs[0].tasks, pack, session)
    team = teams.together([teams.opened(job, lambda _skipped: None) for job in pack.jobs])
    train_epoch: TrainEpoch = team.train_epoch
    return train_epoch


def _pack(ref: ProblemRef, training: Training, engine: Engine, n_runs: int) -> Pack:
    tasks = build(ref).card.task_names
    jobs = [
        Job(run=run, token=0, weighting="ew", tasks=tasks, lr=1e-3 * (1 + run))
        for run in range(n_runs)
    ]
    return Pack(
        problem=ref,
        training=training,
        seed=0,
        until_epoch=1_000,
        jobs=tuple(jobs),
        engine=engine,
    )


if __name__ == "__main__":
    main()
