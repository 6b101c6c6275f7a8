"""``weighbridge run``: run, resume or extend a study, with live progress."""

from __future__ import annotations

import gc
import os
import signal
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache, partial
from types import FrameType
from typing import Annotated

import typer

from study.api import Study as StudyApi
from study.catalogue import preset_hidden, renamed_away
from study.cli._display import Display
from study.cli._doctor import on_network
from study.cli._ending import Ending, conclude
from study.cli._mirror import mirror_url, mirrored
from study.cli._options import STORAGE, AsJson, StorageUrl, Study, again, limits_of_words
from study.cli._output import console, errors, json_alone
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
from study.cli._several import INTERRUPTED, each_in_turn, opened_each
from study.commands import command_line
from study.errors import BadSpec
from study.running.runner import Runner

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
            metavar="BUDGET",
            help="Set a limit of [budget]: 8h, 200epochs, trials=90, money=5, wall_s=30min. "
            "Repeatable.",
        ),
    ] = None,
    redecide: Annotated[
        bool, typer.Option(help="Take stage decisions again, by all that is known now.")
    ] = False,
    mirror: Annotated[
        str | None,
        typer.Option(
            metavar="optuna:URL",
            help="Write finished trials into this Optuna database as they come, for "
            "optuna-dashboard.",
        ),
    ] = None,
    storage: StorageUrl = STORAGE,
    as_json: AsJson = False,
) -> None:
    """Run a study, resume it, or extend it. Ctrl-C is safe: finished runs stay finished.

    Studies that one spec asks at once are run one after the other; one that fails keeps no other
    from its turn. With --json, what it says under way goes to standard error, and one object says
    how it ended.
    """
    go_on = again(context, without=["redecide"])
    ray = ray_options(driver, address, cpus_per_worker, gpus_per_worker)
    limits = limits_of_words(budget or [])
    where = device_of(device, ray)
    url = None if mirror is None else mirror_url(mirror, storage)
    with json_alone(as_json):
        several = opened_each(study, storage=storage)
        if several[1:] and as_json:
            raise BadSpec(
                f"--json tells how one study has ended. {study} asks {len(several)} at once. "
                "Leave it out."
            )

    def work(one: StudyApi) -> None:
        opened = one.with_budget(limits) if limits else one
        display = Display(opened.name, to=errors if as_json else console)
        for sentence in _to_know(study, opened):
            display.note(sentence)
        try:
            mirroring = mirrored(opened.name, storage=opened.storage_url, url=url, say=display.note)
            with json_alone(as_json), display, mirroring, _interruptible() as watch:
                outcome = opened.run(
                    workers=workers or n_workers(where, ray, opened.plan.training.data_parallel),
                    device=where,
                    ray=ray,
                    checkpoints=checkpoints,
                    redecide=redecide,
                    report=display.show,
                    say=display.note,
                    on_start=partial(_begin, watch=watch),
                )
        except KeyboardInterrupt:
            errors.print(f"Interrupted. Go on with: {command_line(*go_on, storage=storage)}")
            raise typer.Exit(INTERRUPTED) from None
        conclude(Ending(opened, outcome, go_on, limits, study), as_json=as_json)

    each_in_turn(study, several, work)


def _to_know(typed: str, opened: StudyApi) -> Iterator[str]:
    """What is not as a user might think, before anything begins."""
    if hidden := preset_hidden(typed, opened.plan.spec):
        yield hidden
    if renamed := renamed_away(opened.name, storage=opened.storage_url):
        yield renamed
    if (shared := on_network(opened.storage_url)) is not None:
        yield shared.advice


def _begin(runner: Runner, watch: list[Runner]) -> None:
    """From now on garbage is collected, without a look at what has been imported."""
    _freeze_imported()
    gc.enable()
    watch.append(runner)


@cache
def _freeze_imported() -> None:
    """Once a process: what is garbage by the next time would never go."""
    gc.freeze()


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
