"""What every optimiser is: how a value is changed by its gradient, and what is kept for it.

Shapes: T tasks, R rows (runs of a stack), W numbers a row.
"""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias, TypeVar

from trainers.errors import UnfitOptimizer

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from trainers.jobs import Training

    O = TypeVar("O", bound=torch.optim.Optimizer)  # noqa: E741

Number: TypeAlias = "float | Tensor"
"""One number, or a column ``[R, 1]`` with one for each row."""
_LIGHT: dict[type[Any], type[Any]] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A tensor that an optimiser keeps for each parameter; it begins at 0.

    Attributes:
        name: As `torch.optim` calls it; checkpoints do, too.
        per_task: Whether it is ``[T, *shape]``, one for each task, and not ``[*shape]``.
        dtype: Its type; None for the parameter's.
    """

    name: str
    per_task: bool = False
    dtype: torch.dtype | None = None


class Optimizer(ABC):
    """An optimiser, without any state of its own: one instance serves all runs.

    A parameter is a value of any shape, or the rows ``[R, W]`` of a stack, which have rates and
    decays of their own. Engines keep what `kept` declares, save it and go on from it. Values
    and gradients have the parameter's dtype, float32 as a rule; a complex number is two real ones.

    Attributes:
        counts_steps: The number of steps is kept, too.
        settings: What a run cannot change, for formulas and checkpoints: name to value.
    """

    counts_steps: ClassVar[bool] = False
    settings: ClassVar[Mapping[str, Any]] = {}

    @abstractmethod
    def kept(self, training: Training) -> tuple[Kept, ...]:
        """What it keeps for each parameter, the same in all steps."""

    @abstractmethod
    def update(
        self,
        value: Tensor,
        gradient: Tensor,
        kept: Mapping[str, Tensor],
        *,
        settings: Mapping[str, Any],
        n_steps: float | Tensor,
        lr: Number,
        weight_decay: Number | None,
    ) -> None:
        """Change one value, and what is kept for it, in place.

        Args:
            value: ``[*shape]`` or ``[R, W]``.
            gradient: As `value`, or ``[T, ...]`` of each task's weighted loss if something is kept
                per task: what a weighting learns has one gradient, so that T is 1. Not to be
                changed.
            kept: Name to what `kept` declares, each as `value`, or ``[T, ...]``.
            settings: Those of the class, or of torch's optimiser.
            n_steps: This step included; 0 unless `counts_steps`.
            weight_decay: None if nothing is decayed.
        """

    def built(
        self,
        groups: Sequence[dict[str, Any]],
        training: Training,  # noqa: ARG002 - for optimisers whose settings depend on it
        *,
        lr: float,
        fused: bool,  # noqa: ARG002 - for torch's own
    ) -> torch.optim.Optimizer:
        """What holds one run's settings and state, as torch has them: they are saved so.

        Args:
            groups: Each of parameters under ``params``, with a ``weight_decay``.
            fused: Whether PyTorch's fused kernels take all parameters; torch wants to know.
        """
        import torch

        return light(torch.optim.Optimizer)(
            groups, {"lr": lr, "weight_decay": 0.0, **self.settings}
        )

    def splits_tasks(self, training: Training) -> bool:
        """Whether it needs each task's own gradient, as something is kept per task."""
        return any(of.per_task for of in self.kept(training))

    def refuse_unless_fit(self, level: str, training: Training) -> None:
        """Refuse what an optimiser cannot be trained with.

        Args:
            level: Of the weighting.

        Raises:
            UnfitOptimizer: It needs each task's own gradient, and the weighting makes one of them
                or looks at the step, or steps are compiled or shared by several processes.
        """
        unfit = [f"a {level}-level weighting"] if level != "loss" else []
        unfit += training.plain_steps_only
        if unfit and self.splits_tasks(training):
            raise UnfitOptimizer(
                f"The optimiser `{training.optimizer}` keeps something of each task's own "
                f"gradient, and does not train with {unfit[0]}. Drop that, or take another "
                "`optimizer`."
            )

    def update_all(
        self,
        values: list[Tensor],
        gradients: list[Tensor],
        kept: Mapping[str, list[Tensor]],
        *,
        settings: Mapping[str, Any],
        steps: list[Tensor],
        lr: float,
        weight_decay: float,
    ) -> None:
        """Change values of one rate and decay; a kernel for all of them is faster than `update`.

        Args:
            values: Each ``[*shape]``.
            gradients: As `values`, or ``[T, *shape]`` if something is kept per task.
            kept: Name to one tensor a value, each as the value, or ``[T, *shape]``.
            steps: Numbers of steps, this one included, one ``[]`` in float32 a value; empty unless
                `counts_steps`.
        """
        for place, (value, gradient) in enumerate(zip(values, gradients, strict=True)):
            self.update(
                value,
                gradient,
                {name: of_all[place] for name, of_all in kept.items()},
                settings=settings,
                n_steps=steps[place].double() if steps else 0,  # what decays by it rounds less
                lr=lr,
                weight_decay=weight_decay or None,
            )


def light(kind: type[O]) -> type[O]:
    """One of torch's classes, whose objects are made, saved and restored without torch's compiler.

    Torch wraps these methods for the compiler to skip them; the wrapper imports it at its first
    call: 1.5 s in every worker. What is wrapped can be called.
    """
    if kind not in _LIGHT:
        wrapped = ("add_param_group", "load_state_dict", "state_dict", "zero_grad")
        unwrapped = {name: inspect.unwrap(getattr(kind, name)) for name in wrapped}
        _LIGHT[kind] = type(kind.__name__, (kind,), unwrapped)
    return _LIGHT[kind]


def decayed(gradient: Tensor, value: Tensor, weight_decay: Number | None) -> Tensor:
    """The gradient plus the decay times the value: that of the loss with an L2 penalty.

    Args:
        gradient: As `value`, in its dtype; not changed.
        value: ``[*shape]``, or ``[R, W]`` with decays ``[R, 1]``.
    """
    if weight_decay is None:
        return gradient
    if isinstance(weight_decay, int | float):
        return gradient.add(value, alpha=weight_decay)
    return gradient.addcmul(value, weight_decay)
