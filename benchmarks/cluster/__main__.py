"""What the Ray driver costs, beside stock Ray Tune in the same run: `python -m benchmarks.cluster`.

- The 36-point grid of ``benchmarks.throughput`` through ``weighbridge run --driver ray``, Ray Tune
  with reused actors, Ray Tune as documented, and a plain loop in two processes.
- Packs of one run of one epoch through two workers: what handing one on costs a worker beside its
  training, by the driver alone and in a study of ten thousand; and by how much that study's process
  grows.
- 256 runs at once that report ten times a second: by how much that slows their training.

The last line is one JSON object; ratios above 1 mean that we are faster.
"""

from __future__ import annotations

import argparse
import json
import sys

from benchmarks.cluster.studies import packs, reports
from benchmarks.throughput import workloads
from benchmarks.throughput.checks import agreements
from benchmarks.throughput.figures import agreement_lines, table, where
from benchmarks.throughput.parties import BARE, OURS_ON_RAY, RAY, RAY_REUSE, Contest
from benchmarks.throughput.rounds import Measured, measure

_LIMIT_S = 15 * 60


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=2, help="interleaved repeats of the grid (2)")
    rounds = parser.parse_args().rounds
    contest = Contest(
        name="a",
        title="digits, MLP",
        workload=workloads.measured().grid,
        parties=(OURS_ON_RAY, RAY_REUSE, RAY, BARE),
    )
    place = where()
    found = measure([contest], rounds=rounds, limit_s=_LIMIT_S)
    compared = agreements([contest], found)
    handed = packs()
    figures = {
        "vs_ray_reuse": _ratio(found, RAY_REUSE),
        "vs_ray": _ratio(found, RAY),
        "ms_per_pack": round(handed.driver_ms, 2),
        "report_overhead_pct": round(reports(), 2),
        "driver_growth_mib": round(handed.growth_mib, 1),
    }
    print(place)
    for line in (*table([contest], found, ours=OURS_ON_RAY), "", *agreement_lines(compared), ""):
        print(line)
    print(f"study_ms_per_pack   {handed.study_ms:8.2f}\n")
    print(json.dumps(figures))
    sys.exit(not all(each.holds for each in compared))


def _ratio(found: Measured, party: str) -> float:
    return round(found.wall_s("a", party) / found.wall_s("a", OURS_ON_RAY), 2)


if __name__ == "__main__":
    main()
