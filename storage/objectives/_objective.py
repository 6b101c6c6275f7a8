"""The value that all of planning, deciding, scoring and reporting go by.

Shapes: E epochs, M metrics.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

T = TypeVar("T")

DirectedMetric = tuple[str, str, str]
"""Task, name and direction, which is ``min`` or ``max``."""
ByMetric = Mapping[tuple[str, str], T]
"""Something of each metric, by task and name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Objective:
    """What trials are ranked by.

    Attributes:
        name: As the spec has it: ``delta_m``, ``left.error_rate``.
        direction: ``min`` if lower is better, else ``max``.
        metrics: ``[M]``, what it is made of.
        of_epoch: Its value by those metrics' values ``[M]``, the baseline's ``[M]`` (empty if it
            needs none) and the metrics' directions ``[M]``. It gets no worse when one of them gets
            better: networks of epochs that another one beats in all of them are not kept.
        needs_baseline: It is relative to the single-task networks, so that deciding waits for them.
        unit: Unit of its values; empty if there is none.
        symbol: What people read for its name; empty if that is the name itself.
        shown: How its values are written: a format that Python and D3 share.
        uses_truth: It needs what is hidden from training: it chooses in an oracle's study only.
        split: By which trials are chosen; their test values are reported, and choose nothing.
    """

    name: str
    direction: Literal["min", "max"]
    metrics: tuple[DirectedMetric, ...]
    of_epoch: Callable[[Sequence[float], Sequence[float], Sequence[str]], float]
    needs_baseline: bool = False
    unit: str = ""
    symbol: str = ""
    shown: str = ".4g"
    uses_truth: bool = False
    split: str = "validation"

    @property
    def title(self) -> str:
        """What people read for its name: ``Δm``."""
        return self.symbol or self.name

    @property
    def sign(self) -> float:
        """+1 if lower is better, else -1: by this factor, lower is better."""
        return 1.0 if self.direction == "min" else -1.0

    def curve(
        self, curves: ByMetric[Sequence[float]], baseline: ByMetric[float] | None = None
    ) -> list[float]:
        """Its value at each epoch ``[E]``.

        Args:
            curves: Values ``[E]`` of each metric; others than its own do not count.
            baseline: Values of the single-task networks on the same split; others likewise.
        """
        names = [(task, metric) for task, metric, _ in self.metrics]
        base = [] if baseline is None else [baseline[name] for name in names]
        directions = [direction for *_, direction in self.metrics]
        epochs = zip(*(curves[name] for name in names), strict=True)
        return [self.of_epoch(epoch, base, directions) for epoch in epochs]
