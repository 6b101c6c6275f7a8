"""Promises of an engine: a run is the same run, however often and in how many pieces it is made."""

from __future__ import annotations

import threading
from dataclasses import replace
from functools import cache
from itertools import cycle
from pathlib import Path

import pytest
import torch

from tests.packs import (
    EPOCHS,
    OF_EACH_KIND,
    OF_LOSSES,
    Engine,
    Told,
    Values,
    a_job,
    a_pack,
    a_session,
    hyper_for,
    runs_of_all,
    told,
    two_jobs,
)
from tests.pairwise import pairwise
from tests.toy import Toy
from trainers.engines import open_session
from trainers.events import EpochDone
from trainers.jobs import Pack, Schedule
from trainers.optimizers import BUILT_IN
from trainers.weightings import weighting

OPTIMIZERS = tuple(BUILT_IN)
SCHEDULES = {
    "constant": Schedule(),
    "step": Schedule(kind="step", step_epochs=2, gamma=0.3),
    "cosine": Schedule(kind="cosine"),
}


LEARNED = tuple(name for name in OF_LOSSES if weighting(name).params(hyper_for(name)))
"""Weightings whose parameters the optimiser steps, and keeps a state of."""


def each_resumed() -> list[tuple[str, str, str]]:
    """Learned weightings meet every optimiser and schedule; others, whose states no optimiser
    sees, have one of each."""
    others = [name for name in OF_LOSSES if name not in LEARNED]
    return [
        *pairwise(LEARNED, OPTIMIZERS, SCHEDULES),
        *zip(others, cycle(OPTIMIZERS), cycle(SCHEDULES), strict=False),
    ]


def trained(engine: Engine, pack: Pack, problem: Toy | None = None) -> dict[int, Told]:
    """Train in a fresh session."""
    return told(engine(pack, a_session(problem)))


@cache
def two_trained(engine: Engine, name: str) -> dict[int, Told]:
    """What came of two runs of a weighting, for all tests that look at it."""
    return trained(engine, a_pack(*two_jobs(name)))


def stopped_after(engine: Engine, pack: Pack, epoch: int, problem: Toy) -> dict[int, Told]:
    """Train in a fresh session, and ask it to stop as soon as a run has done `epoch`."""
    asked = threading.Event()
    events = []
    for event in engine(pack, a_session(problem, asked.is_set)):
        events.append(event)
        if isinstance(event, EpochDone) and event.epoch == epoch:
            asked.set()
    return told(events)


def resumed(pack: Pack, stopped: dict[int, Told]) -> Pack:
    """The same pack, going on where each run was left."""
    jobs = []
    for job in pack.jobs:
        saved = stopped[job.run].checkpoints
        jobs.append(replace(job, token=4, resume=(saved[-1].checkpoint,) if saved else ()))
    return replace(pack, jobs=tuple(jobs))


def by_epoch(*parts: dict[int, Told]) -> dict[int, dict[int, Values]]:
    """Run and epoch to values, over all parts of the runs."""
    whole: dict[int, dict[int, Values]] = {}
    for part in parts:
        for run, of_run in part.items():
            whole.setdefault(run, {}).update(of_run.epochs)
    return whole


class RepeatingContract:
    """What makes a run reproducible; an engine's tests give the `engine` fixture."""

    @pytest.fixture
    def engine(self) -> Engine:
        raise NotImplementedError("Override the `engine` fixture in your subclass.")

    @pytest.mark.parametrize(("name", "optimizer", "schedule"), each_resumed())
    def test_stopping_and_resuming_changes_no_bit(
        self, engine: Engine, tmp_path: Path, name: str, optimizer: str, schedule: str
    ) -> None:
        pack = a_pack(
            a_job(1, name, weight_decay=0.01),
            epochs=3,
            checkpoints=tmp_path,
            optimizer=optimizer,
            schedule=SCHEDULES[schedule],
            clip_norm=0.5,
        )
        problem = Toy(dropout=0.25)
        parts = [stopped_after(engine, pack, 1, problem)]
        for epoch in (2, 3):
            parts.append(stopped_after(engine, resumed(pack, parts[-1]), epoch, problem))
        assert [part[1].end.outcome for part in parts] == ["released", "released", "done"]
        assert by_epoch(*parts) == by_epoch(trained(engine, pack, problem))

    def test_pausing_at_every_epoch_changes_no_bit(self, engine: Engine, tmp_path: Path) -> None:
        jobs = runs_of_all()
        pack = a_pack(*jobs.values(), checkpoints=tmp_path)
        parts = [trained(engine, replace(pack, until_epoch=1))]
        for epoch in range(2, EPOCHS + 1):
            going_on = resumed(replace(pack, until_epoch=epoch), parts[-1])
            parts.append(trained(engine, going_on))
        found, whole = by_epoch(*parts), by_epoch(trained(engine, pack))
        assert {job.weighting for run, job in jobs.items() if found[run] != whole[run]} == set()

    @pytest.mark.parametrize("name", OF_EACH_KIND)
    def test_trained_twice_has_the_same_bits(self, engine: Engine, name: str) -> None:
        pack, problem = a_pack(a_job(1, name), epochs=2), Toy(dropout=0.25)
        torch.manual_seed(1)
        first = by_epoch(trained(engine, pack, problem))
        torch.manual_seed(2)  # what others drew before must not matter
        assert by_epoch(trained(engine, pack, problem)) == first

    @pytest.mark.parametrize("name", OF_EACH_KIND)
    def test_other_members_of_the_pack_do_not_matter(self, engine: Engine, name: str) -> None:
        mine, other = two_jobs(name)
        third = replace(other, run=3, address="job 3", lr=0.01)
        of_two = by_epoch(two_trained(engine, name))
        of_three = by_epoch(trained(engine, a_pack(third, other, mine)))
        assert of_three[mine.run] == of_two[mine.run]

    @pytest.mark.parametrize("name", OF_EACH_KIND)
    def test_numbers_of_run_and_attempt_do_not_matter(self, engine: Engine, name: str) -> None:
        mine, other = two_jobs(name)
        renamed = replace(mine, run=90, token=91)
        first = two_trained(engine, name)
        again = trained(engine, a_pack(renamed, other))
        assert again[90].epochs == first[mine.run].epochs

    def test_a_warm_session_changes_no_bit(self, engine: Engine) -> None:
        session = open_session(Toy(dropout=0.25), "cpu")
        pack = a_pack(*two_jobs("rlw"))
        first = by_epoch(told(engine(pack, session)))
        assert by_epoch(told(engine(pack, session))) == first

    @pytest.mark.parametrize("part", ["seed", "address"])
    def test_random_weights_depend_on_their_address(self, engine: Engine, part: str) -> None:
        mine, other = two_jobs("rlw")
        first = two_trained(engine, "rlw")
        if part == "seed":
            changed = trained(engine, a_pack(mine, other, seed=8))
        else:
            changed = trained(engine, a_pack(replace(mine, address="elsewhere"), other))
        weights = "train", "level", "weight"
        assert changed[1].curve(*weights) != first[1].curve(*weights)

    def test_dropout_drops(self, engine: Engine) -> None:
        pack = a_pack(*two_jobs("ew"))
        loss = "train", "level", "loss"
        dropping = trained(engine, pack, Toy(dropout=0.5))[1].curve(*loss)
        assert dropping != two_trained(engine, "ew")[1].curve(*loss)

    def test_dropout_is_new_in_every_epoch(self, engine: Engine) -> None:
        still = a_pack(a_job(1, lr=0.0), a_job(2, lr=0.0), optimizer="sgd", batch_size=12)
        losses = trained(engine, still, Toy(dropout=0.5))[1].curve("train", "level", "loss")
        assert len(set(losses)) == EPOCHS
