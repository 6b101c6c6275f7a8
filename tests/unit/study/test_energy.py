"""The way of energy: from a worker's meter into the costs of attempts."""

from __future__ import annotations

import multiprocessing
import threading
from collections.abc import Sequence
from dataclasses import replace

import pytest

from storage.records import Claim
from study.running.recorder import to_report
from tests.contract.storage_bench import Bench
from tests.packs import a_job, a_pack
from tests.toy import Toy
from trainers.engines import open_session
from trainers.events import CheckpointWritten, EpochDone, Event, PackEnded, RunEnded
from trainers.hardware.energy import EnergyMeter, Unmetered
from trainers.jobs import Pack
from trainers.keeping.output import Printed
from trainers.worker.process import Pipe, serve

LAP_J = 8.0
DEADLINE_S = 60.0
"""A worker that has said nothing for so long is broken: nothing here takes a tenth of it."""


class Even:
    """A meter of which every lap is the same."""

    def __init__(self) -> None:
        self.laps = 0

    def sample(self) -> None:
        pass

    def lap_j(self) -> float:
        self.laps += 1
        return LAP_J


def said_of(pack: Pack, meter: EnergyMeter) -> list[Event]:
    """What a worker says of a pack, by its pipe."""
    here, there = multiprocessing.Pipe()
    pipe = Pipe(there)
    session = open_session(Toy(), "cpu")
    threading.Thread(target=serve, args=(pipe, session, meter, Printed()), daemon=True).start()
    pipe.tasks.put(pack)
    events = []
    while here.poll(DEADLINE_S):
        for event in here.recv():
            if isinstance(event, PackEnded):
                return events
            events.append(event)
    raise AssertionError(f"the worker has fallen silent after {events}")


def trained(claims: Sequence[Claim], meter: EnergyMeter) -> list[Event]:
    jobs = [replace(a_job(claim.run), token=claim.token) for claim in claims]
    return said_of(a_pack(*jobs, epochs=2), meter)


@pytest.fixture
def bench() -> Bench:
    bench = Bench(None)
    bench.plan("a", "b")
    return bench


def energies(bench: Bench, events: Sequence[Event]) -> list[object]:
    """Energy of each run's attempt, after recording."""
    kinds = (EpochDone, CheckpointWritten, RunEnded)
    bench.storage.record([to_report(event) for event in events if isinstance(event, kinds)])
    return [row["energy_j"] for row in bench.view("attempt_costs") if row["run"] is not None]


def test_attempts_add_up_to_what_the_meter_counted(bench: Bench) -> None:
    meter = Even()
    found = energies(bench, trained(bench.claim(2), meter))
    assert sum(found) == pytest.approx(LAP_J * (meter.laps - 1))  # the first was before the pack
    assert all(energy > 0 for energy in found)


def test_what_is_not_measured_is_unknown_rather_than_nothing(bench: Bench) -> None:
    assert energies(bench, trained(bench.claim(2), Unmetered())) == [None, None]
