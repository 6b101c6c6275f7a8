"""Workers' events become records: epochs are held back a little, endings are not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from storage import RunState
from storage.records import CheckpointRecord, Ending, EpochRecord, Recorded, Rejected, Report
from study.running.recorder import RecordBuffer, to_report
from trainers.events import CheckpointWritten, EpochDone, RunEnded, Seconds
from trainers.jobs import Checkpoint

SECONDS = Seconds(train_s=2.0, validation_s=1.0)
EPOCH = EpochDone(
    run=1,
    token=2,
    epoch=3,
    values=(("validation", "left", "error", 0.5),),
    seconds=SECONDS,
    samples=8,
    grad_evals=4,
)
SAVED = CheckpointWritten(
    run=1,
    token=2,
    checkpoint=Checkpoint(path="a.pt", epoch=3),
    size_bytes=9,
    seconds=SECONDS,
)


def ended(outcome: Any, reason: str = "") -> RunEnded:
    failure = reason.split(":", 1)[0]
    return RunEnded(
        run=1,
        token=2,
        outcome=outcome,
        epoch=3,
        seconds=SECONDS,
        reason=reason,
        failure=failure,
    )


class Ledger:
    """Keeps what is written; refuses every report of one run."""

    def __init__(self, refused: int = 0) -> None:
        self.batches: list[Sequence[Report]] = []
        self._refused = refused

    def record(self, reports: Sequence[Report]) -> Recorded:
        self.batches.append(reports)
        refused = [r for r in reports if r.run == self._refused]
        return Recorded(rejected=[Rejected(run=r.run, token=r.token) for r in refused])


class Clock:
    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def ledger() -> Ledger:
    return Ledger()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def buffer(ledger: Ledger, clock: Clock) -> RecordBuffer:
    return RecordBuffer(ledger, clock=clock)  # type: ignore[arg-type]


def test_epochs_are_held_back_for_a_second(buffer: RecordBuffer, clock: Clock) -> None:
    buffer.add(EPOCH)
    clock.now_s = 0.9
    assert not buffer.due()
    clock.now_s = 1.0
    assert buffer.due()


def test_the_second_counts_from_the_oldest(buffer: RecordBuffer, clock: Clock) -> None:
    buffer.add(EPOCH)
    clock.now_s = 0.9
    buffer.add(EPOCH)
    clock.now_s = 1.0
    assert buffer.due()


def test_an_ending_is_due_at_once_in_one_batch_with_its_epochs(
    buffer: RecordBuffer, ledger: Ledger
) -> None:
    buffer.add(EPOCH)
    buffer.add(ended("done"))
    assert buffer.due()
    buffer.flush()
    assert ledger.batches == [[to_report(EPOCH), to_report(ended("done"))]]


def test_nothing_is_written_where_nothing_is_new(buffer: RecordBuffer, ledger: Ledger) -> None:
    assert not buffer.due()
    assert buffer.flush() == Recorded()
    assert ledger.batches == []


def test_what_is_written_once_is_not_written_again(buffer: RecordBuffer, ledger: Ledger) -> None:
    buffer.add(EPOCH)
    buffer.flush()
    buffer.flush()
    assert len(ledger.batches) == 1


def test_refused_reports_are_named(clock: Clock) -> None:
    buffer = RecordBuffer(Ledger(refused=1), clock=clock)  # type: ignore[arg-type]
    buffer.add(EPOCH)
    assert buffer.flush().rejected == [Rejected(run=1, token=2)]


def test_an_epoch_keeps_its_values_and_costs() -> None:
    report = to_report(EPOCH)
    assert isinstance(report, EpochRecord)
    assert (report.run, report.token, report.epoch, report.values) == (1, 2, 3, EPOCH.values)
    assert (report.spent.train_s, report.spent.validation_s) == (2.0, 1.0)
    assert (report.spent.samples, report.spent.grad_evals) == (8, 4)


def test_an_ending_keeps_the_cost_of_the_epoch_that_diverged() -> None:
    event = replace(ended("diverged"), samples=8, grad_evals=4, flops=2.0)
    spent = to_report(event).spent
    assert (spent.samples, spent.grad_evals, spent.flops) == (8, 4, 2.0)


def test_a_checkpoint_keeps_its_path() -> None:
    report = to_report(SAVED)
    assert isinstance(report, CheckpointRecord)
    assert (report.path, report.epoch, report.size_bytes) == ("a.pt", 3, 9)


def test_energy_is_kept_where_it_is_measured() -> None:
    events = [EPOCH, SAVED, ended("done")]
    assert [to_report(event).spent.energy_j for event in events] == [None] * 3
    measured = [replace(event, energy_j=0.5) for event in events]
    assert [to_report(event).spent.energy_j for event in measured] == [0.5] * 3


@pytest.mark.parametrize(
    ("outcome", "state", "failure"),
    [
        ("done", RunState.DONE, None),
        ("diverged", RunState.DIVERGED, None),
        ("paused", RunState.PAUSED, None),
        ("released", RunState.WAITING, "ValueError"),
        ("failed", RunState.FAILED, "ValueError"),
    ],
)
def test_an_ending_leads_to_a_state(outcome: str, state: RunState, failure: str | None) -> None:
    report = to_report(ended(outcome, "ValueError: too small"))
    assert isinstance(report, Ending)
    assert (report.state, report.failure, report.epoch) == (state, failure, 3)
