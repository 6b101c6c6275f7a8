"""How fast the verbs that report are: ``python -m benchmarks.reports``, or ``make bench-reports``.

Makes two study databases of 10,000 finished runs of 20 epochs, one of a problem of three tasks and
one of a training function, and times ``compare``, ``report``, ``export`` and ``status`` on them as
whole commands. Prints a table and, last, one JSON object of seconds by study and verb.

``--keep FOLDER`` leaves the databases there, to profile on.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
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
    figures: dict[str, float] = {}
    with place as name:
        folder = Path(name)
        folder.mkdir(parents=True, exist_ok=True)
        for study in (MTL, FUNCTION):
            database = folder / f"{study}.db"
            if not database.exists():
                make(database, study, n_runs=arguments.runs, n_epochs=_EPOCHS)
            for verb in _VERBS:
                timed = [_seconds(folder, study, verb) for _ in range(arguments.repeats)]
                figures[f"{study} {verb}"] = median(timed)
                said = f"{min(timed):6.2f} to {max(timed):6.2f}"
                print(f"{study:10} {verb:10} {median(timed):6.2f} s  ({said})", flush=True)
    print(json.dumps({name: round(value, 2) for name, value in figures.items()}))


def _seconds(folder: Path, study: str, verb: str) -> float:
    """Seconds that a whole command takes."""
    command = [sys.executable, "-P", "-m", "study.cli", verb, study, *_VERBS[verb]]
    started_s = time.perf_counter()
    subprocess.run(
        [*command, "--storage", f"sqlite:///{study}.db"],
        cwd=folder,
        check=True,
        stdout=subprocess.DEVNULL,
    )
    return time.perf_counter() - started_s


if __name__ == "__main__":
    main()
