"""What is wrong with the nodes of a cluster, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from storage.wording import counted
from study.drivers.nodes import Inspection, Node, Sight, Wanted
from study.drivers.options import RayOptions

_HAVE_TO_BE_EQUAL = ("python", "ray", "torch")


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
    for name in _HAVE_TO_BE_EQUAL:
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
