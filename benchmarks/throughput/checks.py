"""Whether all parties trained the same: final values on validation and test, point by point.

A deviation is relative to the value's mean over the points of the bare loop. Parties add in
different orders, and what float32 rounds differently grows from step to step; so single points are
allowed more than means are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

import torch

from benchmarks.throughput.engine import trained
from benchmarks.throughput.parties import BARE, Contest
from benchmarks.throughput.rounds import Measured
from benchmarks.throughput.workload import Finals

MEANS_ALLOWED, SINGLE_ALLOWED = 0.005, 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """How far a party is from the bare loop.

    Attributes:
        n_points: Points compared; of `n_expected`.
        means: Largest deviation of a value's mean over the points.
        single: Largest deviation of a value of one point.
    """

    contest: str
    party: str
    n_points: int
    n_expected: int
    means: float
    single: float

    @property
    def holds(self) -> bool:
        """Whether all points are there and no deviation is more than allowed."""
        within = self.means <= MEANS_ALLOWED and self.single <= SINGLE_ALLOWED
        return self.n_points == self.n_expected and within


def agreements(contests: Sequence[Contest], found: Measured) -> list[Agreement]:
    """All parties and repeats against the bare loop, and our solo engine on two points."""
    made = []
    for contest in contests:
        if BARE not in contest.parties:
            continue
        expected = len(contest.workload.points)
        bare = found.finals[contest.name, BARE][0]
        for party in contest.parties:
            made += [
                _agreement(contest.name, party, finals, bare, expected)
                for finals in found.finals[contest.name, party]
            ]
        outer = [0, expected - 1]
        torch.set_num_threads(1)
        solo = trained(contest.workload, outer, "solo")
        made.append(_agreement(contest.name, "solo engine", solo, bare, len(outer)))
    return made


def _agreement(
    contest: str, party: str, finals: Finals, bare: Finals, n_expected: int
) -> Agreement:
    numbers = sorted(finals.keys() & bare.keys())
    names = next(iter(bare.values()))
    scale = {name: fmean(values[name] for values in bare.values()) for name in names}
    off = {
        name: [(finals[number][name] - bare[number][name]) / scale[name] for number in numbers]
        for name in names
    }
    return Agreement(
        contest=contest,
        party=party,
        n_points=len(finals),
        n_expected=n_expected,
        means=max(abs(fmean(each)) for each in off.values()),
        single=max(abs(value) for each in off.values() for value in each),
    )
