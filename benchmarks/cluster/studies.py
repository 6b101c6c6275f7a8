"""Trivial runs through the Ray driver, and the same trainings without any driver."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from study.api import Study
from study.deciding.progress import Progress
from study.drivers import FromWorker, RayOptions
from study.spec.study_spec import parse
from trainers.events import PackEnded, Ready
from trainers.jobs import Job, Pack, ProblemRef, Training

WORKERS = 2
TRIVIAL = "benchmarks.cluster.problems:Trivial"
PACED = "benchmarks.cluster.problems:Paced"
_PACKS, _HANDED = 2_500, 2_000
_WARM = 500
"""Runs after which the driver's memory is looked at first."""
GROWTH_PACKS = _PACKS - _WARM
_RUNS, _EPOCHS = 256, 60
_SLOWEST_S = """
    SELECT max(s) FROM
        (SELECT sum(device_s) AS s FROM attempt_costs WHERE kind = 'run' GROUP BY worker)
"""
"""Of the worker that has worked longest: its pack's time, as its own process has it."""
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Packs:
    """What packs of one trivial run of one epoch take, through two workers.

    Attributes:
        driver_ms: A worker's time for a pack beside its training, from hand to hand: the driver
            alone, without a study.
        study_ms: The same in a study, whose database is written in between.
        growth_mib: Of the study's driver process, over all packs.
    """

    driver_ms: float
    study_ms: float
    growth_mib: float


def packs() -> Packs:
    growth = _Growth()
    span_s = _on_ray(TRIVIAL, _SPAN_S, runs=_PACKS, epochs=1, pack_size=1, growth=growth)
    driver_s = _handed_on_s(_HANDED) / _HANDED
    alone_s = _alone("packs", repeats=_WARM) / _WARM
    return Packs(
        driver_ms=1_000 * (WORKERS * driver_s - alone_s),
        study_ms=1_000 * (WORKERS * span_s / _PACKS - alone_s),
        growth_mib=growth.last_mib - growth.first_mib,
    )


def reports(rounds: int) -> list[float]:
    """By how many percent 256 runs that report ten times a second are slower for it, each round."""
    slower = []
    for _ in range(rounds):
        growth, size = _Growth(), _RUNS // WORKERS
        told_s = _on_ray(
            PACED, _SLOWEST_S, runs=_RUNS, epochs=_EPOCHS, pack_size=size, growth=growth
        )
        slower.append(100 * (told_s / _alone("reports", repeats=1) - 1))
    return slower


def _on_ray(
    problem: str, seconds: str, *, runs: int, epochs: int, pack_size: int, growth: _Growth
) -> float:
    """Seconds that the study database tells of a study, by a query."""
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
            (found_s,) = connection.execute(seconds).fetchone()
    return float(found_s)


def _handed_on_s(n: int) -> float:
    """Seconds of the driver for so many packs, after it is warm."""
    from study.drivers.ray_tune.cluster import Cluster
    from study.drivers.ray_tune.driver import RayDriver

    pack = _pack(TRIVIAL, epochs=1, pack_size=1)
    cluster = Cluster(RayOptions(), workers=WORKERS)
    driver = RayDriver(pack.problem, pack.training, device="cpu", workers=WORKERS, cluster=cluster)
    n_handed, began_s = 0, 0.0
    with closing(driver):
        driver.start()
        while n_handed < _WARM + n:
            for event in driver.poll(1.0):
                if isinstance(event, FromWorker) and isinstance(event.message, Ready | PackEnded):
                    driver.submit(event.worker, pack)
                    n_handed += 1
                    began_s = time.perf_counter() if n_handed == _WARM else began_s
        return time.perf_counter() - began_s


def _alone(what: str, *, repeats: int) -> float:
    """Seconds of a study's packs in as many processes, which tell nobody."""
    command = [sys.executable, "-m", "benchmarks.cluster.studies", what, str(repeats)]
    processes = [
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(WORKERS)
    ]
    return max(float(process.communicate()[0]) for process in processes)


def _train(what: str, repeats: int) -> float:
    import torch

    from trainers.engines import open_session, train
    from trainers.problems import build

    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as made:
        pack = _of_reports(made) if what == "reports" else _pack(TRIVIAL, epochs=1, pack_size=1)
        session = open_session(build(pack.problem), "cpu")
        for _ in train(replace(pack, until_epoch=1), session):  # warm
            pass
        began_s = time.perf_counter()
        for _ in range(repeats):
            for _ in train(pack, session):
                pass
        return time.perf_counter() - began_s


def _of_reports(folder: str) -> Pack:
    """As the study gives it: networks are kept, and a run is trained again to see its bits."""
    pack = _pack(PACED, epochs=_EPOCHS, pack_size=_RUNS // WORKERS)
    jobs = tuple(replace(job, select_by=(("sum", "error", "min"),)) for job in pack.jobs)
    return replace(pack, jobs=jobs, checkpoints=folder, canaries={0: float(WORKERS)})


def _pack(problem: str, *, epochs: int, pack_size: int) -> Pack:
    jobs = [
        Job(run=k, token=0, weighting="ew", tasks=("sum",), lr=rate)
        for k, rate in enumerate(_rates(pack_size))
    ]
    return Pack(
        problem=ProblemRef(target=problem),
        training=Training(epochs=epochs, batch_size=8, optimizer="sgd"),
        seed=0,
        until_epoch=epochs,
        jobs=tuple(jobs),
        engine="fused",
    )


def _rates(n: int) -> list[float]:
    return [round(1e-4 + 1e-6 * number, 6) for number in range(n)]


def _resident_mib() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


if __name__ == "__main__":
    print(_train(sys.argv[1], int(sys.argv[2])))
