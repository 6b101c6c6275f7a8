"""How fast the dashboard is, with optuna-dashboard beside it: ``make bench-dashboard``.

Makes a study of 100,000 trials of 20 epochs, and some of 1,000 to 10,000 with the same trials as
studies of Optuna's. Prints what was found beside the goals, and last one JSON object. Where others
use the machine, the shortest times and those of the processor say more than medians.

``--postgres URL`` names an empty PostgreSQL database; without it one is started where its programs
are. ``--quick`` takes a tenth of the trials, to try the benchmark itself; ``--beside-optuna`` only
compares the two.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from playwright.sync_api import Browser

from benchmarks.dashboard import asking, beside, peers
from benchmarks.dashboard.looking import Load, chromium, opened
from benchmarks.dashboard.postgres import server
from benchmarks.dashboard.served import Served, weighbridge
from benchmarks.report_database import MTL, make

_EPOCHS, _MANY = 20, 100_000
_PEERS = (1_000, 3_000, 10_000)
_USEFUL = "#section-facts dd"
_PAIRS = 5


class Table:
    """Lines of what was found, each beside its goal."""

    def __init__(self) -> None:
        self.figures: dict[str, float] = {}

    def add(self, name: str, value: float, unit: str, most: float | None, said: str = "") -> None:
        """A figure that should be at most so much."""
        self._line(name, value, unit, "" if most is None else f"≤ {most:g}", said)

    def add_least(self, name: str, value: float, unit: str, least: float, said: str = "") -> None:
        """A figure that should be at least so much."""
        self._line(name, value, unit, f"≥ {least:g}", said)

    def _line(self, name: str, value: float, unit: str, goal: str, said: str) -> None:
        self.figures[name] = round(value, 2)
        print(f"{name:46} {value:10,.1f} {unit:5} {goal:8} {said}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--postgres", metavar="URL")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--beside-optuna", action="store_true", help="measure nothing else")
    arguments = parser.parse_args()
    many = _MANY // 10 if arguments.quick else _MANY
    sizes = [n // 10 for n in _PEERS] if arguments.quick else _PEERS
    table, began = Table(), time.monotonic()
    print(
        f"{os.cpu_count()} cores, load average {os.getloadavg()[0]:.1f}, Python {sys.version[:6]}"
    )
    with tempfile.TemporaryDirectory() as name, chromium() as browser:
        folder = Path(name)
        for n in sizes:
            _beside_optuna(table, folder, browser, n)
        if not arguments.beside_optuna:
            _alone(table, folder, browser, many, arguments.postgres)
    print(f"{time.monotonic() - began:.0f} s in all")
    print(json.dumps(table.figures))


def _alone(table: Table, folder: Path, browser: Browser, n: int, postgres: str | None) -> None:
    _ours(table, folder, browser, n)
    throughput, processor = beside.lost(folder, browser, pairs=_PAIRS)
    said = beside.said(throughput)
    table.add("throughput lost, 3 browsers", median(throughput), "%", 1, said)
    said = beside.said(processor)
    table.add("more processor time, 3 browsers", median(processor), "%", 1, said)
    with server(folder, postgres) as url:
        if url:
            _on_postgres(table, url, browser, n)
        else:
            print("PostgreSQL: not measured, its programs are not here")


def _ours(table: Table, folder: Path, browser: Browser, n: int) -> None:
    path = folder / "many.db"
    began = time.monotonic()
    make(path, MTL, n_runs=n, n_epochs=_EPOCHS, n_seeds=1)
    print(f"{n:,} trials were made in {time.monotonic() - began:.0f} s")
    url = f"sqlite:///{path}"
    cold = []
    for _ in range(3):
        with weighbridge(url) as served:
            cold.append(opened(browser, served.url + "/study/1", selector=_USEFUL))
    _painted(table, "SQLite, a new server", cold)
    with weighbridge(url) as served:
        table.add("SQLite: verdict after", asking.concluded(served), "s", None)
        warm = [opened(browser, served.url + "/study/1", selector=_USEFUL) for _ in range(3)]
        _painted(table, "SQLite, looked at before", warm)
        _answers(table, "SQLite", served, url)
        own, beside_it = served.memory_mb()
        table.add("SQLite: server's memory", own, "MB", 250, "most of all the time")
        table.add("SQLite: memory of conclusions", beside_it, "MB", None, "a process beside it")


def _painted(table: Table, name: str, loads: list[Load]) -> None:
    paints = [one.paint_ms for one in loads]
    said = f"{min(paints):.0f} to {max(paints):.0f}, {len(loads[0].requests)} requests"
    table.add(f"{name}: first paint", median(paints), "ms", 1_000, said)
    table.add(f"{name}: bytes", max(one.n_bytes for one in loads) / 1e3, "kB", 300, "aim: 120")


def _answers(table: Table, name: str, served: Served, url: str) -> None:
    poll = asking.nothing_new(served, asking.PAGES["study"], 200)
    table.add(f"{name}: poll, nothing new", min(poll.ms), "ms", 5, poll.said)
    table.add(f"{name}: poll, nothing new, body", poll.n_bytes, "B", 100)
    for page, path in asking.PAGES.items():
        delta = asking.something_new(served, path, url, rows=100, n=10)
        table.add(f"{name}: 100 new rows, {page}", min(delta.ms), "ms", 20, delta.said)
        table.add(f"{name}: 100 new rows, {page}, body", delta.n_bytes / 1e3, "kB", 5)
    lists = asking.lists(served, asking.LISTS, 4)
    table.add(f"{name}: trials sorted or filtered", min(lists.ms), "ms", 200, lists.said)
    lists = asking.lists(served, asking.READ_LISTS, 4)
    table.add(f"{name}: trials sorted by a metric or cost", min(lists.ms), "ms", 200, lists.said)


def _beside_optuna(table: Table, folder: Path, browser: Browser, n: int) -> None:
    found = peers.beside(folder, browser, n_trials=n, n_epochs=_EPOCHS)
    load, theirs, whole = found.load, found.their_load, found.whole
    of = f"{n:,} trials"
    late = "" if theirs.came else ", and was not there then"
    table.add_least(
        f"{of}: first load faster than Optuna's",
        theirs.done_ms / load.done_ms, "x", 10,
        f"{load.done_ms:.0f} and {theirs.done_ms:,.0f} ms{late}",
    )  # fmt: skip
    table.add_least(
        f"{of}: first load smaller",
        found.their_bytes / load.n_bytes, "x", 20,
        f"{load.n_bytes / 1e3:.0f} and {found.their_bytes / 1e3:,.0f} kB",
    )  # fmt: skip
    table.add(
        f"{of}: Optuna's trials without a browser", whole.processor_ms / 1e3, "s", None,
        f"processor, {min(whole.ms) / 1e3:.1f} s by the clock, {whole.n_bytes / 1e3:,.0f} kB",
    )  # fmt: skip
    table.add_least(
        f"{of}: poll with a new trial faster",
        min(found.their_poll.ms) / min(found.poll.ms), "x", 10,
        f"{found.poll.said}; {found.their_poll.said}",
    )  # fmt: skip
    table.add_least(
        f"{of}: poll with a new trial smaller",
        found.their_poll.n_bytes / found.poll.n_bytes, "x", 20,
        f"{found.poll.n_bytes} and {found.their_poll.n_bytes} B",
    )  # fmt: skip


def _on_postgres(table: Table, url: str, browser: Browser, n: int) -> None:
    make(url, MTL, n_runs=n, n_epochs=_EPOCHS, n_seeds=1, with_values=False)
    with weighbridge(url) as served:
        cold = opened(browser, served.url + "/study/1", selector=_USEFUL)
        _painted(table, "PostgreSQL, a new server", [cold])
        _answers(table, "PostgreSQL", served, url)


if __name__ == "__main__":
    main()
