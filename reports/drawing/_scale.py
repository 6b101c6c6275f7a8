"""Where the values of a parameter stand on an axis: by ratio, by difference, or side by side."""

from typing import Any, Final

import numpy as np

from reports.drawing._marks import fewer, ticks
from reports.measures import FloatArray

_RATIO: Final = 5.0  # of values at least that far apart, equal ratios are equally far apart
_MOST_PLACES: Final = 30
_MOST_LABELS: Final = 12
_FEW_LABELS: Final = 5
_PAD: Final = 0.03


class Scale:
    """Logarithmic if all values are above 0 and far apart; with a few and 0, each has a place.

    Args:
        values: ``[n]``; those that are not finite are left out.
    """

    def __init__(self, values: FloatArray) -> None:
        self._tried = np.unique(values[np.isfinite(values)])
        low, high = float(self._tried[0]), float(self._tried[-1])
        self.log = low > 0 and high >= _RATIO * low
        self._places = low == 0 and high > 0 and len(self._tried) <= _MOST_PLACES
        if self._places and len(self._tried) > 2:
            above = self._tried[1:]
            self._places = bool(above[-1] >= _RATIO * above[0])

    def of(self, values: FloatArray) -> FloatArray:
        """Values as traces hold them, ``[n]``."""
        if not self._places:
            return values
        known = np.searchsorted(self._tried, values).astype(np.float64)
        return np.where(np.isfinite(values), known, np.nan)

    def drawn(self, values: FloatArray) -> FloatArray:
        """Values as they lie on the screen, ``[n]``, in some unit."""
        return np.log10(values) if self.log else self.of(values)

    def axis(self, title: str) -> dict[str, Any]:
        """The axis, as a layout has it; `fewer_labels` is for a narrow page."""
        spec: dict[str, Any] = {"title": {"text": title}, "tickangle": 0}
        if self.log:
            found = ticks(self._tried) if len(self._tried) <= _MOST_LABELS else {}
            return {"type": "log", "nticks": 6, **spec, **found}
        if self._places:
            text = [f"{value:.3g}" for value in self._tried]
            places = np.arange(len(text))
            return {**spec, "tickvals": places, "ticktext": text, "range": [-0.4, len(text) - 0.6]}
        low, high = float(self._tried[0]), float(self._tried[-1])
        pad = _PAD * (high - low) or 0.5
        return {**spec, "nticks": 6, "range": [low - pad, high + pad]}

    def fewer_labels(self, axis: str = "xaxis") -> dict[str, Any]:
        """Changes of the layout for a page with room for a few labels."""
        text = self.axis("").get("ticktext")
        return {} if text is None else {f"{axis}.ticktext": fewer(text, _FEW_LABELS)}
