"""Whether the nodes of a cluster are fit for a study: what is wrong with what they report."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from storage.wording import counted
from study.drivers.node_report import NodeQuery, NodeReport
from study.drivers.options import RayOptions

HAVE_TO_BE_EQUAL = ("python", "ray", "torch")
"""Packages of which the nodes have the versions of the driver."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something that is wrong, with the way out.

    Attributes:
        nodes: Where; empty for the cluster as a whole, or the driver.
    """

    text: str
    nodes: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{', '.join(self.nodes)}: {self.text}" if self.nodes else self.text


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkerFile:
    """A file in the checkpoint folder, by which nodes show that they have the driver's disk.

    Nobody else can know its content.

    Attributes:
        path: None if it could not be written.
        trouble: Why not.
    """

    path: str | None = None
    content: str = ""
    trouble: str = ""


@contextmanager
def marker_file(folder: Path) -> Iterator[MarkerFile]:
    """Write it; at the end it is gone, and the folder too unless it was there before."""
    made = [place for place in (folder, *folder.parents) if not place.exists()]
    content = secrets.token_hex(16)
    path = folder / f".marker-{content[:8]}"
    try:
        yield _written(path, content)
    finally:
        with suppress(OSError):  # a study may have begun to write there
            path.unlink(missing_ok=True)
            for place in made:
                place.rmdir()


def _written(path: Path, content: str) -> MarkerFile:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    except OSError as error:
        return MarkerFile(trouble=error.strerror or str(error))
    return MarkerFile(path=str(path), content=content)


def room(node: NodeReport, options: RayOptions) -> int:
    """Workers that fit on a node while it does nothing else."""
    most = _times(node.cpus, options.cpus_per_worker)
    if options.gpus_per_worker >= 1:
        return min(most, _times(node.gpus, options.gpus_per_worker))
    if options.gpus_per_worker > 0:  # a share is one of one GPU
        return min(most, int(node.gpus) * _times(1.0, options.gpus_per_worker))
    return most


def findings(
    driver: NodeReport, nodes: Sequence[NodeReport], *, query: NodeQuery, options: RayOptions
) -> list[Finding]:
    """One finding for all nodes of which the same is to be said.

    Nodes where no worker has room, such as a head that trains nothing, may be as they are.
    """
    fitting = [node for node in nodes if room(node, options)]
    where: dict[str, list[str]] = {}
    for node in fitting:
        for text in _of_node(node, driver, query, options):
            where.setdefault(text, []).append(node.name)
    found = [Finding(text=text, nodes=tuple(names)) for text, names in where.items()]
    return found if fitting else [Finding(text=_no_room(options))]


def _of_node(
    node: NodeReport, driver: NodeReport, query: NodeQuery, options: RayOptions
) -> Iterator[str]:
    if node.trouble:
        yield f"Nothing is known of it: {node.trouble}. Look at its raylet's log."
        return
    yield from _versions(node, driver)
    if options.gpus_per_worker:
        yield from _gpus(node)
    yield from _checkpoints(node, query)
    beside = f" or into {query.folder}, under that path" if query.folder else ""
    for module in node.missing_modules or ():
        yield (
            f"Workers do not find the module `{module}` of the study. Install its package "
            f"there{beside}."
        )


def _versions(node: NodeReport, driver: NodeReport) -> Iterator[str]:
    for name in HAVE_TO_BE_EQUAL:
        here, there = driver.packages[name], node.packages[name]
        if public(here) != public(there):
            yield f"It has {name} {there or 'not at all'}, the driver {here}. Install the driver's."
    if node.code is None:
        yield "It has no weighbridge. Install there what the driver has."
    elif node.code != driver.code:
        yield (
            f"Its weighbridge is {node.code}, the driver's {driver.code}: one study would mix "
            "results of both. Install the driver's there."
        )


def _gpus(node: NodeReport) -> Iterator[str]:
    if node.torch_trouble:
        yield f"torch cannot say what GPUs it sees: {node.torch_trouble}. Mend its installation."
    elif node.torch_gpus is not None and node.torch_gpus < node.gpus:
        yield (
            f"Ray gives out {node.gpus:g} GPUs, of which torch sees {node.torch_gpus}. Install a "
            "build of torch for CUDA and a driver that fits it, or start Ray there with fewer GPUs."
        )


def _checkpoints(node: NodeReport, query: NodeQuery) -> Iterator[str]:
    folder = (query.marker or "").rpartition("/")[0]
    if node.reads is False:
        yield (
            f"It does not see the driver's checkpoints in {folder}: a run that goes on elsewhere "
            "starts from its first epoch, with the same result. Start the study in a folder on a "
            "disk that all nodes have under the same path."
        )
    elif node.writes is False:
        yield (
            f"It cannot write checkpoints to {folder}: a run that is cut off starts from its "
            "first epoch. Let the user that Ray runs as write there."
        )


def _no_room(options: RayOptions) -> str:
    gpus = f" and {counted(options.gpus_per_worker, 'GPU')}" if options.gpus_per_worker else ""
    wanted = f"{counted(options.cpus_per_worker, 'core')}{gpus}"
    return (
        f"No node has room for a worker of {wanted}. Ask for less "
        "with --cpus-per-worker or --gpus-per-worker, or start nodes that have more."
    )


def public(number: str | None) -> str | None:
    """A version without what says how it was built, such as ``+cpu``."""
    return None if number is None else number.partition("+")[0]


def _times(whole: float, part: float) -> int:
    """How often a part fits; Ray counts in ten-thousandths."""
    return round(whole * 10_000) // max(1, round(part * 10_000))
