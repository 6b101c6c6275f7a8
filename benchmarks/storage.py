"""How fast the study database is: ``python -m benchmarks.storage [--postgres URL]``.

Everything runs through `Storage`, as drivers use it, on a new SQLite file; Optuna's RDBStorage does
the same work on a file beside it. Prints a table and, last, one JSON object:

- ``claims_per_s``, ``claims_per_s_4``: runs claimed and completed a second, one run a claim and two
  transactions a run, by one process and by four;
- ``rows_per_s``: metric rows written a second;
- ``claim_p99_ms_100k``: 99th percentile of a claim's time in a study of 100,000 runs;
- ``optuna_trials_per_s``: trials asked for and completed a second by one process.

The recorder's lines show 1,000 workers that send 2,000 epochs a second of 3 tasks with 4 values
each: the share of the time it is busy (from 100 % on its queue grows) and the longest batch.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sqlite3
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import optuna

from benchmarks.storage_driver import Driver, plan

_PAIRS = 3_000
_MANY = 100_000
_SECONDS = 5.0
_EPOCHS_PER_S, _RECORDED_S = 2_000, 10
_POSTGRES = "WEIGHBRIDGE_TEST_POSTGRES"

Figures = dict[str, float]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--postgres", default=os.environ.get(_POSTGRES), metavar="URL")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        figures = _all(Path(folder))
    if arguments.postgres:
        figures |= _recorder("postgres", arguments.postgres)
    print(_where())
    for name, value in figures.items():
        print(f"{name:28} {value:12,.2f}")
    told = ("claims_per_s", "claims_per_s_4", "rows_per_s", "claim_p99_ms_100k")
    print(json.dumps({name: round(figures[name], 2) for name in (*told, "optuna_trials_per_s")}))


def _where() -> str:
    """What the figures depend on besides this code."""
    load, cores = os.getloadavg()[0], os.cpu_count()
    parts = {"Python": platform.python_version(), "SQLite": sqlite3.sqlite_version}
    parts |= {name: version(name) for name in ("sqlalchemy", "optuna", "psycopg")}
    named = ", ".join(f"{name} {found}" for name, found in parts.items())
    machine = f"{platform.system()} {platform.machine()}, {cores} cores, load average {load:.1f}"
    return f"{datetime.now(UTC):%Y-%m-%d}, {machine}; {named}"


def _all(folder: Path) -> Figures:
    return {
        "claims_per_s": _claims_per_s(_url(folder, "one"), processes=1),
        "claims_per_s_4": _claims_per_s(_url(folder, "four"), processes=4),
        "optuna_trials_per_s": _optuna_trials_per_s(_url(folder, "optuna")),
        "rows_per_s": _rows_per_s(_url(folder, "rows")),
        **_claims_among_many(_url(folder, "many")),
        **_recorder("sqlite", _url(folder, "recorder")),
    }


def _url(folder: Path, name: str) -> str:
    return f"sqlite:///{folder / name}.db"


def _claims_per_s(url: str, *, processes: int) -> float:
    """Processes begin together and go on until no run waits."""
    plan(url, _PAIRS)
    command = [sys.executable, "-m", "benchmarks.storage_driver", url]
    drivers = [
        subprocess.Popen(
            [*command, str(number)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for number in range(processes)
    ]
    for driver in drivers:
        if driver.stdout is None or driver.stdout.readline() != "ready\n":
            sys.exit("A driver of the benchmark did not start.")
    began_s = time.perf_counter()
    for driver in drivers:
        if driver.stdin is not None:
            driver.stdin.write("go\n")
            driver.stdin.flush()
    counts = [int(driver.communicate()[0]) for driver in drivers]
    if sum(counts) != _PAIRS:
        sys.exit(f"{_PAIRS} runs were planned and {sum(counts)} were trained.")
    return _PAIRS / (time.perf_counter() - began_s)


def _optuna_trials_per_s(url: str) -> float:
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(storage=url)
    began_s, n = time.perf_counter(), 0
    while time.perf_counter() - began_s < _SECONDS:
        study.tell(study.ask(), 0.0)
        n += 1
    return n / (time.perf_counter() - began_s)


def _rows_per_s(url: str) -> float:
    plan(url, 1_000)
    with Driver(url) as driver:
        claims = driver.claim(1_000)
        began_s, rows = time.perf_counter(), 0
        for epoch in range(1, 21):
            rows += driver.record_epochs(claims, epoch)
        return rows / (time.perf_counter() - began_s)


def _claims_among_many(url: str) -> Figures:
    plan(url, _MANY)
    with Driver(url) as driver:
        times_ms = []
        for _ in range(1_000):
            began_s = time.perf_counter()
            claims = driver.claim(1)
            times_ms.append(1_000 * (time.perf_counter() - began_s))
            driver.complete(claims)
    times_ms.sort()
    return {"claim_p50_ms_100k": times_ms[500], "claim_p99_ms_100k": times_ms[990]}


def _recorder(name: str, url: str) -> Figures:
    """Each second the recorder writes what 1,000 workers have sent since."""
    plan(url, 1_000, study=f"recorder {time.time_ns()}")
    with Driver(url) as driver:
        claims = driver.claim(1_000)
        began_s, batches_s = time.perf_counter(), []
        for second in range(1, _RECORDED_S + 1):
            time.sleep(max(0.0, began_s + second - time.perf_counter()))
            start_s = time.perf_counter()
            for half in range(_EPOCHS_PER_S // 1_000):
                driver.record_epochs(claims, second * _EPOCHS_PER_S // 1_000 + half)
            batches_s.append(time.perf_counter() - start_s)
    return {
        f"recorder_busy_pct_{name}": 100 * sum(batches_s) / _RECORDED_S,
        f"recorder_longest_s_{name}": max(batches_s),
    }


if __name__ == "__main__":
    main()
