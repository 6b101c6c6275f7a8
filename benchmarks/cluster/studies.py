"""Studies of trivial runs through the Ray driver, and the same trainings without any driver."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from study.api import Study
from study.drivers import RayOptions
from study.outcome import Progress
from study.spec import parse
from trainers.jobs import Job, Pack, ProblemRef, Training

WORKERS = 2
TRIVIAL = "benchmarks.cluster.problems:Trivial"
PACED = "benchmarks.cluster.problems:Paced"
_PACKS = 10_000
_WARM = 500
"""Runs after which the driver's memory is looked at first."""
_RUNS, _EPOCHS = 256, 100
_SPAN_S = """
    SELECT (julianday(max(ended_at)) - julianday(min(started_at))) * 86400.0
    FROM attempts WHERE kind = 'run'
"""


@dataclass(slots=True)
class _Growth:
    """The driver process's memory from the first hundreds of runs to the last."""

    first_mib: float = 0.0
    last_mib: float = 0.0

    def look(self, progress: Progress) -> None:
        self.last_mib = _resident_mib()
        if not self.first_mib and progress.states.get("done", 0) >= _WARM:
            self.first_mib = self.last_mib


def packs() -> tuple[float, float]:
    """Milliseconds of a worker for a pack beside its training, and the growth of the driver in MiB.

    Ten thousand packs of one run of one epoch, through two workers.
    """
    growth = _Growth()
    span_s = _on_ray(TRIVIAL, runs=_PACKS, epochs=1, pack_size=1, growth=growth)
    alone_s = _alone(TRIVIAL, epochs=1, pack_size=1, repeats=_WARM) / _WARM
    return 1_000 * (WORKERS * span_s / _PACKS - alone_s), growth.last_mib - growth.first_mib


def reports() -> float:
    """By how many percent 256 runs that report ten times a second are slower for it."""
    size = _RUNS // WORKERS
    span_s = _on_ray(PACED, runs=_RUNS, epochs=_EPOCHS, pack_size=size, growth=_Growth())
    return 100 * (span_s / _alone(PACED, epochs=_EPOCHS, pack_size=size, repeats=1) - 1)


def _on_ray(problem: str, *, runs: int, epochs: int, pack_size: int, growth: _Growth) -> float:
    """Seconds from the first pack's beginning to the last one's end, by the study database."""
    spec = {
        "name": "trivial",
        "problem": problem,
        "seeds": [0],
        "training": {
            "epochs": epochs,
            "batch_size": 8,
            "optimizer": "sgd",
            "engine": "fused",
            "pack_size": pack_size,
        },
        "baseline": {"metrics": {"sum": {"error": 1.0}}},
        "search": [{"weighting": "ew", "stages": [{"lr": _rates(runs)}]}],
    }
    with tempfile.TemporaryDirectory() as made:
        file = Path(made) / "study.db"
        study = Study(parse(spec, source="the benchmark"), storage=f"sqlite:///{file}")
        study.run(workers=WORKERS, ray=RayOptions(), report=growth.look)
        with closing(sqlite3.connect(file)) as connection:
            (span_s,) = connection.execute(_SPAN_S).fetchone()
    return float(span_s)


def _alone(problem: str, *, epochs: int, pack_size: int, repeats: int) -> float:
    """Seconds of the same packs in as many processes, which tell nobody."""
    command = [sys.executable, "-m", "benchmarks.cluster.studies", problem]
    numbers = [str(number) for number in (epochs, pack_size, repeats)]
    processes = [
        subprocess.Popen([*command, *numbers], stdout=subprocess.PIPE, text=True)
        for _ in range(WORKERS)
    ]
    return max(float(process.communicate()[0]) for process in processes)


def _train(problem: str, epochs: int, pack_size: int, repeats: int) -> float:
    import torch

    from trainers.engines import open_session, train
    from trainers.problems import build

    torch.set_num_threads(1)
    ref = ProblemRef(target=problem)
    jobs = [Job(run=k, token=0, weighting="ew", tasks=("sum",), lr=0.1) for k in range(pack_size)]
    pack = Pack(
        problem=ref,
        training=Training(epochs=epochs, batch_size=8, optimizer="sgd"),
        seed=0,
        until_epoch=epochs,
        jobs=tuple(jobs),
        engine="fused",
    )
    session = open_session(build(ref), "cpu")
    for _ in train(pack, session):  # warm
        pass
    began_s = time.perf_counter()
    for _ in range(repeats):
        for _ in train(pack, session):
            pass
    return time.perf_counter() - began_s


def _rates(n: int) -> list[float]:
    return [round(1e-4 + 1e-6 * number, 6) for number in range(n)]


def _resident_mib() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


if __name__ == "__main__":
    print(_train(sys.argv[1], *map(int, sys.argv[2:])))
