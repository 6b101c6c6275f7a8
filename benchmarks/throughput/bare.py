"""The peer without an orchestrator: two processes, half of the points each, one after the other.

``python -m benchmarks.throughput.bare FOLDER PART [--fused-adam]``
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from benchmarks.throughput.measured import changed
from benchmarks.throughput.workload import Finals, Workload

PARTS = 2
stored = changed("part*.json")


def main(folder: Path, part: int, *, fused_adam: bool) -> None:
    from benchmarks.throughput.training import load, train

    workload = Workload.read(folder / "workload.json")
    loaded = load(workload)
    histories = {
        number: list(train(workload, point, loaded, fused_adam=fused_adam))
        for number, point in enumerate(workload.points)
        if number % PARTS == part
    }
    (folder / f"part{part}.json").write_text(json.dumps(histories))


def commands(folder: Path, workload: Workload, *flags: str) -> list[list[str]]:
    workload.write(folder / "workload.json")
    script = [sys.executable, "-m", "benchmarks.throughput.bare", str(folder)]
    return [[*script, str(part), *flags] for part in range(PARTS)]


def finals(folder: Path, _workload: Workload) -> Finals:
    histories: dict[int, dict[str, float]] = {}
    for part in range(PARTS):
        stored = json.loads((folder / f"part{part}.json").read_text())
        histories |= {int(number): history[-1] for number, history in stored.items()}
    return histories


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), fused_adam="--fused-adam" in sys.argv)
