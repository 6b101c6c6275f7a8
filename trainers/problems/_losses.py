"""Losses: each the mean over a batch's valid elements.

An element is missing if its class label is -1 or its number is NaN. A batch without any valid
element has loss 0 and gradient 0: it says nothing, and must not look like a divergence. A task
is left out of such batches if `valid_elements` goes to its `TaskFunctions` beside the loss.

Regression heads give ``[B]`` or ``[B, 1]`` for targets ``[B]``, otherwise the target's own shape.

Shapes: R rows, the outputs of as many runs; B batch; C classes. A single run's outputs have no R.
Outputs and targets of numbers are floating-point, class numbers int64.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from trainers.hardware import gpu
from trainers.problems.errors import BadShape
from trainers.stackable import Stackable

IGNORED = -1


@Stackable
def cross_entropy(output: Tensor, target: Tensor) -> Tensor:
    """Cross-entropy in nats of classes.

    Args:
        output: Logits ``[R, B, C]`` or ``[R, B, C, ...]``.
        target: Class numbers ``[B]`` or ``[B, ...]``, int64; -1 is ignored.
    """
    if output.ndim == 3:
        # torch takes several times as long along a short last dimension: a batch becomes an image
        output, target = output.transpose(1, 2).unsqueeze(1).contiguous(), target.unsqueeze(0)
    valid = target != IGNORED
    few = gpu.wants_few_kernels(output.device)
    of_classes = chosen_by_mask if few else chosen_by_number
    likelihoods = of_classes(functional.log_softmax(output, dim=2), target.clamp(min=0))
    return -_sums(torch.where(valid, likelihoods, 0.0)) / valid.sum().clamp(min=1)


def chosen_by_number(likelihoods: Tensor, classes: Tensor) -> Tensor:
    """Of likelihoods ``[R, B, C, ...]`` those of classes ``[B, ...]``: ``[R, B, ...]``."""
    numbers = classes.unsqueeze(1).expand(len(likelihoods), -1, 1, *likelihoods.shape[3:])
    return likelihoods.gather(2, numbers).squeeze(2)


def chosen_by_mask(likelihoods: Tensor, classes: Tensor) -> Tensor:
    """Those of `chosen_by_number` to the bit, ``[R, B, ...]``: all others are 0 in a sum.

    Its derivative is no scatter, but a product.

    A GPU that is to be deterministic sorts for a scatter; on a CPU it is the faster one.
    """
    numbers = torch.arange(likelihoods.shape[2], device=likelihoods.device)
    mask = classes.unsqueeze(1) == numbers.view(-1, *[1] * (likelihoods.ndim - 3))
    return torch.where(mask, likelihoods, 0.0).sum(2)


@Stackable
def l1(output: Tensor, target: Tensor) -> Tensor:
    """Mean absolute difference, in the target's unit; NaN targets are ignored.

    Args:
        output: ``[R, B, ...]``, as the target or with a last dimension of 1.
        target: ``[B, ...]``, floating-point.

    Returns:
        ``[R]``.

    Raises:
        BadShape: Output and target do not fit.
    """
    difference, n_valid = _difference(output, target)
    return _sums(difference.abs()) / n_valid


@Stackable
def mse(output: Tensor, target: Tensor) -> Tensor:
    """Mean squared difference, in the target's unit squared; NaN targets are ignored.

    Args:
        output: ``[R, B, ...]``, as the target or with a last dimension of 1.
        target: ``[B, ...]``, floating-point.

    Returns:
        ``[R]``.

    Raises:
        BadShape: Output and target do not fit.
    """
    difference, n_valid = _difference(output, target)
    return _sums(difference.square()) / n_valid


@Stackable
def bce(output: Tensor, target: Tensor) -> Tensor:
    """Binary cross-entropy in nats of independent labels; NaN targets are ignored.

    Args:
        output: Logits ``[R, B, ...]``, one per label.
        target: Probabilities of the label, ``[B, ...]``, 0 and 1 as a rule, floating-point.

    Returns:
        ``[R]``.

    Raises:
        BadShape: Output and target do not fit.
    """
    valid = ~target.isnan()
    logits = fitted(output, target, n_leading=1)
    # log(1 + exp(-x)) in operations that round alike at every place of a stack
    shift = (-logits.detach()).clamp(min=0)
    softplus = shift + ((-shift).exp() + (-logits - shift).exp()).log()
    costs = (1 - target.nan_to_num()) * logits + softplus
    return _sums(torch.where(valid, costs, 0.0)) / valid.sum().clamp(min=1)


def valid_elements(target: Tensor) -> Tensor:
    """How many elements of a target are not missing, ``[]``: for `TaskFunctions.valid_elements`.

    Args:
        target: ``[B]`` or ``[B, ...]``: class numbers, or numbers in floating point.
    """
    missing = target.isnan() if target.is_floating_point() else target == IGNORED
    return (~missing).sum()


def fitted(output: Tensor, target: Tensor, *, n_leading: int = 0) -> Tensor:
    """The output in the target's shape: a head's ``[B, 1]`` becomes ``[B]`` for targets ``[B]``.

    The output may have leading dimensions that the target lacks.

    Without this check ``[B, 1] - [B]`` would quietly broadcast to ``[B, B]``.

    Raises:
        BadShape: The shapes differ otherwise.
    """
    shape = output.shape[n_leading:]
    if shape == target.shape:
        return output
    if shape == (*target.shape, 1):
        return output.squeeze(-1)
    raise BadShape(
        "Output and target of a regression must have one shape, or [B, 1] and [B]. Got output "
        f"{list(shape)} and target {list(target.shape)}. Change the head's number of "
        "outputs, or the target."
    )


def _difference(output: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """Output minus target with 0 where the target is missing, and the number of valid elements."""
    valid = ~target.isnan()
    difference = torch.where(valid, fitted(output, target, n_leading=1) - target, 0.0)
    return difference, valid.sum().clamp(min=1)


def _sums(elements: Tensor) -> Tensor:
    """Sums of the rows ``[R, ...]``."""
    return elements.flatten(1).sum(1)
