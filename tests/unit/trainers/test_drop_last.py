"""`drop_last` leaves out a last batch that is not whole, in every engine."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch

from tests.packs import a_job, a_pack, told
from tests.toy import Toy
from trainers.engines import one_epoch, open_session, train
from trainers.errors import TaskMismatch
from trainers.events import EpochDone
from trainers.jobs import Training
from trainers.randomness import Key

TRAINING = Training(epochs=2, batch_size=5, optimizer="sgd", drop_last=True)
"""Of twelve samples, two whole batches."""


@pytest.mark.parametrize("engine", ["solo", "fused"])
def test_an_epoch_is_of_whole_batches(engine: Any) -> None:
    pack = replace(a_pack(a_job(1), a_job(2)), training=TRAINING, until_epoch=2, engine=engine)
    events = list(train(pack, open_session(Toy(), "cpu")))
    epochs = [event for event in events if isinstance(event, EpochDone)]
    assert {(event.grad_evals, event.samples) for event in epochs} == {(2, 10)}
    assert {run.end.outcome for run in told(events).values()} == {"done"}


def test_what_is_left_out_changes_with_the_epoch() -> None:
    session, key = open_session(Toy(), "cpu"), Key("1")
    kept = [one_epoch.order(session, TRAINING, key, epoch).tolist() for epoch in range(1, 9)]
    assert {len(order) for order in kept} == {10}
    assert len({frozenset(order) for order in kept}) > 1


def test_without_it_the_last_batch_is_what_is_left() -> None:
    session, training = open_session(Toy(), "cpu"), replace(TRAINING, drop_last=False)
    sizes = [len(batch.inputs) for batch in one_epoch.batches(session, training, Key("1"), 1)]
    assert sizes == [5, 5, 2]


def test_whole_batches_are_the_same_with_and_without_it() -> None:
    session = open_session(Toy(), "cpu")
    all_of_it, whole = (
        list(one_epoch.batches(session, replace(TRAINING, drop_last=drop), Key("1"), 1))
        for drop in (False, True)
    )
    assert len(whole) == 2
    for one, other in zip(all_of_it[:2], whole, strict=True):
        assert torch.equal(one.inputs, other.inputs)


def test_an_epoch_without_a_whole_batch_is_refused() -> None:
    session = open_session(Toy(), "cpu")
    with pytest.raises(TaskMismatch, match=r"12 training samples and `batch_size = 13`: none"):
        one_epoch.n_steps(session, replace(TRAINING, batch_size=13))
