"""``weighbridge run``: run, resume or extend a study, with live progress."""

from __future__ import annotations

import os
import signal
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from types import FrameType
from typing import Annotated

import typer

from storage import FINAL, RunState
from study.api import Study as StudyApi
from study.cli._again import again
from study.cli._display import Display
from study.cli._file_system import on_network
from study.cli._options import STORAGE, StorageUrl, Study
from study.cli._output import (
    counted,
    errors,
    next_step,
    note,
    say,
    say_notices,
)
from study.commands import command_line
from study.drivers import RayOptions
from study.errors import BadSpec
from study.outcome import Outcome
from study.runner import Runner
from trainers.devices import is_gpu, n_gpus

NAME = "run"


class DriverName(StrEnum):
    """What carries packs to workers."""

    LOCAL = "local"
    RAY = "ray"


def command(
    context: typer.Context,
    study: Study,
    workers: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=1000,
            help="Workers; default: one a core, at most 8, with `--device cuda` one a GPU; fewer "
            "if each is of several processes by `data_parallel`.",
        ),
    ] = None,
    device: Annotated[
        str | None,
        typer.Option(
            help="Device of the workers: cpu, cuda (all GPUs in turn), cuda:1; default: cpu, or "
            "Ray's GPU."
        ),
    ] = None,
    driver: Annotated[
        DriverName, typer.Option(help="Where workers run: processes here, or a Ray cluster.")
    ] = DriverName.LOCAL,
    address: Annotated[
        str | None,
        typer.Option(
            help="Of a Ray cluster: auto, HOST:PORT, ray://HOST:PORT; default: a new one."
        ),
    ] = None,
    cpus_per_worker: Annotated[
        float | None, typer.Option(help="Cores that Ray keeps for a worker; default: 1.")
    ] = None,
    gpus_per_worker: Annotated[
        float | None, typer.Option(help="GPUs that Ray gives to a worker, such as 0.5.")
    ] = None,
    checkpoints: Annotated[
        str | None,
        typer.Option(
            metavar="FOLDER",
            help="Folder or URL (s3://bucket/folder, ...) for checkpoints, for all machines the "
            "same; default: beside the database file.",
        ),
    ] = None,
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
    ray = _ray(driver, address, cpus_per_worker, gpus_per_worker)
    opened = StudyApi.open(study, storage=storage)
    if budget:
        opened = opened.with_budget(_limits(budget))
    where = device if device is not None else ("cuda" if ray and ray.gpus_per_worker else "cpu")
    display = Display(opened.name)
    if (shared := on_network(storage)) is not None:
        display.note(shared.advice)
    try:
        with display, _interruptible() as watch:
            outcome = opened.run(
                workers=workers or _workers(where, ray, opened.plan.training.data_parallel),
                device=where,
                ray=ray,
                checkpoints=checkpoints,
                redecide=redecide,
                report=display.show,
                say=display.note,
                on_start=watch.append,
            )
    except KeyboardInterrupt:
        errors.print(f"Interrupted. Go on with: {command_line(*go_on, storage=storage)}")
        raise typer.Exit(130) from None
    _conclude(go_on, opened, outcome)


def _workers(device: str, ray: RayOptions | None, n_processes: int) -> int:
    """Workers, each of some processes: one a core, and on this machine's GPUs one a GPU."""
    n_devices = min(os.cpu_count() or 1, 8)
    if ray is None and is_gpu(device):
        n_devices = n_gpus() if device == "cuda" else n_processes
    return max(1, n_devices // n_processes)


def _ray(
    driver: DriverName,
    address: str | None,
    cpus_per_worker: float | None,
    gpus_per_worker: float | None,
) -> RayOptions | None:
    """What was said about Ray; None for workers of this machine."""
    if driver is DriverName.RAY:
        return RayOptions(
            address=address,
            cpus_per_worker=1.0 if cpus_per_worker is None else cpus_per_worker,
            gpus_per_worker=gpus_per_worker or 0.0,
        )
    given = {
        "--address": address,
        "--cpus-per-worker": cpus_per_worker,
        "--gpus-per-worker": gpus_per_worker,
    }
    for name, value in given.items():
        if value is not None:
            raise BadSpec(f"{name} is for a Ray cluster. Got it without --driver ray. Add that.")
    return None


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
