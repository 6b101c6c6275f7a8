"""Directions, such as surface normals: a loss by cosine, and angles in degrees.

Only the direction of an output counts, not its length; one of length 0 is at right angles to all.
A target is missing if its length is 0 or not finite.

Shapes: R rows, the outputs of as many runs; B batch; D dimensions of a direction, three as a rule.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from trainers.problems._losses import fitted
from trainers.problems._metrics import exact_sums, mean_of
from trainers.stackable import Stackable

_SHORTEST = 1e-12
"""Shorter directions count as this long, as in `torch.nn.functional.normalize`."""
BINS_PER_DEGREE = 128
_N_BINS = 180 * BINS_PER_DEGREE


@Stackable
def cosine(output: Tensor, target: Tensor) -> Tensor:
    """Mean of 1 - cosine of the angle between output and target (MTAN, Liu et al. 2019).

    Args:
        output: ``[R, B, D, ...]``, of any length.
        target: ``[B, D, ...]``, floating-point, of any length.

    Returns:
        ``[R]``, 0 to 2.

    Raises:
        BadShape: Output and target do not fit.
    """
    valid = _has_direction(target)
    found = _cosines(fitted(output, target, n_leading=1), target, dim=2)
    costs = torch.where(valid, 1 - found, 0.0)
    return costs.flatten(1).sum(1) / valid.sum().clamp(min=1)


def valid_directions(target: Tensor) -> Tensor:
    """How many directions of a target ``[B, D, ...]`` are not missing, ``[]``.

    For `TaskFunctions.valid_elements`.
    """
    return _has_direction(target).sum()


@dataclass(frozen=True, slots=True)
class MeanAngle:
    """Mean angle between output and target, in degrees."""

    def statistics(self, output: Tensor, target: Tensor) -> Tensor:
        """``[3]``: sums of angles, see `exact_sums`, and valid directions.

        Args:
            output: ``[B, D, ...]``.
            target: ``[B, D, ...]``.

        Raises:
            BadShape: Output and target do not fit.
        """
        return exact_sums(_angles(output, target), _has_direction(target))

    def value(self, total: Tensor) -> float:
        """The mean, 0 to 180, of the sums ``[3]``; NaN without a valid direction."""
        return mean_of(total)


@dataclass(frozen=True, slots=True)
class MedianAngle:
    """Median angle between output and target, in degrees, exact to 1/256 of one.

    Angles are counted in bins of 1/128 of a degree, so that batches add up; the median is the
    middle of its bin.
    """

    def statistics(self, output: Tensor, target: Tensor) -> Tensor:
        """``[Q]``: valid directions by bin, then those that are not a number.

        Args:
            output: ``[B, D, ...]``.
            target: ``[B, D, ...]``.

        Raises:
            BadShape: Output and target do not fit.
        """
        angles = _angles(output, target)
        bins = (angles * BINS_PER_DEGREE).nan_to_num(_N_BINS + 1.0).long()
        bins = torch.where(angles.isnan(), bins, bins.clamp(max=_N_BINS - 1))
        # what is missing is counted in the last place, which is then left out
        places = torch.where(_has_direction(target), bins, _N_BINS + 2).flatten()
        ones = torch.ones((), dtype=torch.float64, device=output.device)
        table = torch.zeros(_N_BINS + 3, dtype=torch.float64, device=output.device)
        return table.scatter_add(0, places, ones.expand(places.shape))[:-1]

    def value(self, total: Tensor) -> float:
        """The median of the counts ``[Q]``; NaN without a valid direction, or if one is NaN."""
        counts, n_wrong = total[:_N_BINS], float(total[-1])
        n = int(counts.sum())
        if n_wrong or not n:
            return math.nan
        below = counts.cumsum(0)
        middle = torch.tensor([(n - 1) // 2 + 1, n // 2 + 1], dtype=below.dtype).to(below.device)
        places = torch.searchsorted(below, middle)
        return float((places.double() + 0.5).mean()) / BINS_PER_DEGREE


@dataclass(frozen=True, slots=True)
class WithinAngle:
    """Share of directions whose angle to the target is smaller than a limit.

    Attributes:
        limit: In degrees; 11.25, 22.5 and 30 are usual.
    """

    limit: float

    def statistics(self, output: Tensor, target: Tensor) -> Tensor:
        """``[2]``: directions within, and valid ones.

        Args:
            output: ``[B, D, ...]``.
            target: ``[B, D, ...]``.

        Raises:
            BadShape: Output and target do not fit.
        """
        valid = _has_direction(target)
        within = _cosines_exactly(output, target) > math.cos(math.radians(self.limit))
        return torch.stack([(within & valid).sum(), valid.sum()]).double()

    def value(self, total: Tensor) -> float:
        """A share, 0 to 1, of the sums ``[2]``; NaN without a valid direction."""
        return mean_of(total)


def _has_direction(target: Tensor) -> Tensor:
    """Which of ``[B, D, ...]`` are not missing, ``[B, ...]``."""
    length = _squares(target, dim=1)
    return (length > 0) & length.isfinite()


def _squares(of: Tensor, dim: int) -> Tensor:
    # one by one: torch sums along a short dimension several times as slowly
    first, *others = of.unbind(dim)
    return sum((one.square() for one in others), first.square())


def _cosines(output: Tensor, target: Tensor, *, dim: int) -> Tensor:
    """Cosines of angles along a dimension of the output, and along the second of the target."""
    there = _has_direction(target)
    length = torch.where(there, _squares(target, dim=1), 1.0).sqrt()
    unit = [torch.where(there, one / length, 0.0) for one in target.unbind(1)]
    products = [of * one for of, one in zip(output.unbind(dim), unit, strict=True)]
    # limited before the root, whose derivative is infinite at 0
    lengths = _squares(output, dim).clamp(min=_SHORTEST**2).sqrt()
    return sum(products[1:], products[0]) / lengths


def _cosines_exactly(output: Tensor, target: Tensor) -> Tensor:
    """Cosines ``[B, ...]`` in double precision: those of small angles are close to 1."""
    return _cosines(fitted(output, target).double(), target.double(), dim=1)


def _angles(output: Tensor, target: Tensor) -> Tensor:
    """Angles ``[B, ...]`` in degrees."""
    return _cosines_exactly(output, target).clamp(-1, 1).acos().rad2deg()
