"""Outputs of regression heads next to their targets."""

from __future__ import annotations

from torch import Tensor

from trainers.problems.errors import BadShape


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
