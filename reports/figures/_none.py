"""The answer of a figure that cannot be drawn."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class NoFigure:
    """There is nothing to draw.

    Attributes:
        reason: One sentence for the reader, such as "No trial of `uw-so` is finished yet."
    """

    reason: str
