"""Packs of runs by a function that a test writes, and what is read off their events."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from trainers.events import EpochDone, Event, RunEnded
from trainers.functions import (
    Called,
    FunctionSession,
    Report,
    call,
    train_function,
)
from trainers.jobs import Job, Pack, ProblemRef, Training

Train = Callable[[dict[str, Any], int, Path, Report], Any]
EPOCHS = 5


def falling(params: dict[str, Any], seed: int, folder: Path, report: Report) -> None:
    """A loss that falls; goes on where its own file says."""
    state = folder / "state.json"
    first = json.loads(state.read_text()) + 1 if state.exists() else 1
    for step in range(first, EPOCHS + 1):
        state.write_text(json.dumps(step))
        report(step, {"loss": params["lr"] / step, "test_loss": 2.0 / step})


def trained(
    function: Train,
    folder: Path | None = None,
    *,
    until: int = EPOCHS,
    stopping: bool = False,
    recorded: int = 0,
    jobs: int = 1,
    others: tuple[str, ...] = (),
) -> list[Event]:
    """The events of a pack of runs with the point ``lr = 1``."""
    begun: list[bool] = []

    def beginning(*args: Any) -> Any:
        begun.append(True)
        return function(*args)

    session = FunctionSession(
        Called(beginning, call), "loss", "cpu", lambda: stopping and bool(begun), others=others
    )
    pack = Pack(
        problem=ProblemRef(target="m:f"),
        training=Training(epochs=EPOCHS, batch_size=1),
        seed=7,
        until_epoch=until,
        jobs=tuple(
            Job(
                run=run,
                token=3,
                weighting="function",
                tasks=("f",),
                lr=0.0,
                hyper={"lr": 1.0},
                recorded=recorded,
                key=str(run),
            )
            for run in range(1, jobs + 1)
        ),
        checkpoints=None if folder is None else str(folder),
    )
    return list(train_function(pack, session))


def epochs(events: list[Event]) -> list[int]:
    return [event.epoch for event in events if isinstance(event, EpochDone)]


def ending(events: list[Event]) -> RunEnded:
    (last,) = (event for event in events if isinstance(event, RunEnded))
    assert events[-1] is last
    return last
