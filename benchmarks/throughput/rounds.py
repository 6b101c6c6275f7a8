"""Measures all contests in turn, round after round, so that a slow minute hits every party."""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.throughput.measured import Spent, measured
from benchmarks.throughput.parties import PARTIES, Contest
from benchmarks.throughput.workload import Finals

Entry = tuple[str, str]
"""Names of a contest and of a party."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What all rounds gave."""

    spent: dict[Entry, list[Spent]] = field(default_factory=lambda: defaultdict(list))
    finals: dict[Entry, list[Finals]] = field(default_factory=lambda: defaultdict(list))

    def wall_s(self, contest: str, party: str) -> float:
        """Median of the repeats."""
        return statistics.median(spent.wall_s for spent in self.spent[contest, party])

    def cpu_s(self, contest: str, party: str) -> float:
        """Median of the repeats."""
        return statistics.median(spent.cpu_s for spent in self.spent[contest, party])


def measure(contests: Sequence[Contest], *, rounds: int, limit_s: float) -> Measured:
    """Run all rounds, or as many as will end within the limit; the first one always."""
    found, began_s = Measured(), time.perf_counter()
    for number in range(rounds):
        entries = [
            (contest, party)
            for contest in contests
            for party in contest.parties
            if number < (PARTIES[party].rounds or rounds)
        ]
        if number:
            expected_s = sum(found.wall_s(contest.name, party) for contest, party in entries)
            if time.perf_counter() - began_s + expected_s > limit_s:
                _say(f"No time is left for round {number + 1} of {rounds}.")
                break
        for contest, party in entries:
            _add(found, contest, party)
    return found


def _add(found: Measured, contest: Contest, name: str) -> None:
    party, entry = PARTIES[name], (contest.name, name)
    # A short name: Ray puts sockets there, and the path of a socket may have 107 letters.
    with tempfile.TemporaryDirectory(prefix="wb", ignore_cleanup_errors=True) as made:
        folder = Path(made)
        spent = measured(party.commands(folder, contest.workload), folder, stored=party.stored)
        if party.finals is not None:
            found.finals[entry].append(party.finals(folder, contest.workload))
    found.spent[entry].append(spent)
    _say(f"{contest.name:7}{name:16}{spent.wall_s:8.1f} s")


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
