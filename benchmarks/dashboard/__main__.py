"""How fast the dashboard is, with optuna-dashboard beside it: ``make bench-dashboard``.

Makes a study of 100,000 trials of 20 epochs, and one of 10,000 with the same trials as a study of
Optuna's. Prints what was found beside the goals, and last one JSON object. Where others use the
machine, the shortest times and those of the processor say more than medians.

``--postgres URL`` names an empty PostgreSQL database; without it one is started where its programs
are. ``--quick`` takes a tenth of the trials, to try the benchmark itself.
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

from benchmarks.dashboard import asking, beside, optunas
from benchmarks.dashboard.looking import CURVES, Load, chromium, opened
from benchmarks.dashboard.postgres import server
from benchmarks.dashboard.served import Served, optuna_dashboard, weighbridge
from benchmarks.report_database import MTL, make

_EPOCHS, _MANY, _PEERS = 20, 100_000, 10_000
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
    arguments = parser.parse_args()
    many = _MANY // 10 if arguments.quick else _MANY
    peers = _PEERS // 10 if arguments.quick else _PEERS
    table, began = Table(), time.monotonic()
    print(
        f"{os.cpu_count()} cores, load average {os.getloadavg()[0]:.1f}, Python {sys.version[:6]}"
    )
    with tempfile.TemporaryDirectory() as name, chromium() as browser:
        folder = Path(name)
        _ours(table, folder, browser, many)
        _beside_optuna(table, folder, browser, peers)
        throughput, processor = beside.lost(folder, browser, pairs=_PAIRS)
        table.add(
            "throughput lost, 3 browsers", median(throughput), "%", 1, beside.said(throughput)
        )
        table.add(
            "more processor time, 3 browsers", median(processor), "%", 1, beside.said(processor)
        )
        with server(folder, arguments.postgres) as url:
            if url:
                _on_postgres(table, url, browser, many)
            else:
                print("PostgreSQL: not measured, its programs are not here")
    print(f"{time.monotonic() - began:.0f} s in all")
    print(json.dumps(table.figures))


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
    """Theirs counts until its data has come, ours until its curves are drawn."""
    ours, theirs = folder / "ours.db", folder / "theirs.db"
    make(ours, MTL, n_runs=n, n_epochs=_EPOCHS, n_seeds=1)
    optunas.make(theirs, n_trials=n, n_epochs=_EPOCHS)
    url = f"sqlite:///{ours}"
    with weighbridge(url) as served:
        asking.concluded(served)
        first = [opened(browser, served.url + "/study/1", selector=CURVES) for _ in range(3)]
        poll = asking.something_new(served, asking.PAGES["study"], url, rows=1, n=5)
    with optuna_dashboard(f"sqlite:///{theirs}") as served:
        served.get("/api/studies/1?after=0")  # both have been looked at before
        address = served.url + "/dashboard/studies/1"
        their_first = [opened(browser, address, answer="/api/studies/1?") for _ in range(2)]
        their_poll = _their_poll(served, theirs, n)
    load_ms, their_load_ms = (min(one.done_ms for one in loads) for loads in (first, their_first))
    n_bytes, their_bytes = (max(one.n_bytes for one in loads) for loads in (first, their_first))
    of = f"{n:,} trials"
    table.add_least(
        f"{of}: first load faster than Optuna's",
        their_load_ms / load_ms, "x", 10, f"{load_ms:.0f} and {their_load_ms:.0f} ms",
    )  # fmt: skip
    table.add_least(
        f"{of}: first load smaller",
        their_bytes / n_bytes, "x", 20, f"{n_bytes / 1e3:.0f} and {their_bytes / 1e3:,.0f} kB",
    )  # fmt: skip
    table.add_least(
        f"{of}: poll with a new trial faster",
        min(their_poll.ms) / min(poll.ms), "x", 10, f"{poll.said}; {their_poll.said}",
    )  # fmt: skip
    table.add_least(
        f"{of}: poll with a new trial smaller",
        their_poll.n_bytes / poll.n_bytes, "x", 20, f"{poll.n_bytes} and {their_poll.n_bytes} B",
    )  # fmt: skip


def _their_poll(served: Served, path: Path, n: int) -> asking.Asked:
    """As their page does: it says how many finished trials it has."""
    answers, processor_s = [], 0.0
    for more in range(3):
        optunas.add_trial(path)
        time.sleep(11.0)  # so long they answer from what they have
        used_s = served.processor_s()
        answers.append(served.get(f"/api/studies/1?after={n + more}"))
        processor_s += served.processor_s() - used_s
    return asking.summed(answers, processor_s)


def _on_postgres(table: Table, url: str, browser: Browser, n: int) -> None:
    make(url, MTL, n_runs=n, n_epochs=_EPOCHS, n_seeds=1, with_values=False)
    with weighbridge(url) as served:
        cold = opened(browser, served.url + "/study/1", selector=_USEFUL)
        _painted(table, "PostgreSQL, a new server", [cold])
        _answers(table, "PostgreSQL", served, url)


if __name__ == "__main__":
    main()
