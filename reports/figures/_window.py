"""What part of an axis to show first, when a few values lie far away.

A diverging method (+127 %) must not squash the few points that the question is about. The window
keeps everything that is good, and cuts what is far above the bulk of the values that matter.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_FENCE = 7.5  # median absolute deviations; about five standard deviations of a normal sample
_PAD = 0.06  # of the window, on both sides


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """The first view of a value axis.

    Attributes:
        low: Lower end, below every value.
        high: Upper end.
        fence: Values above it are outside the window.
        n_cut: How many of the values are outside.
    """

    low: float
    high: float
    fence: float
    n_cut: int


def window(values: NDArray[np.float64], *, core: NDArray[np.float64]) -> Window:
    """The window that shows the core of the values and all that is better than it.

    Args:
        values: Everything drawn, shape `[n]`; non-finite values are left out. Lower is better.
        core: The values that the figure is about, such as the ends of the curves, shape `[m]`.
    """
    drawn = values[np.isfinite(values)]
    if not drawn.size:
        return Window(low=-1.0, high=1.0, fence=np.inf, n_cut=0)
    fence = _fence(core[np.isfinite(core)])
    kept = drawn[drawn <= fence]
    if not kept.size:
        kept, fence = drawn, float("inf")
    low, high = float(kept.min()), float(kept.max())
    pad = _PAD * (high - low) or max(1.0, abs(high) * _PAD)
    return Window(low=low - pad, high=high + pad, fence=fence, n_cut=int(drawn.size - kept.size))


def _fence(core: NDArray[np.float64]) -> float:
    """The largest value that still belongs to the core: median + 7.5 MAD; +inf without spread."""
    if not core.size:
        return float("inf")
    median = float(np.median(core))
    mad = float(np.median(np.abs(core - median)))
    return median + _FENCE * mad if mad > 0 else float("inf")
