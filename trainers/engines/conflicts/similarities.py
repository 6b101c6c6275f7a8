"""How alike two gradients are in direction, length and signs; formulas of arXiv 2311.04698.

Shapes: R runs, M gradients of a run, P shared parameters, p numbers of one of their tensors, Q
pairs.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class Products:
    """What all pairs of gradients come to, summed over the coordinates.

    Attributes:
        inner: ``[R, M, M]``, inner products.
        opposite: ``[R, M, M]``, coordinates in which one is positive and the other negative.
    """

    inner: Tensor
    opposite: Tensor


def products(parts: Iterable[Tensor]) -> Products:
    """Products of gradients that come in parts of their coordinates, each ``[R, M, p]``."""
    inner: Tensor | float = 0.0
    against: Tensor | float = 0.0
    for part in parts:
        inner = inner + part @ part.mT
        signs = part.sign()
        positive = signs.relu()
        against = against + positive @ (positive - signs).mT
    assert isinstance(inner, Tensor) and isinstance(against, Tensor), "there is a shared part"
    return Products(inner, against + against.mT)


@dataclass(frozen=True, slots=True)
class SignProducts:
    """In how many coordinates pairs of vectors are both not 0, ``[R, M, M]``.

    Attributes:
        both: That many.
        agreeing: Those of equal signs, less those of opposite ones.
    """

    both: Tensor
    agreeing: Tensor


def sign_products(vectors: Tensor) -> SignProducts:
    """Of vectors ``[R, M, p]``."""
    signs = vectors.sign()
    sizes = signs.abs()
    return SignProducts(both=sizes @ sizes.mT, agreeing=signs @ signs.mT)


@dataclass(frozen=True, slots=True)
class Similarities:
    """Similarities of pairs of gradients, each ``[R, Q]``.

    Attributes:
        cosine: g.g' / (|g| |g'|), from -1 to 1.
        magnitude: 2 |g| |g'| / (|g|^2 + |g'|^2), from 0 to 1.
        opposite: Share of the P coordinates whose signs are opposite.
        exist: Whether the pair has any: not with a gradient that is 0 or not finite.
    """

    cosine: Tensor
    magnitude: Tensor
    opposite: Tensor
    exist: Tensor


def similarities(of: Products, first: Tensor, second: Tensor, n_coordinates: int) -> Similarities:
    """Similarities of chosen pairs.

    Args:
        first: ``[Q]``, which of the M gradients, as `second`.
        n_coordinates: P.
    """
    norms = of.inner.diagonal(dim1=1, dim2=2).sqrt()
    a, b = norms[:, first], norms[:, second]
    lengths = a * b
    cosine = (of.inner[:, first, second] / lengths).clamp(-1.0, 1.0)
    magnitude = (2 * lengths / (a.square() + b.square())).clamp(max=1.0)
    return Similarities(
        cosine=cosine,
        magnitude=magnitude,
        opposite=of.opposite[:, first, second] / n_coordinates,
        exist=torch.isfinite(cosine) & torch.isfinite(magnitude),
    )
