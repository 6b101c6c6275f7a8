"""The answer of a figure that cannot be drawn."""

from dataclasses import dataclass
from html import escape


@dataclass(frozen=True, slots=True, kw_only=True)
class NoFigure:
    """There is nothing to draw.

    Attributes:
        reason: One sentence for the reader, such as "No trial of `uw-so` is finished yet."
    """

    reason: str

    def _repr_html_(self) -> str:
        """What a notebook shows."""
        return f"<p>{escape(self.reason)}</p>"
