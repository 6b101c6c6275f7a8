"""What a run shows beside its metrics: how scores spread in each epoch, and the suspects.

Shapes: N samples with a label.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from trainers.exhibits import Histogram, Pictures, Table, png
from trainers.protocol import Source
from trainers.randomness import Key
from trainers.relabelling.scores import Classes, Floats

MOST_ROWS: Final = 5000
"""Of the table of suspects: the most doubtful ones."""
_MOST_PICTURES: Final = 24
_N_BINS: Final = 25
_MOST_PIXELS: Final = 64  # of a side
_TITLES: Final = {
    "given-label": "1 - probability of the given label",
    "entropy": "predictive entropy, as a share of the largest",
    "mutual-information": "mutual information, as a share of the largest entropy",
    "spread": "standard deviation of the predictions",
}


def histogram(scores: Floats, score: str, groups: Mapping[str, NDArray[np.bool_]]) -> Histogram:
    """How often scores ``[N]`` fall into bins from 0 to 1, by group ``[N]``."""
    edges = np.linspace(0.0, 1.0, _N_BINS + 1)
    return Histogram(
        "scores",
        "How doubtful labels are",
        edges.tolist(),
        {name: np.histogram(scores[of], edges)[0].tolist() for name, of in groups.items()},
        x_title=_TITLES[score],
    )


def worst_first(suspicion: Floats) -> NDArray[np.intp]:
    """Places ``[n]`` of all suspects of ``[N]``, the most doubtful first; of equals the first."""
    places = np.flatnonzero(~np.isnan(suspicion))
    return places[np.argsort(-suspicion[places], kind="stable")]


def table(
    given: Classes, proposed: Classes, suspicion: Floats, numbers: NDArray[np.int64]
) -> Table:
    """The suspects, at most `MOST_ROWS`, the worst first.

    Args:
        given: ``[N]``, before anything was mended.
        numbers: ``[N]``, of the samples in the training split, from 0, as it is stored.
    """
    places = worst_first(suspicion)
    shown = places[:MOST_ROWS]
    left_out = f"; the {MOST_ROWS:,} most doubtful ones" if len(shown) < len(places) else ""
    return Table(
        "suspects",
        f"Labels that are doubtful: {len(places):,} of {len(given):,}{left_out}",
        ("index", "given", "proposed", "score"),
        [
            (int(numbers[at]), int(given[at]), int(proposed[at]), round(float(suspicion[at]), 6))
            for at in shown
        ],
    )


def pictures(
    given: Classes,
    proposed: Classes,
    suspicion: Floats,
    numbers: NDArray[np.int64],
    source: Source,
) -> Pictures | None:
    """The most doubtful samples as they are seen by the network; None if there are none.

    Args:
        source: Of images ``[B, C, H, W]`` of one or three channels, 0 to 1.
    """
    places = worst_first(suspicion)[:_MOST_PICTURES]
    if not len(places):
        return None
    order = torch.from_numpy(numbers[places])
    batch = next(iter(source.batches(order, len(order), Key("evaluation"))))
    items = [
        (
            _png(image),
            f"{given[at]} -> {proposed[at]}, score {suspicion[at]:.3f} (sample {numbers[at]})",
        )
        for image, at in zip(batch.inputs, places, strict=True)
    ]
    return Pictures("worst-suspects", "The most doubtful labels: given -> proposed", items)


def _png(image: Tensor) -> bytes:
    """An image ``[C, H, W]``, with fewer pixels where it is large."""
    step = max(1, math.ceil(max(image.shape[1:]) / _MOST_PIXELS))
    pixels: Any = image[:, ::step, ::step].float().cpu().numpy()
    return png(pixels[0] if len(pixels) == 1 else pixels.transpose(1, 2, 0))
