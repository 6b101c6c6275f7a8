"""How fast a whole grid is, against its peers: ``python -m benchmarks.throughput``.

All parties train the same points with two processes of one thread; their final values are compared.
Time runs from the first process's start to the last stored result: the last change of the files
that hold them, or what our database says of the last run's end, as its file changes once more when
it is closed. What is printed are medians of interleaved repeats:

- ``ours``: ``weighbridge run`` in an empty folder with a new database, calibration included;
- ``engine_alone``: our fused engine in two processes, without plan, database and calibration;
- ``bare``: a plain PyTorch loop without an orchestrator; ``bare_fused_adam`` with ``fused=True``;
- ``optuna``: GridSampler on SQLite; ``ray``: Ray Tune as documented; ``ray_reuse``: with actors
  that are used again. All of them train with the bare loop's code.

Below the table, what one more point of (a) costs us: seconds of the command times two cores
(``point_core_ms``) and processor time (``point_cpu_ms``); and ``startup_s``, a study of one run of
one epoch less ``import torch``. The last line is one JSON object of ratios: above 1, we are faster.
It exits with 1 if the parties' values differ.
"""

from __future__ import annotations

import argparse
import json
import sys

from benchmarks.throughput import workloads
from benchmarks.throughput.checks import agreements
from benchmarks.throughput.figures import agreement_lines, own_figures, ratios, table, where
from benchmarks.throughput.parties import RAY, contests
from benchmarks.throughput.rounds import measure

_LIMIT_S = 24 * 60


def main() -> None:
    arguments = _arguments()
    sizes = workloads.tiny() if arguments.tiny else workloads.measured()
    planned = contests(sizes, without=[RAY] if arguments.quick else [])
    once = arguments.quick or arguments.tiny
    place = where()
    found = measure(planned, rounds=1 if once else arguments.rounds, limit_s=_LIMIT_S)
    compared = agreements(planned, found)
    print(place)
    for line in (*table(planned, found), "", *agreement_lines(compared), ""):
        print(line)
    for name, value in own_figures(planned, found).items():
        print(f"{name:16}{value:10.2f}")
    print(json.dumps(ratios(found)))
    sys.exit(not all(each.holds for each in compared))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=3, help="interleaved repeats (3)")
    parser.add_argument("--quick", action="store_true", help="one repeat, without `ray`")
    parser.add_argument(
        "--tiny", action="store_true", help="a few points and epochs: times mean nothing"
    )
    return parser.parse_args()


if __name__ == "__main__":
    main()
