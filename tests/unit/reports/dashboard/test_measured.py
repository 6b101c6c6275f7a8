"""Columns that are read when asked for hold what is true at last, whatever changes meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pytest

from reports.dashboard.following import measured
from reports.dashboard.following.measured import Measure, Measured
from reports.dashboard.following.mirror import Mirror
from storage import StorageError
from storage.records import Changes
from tests.unit.reports.dashboard.test_mirror import a_run

ENERGY = Measure("energy_j")
PATIENT_S = 60.0


class Source:
    """Runs that have energies, and a reader of them that may be away."""

    def __init__(self) -> None:
        self.mirror, self.lock = Mirror(), threading.Lock()
        self.energies: dict[int, float] = {}
        self.reads: list[int] = []
        self.away = False
        self.found = Measured(self.mirror, self.lock, self._read)

    def change(self, **energies: float) -> None:
        """Runs that are new or have changed, by ``run_1`` and the like."""
        numbers = {int(name.removeprefix("run_")): value for name, value in energies.items()}
        self.energies |= numbers
        with self.lock:
            runs = tuple(a_run(number) for number in numbers)
            self.mirror.apply(Changes(cursor=f"{self.mirror.version}", runs=runs))

    def values(self, of: Measure = ENERGY) -> list[float]:
        self.found.ask([of], within_s=PATIENT_S)
        with self.lock:
            return self.found.values(of).tolist()

    def unread(self, of: Measure = ENERGY) -> int:
        with self.lock:
            return self.found.unread(of)

    def _read(self, measure: Measure, runs: Sequence[int]) -> Mapping[int, float]:
        if self.away:
            raise StorageError("The database is away.")
        self.reads.append(len(runs))
        return {run: self.energies[run] for run in runs if run in self.energies}


@pytest.fixture
def source() -> Iterator[Source]:
    source = Source()
    source.change(run_1=0.1, run_3=0.3, run_6=0.6)
    yield source
    source.found.end()


def test_only_what_has_changed_is_read_again(source: Source) -> None:
    assert source.values() == [0.1, 0.3, 0.6]
    source.change(run_3=3.0, run_9=9.0)
    assert source.unread() == 2
    assert source.values() == [0.1, 3.0, 0.6, 9.0]
    assert source.values() == [0.1, 3.0, 0.6, 9.0]
    assert source.reads == [3, 2]


def test_it_is_read_in_blocks_and_each_is_told(
    source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measured, "_AT_ONCE", 2)
    assert source.values() == [0.1, 0.3, 0.6]
    assert (source.reads, source.found.number) == ([2, 1], 2)


def test_a_mirror_that_begins_anew_is_read_anew(source: Source) -> None:
    source.values()
    with source.lock:
        source.mirror.begin()
    source.change(run_6=6.0, run_1=1.0)
    assert source.values() == [6.0, 1.0]


def test_what_cannot_be_read_is_said_and_tried_again(source: Source) -> None:
    source.away = True
    assert np.isnan(source.values()).all()
    assert (source.found.trouble, source.unread()) == ("The database is away.", 3)
    assert source.found.number == 1  # who follows looks again
    source.away = False
    assert source.values() == [0.1, 0.3, 0.6]
    assert source.found.trouble == ""


def test_few_columns_are_kept(source: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measured, "_MOST", 2)
    for name in ("flops", "samples", "energy_j"):
        source.values(Measure(name))
    assert [source.unread(Measure(name)) for name in ("energy_j", "samples")] == [0, 0]
    assert source.unread(Measure("flops")) == 3


def test_who_asks_in_the_end_does_not_wait(source: Source) -> None:
    source.found.end()
    source.found.ask([ENERGY], within_s=PATIENT_S)
    assert source.unread() == 3
