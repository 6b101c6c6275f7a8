"""What is asked of the nodes of a cluster before a study starts, and what they answer."""

from __future__ import annotations

from dataclasses import dataclass

from study.drivers.options import RayOptions


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


def _times(whole: float, part: float) -> int:
    """How often a part fits; Ray counts in ten-thousandths."""
    return round(whole * 10_000) // max(1, round(part * 10_000))
