"""Gradient-level weightings beside TorchJD in a bare loop: ``python -m benchmarks.gradients``.

The same steps of one run: by the solo engine, and by hand as TorchJD's documentation has it
(`mtl_backward`, `jac_to_grad`, the optimiser's step), in turns, so that other load on the machine
meets both alike; processor time, one thread. Prints a table and, last, one JSON object; for each
problem and method:

- ``theirs_ms``: of a step by hand, the median of all rounds;
- ``ratio``: our time over theirs, the median of the rounds' ratios; below 1 is faster.

UPGrad and Nash-MTL are left out where TorchJD lacks qpsolvers and ecos, which our extra does not
bring.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from typing import Any

import torch
from torchjd import aggregation
from torchjd.autojac import jac_to_grad, mtl_backward

from trainers.engines import Session, open_session
from trainers.engines.fused.forward import task_functions
from trainers.engines.solo.engine import Solos
from trainers.jobs import Job, Pack, ProblemRef, Training
from trainers.network import build_network
from trainers.problems import build
from trainers.randomness import Key

PEERS: dict[str, Callable[[int], Any]] = {
    "pcgrad": lambda _: aggregation.PCGrad(),
    "gradvac": lambda _: aggregation.GradVac(),
    "graddrop": lambda _: aggregation.GradDrop(),
    "cagrad": lambda _: aggregation.CAGrad(c=0.5),
    "imtl-g": lambda _: aggregation.IMTLG(),
    "mgda": lambda _: aggregation.MGDA(),
    "aligned-mtl": lambda _: aggregation.AlignedMTL(),
    "config": lambda _: aggregation.ConFIG(),
    "fairgrad": lambda _: aggregation.FairGrad(alpha=1.0),
    "pcd": lambda _: aggregation.PCD(),
    "upgrad": lambda _: aggregation.UPGrad(),
    "nash-mtl": aggregation.NashMTL,
}
PROBLEMS: dict[str, dict[str, Any]] = {"digits": {"width": 64}, "multimnist": {}}
Epoch = Callable[[], int]
"""Trains an epoch, and says how many steps that was."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--methods", nargs="+", default=list(PEERS), choices=PEERS)
    parser.add_argument("--problems", nargs="+", default=list(PROBLEMS), choices=PROBLEMS)
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    figures: dict[str, float] = {}
    for problem in chosen.problems:
        ref = ProblemRef(target=problem, options=PROBLEMS[problem])
        session = open_session(build(ref), "cpu")
        for method in chosen.methods:
            found = _compared(ref, session, method, chosen.batch_size, chosen.rounds)
            figures |= {f"{problem}_{method}_{name}": value for name, value in found.items()}
    for name, value in figures.items():
        print(f"{name:36} {value:8.3f}")
    print(json.dumps({**vars(chosen), **figures}))


def _compared(
    ref: ProblemRef, session: Session, method: str, batch_size: int, rounds: int
) -> dict[str, float]:
    try:
        peer = PEERS[method](len(session.problem.card.task_names))
    except ImportError as error:
        print(f"{method} is left out: {error}")
        return {}
    epochs = {
        "ours": _ours(ref, session, method, batch_size),
        "theirs": _theirs(session, peer, batch_size),
    }
    for epoch in epochs.values():
        epoch()
    times = [{who: _step_ms(epoch) for who, epoch in epochs.items()} for _ in range(rounds)]
    return {
        "theirs_ms": round(statistics.median(each["theirs"] for each in times), 3),
        "ratio": round(statistics.median(each["ours"] / each["theirs"] for each in times), 3),
    }


def _step_ms(epoch: Epoch) -> float:
    began_s = time.process_time()
    n_steps = epoch()
    return 1_000 * (time.process_time() - began_s) / n_steps


def _ours(ref: ProblemRef, session: Session, method: str, batch_size: int) -> Epoch:
    tasks = session.problem.card.task_names
    job = Job(run=1, token=1, weighting=method, tasks=tasks, lr=1e-3)
    training = Training(epochs=1_000, batch_size=batch_size)
    pack = Pack(problem=ref, training=training, seed=1, until_epoch=1_000, jobs=(job,))
    runs = Solos(pack, session)
    lockstep = runs.together([runs.opened(job, lambda _: None)])
    return lambda: lockstep.train_epoch()[1]


def _theirs(session: Session, peer: Any, batch_size: int) -> Epoch:
    """As it stands in TorchJD's documentation of multi-task learning."""
    tasks = session.problem.card.task_names
    functions = task_functions(session.problem, tasks)
    network = build_network(session.problem, tasks, Key("1") / "init")
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3)
    source, key = session.sources["train"], Key("1")

    def epoch() -> int:
        n_steps = 0
        for batch in source.batches(torch.randperm(source.size), batch_size, key):
            features = network.trunk(batch.inputs)
            losses = [
                functions[task].loss(network.heads[task](features), batch.targets[task])
                for task in tasks
            ]
            optimizer.zero_grad()
            mtl_backward(losses, features=features)
            jac_to_grad(network.trunk.parameters(), peer)
            optimizer.step()
            n_steps += 1
        return n_steps

    return epoch


if __name__ == "__main__":
    main()
