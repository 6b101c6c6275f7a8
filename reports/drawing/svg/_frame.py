"""Where things lie in a picture: the drawing's box, its axes, and their ticks.

Shapes: n values of one axis.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from reports.measures import FloatArray

_AXIS = re.compile(r"([xy])axis(\d*)")
_LEAST_PX = {"l": 58, "r": 16, "t": 16, "b": 48}
_PAD = 0.04  # of an axis whose range nobody has set
_NICE = (1.0, 2.0, 5.0, 10.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """One axis.

    Attributes:
        letter: ``x`` or ``y``.
        name: As traces refer to it: ``x``, ``y2``.
        pixels: Where its range begins and ends.
        limits: Its range; of logarithms to the base 10, if it is logarithmic.
        spec: What the figure says of it.
    """

    letter: str
    name: str
    pixels: tuple[float, float]
    limits: tuple[float, float]
    log: bool
    spec: Mapping[str, Any]

    def at(self, values: Any) -> FloatArray:
        """Pixels of values, ``[n]``; NaN where a logarithm has none."""
        found = np.asarray(values, dtype=np.float64)
        if self.log:
            with np.errstate(invalid="ignore", divide="ignore"):
                found = np.where(found > 0, np.log10(found), np.nan)
        (low, high), (begin, end) = self.limits, self.pixels
        with np.errstate(over="ignore"):  # so far outside that it is nowhere
            return begin + (found - low) / ((high - low) or 1.0) * (end - begin)

    def ticks(self) -> list[tuple[float, str]]:
        """Values and what is written at them."""
        if "tickvals" in self.spec:
            texts = self.spec.get("ticktext", self.spec["tickvals"])
            return list(zip(map(float, self.spec["tickvals"]), map(str, texts), strict=True))
        low, high = self.limits
        values = _powers(low, high) if self.log else _even(low, high, self.spec.get("nticks", 6))
        return [(value, f"{value:,.6g}".replace("-", "\N{MINUS SIGN}")) for value in values]


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """A picture's measures in pixels: its size, the drawing's box, its axes by name."""

    width: float
    height: float
    left: float
    right: float
    top: float
    bottom: float
    axes: Mapping[str, Axis]

    def x_of(self, ref: str, value: float) -> float:
        """A place along x: of an axis, of an axis' domain, or of the box (``paper``)."""
        return self._place(ref, value, (self.left, self.right))

    def y_of(self, ref: str, value: float) -> float:
        """The same along y, from the bottom."""
        return self._place(ref, value, (self.bottom, self.top))

    def _place(self, ref: str, value: float, box: tuple[float, float]) -> float:
        if ref == "paper":
            return box[0] + value * (box[1] - box[0])
        axis = self.axes[ref.removesuffix(" domain")]
        if ref.endswith(" domain"):
            return axis.pixels[0] + value * (axis.pixels[1] - axis.pixels[0])
        return float(axis.at(value))


def frame_of(
    layout: Mapping[str, Any], traces: Sequence[Mapping[str, Any]], width: float, legend_px: float
) -> Frame:
    """Lay out a figure in so many pixels.

    Args:
        traces: Those that are drawn: ranges that are not set hold their points.
        legend_px: Height that the legend takes below the axis titles.
    """
    said, height = layout.get("margin", {}), float(layout["height"])
    margin = {side: max(float(said.get(side, 0)), least) for side, least in _LEAST_PX.items()}
    margin["b"] = max(margin["b"], _LEAST_PX["b"] + legend_px)
    left, right = margin["l"], width - margin["r"]
    top, bottom = margin["t"], height - margin["b"]
    axes = {}
    for key, spec in layout.items():
        if found := _AXIS.fullmatch(key):
            letter, name = found[1], found[1] + found[2]
            begin, end = (left, right) if letter == "x" else (bottom, top)
            low, high = spec.get("domain", (0.0, 1.0))
            log = spec.get("type") == "log"
            axes[name] = Axis(
                letter=letter,
                name=name,
                pixels=(begin + low * (end - begin), begin + high * (end - begin)),
                limits=_limits(letter, name, layout, traces, log=log),
                log=log,
                spec=spec,
            )
    return Frame(
        width=width, height=height, left=left, right=right, top=top, bottom=bottom, axes=axes
    )


def _limits(
    letter: str,
    name: str,
    layout: Mapping[str, Any],
    traces: Sequence[Mapping[str, Any]],
    *,
    log: bool,
) -> tuple[float, float]:
    """The range that is set, or one that holds all points; axes that match share theirs."""
    spec = layout[f"{letter}axis{name[1:]}"]
    if spec.get("range") is not None:
        low, high = spec["range"]
        return float(low), float(high)
    shared = any(axis.get("matches") for key, axis in layout.items() if _AXIS.fullmatch(key))
    mine = [
        np.asarray(trace[letter], dtype=np.float64)
        for trace in traces
        if letter in trace and (shared or trace.get(f"{letter}axis", letter) == name)
    ]
    values = np.concatenate(mine) if mine else np.array([])
    values = values[np.isfinite(values) & ((values > 0) | (not log))]
    if not values.size:
        return 0.0, 1.0
    ends = np.log10(values) if log else values
    low, high = float(ends.min()), float(ends.max())
    pad = _PAD * (high - low) or 0.5
    return low - pad, high + pad


def _even(low: float, high: float, most: int) -> list[float]:
    """Round values, evenly apart, at most so many."""
    rough = (high - low) / max(1, most)
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(nice * power for nice in _NICE if nice * power >= rough * (1 - 1e-9))
    first = math.ceil(low / step - 1e-9)
    return [k * step + 0.0 for k in range(first, math.floor(high / step + 1e-9) + 1)]


def _powers(low: float, high: float) -> list[float]:
    """1, 2 and 5 of each decade, or its powers where there are many decades."""
    steps = (1, 2, 5) if high - low < 3 else (1,)
    decades = range(math.floor(low), math.ceil(high) + 1)
    values = [step * 10.0**decade for decade in decades for step in steps]
    return [value for value in values if low <= math.log10(value) <= high]
