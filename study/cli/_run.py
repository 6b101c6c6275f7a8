"""``weighbridge run``: run, resume or extend a study, with live progress."""

from __future__ import annotations

import gc
import os
import signal
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Annotated

import typer

from storage import FINAL, RunState
from study.api import Study as StudyApi
from study.catalogue import preset_hidden
from study.cli._display import Display
from study.cli._doctor import on_network
from study.cli._options import STORAGE, StorageUrl, Study, again
from study.cli._output import (
    counted,
    errors,
    next_step,
    note,
    say,
    say_notices,
)
from study.cli._placing import (
    Checkpoints,
    Device,
    Driver,
    DriverName,
    GpusPerWorker,
    Workers,
    device_of,
    n_workers,
    ray_options,
)
from study.commands import command_line
from study.errors import BadSpec
from study.running.runner import Outcome, Runner

NAME = "run"


def command(
    context: typer.Context,
    study: Study,
    workers: Workers = None,
    device: Device = None,
    driver: Driver = DriverName.LOCAL,
    address: Annotated[
        str | None,
        typer.Option(
            help="Of a Ray cluster: auto, HOST:PORT, ray://HOST:PORT; default: a new one."
        ),
    ] = None,
    cpus_per_worker: Annotated[
        float | None, typer.Option(help="Cores that Ray keeps for a worker; default: 1.")
    ] = None,
    gpus_per_worker: GpusPerWorker = None,
    checkpoints: Checkpoints = None,
    budget: Annotated[
        list[str] | None,
        typer.Option(
            metavar="LIMIT=NUMBER",
            help="Set a limit of [budget]: trials, epochs, device_s, money or wall_s. Repeatable.",
        ),
    ] = None,
    redecide: Annotated[
        bool, typer.Option(help="Take stage decisions again, by all that is known now.")
    ] = False,
    storage: StorageUrl = STORAGE,
) -> None:
    """Run a study, resume it, or extend it. Ctrl-C is safe: finished runs stay finished."""
    go_on = again(context, without=["redecide"])
    ray = ray_options(driver, address, cpus_per_worker, gpus_per_worker)
    opened = StudyApi.open(study, storage=storage)
    if budget:
        opened = opened.with_budget(_limits(budget))
    where = device_of(device, ray)
    display = Display(opened.name)
    if hidden := preset_hidden(study, opened.plan.spec):
        display.note(hidden)
    if (shared := on_network(storage)) is not None:
        display.note(shared.advice)
    try:
        with display, _interruptible() as watch:
            outcome = opened.run(
                workers=workers or n_workers(where, ray, opened.plan.training.data_parallel),
                device=where,
                ray=ray,
                checkpoints=checkpoints,
                redecide=redecide,
                report=display.show,
                say=display.note,
                on_start=lambda runner: _begin(runner, watch),
            )
    except KeyboardInterrupt:
        errors.print(f"Interrupted. Go on with: {command_line(*go_on, storage=storage)}")
        raise typer.Exit(130) from None
    _conclude(go_on, opened, outcome)


def _begin(runner: Runner, watch: list[Runner]) -> None:
    """From now on garbage is collected, without a look at what has been imported."""
    if not gc.get_freeze_count():
        gc.freeze()
    gc.enable()
    watch.append(runner)


def _limits(given: list[str]) -> dict[str, float]:
    """``["epochs=900"]`` as limits by name; unknown names are refused by the spec."""
    limits = {}
    for text in given:
        name, _, number = text.partition("=")
        try:
            limits[name.strip()] = int(number) if number.strip().isdigit() else float(number)
        except ValueError:
            raise BadSpec(
                f"A budget is written as LIMIT=NUMBER. Got {text!r}. Try: --budget epochs=900."
            ) from None
    return limits


def _conclude(go_on: list[str], opened: StudyApi, outcome: Outcome) -> None:
    name, states, storage = opened.name, outcome.states, opened.storage_url
    done, diverged = states.get(RunState.DONE, 0), states.get(RunState.DIVERGED, 0)
    pruned = f"{states[RunState.PRUNED]} pruned, " if RunState.PRUNED in states else ""
    left = sum(n for state, n in states.items() if state not in FINAL)
    say(
        (name, "bold"),
        f": {counted(done, 'run')} done, {diverged} diverged, {pruned}"
        f"{outcome.n_failed} failed, {left} left.",
    )
    say_notices(opened.plan.notices)
    if outcome.n_mismatches:
        note(
            f"{counted(outcome.n_mismatches, 'epoch')}, trained again, came out otherwise than "
            "before: see `mismatched_epochs` in the view attempt_costs."
        )
    for search, reason in outcome.stopped.items():
        note(f"search {search} stopped: {reason}.")
    if outcome.interrupted:
        next_step(*go_on, storage=storage, why="goes on where this stopped")
        raise typer.Exit(130)
    if outcome.limit:
        note(f"{outcome.limit} is used up; raise it and run again.")
    if outcome.n_failed:
        next_step("log", name, storage=storage, why="shows why runs failed")
        raise typer.Exit(1)
    next_step("report", name, "-o", "report.html", storage=storage)


def _leave_terminal() -> None:
    """It has gone: what is printed there would raise. Files and pipes stay."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        if stat.S_ISCHR(
            os.fstat(descriptor).st_mode
        ):  # of a terminal that has gone, no more is known
            os.dup2(nowhere, descriptor)
    os.close(nowhere)


@contextmanager
def _interruptible() -> Iterator[list[Runner]]:
    """First Ctrl-C, SIGTERM or SIGHUP: save and release; a second Ctrl-C or SIGTERM: stop at once.

    Who has said by ``nohup`` that the end of the terminal does not matter is not asked again.
    """
    runners: list[Runner] = []
    asked = False

    def handle(number: int, _frame: FrameType | None) -> None:
        nonlocal asked
        if number == signal.SIGHUP:
            _leave_terminal()
            if asked:
                return  # a shell may repeat it
        if asked or not runners:
            raise KeyboardInterrupt
        asked = True
        errors.print("Stopping at the end of this epoch; press Ctrl-C again to stop at once.")
        runners[0].interrupt()

    wanted = [signal.SIGINT, signal.SIGTERM]
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        wanted.append(signal.SIGHUP)
    before = {number: signal.signal(number, handle) for number in wanted}
    try:
        yield runners
    finally:
        for sig, handler in before.items():
            signal.signal(sig, handler)
