"""What is asked and told of gradients while runs train, in plain values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Pairing = Literal["tasks", "samples"]
Measure = Literal["cosine", "negative_cosine", "magnitude", "opposite_signs"]


@dataclass(frozen=True, slots=True, kw_only=True)
class GradientDiagnostics:
    """How gradients are compared while runs train; no run comes out otherwise for it.

    Attributes:
        every: Steps from one look to the next; the first step of an epoch is looked at.
        samples: Most samples of a batch whose gradients are taken, and most tasks.
    """

    every: int = 5
    samples: int = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class PairStatistics:
    """One measure of how alike gradients are, over the pairs of an epoch.

    Attributes:
        pairing: ``tasks``: of one sample, those of two tasks; ``samples``: of one task, those of
            two samples.
        measure: ``cosine``; ``negative_cosine``: 1 where it is below 0, else 0; ``magnitude``: 1
            for equal lengths; ``opposite_signs``: the share of such coordinates.
        n_pairs: Those with two gradients that are finite and not 0.
        n_left_out: The others.
        mean: None without pairs, as all that follows.
        sd: Over the pairs.
        low: 2.5th percentile.
        median: 50th percentile.
        high: 97.5th percentile.
        one_by_one: The network or a loss does not survive `torch.func.vmap`: gradients were taken
            one after the other, which takes longer.
    """

    pairing: Pairing
    measure: Measure
    n_pairs: int
    n_left_out: int
    mean: float | None = None
    sd: float | None = None
    low: float | None = None
    median: float | None = None
    high: float | None = None
    one_by_one: bool = False
