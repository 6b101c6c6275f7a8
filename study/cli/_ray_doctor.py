"""``weighbridge ray doctor``: whether the nodes of a cluster have what workers need."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.text import Text

from storage import database_file
from study.catalogue import find
from study.cli._doctor import database, on_network
from study.cli._options import STORAGE, AsJson, StorageUrl
from study.cli._output import console, next_step, print_json, say, styled, table
from study.drivers import RayOptions
from study.drivers.nodes import (
    HAVE_TO_BE_EQUAL,
    Finding,
    Inspection,
    Node,
    Sight,
    Wanted,
    findings,
    probe_file,
    public,
)
from study.running.checkpoint_path import beside

NAME = "doctor"
_NUMBERS = ("CPUs", "GPUs", "workers")
_SHARED = {None: ("not asked", ""), True: ("shared", "green"), False: ("not shared", "red")}
_FOUND = {True: ("found", "green"), False: ("not found", "red")}


def command(
    study: Annotated[
        str | None,
        typer.Argument(metavar="STUDY", help="Look for the module of its own problem, too."),
    ] = None,
    address: Annotated[
        str | None,
        typer.Option(
            help="Of a Ray cluster: auto, HOST:PORT, ray://HOST:PORT; default: a new one."
        ),
    ] = None,
    cpus_per_worker: Annotated[float, typer.Option(help="Cores that a worker is to have.")] = 1.0,
    gpus_per_worker: Annotated[float, typer.Option(help="GPUs that a worker is to have.")] = 0.0,
    storage: StorageUrl = STORAGE,
    as_json: AsJson = False,
) -> None:
    """Look at every node of a Ray cluster before a study runs there.

    Versions, GPUs, room for workers, the checkpoint folder; and the database, from here. Exit
    code 1 if something is wrong.
    """
    options = RayOptions(
        address=address, cpus_per_worker=cpus_per_worker, gpus_per_worker=gpus_per_worker
    )
    module, folder = _problem(study, storage)
    _, stored, trouble = database(storage)
    checkpoints = beside(database_file(storage))
    with probe_file(checkpoints) as file:
        wanted = Wanted(
            probe=file.path,
            content=file.content,
            module=module,
            folder=folder,
            count_gpus=gpus_per_worker > 0,
        )
        seen = _inspect(options, wanted)
    here = [trouble, _advice(storage), _unwritten(checkpoints, file.trouble)]
    found = [Finding(text=text) for text in here if text]
    found += findings(seen, wanted=wanted, options=options)
    if as_json:
        print_json(_plain(seen, options, stored, found))
    else:
        _show(seen, options, stored, found)
        _conclude(seen, options, found, study or "STUDY", storage)
    if found:
        raise typer.Exit(1)


def _inspect(options: RayOptions, wanted: Wanted) -> Inspection:
    # loads Ray, which takes a second
    from study.drivers.ray_tune.cluster import Cluster
    from study.drivers.ray_tune.inspection import inspect

    return inspect(Cluster(options, workers=1), wanted)


def _problem(study: str | None, storage: str) -> tuple[str | None, str | None]:
    """Module of a problem or function of one's own, and the folder where it may lie besides."""
    if study is None:
        return None, None
    found = find(study, storage=storage)
    function = found.spec.function
    target = found.spec.problem if function is None else function.target
    module, separator, _ = (target or "").partition(":")
    return (module, found.folder) if separator else (None, None)


def _advice(storage: str) -> str:
    shared = on_network(storage)
    return "" if shared is None else shared.advice


def _unwritten(folder: Path, trouble: str) -> str:
    return trouble and (
        f"Checkpoints must be written to {folder}. The driver cannot: {trouble}. Start in a "
        "folder that may be written, or name another --storage."
    )


def _show(seen: Inspection, options: RayOptions, stored: str, found: Sequence[Finding]) -> None:
    versions = ", ".join(f"{name} {seen.driver.packages[name]}" for name in HAVE_TO_BE_EQUAL)
    say(f"driver: {versions}, weighbridge {seen.driver.code}")
    say(f"database: {stored}")
    columns = ("node", *_NUMBERS, *HAVE_TO_BE_EQUAL, "weighbridge", "checkpoints")
    own = any(node.sight and node.sight.has_module is not None for node in seen.nodes)
    rows = table(*columns, *(["problem"] if own else []), right=_NUMBERS)
    for node in seen.nodes:
        rows.add_row(*_cells(node, seen.driver, options))
    console.print(rows)
    for finding in found:
        say(("found", "red"), f" {finding}")


def _conclude(
    seen: Inspection, options: RayOptions, found: Sequence[Finding], study: str, storage: str
) -> None:
    room = sum(node.room(options) for node in seen.nodes)
    said = f"{len(found)} found" if found else "No problems found"
    say(f"{said}. Workers that fit: {room}.")
    if found:
        return
    address = ["--address", options.address] if options.address else []
    ray = ["--driver", "ray", *address, "--workers", str(room)]
    next_step("run", study, *ray, storage=storage)


def _cells(node: Node, driver: Sight, options: RayOptions) -> Iterator[str | Text]:
    """A row of the table; what differs from the driver is red."""
    yield node.name
    yield f"{node.cpus:g}"
    yield _gpus(node)
    yield str(node.room(options))
    if (sight := node.sight) is None:
        yield styled(("no answer", "red"))
        return
    for name in HAVE_TO_BE_EQUAL:
        theirs = sight.packages[name]
        yield _marked(theirs or "none", public(theirs) == public(driver.packages[name]))
    yield _marked(sight.code or "none", sight.code == driver.code)
    yield styled(("not writable", "red") if sight.writes is False else _SHARED[sight.reads])
    if sight.has_module is not None:
        yield styled(_FOUND[sight.has_module])


def _gpus(node: Node) -> str:
    torch = None if node.sight is None else node.sight.gpus
    return f"{node.gpus:g}" if torch in (None, node.gpus) else f"{node.gpus:g} (torch: {torch})"


def _marked(text: str, fits: bool) -> Text:
    return styled((text, "green" if fits else "red"))


def _plain(
    seen: Inspection, options: RayOptions, stored: str, found: Sequence[Finding]
) -> dict[str, Any]:
    """All of it as JSON-ready values."""
    return {
        "driver": asdict(seen.driver),
        "database": stored,
        "room": sum(node.room(options) for node in seen.nodes),
        "nodes": [{**asdict(node), "room": node.room(options)} for node in seen.nodes],
        "findings": [asdict(finding) for finding in found],
    }
