"""Packs of toy runs that are trained by several processes."""

from __future__ import annotations

import multiprocessing
import socket
from collections.abc import Callable, Sequence
from dataclasses import replace
from queue import Queue
from typing import Any

import torch

from tests.packs import Told, told
from tests.toy import Toy
from trainers.engines import open_session, train
from trainers.engines.solo import group
from trainers.engines.solo.parallel import follow
from trainers.events import Event
from trainers.jobs import Pack

MakeProblem = Callable[[int], Any]
_PATIENCE_S = 60.0


def plain_toy(_rank: int) -> Toy:
    return Toy()


def trained(
    packs: Sequence[Pack], *, size: int, problem: MakeProblem = plain_toy
) -> list[dict[int, Told]]:
    """What came of some packs, trained one after the other in double precision.

    Args:
        size: Number of processes.
        problem: Makes the problem of each process; a function of a module.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])  # torch is imported once, and no thread is forked
    answers: Any = context.Queue()
    port = _free_port()
    processes = [
        context.Process(
            target=_process, args=(rank, size, port, packs, problem, answers), daemon=True
        )
        for rank in range(size)
    ]
    for process in processes:
        process.start()
    try:
        return [told(answers.get(timeout=_PATIENCE_S)) for _ in packs]
    finally:
        for process in processes:
            process.kill()
            process.join()


def _process(
    rank: int,
    size: int,
    port: int,
    packs: Sequence[Pack],
    problem: MakeProblem,
    answers: Queue[list[Event]],
) -> None:
    torch.set_num_threads(1)
    torch.set_default_dtype(torch.float64)
    store = torch.distributed.TCPStore(
        "127.0.0.1", port, is_master=rank == 0, wait_for_workers=False
    )
    session = open_session(problem(rank), "cpu")
    all_of_us = group.join(store, rank=rank, size=size, device=session.device)
    session = replace(session, group=all_of_us)
    if rank:
        follow(session, all_of_us)
    for pack in packs:
        answers.put(list(train(pack, session)))


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
