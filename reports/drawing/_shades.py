"""The scale of colours for values: even in lightness, so that it reads without colour vision."""

from typing import Final

import numpy as np

from reports.measures import FloatArray

_DARK_TO_BRIGHT: Final = (
    *("#440154", "#482878", "#3e4989", "#31688e", "#26828e"),
    *("#1f9e89", "#35b779", "#6ece58", "#b5de2b", "#fde725"),
)
_ANCHORS: Final = np.array(
    [[int(one[at : at + 2], 16) for at in (1, 3, 5)] for one in reversed(_DARK_TO_BRIGHT)]
)
SCALE: Final = [[at / (len(_ANCHORS) - 1), one] for at, one in enumerate(reversed(_DARK_TO_BRIGHT))]
"""Viridis as Plotly takes it; the best, at 0, is bright."""


def shades(levels: FloatArray) -> list[str]:
    """Colours ``#rrggbb`` of levels from 0, the best, to 1."""
    at = np.linspace(0.0, 1.0, len(_ANCHORS))
    found = np.column_stack([np.interp(levels, at, channel) for channel in _ANCHORS.T])
    return ["#{:02x}{:02x}{:02x}".format(*one) for one in np.rint(found).astype(int).tolist()]
