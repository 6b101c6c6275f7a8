"""What the quickstart study costs, and where its time goes: ``python -m benchmarks.demo``.

Prints a table and, last, one JSON object:

- ``study_s``, ``report_s``: wall time of ``weighbridge run`` and ``weighbridge report``;
- ``busy_pct``: share of the workers' time, between the first one's readiness and the last run's
  end, that attempts account for;
- ``driver_pct``: processor time of the driver's process while the study runs (recording, planning,
  claims, progress), as a share of training time: an upper bound of what recording costs;
- ``checkpoint_pct``: time that workers spend on checkpoints, as a share of training time;
- ``help_s``, ``plan_s``: median of five ``weighbridge --help`` and ``weighbridge plan``.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path
from typing import Any

from storage import Reader

COMMAND = [sys.executable, "-m", "study.cli"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--study", default="quickstart")
    parser.add_argument("--workers", type=int, default=2)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/bench.db"
        report = str(Path(folder) / "report.html")
        study, storage = arguments.study, ["--storage", url]
        figures: dict[str, float] = {
            "help_s": _median_s([*COMMAND, "--help"]),
            "plan_s": _median_s([*COMMAND, "plan", study, *storage]),
        }
        run = [*COMMAND, "run", study, "--workers", str(arguments.workers), *storage]
        figures["study_s"], driver_s = _measured(run)
        figures |= _shares(url, study, arguments.workers, driver_s)
        figures["report_s"], _ = _measured([*COMMAND, "report", study, "-o", report, *storage])
    rounded = {name: round(value, 2) for name, value in figures.items()}
    for name, value in rounded.items():
        print(f"{name:16} {value:10.2f}")
    print(json.dumps({"study": study, **rounded}))


def _median_s(command: list[str]) -> float:
    return statistics.median(_measured(command)[0] for _ in range(5))


def _measured(command: list[str]) -> tuple[float, float]:
    """Wall time, and processor time of the process itself without its workers."""
    started_s = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    cpu_s = 0.0
    while process.poll() is None:
        cpu_s = _cpu_s(process.pid) or cpu_s
        time.sleep(0.02)
    if process.returncode:
        sys.exit(f"{' '.join(command)} ended with {process.returncode}")
    return time.perf_counter() - started_s, cpu_s


def _cpu_s(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _shares(url: str, study: str, workers: int, driver_s: float) -> dict[str, float]:
    rows = _attempts(url, study)
    ready = min(row["started"] for row in rows if row["kind"] == "startup")
    runs = [row for row in rows if row["kind"] == "run"]
    last = max(row["ended"] for row in runs)
    available_s = workers * (last - ready).total_seconds()
    train_s = sum(row["train_s"] for row in runs)
    return {
        "busy_pct": 100 * sum(row["device_s"] for row in runs) / available_s,
        "driver_pct": 100 * driver_s / train_s,
        "checkpoint_pct": 100 * sum(row["checkpoint_s"] for row in runs) / train_s,
    }


def _attempts(url: str, study: str) -> list[dict[str, Any]]:
    reader = Reader(url)
    columns, rows = reader.view("attempt_costs", study)
    reader.close()
    made = [dict(zip(columns, row, strict=True)) for row in rows]
    for row in made:
        for name in ("started", "ended"):
            row[name] = row[name] and datetime.fromisoformat(str(row[name]))
    return made


if __name__ == "__main__":
    main()
