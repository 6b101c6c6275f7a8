"""How a worker's messages go down its pipe."""

from __future__ import annotations

import multiprocessing
import sys
import threading
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pytest

from tests.packs import a_job, a_pack
from tests.toy import Toy
from trainers.engines import open_session
from trainers.events import EpochDone, Message, PackEnded, RunEnded, Stop
from trainers.functions import Called, FunctionSession, Report, call
from trainers.hardware.energy import Unmetered
from trainers.jobs import Pack
from trainers.keeping.output import Printed
from trainers.worker import process as worker
from trainers.worker.process import Pipe, serve

DEADLINE_S = 60.0


def test_what_a_stack_tells_at_one_moment_is_one_message() -> None:
    """An epoch of all runs; with the last one, their ends and the pack's."""
    said = messages_of(replace(a_pack(a_job(1), a_job(2), a_job(3), epochs=2), engine="fused"))
    kinds = [[type(event) for event in group] for group in said]
    assert kinds == [[EpochDone] * 3, [EpochDone] * 3 + [RunEnded] * 3 + [PackEnded]]


def test_the_end_of_a_run_that_others_outlast_is_told_at_once() -> None:
    jobs = a_job(1, tasks=("level",)), a_job(2)
    ends = [group[-1] for group in messages_of(replace(a_pack(*jobs, epochs=1), engine="fused"))]
    assert [type(end) for end in ends] == [RunEnded, PackEnded]


@pytest.mark.parametrize("goes_on", [True, False])
def test_a_pack_whose_call_waits_ends_when_it_is_told_how_it_goes_on(goes_on: bool) -> None:
    here, there = multiprocessing.Pipe()
    pipe, session = Pipe(there), FunctionSession(Called(three_steps, call), "loss", "cpu")
    threading.Thread(
        target=serve, args=(pipe, session, Unmetered(), Printed()), daemon=True
    ).start()
    pack = replace(a_pack(a_job(1, tasks=("f",)), epochs=3), waits_at_rung=True)
    pipe.tasks.put(replace(pack, until_epoch=1))
    assert [type(event) for event in heard(here, until=RunEnded)] == [EpochDone, RunEnded]
    pipe.tasks.put(pack if goes_on else Stop())
    rest = [type(event) for event in heard(here, until=PackEnded)]
    assert rest == ([EpochDone, EpochDone, RunEnded] if goes_on else []) + [PackEnded]
    pipe.tasks.put(Stop())  # nothing waits any more
    pipe.tasks.put(pack)
    assert len(heard(here, until=PackEnded)) == 5


def three_steps(params: Any, seed: int, folder: Path, report: Report) -> None:
    for step in (1, 2, 3):
        report(step, {"loss": 1.0})


def test_a_worker_that_does_not_understand_its_driver_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """It would beat on, and take no more packs."""
    here, there = multiprocessing.Pipe()
    monkeypatch.setattr(worker.os, "_exit", sys.exit)
    with here, there, pytest.raises(SystemExit) as ended:
        here.send_bytes(b"no message")
        Pipe(there).listen()
    assert ended.value.code == 1


def messages_of(pack: Pack) -> list[tuple[Message, ...]]:
    """What a worker sends down its pipe over a pack."""
    here, there = multiprocessing.Pipe()
    pipe, session = Pipe(there), open_session(Toy(), "cpu")
    threading.Thread(
        target=serve, args=(pipe, session, Unmetered(), Printed()), daemon=True
    ).start()
    pipe.tasks.put(pack)
    return groups(here, until=PackEnded)


def groups(here: Connection, *, until: type[Message]) -> list[tuple[Message, ...]]:
    """What comes through a pipe, up to a kind of message."""
    said: list[tuple[Message, ...]] = []
    while not said or not isinstance(said[-1][-1], until):
        assert here.poll(DEADLINE_S), f"the worker has fallen silent after {said}"
        said.append(here.recv())
    return said


def heard(here: Connection, *, until: type[Message]) -> list[Message]:
    """The same, message by message."""
    return [message for group in groups(here, until=until) for message in group]
