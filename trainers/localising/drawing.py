"""An image beside itself: with its lesions, and with its map and regions.

Shapes: H and W height and width.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from trainers.exhibits import png
from trainers.localising.maps import Floats
from trainers.localising.proposals import ProposedRegion
from trainers.problems.regions import Region

_SIDE = 192  # pixels of a panel, at most, unless the image itself is larger
_MOST_BYTES = 60_000
_LESION, _REGION = (0.0, 1.0, 1.0), (1.0, 1.0, 1.0)  # cyan, white
_RAMP = np.array([[0.0, 0.0, 0.2], [0.7, 0.1, 0.4], [1.0, 0.9, 0.2]])  # of the map's shares
_LEVELS = 31  # of a colour: noise of a camera takes most of a file
_BETWEEN = 4  # pixels


def drawn(
    image: Floats, shares: Floats, proposals: Sequence[ProposedRegion], lesions: Sequence[Region]
) -> bytes:
    """A PNG of two panels: the image, and the image under its map.

    Args:
        image: ``[1 or 3, H, W]``, 0 to 1.
        shares: The map, ``[H, W]``, 0 to 1.
    """
    zoom = max(1, _SIDE // max(shares.shape))
    shrink = -(-max(shares.shape) // _SIDE)
    while True:
        found = png(_panels(image, shares, proposals, lesions, zoom=zoom, shrink=shrink))
        if len(found) <= _MOST_BYTES:
            return found
        zoom, shrink = max(1, zoom - 1), shrink + (zoom == 1)


def _panels(
    image: Floats,
    shares: Floats,
    proposals: Sequence[ProposedRegion],
    lesions: Sequence[Region],
    *,
    zoom: int,
    shrink: int,
) -> Floats:
    """``[rows, columns, 3]``, each pixel `zoom` times as large, or every `shrink`-th one."""

    def scaled(of: NDArray) -> NDArray:  # type: ignore[type-arg] # masks and shares alike
        return of[::shrink, ::shrink].repeat(zoom, axis=0).repeat(zoom, axis=1)

    plain = np.moveaxis(np.broadcast_to(image, (3, *shares.shape)), 0, -1).clip(0, 1)
    heat = scaled(0.45 * plain + 0.55 * _coloured(shares))
    plain = _outlined(scaled(plain), (scaled(lesion.mask) for lesion in lesions), _LESION)
    masks = (scaled(_mask(proposal, shares.shape)) for proposal in proposals)
    heat = _outlined(_outlined(heat, masks, _REGION), (scaled(of.mask) for of in lesions), _LESION)
    gap = np.ones((len(plain), _BETWEEN, 3))
    both: Floats = np.rint(np.concatenate([plain, gap, heat], axis=1) * _LEVELS) / _LEVELS
    return both


def _mask(proposal: ProposedRegion, size: tuple[int, ...]) -> NDArray[np.bool_]:
    found = np.zeros(size, dtype=bool)
    found.reshape(-1)[proposal.pixels] = True
    return found


def _coloured(shares: Floats) -> Floats:
    """Colours ``[H, W, 3]`` of shares ``[H, W]``."""
    places = np.linspace(0, 1, len(_RAMP))
    return np.stack([np.interp(shares, places, of) for of in _RAMP.T], axis=-1)


def _outlined(
    picture: Floats, masks: Iterable[NDArray[np.bool_]], colour: Sequence[float]
) -> Floats:
    """The picture ``[H, W, 3]`` with a line around each mask ``[H, W]``, a pixel outside of it."""
    found = picture.copy()
    for mask in masks:
        around = np.pad(mask, 1)
        near = around[:-2, 1:-1] | around[2:, 1:-1] | around[1:-1, :-2] | around[1:-1, 2:]
        found[near & ~mask] = colour
    return found
