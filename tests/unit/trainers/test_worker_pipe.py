"""How a worker's messages go down its pipe."""

from __future__ import annotations

import multiprocessing
import threading
from dataclasses import replace

from tests.packs import a_job, a_pack
from tests.toy import Toy
from trainers.energy import Unmetered
from trainers.engines import open_session
from trainers.events import EpochDone, PackEnded
from trainers.worker import Pipe, serve

DEADLINE_S = 60.0


def test_an_epoch_of_all_runs_of_a_stack_is_one_message() -> None:
    here, there = multiprocessing.Pipe()
    pipe, session = Pipe(there), open_session(Toy(), "cpu")
    threading.Thread(target=serve, args=(pipe, session, Unmetered()), daemon=True).start()
    pipe.tasks.put(replace(a_pack(a_job(1), a_job(2), a_job(3), epochs=2), engine="fused"))
    said = []
    while not said or not isinstance(said[-1][-1], PackEnded):
        assert here.poll(DEADLINE_S), f"the worker has fallen silent after {said}"
        said.append(here.recv())
    epochs = [group for group in said if any(isinstance(event, EpochDone) for event in group)]
    assert [[event.run for event in group] for group in epochs] == [[1, 2, 3], [1, 2, 3]]
