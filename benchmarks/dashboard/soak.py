"""Does a dashboard that is looked at for long keep anything? ``make soak-dashboard``.

100,000 runs come into a small study while three pages are polled 10,000 times in all. Prints the
server's memory as it goes, and last, beside it, what a new server takes that shows the same pages
of the same study. Fails if the old one takes a tenth more.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.dashboard.asking import poll
from benchmarks.dashboard.growing import add_runs
from benchmarks.dashboard.served import Served, weighbridge
from benchmarks.report_database import MTL, make
from storage import Storage

_PAGES = ("/study/1", "/study/1/trials", "/study/1/workers")
_BATCH, _MORE = 500, 1.1


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=100_000)
    parser.add_argument("--polls", type=int, default=10_000)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "soak.db"
        make(path, MTL, n_runs=1_000, n_epochs=20)
        url = f"sqlite:///{path}"
        with weighbridge(url) as served:
            _soak(served, url, arguments.runs, arguments.polls)
            old_mb = _looked_at(served)
        with weighbridge(url) as served:
            new_mb = _looked_at(served)
    print(f"after {arguments.polls:,} polls {old_mb:.0f} MB, a new server {new_mb:.0f} MB")
    sys.exit(old_mb > _MORE * new_mb)


def _soak(served: Served, url: str, n_runs: int, n_polls: int) -> None:
    storage, began = Storage(url), time.monotonic()
    live = {page: poll(served, page) for page in _PAGES}
    rounds = max(n_runs // _BATCH, 1)
    for number in range(rounds):
        add_runs(storage, _BATCH)
        for _ in range(n_polls // rounds // len(_PAGES)):
            live = {page: poll(served, address) for page, address in live.items()}
        if number % (rounds // 10 or 1) == 0:
            seconds, runs = time.monotonic() - began, (number + 1) * _BATCH
            print(f"{seconds:5.0f} s {runs:8,} runs {served.resident_mb():6.0f} MB", flush=True)
    storage.close()


def _looked_at(served: Served) -> float:
    """Memory once each page has been shown whole, with all there is."""
    for page in _PAGES:
        poll(served, page)
    time.sleep(5.0)
    for page in _PAGES:
        poll(served, page)
    return served.resident_mb()


if __name__ == "__main__":
    main()
