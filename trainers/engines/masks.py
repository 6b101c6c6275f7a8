"""Tasks without a valid element in a batch are left out of its step: the method sees the others.

The weighting weighs the losses of those that are there as if they were all tasks. An absent task's
loss is not computed; it counts as 0 with gradient 0, so that the optimiser goes on with its head:
momentum runs out, decay stays. A batch that says nothing of any task is a step like this for all.

Shapes: T tasks, P shared parameters, R rows; ``...`` is empty for one run and ``(R,)`` for a stack.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

import torch
from torch import Tensor
from torch.utils._pytree import tree_leaves

from trainers.errors import BadLoss
from trainers.protocol import TaskFunctions
from trainers.weightings import Weighting
from trainers.weightings.levels import (
    AfterStepWeighting,
    GradientStep,
    GradientWeighting,
    axes_of,
)

Present: TypeAlias = tuple[int, ...] | None
"""Places of the tasks that are there; None for all."""


def elements(targets: Mapping[str, Any], functions: Mapping[str, TaskFunctions]) -> dict[str, int]:
    """Valid elements of a batch, of the tasks that count them; to be asked before the losses.

    A loss may change the targets in place.

    Raises:
        BadLoss: A count is below 0, or no whole number.
    """
    counts = {
        task: parts.valid_elements(targets[task])
        for task, parts in functions.items()
        if parts.valid_elements is not None
    }
    numbers = torch.stack([*counts.values()]).tolist() if counts else []
    for task, number in zip(counts, numbers, strict=True):
        if not (number >= 0 and float(number).is_integer()):
            raise BadLoss(
                f"`valid_elements` of task {task} must be a whole number, 0 or more. Got "
                f"{number:g}. Return `.sum()` of a mask of true and false."
            )
    return dict(zip(counts, map(int, numbers), strict=True))


def present(targets: Mapping[str, Any], functions: Mapping[str, TaskFunctions]) -> Present:
    """The tasks that a batch has valid elements of; see `elements`."""
    return present_by(elements(targets, functions), functions)


def present_by(counts: Mapping[str, float], functions: Mapping[str, TaskFunctions]) -> Present:
    """The tasks whose count is not 0."""
    places = tuple(place for place, task in enumerate(functions) if counts.get(task, 1) > 0)
    return None if len(places) == len(functions) else places


def _absent(n_tasks: int, there: tuple[int, ...]) -> list[int]:
    return [place for place in range(n_tasks) if place not in there]


def no_loss(output: Any, *, n_leading: int = 0) -> Tensor:
    """A loss of 0 whose gradient is 0, whatever the output: ``[]``, or ``[R]`` if it has rows."""
    numbers = [
        torch.view_as_real(leaf) if leaf.is_complex() else leaf
        for leaf in tree_leaves(output)
        if isinstance(leaf, Tensor) and (leaf.is_floating_point() or leaf.is_complex())
    ]
    all_of_it = torch.ones((), dtype=torch.bool, device=numbers[0].device)
    nothing = (of.masked_fill(all_of_it, 0).flatten(n_leading).sum(-1) for of in numbers)
    return torch.stack([*nothing]).sum(0)


def not_positive(losses: Tensor, there: Present) -> Tensor:
    """Which losses ``[..., T]`` are 0 or below, of tasks that are there."""
    found = losses <= 0
    if there is not None:
        found[..., _absent(losses.shape[-1], there)] = False
    return found


class TaskSteps:
    """In how many steps of an epoch each task was there.

    Args:
        n_steps: Of the epoch.
    """

    def __init__(self, n_tasks: int, n_steps: int) -> None:
        self._n_steps, self._absent = n_steps, [0] * n_tasks

    def note(self, there: Present) -> None:
        """Take a step into account."""
        if there is not None:
            for place in _absent(len(self._absent), there):
                self._absent[place] += 1

    @property
    def present(self) -> Present:
        """The tasks that were there in some step."""
        places = tuple(place for place, n in enumerate(self._absent) if n < self._n_steps)
        return None if len(places) == len(self._absent) else places

    def mean(self, total: Tensor) -> Tensor:
        """Sums over steps ``[..., T]`` divided by the steps in which each task was there."""
        if not any(self._absent):
            return total / self._n_steps
        return total / total.new_tensor([max(self._n_steps - n, 1) for n in self._absent])


def objective(method: Weighting, losses: Tensor, *, there: Present, **inputs: Any) -> Tensor:
    """A method's objective ``[...]`` of the tasks that are there, as if there were no others.

    Its derivatives by losses and parameters of the others are 0.

    Args:
        losses: ``[..., T]``.
        inputs: What else the method is given, of all tasks.
    """
    if there is None:
        return method.objective(losses, **inputs)
    if not there:
        learned: Mapping[str, Tensor] = inputs["params"]
        return sum((of.sum(-1) * 0 for of in learned.values()), losses.sum(-1) * 0)
    return method.objective(_among(losses, there), **_inputs(method, there, inputs))


def gradient_step(
    method: GradientWeighting,
    gradients: Tensor,
    *,
    there: Present,
    losses: Tensor,
    state: Mapping[str, Tensor],
    **inputs: Any,
) -> GradientStep:
    """What a gradient-level method makes of the tasks that are there; of the others state stays.

    Args:
        gradients: ``[T, P]``; a gradient of 0 is not shown to the method where its task is absent.
        losses: ``[T]``, as all that follows of all tasks.
        inputs: What else the method is given.
    """
    if there is None:
        return method.step(gradients, losses=losses, state=state, **inputs)
    none = gradients.new_zeros(len(gradients))
    if not there:
        return GradientStep(torch.zeros_like(gradients[0]), none, state)
    found = method.step(
        gradients[list(there)],
        losses=_among(losses, there),
        **_inputs(method, there, {**inputs, "state": state}),
    )
    kept = {
        name: _put(of, found.state[name], there, axes_of(method, name))
        for name, of in state.items()
    }
    return GradientStep(found.update, _put(none, found.weights, there), kept)


def after_step(
    method: AfterStepWeighting,
    state: Mapping[str, Tensor],
    before: Tensor,
    after: Tensor,
    *,
    there: Present,
    hyper: Mapping[str, Tensor],
) -> dict[str, Tensor]:
    """A method's state for the next step; of a task that was not there it stays.

    Args:
        before: ``[T]``, as `after`.
    """
    if there is None:
        return dict(method.after_step(state, before, after, hyper=hyper))
    if not there:
        return dict(state)
    inputs = _inputs(method, there, {"state": state, "hyper": hyper})
    losses = (_among(of, there) for of in (before, after))
    found = method.after_step(inputs["state"], *losses, hyper=inputs["hyper"])
    return {name: _put(of, found[name], there) for name, of in state.items()}


def end_epoch(
    method: Weighting, state: Mapping[str, Tensor], mean_losses: Tensor, there: Present
) -> dict[str, Tensor]:
    """A method's state for the next epoch; of a task that was never there it stays.

    Args:
        mean_losses: ``[..., T]``.
    """
    if there is None:
        return dict(method.end_epoch(state, mean_losses))
    if not there:
        return dict(state)
    among = {name: _among(of, there, axes_of(method, name)) for name, of in state.items()}
    found = method.end_epoch(among, _among(mean_losses, there))
    return {name: _put(of, found[name], there, axes_of(method, name)) for name, of in state.items()}


def _inputs(method: Weighting, there: tuple[int, ...], inputs: Mapping[str, Any]) -> dict[str, Any]:
    """What a method is given beside losses or gradients, of the tasks that are there."""
    per_task = {rule.name for rule in method.hypers if rule.per_task}
    found = dict(inputs)
    if "params" in inputs:
        found["params"] = {name: _among(of, there) for name, of in inputs["params"].items()}
    if "state" in inputs:
        found["state"] = {
            name: _among(of, there, axes_of(method, name)) for name, of in inputs["state"].items()
        }
    if "hyper" in inputs:
        found["hyper"] = {
            name: _among(of, there) if name in per_task else of
            for name, of in inputs["hyper"].items()
        }
    if (noise := inputs.get("noise")) is not None:
        found["noise"] = _among(noise, there, "TT" if method.level == "gradient" else "T")
    return found


def _among(of_tasks: Tensor, there: tuple[int, ...], axes: str = "T") -> Tensor:
    """The part of those that are there, along all axes of tasks."""
    places = _places(there, of_tasks)
    for dim in _task_dims(axes):
        of_tasks = of_tasks.index_select(dim, places)
    return of_tasks


def _put(into: Tensor, found: Tensor, there: tuple[int, ...], axes: str = "T") -> Tensor:
    """What was found of those that are there, put among what was of all."""
    places = _places(there, into)
    if len(_task_dims(axes)) == 1:
        return into.index_copy(_task_dims(axes)[0], places, found)
    both = into.clone()
    both[..., places.unsqueeze(-1), places] = found
    return both


def _task_dims(axes: str) -> list[int]:
    """Which dimensions, from the last one, are of tasks."""
    return [place - len(axes) for place, letter in enumerate(axes) if letter == "T"]


def _places(there: tuple[int, ...], like: Tensor) -> Tensor:
    return torch.tensor(there, dtype=torch.long, device=like.device)
