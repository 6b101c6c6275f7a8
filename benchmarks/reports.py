"""How fast the verbs that report are: ``python -m benchmarks.reports``, or ``make bench-reports``.

Makes two study databases of 10,000 finished runs of 20 epochs, one of a problem of three tasks and
one of a training function, and times ``compare``, ``report``, ``export`` and ``status`` on them as
whole commands, the start of the interpreter included. Prints a table and, last, one JSON object of
medians by study and verb: seconds on the clock, and seconds of processor time, which say more where
others use the machine.

``--keep FOLDER`` leaves the databases there, to profile on.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from statistics import median

from benchmarks.report_database import FUNCTION, MTL, make

_RUNS, _EPOCHS, _REPEATS = 10_000, 20, 3
_VERBS = {
    "compare": (),
    "report": ("-o", "report.html"),
    "export": ("-o", "runs.csv"),
    "status": (),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keep", type=Path, metavar="FOLDER")
    parser.add_argument("--runs", type=int, default=_RUNS)
    parser.add_argument("--repeats", type=int, default=_REPEATS)
    arguments = parser.parse_args()
    place = tempfile.TemporaryDirectory() if arguments.keep is None else nullcontext(arguments.keep)
    figures: dict[str, dict[str, float]] = {}
    with place as name:
        folder = Path(name)
        folder.mkdir(parents=True, exist_ok=True)
        for study in (MTL, FUNCTION):
            database = folder / f"{study}.db"
            if not database.exists():
                make(database, study, n_runs=arguments.runs, n_epochs=_EPOCHS)
            for verb in _VERBS:
                timed = [_seconds(folder, study, verb) for _ in range(arguments.repeats)]
                clock, processor = zip(*timed, strict=True)
                figures[f"{study} {verb}"] = {
                    "clock_s": round(median(clock), 2),
                    "processor_s": round(median(processor), 2),
                }
                print(
                    f"{study:7} {verb:8} {_said(clock)}, processor {_said(processor)}", flush=True
                )
    print(json.dumps(figures))


def _said(seconds: Sequence[float]) -> str:
    return f"{median(seconds):6.2f} s ({min(seconds):6.2f} to {max(seconds):6.2f})"


def _seconds(folder: Path, study: str, verb: str) -> tuple[float, float]:
    """Seconds that a whole command takes: on the clock, and of processor time."""
    command = [sys.executable, "-P", "-m", "study.cli", verb, study, *_VERBS[verb]]
    used_s, started_s = _used_s(), time.perf_counter()
    subprocess.run(
        [*command, "--storage", f"sqlite:///{study}.db"],
        cwd=folder,
        check=True,
        stdout=subprocess.DEVNULL,
    )
    return time.perf_counter() - started_s, _used_s() - used_s


def _used_s() -> float:
    """Processor time of all commands that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
