"""Methods that see more of a step than its losses: each task's gradient, or the batch again.

Shapes: T tasks, P shared parameters, which are those of the trunk. All tensors
have the dtype that `Weighting` says.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from trainers.weightings._base import Weighting

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["AfterStepWeighting", "GradientWeighting", "GramianWeighting"]


class GradientWeighting(Weighting):
    """A method that makes the update of the shared parameters from each task's own gradient.

    Each head learns from the plain gradient of its own task's loss. What is differentiated are
    the losses as they stand in the objective, their sum unless a method has another one.
    """

    level = "gradient"
    solo_only = "needs each task's own gradient"

    def objective(self, losses: Tensor, **_: object) -> Tensor:
        """The sum over tasks: ``[T]`` to ``[]``."""
        return losses.sum(-1)

    def grad_evals(self, n_tasks: int, /) -> int:
        """One gradient a task."""
        return n_tasks

    @abstractmethod
    def update(
        self,
        gradients: Tensor,
        *,
        hyper: Mapping[str, Tensor],
        params: Mapping[str, Tensor],
        state: Mapping[str, Tensor],
        noise: Tensor | None,
    ) -> tuple[Tensor, Tensor]:
        """What the shared parameters descend along; nothing in it is differentiated.

        Args:
            gradients: ``[T, P]``, a row a task, in the parameters' dtype; not changed.
            hyper: As in `objective`, like all that follow.
            noise: ``[T, T]`` standard normal if `noise` is set on the class, else None.

        Returns:
            The update ``[P]``, in place of a gradient, and ``[T]`` how much of each task's
            gradient is in it, which is recorded as the loss weights.
        """


class GramianWeighting(GradientWeighting):
    """A gradient-level method whose update is a combination of the tasks' gradients.

    The combination depends on their lengths and angles only, so on the Gramian.
    """

    def update(self, gradients: Tensor, **inputs: Any) -> tuple[Tensor, Tensor]:
        """The combination of the rows ``[T, P]``, and its coefficients ``[T]``."""
        weights = self.combination(gradients @ gradients.mT, **inputs)
        return weights @ gradients, weights

    @abstractmethod
    def combination(
        self,
        gramian: Tensor,
        *,
        hyper: Mapping[str, Tensor],
        params: Mapping[str, Tensor],
        state: Mapping[str, Tensor],
        noise: Tensor | None,
    ) -> Tensor:
        """Coefficients ``[T]`` of the tasks' gradients in the update.

        Args:
            gramian: ``[T, T]``, inner products of the tasks' gradients; not changed.
            hyper: As in `update`, like all that follow.
        """


class AfterStepWeighting(Weighting):
    """A method that looks at the batch again when the step is taken, and learns by what it did.

    The second pass is one of training, so dropout is drawn anew and batch statistics count it. What
    it learns is its `state`, which changes after every step.
    """

    level = "after-step"
    solo_only = "passes each batch through the network again after the step"
    forward_passes = 2

    @abstractmethod
    def after_step(
        self,
        state: Mapping[str, Tensor],
        before: Tensor,
        after: Tensor,
        *,
        hyper: Mapping[str, Tensor],
    ) -> Mapping[str, Tensor]:
        """The state for the next step.

        Args:
            state: Name to ``[T]``; not changed.
            before: ``[T]`` losses that the step was taken by, detached.
            after: ``[T]`` losses of the same batch after the step.
            hyper: Name to ``[]``, or ``[T]`` if per task.
        """
