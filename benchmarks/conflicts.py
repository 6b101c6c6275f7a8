"""What comparing gradients adds to training an MLP: ``python -m benchmarks.conflicts``.

Epochs of runs with `gradients = { every = 5, samples = 8 }` and without, in turns, so that other
load on the machine meets both alike; processor time, one thread, batches of 64, on both engines.
Prints a table and, last, one JSON object; for each problem and engine:

- ``step_ms``: of a step without, the median of all rounds; of a stack, of all its runs together;
- ``added``: the time added as a share of that, the median of the rounds' shares; 0.5 is half as
  much again.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from typing import Any

import torch

from trainers.engines import Session, open_session
from trainers.engines.fused.engine import Stacks
from trainers.engines.segment import Team
from trainers.engines.solo.engine import Solos
from trainers.gradients import GradientDiagnostics
from trainers.jobs import Job, Pack, ProblemRef, Training
from trainers.problems import build

PROBLEMS: dict[str, dict[str, Any]] = {"digits": {"width": 64}, "multimnist": {}}
N_RUNS = {"solo": 1, "fused": 16}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--problems", nargs="+", default=list(PROBLEMS), choices=PROBLEMS)
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    figures: dict[str, float] = {}
    for problem in chosen.problems:
        ref = ProblemRef(target=problem, options=PROBLEMS[problem])
        session = open_session(build(ref), "cpu")
        for engine in N_RUNS:
            found = _compared(ref, session, engine, chosen.rounds)
            figures |= {f"{problem}_{engine}_{name}": value for name, value in found.items()}
    for name, value in figures.items():
        print(f"{name:28} {value:8.3f}")
    print(json.dumps({**vars(chosen), **figures}))


def _compared(ref: ProblemRef, session: Session, engine: str, rounds: int) -> dict[str, float]:
    teams = {asked: _team(ref, session, engine, asked) for asked in (None, GradientDiagnostics())}
    for team in teams.values():
        _step_ms(team)
    without, with_it = zip(
        *([_step_ms(team) for team in teams.values()] for _ in range(rounds)), strict=True
    )
    shares = [b / a - 1 for a, b in zip(without, with_it, strict=True)]
    return {
        "step_ms": round(statistics.median(without), 3),
        "added": round(statistics.median(shares), 3),
    }


def _team(
    ref: ProblemRef, session: Session, engine: str, asked: GradientDiagnostics | None
) -> Team:
    tasks = session.problem.card.task_names
    jobs = tuple(
        Job(run=run, token=1, weighting="ew", tasks=tasks, lr=1e-3)
        for run in range(1, 1 + N_RUNS[engine])
    )
    training = Training(epochs=1_000, batch_size=64)
    pack = Pack(
        problem=ref, training=training, seed=1, until_epoch=1_000, jobs=jobs, gradients=asked
    )
    if engine == "solo":
        runs = Solos(pack, session)
        return runs.together([runs.opened(job, lambda _: None) for job in jobs])
    stacks = Stacks(tasks, pack, session)
    return stacks.together([stacks.opened(job, lambda _: None) for job in jobs])


def _step_ms(team: Team) -> float:
    began_s = time.process_time()
    _, n_steps = team.train_epoch()
    team.conflicts()
    return 1_000 * (time.process_time() - began_s) / n_steps


if __name__ == "__main__":
    main()
