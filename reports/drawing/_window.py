"""What part of an axis to show first, when a few values lie far away.

A diverging method (+127 %) must not squash the few points that the question is about. The window
keeps everything that is good, and cuts what is far on the worse side of the values that matter.
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
        low: Lower end.
        high: Upper end.
        fence: Values on its worse side are outside the window.
        n_cut: How many of the values are outside.
        sign: +1 if lower is better, else -1.
    """

    low: float
    high: float
    fence: float
    n_cut: int
    sign: float = 1.0

    @property
    def edge(self) -> float:
        """The end behind which the worse values lie."""
        return self.high if self.sign > 0 else self.low

    def cuts(self, values: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Which values ``[n]`` are outside."""
        return np.asarray(self.sign * values > self.sign * self.fence)


def window(values: NDArray[np.float64], *, core: NDArray[np.float64], sign: float = 1.0) -> Window:
    """The window that shows the core of the values and all that is better than it.

    Args:
        values: Everything drawn, shape `[n]`; non-finite values are left out.
        core: The values that the figure is about, such as the ends of the curves, shape `[m]`.
        sign: +1 if lower is better, else -1.
    """
    drawn = values[np.isfinite(values)]
    if not drawn.size:
        return Window(low=-1.0, high=1.0, fence=sign * np.inf, n_cut=0, sign=sign)
    fence = sign * _fence(sign * core[np.isfinite(core)])
    kept = drawn[sign * drawn <= sign * fence]
    if not kept.size:
        kept, fence = drawn, sign * float("inf")
    low, high = float(kept.min()), float(kept.max())
    pad = _PAD * (high - low) or max(1.0, abs(high) * _PAD)
    n_cut = int(drawn.size - kept.size)
    return Window(low=low - pad, high=high + pad, fence=fence, n_cut=n_cut, sign=sign)


def _fence(core: NDArray[np.float64]) -> float:
    """The largest value that still belongs to the core: median + 7.5 MAD; +inf without spread."""
    if not core.size:
        return float("inf")
    median = float(np.median(core))
    mad = float(np.median(np.abs(core - median)))
    return median + _FENCE * mad if mad > 0 else float("inf")
