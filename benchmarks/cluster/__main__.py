"""What the Ray driver costs, beside stock Ray Tune in the same run: `python -m benchmarks.cluster`.

- ``grid``: the 36-point grid of ``benchmarks.throughput`` through ``weighbridge run --driver ray``,
  Ray Tune with reused actors, and a plain loop in two processes, in turns. (Ray Tune as its
  documentation shows it takes two minutes and a half: `make bench` has it.)
- ``packs``: packs of one run of one epoch through two workers: what handing one on costs a worker
  beside its training, by the driver alone and in a study; and by how much that study's process
  grows.
- ``reports``: 256 runs at once that report ten times a second: by how much that slows them, beside
  the same packs in processes that tell nobody, in turns.

It prints the tables of ``docs/performance.md``. The last line is one JSON object; ratios above 1
mean that we are faster.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from statistics import median

from benchmarks.cluster.studies import GROWTH_PACKS, packs, reports
from benchmarks.throughput import workloads
from benchmarks.throughput.checks import Agreement, agreements
from benchmarks.throughput.figures import agreement_lines, where
from benchmarks.throughput.parties import BARE, OURS_ON_RAY, RAY_REUSE, Contest
from benchmarks.throughput.rounds import Measured, measure

_PARTS = ("grid", "packs", "reports")
_LIMIT_S = 5 * 60
_PARTIES = {
    OURS_ON_RAY: "**`weighbridge run --driver ray`**",
    RAY_REUSE: "Ray Tune with reused actors",
    BARE: "plain PyTorch loop, two processes",
}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=3, help="interleaved repeats (3)")
    parser.add_argument("--only", nargs="+", choices=_PARTS, default=_PARTS)
    arguments = parser.parse_args()
    figures: dict[str, float] = {}
    compared: list[Agreement] = []
    lines = [where(), ""]
    if "grid" in arguments.only:
        found, compared = _grid(arguments.rounds)
        figures["vs_ray_reuse"] = _ratio(found, RAY_REUSE)
        figures["vs_bare"] = _ratio(found, BARE)
        lines += [*_grid_table(found), "", *agreement_lines(compared), ""]
    lines += ["| what | found | goal |", "|---|---|---|"]
    if "packs" in arguments.only:
        handed = packs()
        figures["ms_per_pack"] = round(handed.driver_ms, 1)
        figures["study_ms_per_pack"] = round(handed.study_ms, 1)
        figures["driver_growth_mib"] = round(handed.growth_mib, 1)
        lines += [
            f"| handing on a pack, by the driver alone | {handed.driver_ms:.1f} ms | 20 ms |",
            "| the same in a study, which writes its database in between "
            f"| {handed.study_ms:.1f} ms | |",
            f"| growth of its driver over {GROWTH_PACKS:,} packs | {handed.growth_mib:.1f} MiB | |",
        ]
    if "reports" in arguments.only:
        slower = reports(arguments.rounds)
        figures["report_overhead_pct"] = round(median(slower), 1)
        lines.append(
            "| 256 runs that report ten times a second, beside the same that tell nobody "
            f"| {median(slower):+.1f} % ({min(slower):+.1f} to {max(slower):+.1f}) | +5 % |"
        )
    print("\n".join(lines))
    print(json.dumps(figures))
    sys.exit(not all(each.holds for each in compared))


def _grid(rounds: int) -> tuple[Measured, list[Agreement]]:
    grid = workloads.measured().grid
    contest = Contest(name="a", title="digits, MLP", workload=grid, parties=tuple(_PARTIES))
    found = measure([contest], rounds=rounds, limit_s=_LIMIT_S)
    return found, agreements([contest], found)


def _grid_table(found: Measured) -> Iterator[str]:
    yield "| party | seconds | fastest to slowest | repeats | times ours |"
    yield "|---|---|---|---|---|"
    for party, title in _PARTIES.items():
        walls = [spent.wall_s for spent in found.spent["a", party]]
        spread = f"{min(walls):.1f} to {max(walls):.1f}"
        times = "" if party == OURS_ON_RAY else f"{_ratio(found, party):.2f}"
        yield f"| {title} | {median(walls):.1f} | {spread} | {len(walls)} | {times} |"


def _ratio(found: Measured, party: str) -> float:
    return round(found.wall_s("a", party) / found.wall_s("a", OURS_ON_RAY), 2)


if __name__ == "__main__":
    main()
