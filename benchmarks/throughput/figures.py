"""The table, and what is worked out from it."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from benchmarks.throughput.checks import MEANS_ALLOWED, SINGLE_ALLOWED, Agreement
from benchmarks.throughput.parties import BARE, IMPORT_TORCH, OURS, RAY, Contest
from benchmarks.throughput.rounds import Measured

_CORES = 2
_RATIOS = [("a", BARE), ("a", "optuna"), ("a", RAY), ("a", "ray_reuse"), ("b", BARE), ("c", BARE)]
_HEAD = f"{'':7}{'workload':20}{'points':>7}{'epochs':>7}  {'party':16}{'median s':>9}"


def where() -> str:
    """What the figures depend on besides this code, load average of the last minute included."""
    names = ("torch", "optuna", "ray", "weighbridge")
    parts = {"Python": platform.python_version()} | {name: version(name) for name in names}
    versions = ", ".join(f"{name} {found}" for name, found in parts.items())
    load = os.getloadavg()[0]
    machine = f"{_processor()}, {os.cpu_count()} cores, load average {load:.1f} at the start"
    return f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {platform.system()}, {machine}\n{versions}"


def table(contests: Sequence[Contest], found: Measured, *, ours: str = OURS) -> Iterator[str]:
    """Medians with their range, and how many times faster we are."""
    yield f"{_HEAD}{'fastest':>9}{'slowest':>9}{'repeats':>9}{'to ours':>9}"
    for contest in contests:
        workload = contest.workload
        what = f"{contest.name:7}{contest.title:20}{len(workload.points):7}{workload.epochs:7}"
        for party in contest.parties:
            walls = [spent.wall_s for spent in found.spent[contest.name, party]]
            times = "".join(
                f"{seconds:9.2f}"
                for seconds in (found.wall_s(contest.name, party), min(walls), max(walls))
            )
            compared = BARE in contest.parties
            ratio = f"{_ratio(found, contest.name, party, ours):9.2f}" if compared else ""
            yield f"{what}  {party:16}{times}{len(walls):9}{ratio}"


def agreement_lines(agreements: Sequence[Agreement]) -> Iterator[str]:
    """How far each party is from the bare loop, the worst repeat of each."""
    yield (
        "Final values against the bare loop's, in % of their mean over the points (allowed: means "
        f"{100 * MEANS_ALLOWED:g}, single points {100 * SINGLE_ALLOWED:g}):"
    )
    worst: dict[tuple[str, str], Agreement] = {}
    for each in agreements:
        place = each.contest, each.party
        if place not in worst or (worst[place].holds, -worst[place].single) > (
            each.holds,
            -each.single,
        ):
            worst[place] = each
    for each in worst.values():
        verdict = "agrees" if each.holds else "DIFFERS"
        yield (
            f"{each.contest:7}{each.party:16}{each.n_points:4} of {each.n_expected} points, "
            f"means {100 * each.means:.4f}, single {100 * each.single:.4f}: {verdict}"
        )


def own_figures(contests: Sequence[Contest], found: Measured) -> dict[str, float]:
    """What one more point of (a) costs us, and what starting takes beyond importing torch."""
    sizes = {contest.name: len(contest.workload.points) for contest in contests}
    extra = sizes["larger"] - sizes["a"]
    wall_s = found.wall_s("larger", OURS) - found.wall_s("a", OURS)
    cpu_s = found.cpu_s("larger", OURS) - found.cpu_s("a", OURS)
    return {
        "point_core_ms": 1_000 * _CORES * wall_s / extra,
        "point_cpu_ms": 1_000 * cpu_s / extra,
        "startup_s": found.wall_s("one", OURS) - found.wall_s("one", IMPORT_TORCH),
    }


def ratios(found: Measured) -> dict[str, float | None]:
    """How many times faster we are than each peer; None for one that did not take part."""
    return {
        f"{contest}_vs_{party}": round(_ratio(found, contest, party), 2)
        if (contest, party) in found.spent
        else None
        for contest, party in _RATIOS
    }


def _ratio(found: Measured, contest: str, party: str, ours: str = OURS) -> float:
    return found.wall_s(contest, party) / found.wall_s(contest, ours)


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.machine()
