"""Whether the nodes of a cluster are fit for a study: what they are asked, and what is wrong."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from storage.wording import counted
from study.drivers.options import RayOptions

HAVE_TO_BE_EQUAL = ("python", "ray", "torch")
"""Packages of which the nodes have the versions of the driver."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a node is asked for.

    Attributes:
        probe: A file in the checkpoint folder, as an absolute path; None for no such question.
        content: What the driver has written into it.
        module: Where the problem is defined; None for a problem that comes with weighbridge.
        folder: Where that module may lie, besides the normal import path.
        count_gpus: Also where Ray knows of none.
    """

    probe: str | None = None
    content: str = ""
    module: str | None = None
    folder: str | None = None
    count_gpus: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What a worker would find on a node.

    Attributes:
        packages: Versions of Python and of packages by name; None for what is not installed.
        code: Version of weighbridge with its commit, as runs are recorded with.
        gpus: How many torch sees; None if it was not asked.
        torch_trouble: Why torch could not be asked.
        reads: Whether the driver's file is there; None if that was not asked.
        writes: Whether a file can be written beside it.
        has_module: Whether the problem's module is found.
    """

    packages: dict[str, str | None]
    code: str | None = None
    gpus: int | None = None
    torch_trouble: str = ""
    reads: bool | None = None
    writes: bool | None = None
    has_module: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A node that is alive.

    Attributes:
        cpus: Cores that Ray gives out there.
        gpus: GPUs that Ray gives out there.
        trouble: Why it has no `sight`.
    """

    name: str
    cpus: float
    gpus: float
    sight: Sight | None = None
    trouble: str = ""

    def room(self, options: RayOptions) -> int:
        """Workers that fit on the node while it does nothing else."""
        most = _times(self.cpus, options.cpus_per_worker)
        if options.gpus_per_worker >= 1:
            return min(most, _times(self.gpus, options.gpus_per_worker))
        if options.gpus_per_worker > 0:  # a share is one of one GPU
            return min(most, int(self.gpus) * _times(1.0, options.gpus_per_worker))
        return most


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspection:
    """What the driver's machine and the nodes have answered."""

    driver: Sight
    nodes: tuple[Node, ...]


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
class ProbeFile:
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
def probe_file(folder: Path) -> Iterator[ProbeFile]:
    """Write it; at the end it is gone, and the folder too unless it was there before."""
    made = [place for place in (folder, *folder.parents) if not place.exists()]
    content = secrets.token_hex(16)
    path = folder / f".probe-{content[:8]}"
    try:
        yield _written(path, content)
    finally:
        with suppress(OSError):
            path.unlink(missing_ok=True)
        with suppress(OSError):  # a study may have begun to write there
            for place in made:
                place.rmdir()


def _written(path: Path, content: str) -> ProbeFile:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    except OSError as error:
        return ProbeFile(trouble=error.strerror or str(error))
    return ProbeFile(path=str(path), content=content)


def findings(inspection: Inspection, *, wanted: Wanted, options: RayOptions) -> list[Finding]:
    """One finding for all nodes of which the same is to be said.

    Nodes where no worker has room, such as a head that trains nothing, may be as they are.
    """
    fitting = [node for node in inspection.nodes if node.room(options)]
    where: dict[str, list[str]] = {}
    for node in fitting:
        for text in _of_node(node, inspection.driver, wanted, options):
            where.setdefault(text, []).append(node.name)
    found = [Finding(text=text, nodes=tuple(names)) for text, names in where.items()]
    return found if fitting else [Finding(text=_no_room(options))]


def _of_node(node: Node, driver: Sight, wanted: Wanted, options: RayOptions) -> Iterator[str]:
    sight = node.sight
    if sight is None:
        yield f"Nothing is known of it: {node.trouble}. Look at its raylet's log."
        return
    yield from _versions(sight, driver)
    if options.gpus_per_worker:
        yield from _gpus(node, sight)
    yield from _checkpoints(sight, wanted)
    if sight.has_module is False:
        beside = f" or into {wanted.folder}, under that path" if wanted.folder else ""
        yield (
            f"Workers do not find the problem's module `{wanted.module}`. Install its package "
            f"there{beside}."
        )


def _versions(sight: Sight, driver: Sight) -> Iterator[str]:
    for name in HAVE_TO_BE_EQUAL:
        here, there = driver.packages[name], sight.packages[name]
        if public(here) != public(there):
            yield f"It has {name} {there or 'not at all'}, the driver {here}. Install the driver's."
    if sight.code is None:
        yield "It has no weighbridge. Install there what the driver has."
    elif sight.code != driver.code:
        yield (
            f"Its weighbridge is {sight.code}, the driver's {driver.code}: one study would mix "
            "results of both. Install the driver's there."
        )


def _gpus(node: Node, sight: Sight) -> Iterator[str]:
    if sight.torch_trouble:
        yield f"torch cannot say what GPUs it sees: {sight.torch_trouble}. Mend its installation."
    elif sight.gpus is not None and sight.gpus < node.gpus:
        yield (
            f"Ray gives out {node.gpus:g} GPUs, of which torch sees {sight.gpus}. Install a build "
            "of torch for CUDA and a driver that fits it, or start Ray there with fewer GPUs."
        )


def _checkpoints(sight: Sight, wanted: Wanted) -> Iterator[str]:
    folder = (wanted.probe or "").rpartition("/")[0]
    if sight.reads is False:
        yield (
            f"It does not see the driver's checkpoints in {folder}: a run that goes on elsewhere "
            "starts from its first epoch, with the same result. Start the study in a folder on a "
            "disk that all nodes have under the same path."
        )
    elif sight.writes is False:
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
