"""Connected components of binary images, of many images at a time.

Shapes: B images, H and W height and width, E pairs of neighbouring pixels.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def components(masks: NDArray[np.bool_]) -> list[NDArray[np.int64]]:
    """The components of masks ``[B, H, W]``: the pixels ``[n]`` of each by number, rising.

    Pixels are numbered through all images. They are connected along edges and corners, within an
    image only. Components come in the order of their first pixels.
    """
    numbers = np.flatnonzero(masks)
    first, second = _neighbours(masks, numbers)
    parents = np.arange(len(numbers))
    while len(first):  # each pass joins every tree to its smallest neighbour, and flattens all
        low = np.minimum(parents[first], parents[second])
        np.minimum.at(parents, parents[first], low)
        np.minimum.at(parents, parents[second], low)
        while not np.array_equal(parents, parents[parents]):
            parents = parents[parents]
        apart = parents[first] != parents[second]
        first, second = first[apart], second[apart]
    order = np.argsort(parents, kind="stable")
    cuts = np.flatnonzero(np.diff(parents[order])) + 1
    return np.split(numbers[order], cuts) if len(numbers) else []


def _neighbours(
    masks: NDArray[np.bool_], numbers: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Pairs of neighbours ``[E]``, ``[E]``, each once, by their places among `numbers`."""
    places = np.full(masks.shape, -1)
    places.reshape(-1)[numbers] = np.arange(len(numbers))
    pairs = [
        (places[:, :, :-1], places[:, :, 1:]),
        (places[:, :-1], places[:, 1:]),
        (places[:, :-1, :-1], places[:, 1:, 1:]),
        (places[:, :-1, 1:], places[:, 1:, :-1]),
    ]
    both = [(one >= 0) & (other >= 0) for one, other in pairs]
    first = [one[there] for (one, _), there in zip(pairs, both, strict=True)]
    second = [other[there] for (_, other), there in zip(pairs, both, strict=True)]
    return np.concatenate(first), np.concatenate(second)
