"""Methods that see more of a step than its losses: each task's gradient, or the batch again.

Shapes: T tasks, P shared parameters, which are those of the trunk. All tensors
have the dtype that `Weighting` says.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from trainers.weightings._base import Weighting

if TYPE_CHECKING:
    from torch import Tensor

__all__ = [
    "AfterStepWeighting",
    "GradientStep",
    "GradientWeighting",
    "GramianWeighting",
    "StatefulGradientWeighting",
]


class GradientStep(NamedTuple):
    """What a gradient-level method makes of a step.

    Attributes:
        update: ``[P]`` what the shared parameters descend along, in place of a gradient.
        weights: ``[T]`` how much of each task's gradient is in it.
        state: Name to what is kept for the next step.
    """

    update: Tensor
    weights: Tensor
    state: Mapping[str, Tensor]


class GradientWeighting(Weighting):
    """A method that makes the update of the shared parameters from each task's own gradient.

    Each head learns from the plain gradient of its own task's loss. What is differentiated are
    the losses as they stand in the objective, their sum unless a method has another one.

    Attributes:
        axes: Letters of the axes of what is kept in the state: ``T``, which need not be said,
            ``TT``, or ``TP``.
    """

    level = "gradient"
    solo_only = "needs each task's own gradient"
    axes: ClassVar[Mapping[str, str]] = {}

    def objective(
        self,
        losses: Tensor,
        *,
        hyper: Mapping[str, Tensor],  # noqa: ARG002
        params: Mapping[str, Tensor],  # noqa: ARG002
        state: Mapping[str, Tensor],  # noqa: ARG002
        noise: Tensor | None,  # noqa: ARG002
    ) -> Tensor:
        """The sum over tasks: ``[T]`` to ``[]``."""
        return losses.sum(-1)

    def grad_evals(self, n_tasks: int, /) -> int:
        """One gradient a task."""
        return n_tasks

    def step(
        self,
        gradients: Tensor,
        *,
        losses: Tensor,
        hyper: Mapping[str, Tensor],
        params: Mapping[str, Tensor],
        state: Mapping[str, Tensor],
        noise: Tensor | None,
    ) -> GradientStep:
        """What `update` finds of ``[T, P]``, and the next step's state, which is this one's."""
        update, weights = self.update(
            gradients, losses=losses, hyper=hyper, params=params, state=state, noise=noise
        )
        return GradientStep(update, weights, state)

    @abstractmethod
    def update(
        self,
        gradients: Tensor,
        *,
        losses: Tensor,
        hyper: Mapping[str, Tensor],
        params: Mapping[str, Tensor],
        state: Mapping[str, Tensor],
        noise: Tensor | None,
    ) -> tuple[Tensor, Tensor]:
        """What the shared parameters descend along; nothing in it is differentiated.

        Args:
            gradients: ``[T, P]``, a row a task, in the parameters' dtype; not changed.
            losses: ``[T]``, detached.
            hyper: As in `objective`, like all that follow.
            noise: ``[T, T]`` standard normal if `noise` is set on the class, else None.

        Returns:
            The update ``[P]``, in place of a gradient, and ``[T]`` how much of each task's
            gradient is in it, which is recorded as the loss weights.
        """


def axes_of(method: Weighting, name: str) -> str:
    """Letters of the axes of what a method keeps under `name`."""
    return method.axes.get(name, "T") if isinstance(method, GradientWeighting) else "T"


def state_shape(method: Weighting, name: str, n_tasks: int, n_shared: int) -> tuple[int, ...]:
    """The shape of what a method keeps under `name`, for T tasks and P shared parameters."""
    sizes = {"T": n_tasks, "P": n_shared}
    return tuple(sizes[letter] for letter in axes_of(method, name))


class StatefulGradientWeighting(GradientWeighting):
    """A gradient-level method that keeps something from step to step: its `state`."""

    def update(self, gradients: Tensor, **inputs: Any) -> tuple[Tensor, Tensor]:
        """The update ``[P]`` and the weights ``[T]`` of `step`."""
        found = self.step(gradients, **inputs)
        return found.update, found.weights

    @abstractmethod
    def step(
        self,
        gradients: Tensor,
        *,
        losses: Tensor,
        hyper: Mapping[str, Tensor],
        params: Mapping[str, Tensor],
        state: Mapping[str, Tensor],
        noise: Tensor | None,
    ) -> GradientStep:
        """As `update`, and the state for the next step; what is given is not changed.

        Args:
            gradients: ``[T, P]``, as in `update`, like all that follow.
            state: Name to a tensor of the axes that `axes` says, of T if it says none.
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
        losses: Tensor,
        hyper: Mapping[str, Tensor],
        params: Mapping[str, Tensor],
        state: Mapping[str, Tensor],
        noise: Tensor | None,
    ) -> Tensor:
        """Coefficients ``[T]`` of the tasks' gradients in the update.

        Args:
            gramian: ``[T, T]``, inner products of the tasks' gradients; not changed.
            losses: As in `update`, like all that follow.
        """


class AfterStepWeighting(Weighting):
    """A method that learns after every step: what it learns is its `state`.

    It looks at the batch again when the step is taken, to learn by what that did. This second pass
    is one of training, so dropout is drawn anew and batch statistics count it. One that needs no
    more than the losses the step was taken by says ``forward_passes = 1``, and is given them twice.
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
