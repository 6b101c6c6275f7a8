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
from study.drivers.node_checks import (
    HAVE_TO_BE_EQUAL,
    Finding,
    findings,
    marker_file,
    public,
    room,
)
from study.drivers.node_report import NodeQuery, NodeReport
from study.running.checkpoint_path import beside

NAME = "doctor"
_NUMBERS = ("CPUs", "GPUs", "workers")
_SHARED = {None: ("not asked", ""), True: ("shared", "green"), False: ("not shared", "red")}
_FOUND = {True: ("found", "green"), False: ("not found", "red")}


def command(
    study: Annotated[
        str | None,
        typer.Argument(
            metavar="STUDY",
            help="Look for the modules of its own problem, trainer and the like, too.",
        ),
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
    modules, folder = _own_modules(study, storage)
    _, stored, trouble = database(storage)
    checkpoints = beside(database_file(storage))
    with marker_file(checkpoints) as marker:
        query = NodeQuery(
            marker=marker.path,
            content=marker.content,
            modules=modules,
            folder=folder,
            count_gpus=gpus_per_worker > 0,
        )
        driver, nodes = _inspect(options, query)
    here = [trouble, _advice(storage), _unwritten(checkpoints, marker.trouble)]
    found = [Finding(text=text) for text in here if text]
    found += findings(driver, nodes, query=query, options=options)
    if as_json:
        print_json("ray.doctor", _plain(driver, nodes, options, stored, found))
    else:
        say(f"database: {stored}")
        fitting = _show(driver, nodes, options, found)
        if not found:
            given = ["--address", address] if address else []
            ray = ["--driver", "ray", *given, "--workers", str(fitting)]
            next_step("run", study or "STUDY", *ray, storage=storage)
    if found:
        raise typer.Exit(1)


def _inspect(options: RayOptions, query: NodeQuery) -> tuple[NodeReport, list[NodeReport]]:
    # loads Ray, which takes a second
    from study.drivers.ray_tune.cluster import Cluster
    from study.drivers.ray_tune.inspection import inspect

    return inspect(Cluster(options, workers=1), query)


def _own_modules(study: str | None, storage: str) -> tuple[tuple[str, ...], str | None]:
    """Modules of one's own that a study names, and the folder where they may lie besides."""
    if study is None:
        return (), None
    found = find(study, storage=storage)
    return found.spec.own_modules, found.folder


def _advice(storage: str) -> str:
    shared = on_network(storage)
    return "" if shared is None else shared.advice


def _unwritten(folder: Path, trouble: str) -> str:
    return trouble and (
        f"Checkpoints must be written to {folder}. The driver cannot: {trouble}. Start in a "
        "folder that may be written, or name another --storage."
    )


def _show(
    driver: NodeReport,
    nodes: Sequence[NodeReport],
    options: RayOptions,
    found: Sequence[Finding],
) -> int:
    """Print a table, a row a node, and what was found; returns how many workers fit."""
    versions = ", ".join(f"{name} {driver.packages[name]}" for name in HAVE_TO_BE_EQUAL)
    say(f"driver: {versions}, weighbridge {driver.code}")
    columns = ["node", *_NUMBERS, *HAVE_TO_BE_EQUAL, "weighbridge", "checkpoints"]
    if any(node.missing_modules is not None for node in nodes):
        columns.append("modules")
    rows = table(*columns, right=_NUMBERS)
    for node in nodes:
        rows.add_row(*_cells(node, driver, options))
    console.print(rows)
    for finding in found:
        say(("found", "red"), f" {finding}")
    fitting = sum(room(node, options) for node in nodes)
    said = f"{len(found)} found" if found else "No problems found"
    say(f"{said}. Workers that fit: {fitting}.")
    return fitting


def _plain(
    driver: NodeReport,
    nodes: Sequence[NodeReport],
    options: RayOptions,
    stored: str,
    found: Sequence[Finding],
) -> dict[str, Any]:
    """All of it as JSON-ready values."""
    rooms = [room(node, options) for node in nodes]
    return {
        "driver": asdict(driver),
        "database": stored,
        "room": sum(rooms),
        "nodes": [asdict(node) | {"room": n} for node, n in zip(nodes, rooms, strict=True)],
        "findings": [asdict(finding) for finding in found],
    }


def _cells(node: NodeReport, driver: NodeReport, options: RayOptions) -> Iterator[str | Text]:
    """A row of the table; what differs from the driver is red."""
    yield node.name
    yield f"{node.cpus:g}"
    seen = "" if node.torch_gpus in (None, node.gpus) else f" (torch: {node.torch_gpus})"
    yield f"{node.gpus:g}{seen}"
    yield str(room(node, options))
    if node.trouble:
        yield styled(("no answer", "red"))
        return
    for name in HAVE_TO_BE_EQUAL:
        theirs = node.packages[name]
        yield _marked(theirs or "none", public(theirs) == public(driver.packages[name]))
    yield _marked(node.code or "none", node.code == driver.code)
    yield styled(("not writable", "red") if node.writes is False else _SHARED[node.reads])
    if node.missing_modules is not None:
        yield styled(_FOUND[not node.missing_modules])


def _marked(text: str, fits: bool) -> Text:
    return styled((text, "green" if fits else "red"))
