"""Losses: each the mean over a batch's valid elements.

An element is missing if its class label is -1 or its number is NaN. A batch without any valid
element has loss 0 and gradient 0: it says nothing, and must not look like a divergence.

Regression heads give ``[B]`` or ``[B, 1]`` for targets ``[B]``, otherwise the target's own shape.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from trainers.problems._shapes import fitted

IGNORED = -1


def cross_entropy(output: Tensor, target: Tensor) -> Tensor:
    """Cross-entropy in nats of classes.

    Written out, since `torch.func.vmap` takes torch's own apart in Python, step by step, and
    imports a computer algebra system for it.

    Args:
        output: Logits ``[B, C]`` or ``[B, C, ...]``.
        target: Class numbers ``[B]`` or ``[B, ...]``, int64; -1 is ignored.
    """
    valid = target != IGNORED
    classes = target.clamp(min=0).unsqueeze(1)
    likelihoods = functional.log_softmax(output, dim=1).gather(1, classes).squeeze(1)
    return -torch.where(valid, likelihoods, 0.0).sum() / valid.sum().clamp(min=1)


def l1(output: Tensor, target: Tensor) -> Tensor:
    """Mean absolute difference, in the target's unit; NaN targets are ignored.

    Raises:
        BadShape: Output and target do not fit.
    """
    difference, n_valid = _difference(output, target)
    return difference.abs().sum() / n_valid


def mse(output: Tensor, target: Tensor) -> Tensor:
    """Mean squared difference, in the target's unit squared; NaN targets are ignored.

    Raises:
        BadShape: Output and target do not fit.
    """
    difference, n_valid = _difference(output, target)
    return difference.square().sum() / n_valid


def bce(output: Tensor, target: Tensor) -> Tensor:
    """Binary cross-entropy in nats of independent labels; NaN targets are ignored.

    Args:
        output: Logits, one per label.
        target: Probabilities of the label, 0 and 1 as a rule, floating-point.

    Raises:
        BadShape: Output and target do not fit.
    """
    valid = ~target.isnan()
    total = functional.binary_cross_entropy_with_logits(
        fitted(output, target), target.nan_to_num(), weight=valid, reduction="sum"
    )
    return total / valid.sum().clamp(min=1)


def _difference(output: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """Output minus target with 0 where the target is missing, and the number of valid elements."""
    valid = ~target.isnan()
    difference = torch.where(valid, fitted(output, target) - target, 0.0)
    return difference, valid.sum().clamp(min=1)
