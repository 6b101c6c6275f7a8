"""When a slot sends on what its workers say."""

from __future__ import annotations

import pytest

from study.drivers.ray_tune.outbox import Outbox
from trainers.events import (
    Beat,
    Calibrated,
    EpochDone,
    Message,
    OpenFailed,
    PackEnded,
    Ready,
    RunEnded,
    Seconds,
)


def epoch(number: int) -> EpochDone:
    return EpochDone(
        run=1, token=1, epoch=number, values=(), seconds=Seconds(), samples=1, grad_evals=1
    )


@pytest.fixture
def outbox() -> Outbox:
    """One that has sent at second 10."""
    outbox = Outbox()
    outbox.put(0, Beat())
    assert outbox.is_due(10.0), "the first word waits for nothing"
    outbox.take(10.0)
    return outbox


def test_nothing_is_never_due(outbox: Outbox) -> None:
    assert not outbox.is_due(1e9)


def test_epochs_and_beats_wait_for_a_second(outbox: Outbox) -> None:
    outbox.put(0, epoch(1))
    outbox.put(0, Beat())
    assert not outbox.is_due(10.99)
    assert outbox.is_due(11.0)


@pytest.mark.parametrize(
    "message",
    [
        Ready(startup_s=1.0, environment={}, network=None),
        OpenFailed("no data"),
        RunEnded(run=1, token=1, outcome="done", epoch=1, seconds=Seconds()),
        PackEnded(),
        Calibrated(shapes=(), seconds=1.0),
    ],
    ids=lambda message: type(message).__name__,
)
def test_what_the_driver_acts_on_goes_at_once_with_all_before_it(
    outbox: Outbox, message: Message
) -> None:
    outbox.put(0, epoch(1))
    outbox.put(0, message)
    assert outbox.is_due(10.0)
    assert outbox.take(10.0) == {0: [epoch(1), message]}
    outbox.put(0, epoch(2))
    assert not outbox.is_due(10.5)


def test_messages_keep_their_order_and_their_worker(outbox: Outbox) -> None:
    for worker, number in ((0, 1), (1, 1), (0, 2)):
        outbox.put(worker, epoch(number))
    assert outbox.take(11.0) == {0: [epoch(1), epoch(2)], 1: [epoch(1)]}
    assert outbox.take(11.0) == {}
