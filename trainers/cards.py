"""What a problem says about itself, in plain values: no torch, no data is touched."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

Direction = Literal["min", "max"]
Kind = Literal["real", "composed", "derived", "semi-synthetic", "synthetic", "function"]


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricCard:
    """One number a task is judged by.

    Attributes:
        name: Key in the database.
        direction: ``min`` if lower is better, else ``max``.
        unit: Unit of the value, ``"1"`` for shares.
    """

    name: str
    title: str
    direction: Direction
    unit: str = "1"


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskCard:
    """One task: its loss and its metrics; the first metric is the primary one."""

    name: str
    title: str
    loss: str
    metrics: tuple[MetricCard, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProblemCard:
    """A problem as `plan`, `compare` and the reports need it.

    Attributes:
        kind: Whether the data is real, composed from real parts, derived from measurements, ...;
            ``function`` for a training function, whose data is its own affair.
        source: Package or folder the data comes from.
        data_version: Changes whenever the same options would give other samples; part of each
            run's key. For embedded data: the file's SHA-256 and the version of the split rule.
        sizes: Samples by split: ``train``, ``validation``, ``test``.
        network: The network in a few words.
        packages: Packages that must be importable for its data.
        convolutional: Whether the network convolves; decides the engine on a CPU.
    """

    name: str
    title: str
    kind: Kind
    source: str
    data_version: str
    tasks: tuple[TaskCard, ...]
    sizes: Mapping[str, int]
    network: str
    convolutional: bool = False
    licence: str = ""
    caveats: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()

    @property
    def task_names(self) -> tuple[str, ...]:
        """Names of the tasks, in the order of the loss vector."""
        return tuple(task.name for task in self.tasks)

    def to_plain(self) -> dict[str, Any]:
        """The card as JSON-ready values."""
        return asdict(self)
