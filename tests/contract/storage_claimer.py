"""A driver in a process of its own: claims and ends runs until none waits, prints their ids.

Run as ``python -m tests.contract.storage_claimer URL PID``.
"""

from __future__ import annotations

import sys

from tests.contract.storage_bench import Bench, end


def main(url: str, pid: int) -> None:
    bench = Bench(url, pid=pid)
    print("ready", flush=True)
    sys.stdin.readline()
    while claims := bench.claim(3):
        bench.storage.record([end(claim) for claim in claims])
        print(*(claim.run for claim in claims), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
