"""Outputs and losses of many runs at once; nothing else is vectorised by `torch.func`.

Shapes: R rows (runs), B batch, T tasks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from functools import partial
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.func import functional_call, vmap

from trainers.engines.fused.layers import NotPlain, PlainNetwork, make_stackable
from trainers.engines.masks import Present, no_loss
from trainers.engines.precision import autocast
from trainers.jobs import Precision
from trainers.network import MultiTaskNetwork
from trainers.protocol import Batch, TaskFunctions
from trainers.stackable import Stackable

if TYPE_CHECKING:
    from trainers.engines.compiled.functions import Compiled


class Forward:
    """A network as a function of stacked parameters and buffers.

    Dropout draws one mask for all rows, the one that a single run would draw.

    Args:
        network: The template, on its device; its own values are not used.
    """

    def __init__(
        self,
        network: MultiTaskNetwork,
        functions: Mapping[str, TaskFunctions],
        precision: Precision = "float32",
    ) -> None:
        self.network, self.functions = network, functions
        tensors = (*network.parameters(), *network.buffers())
        self.device = tensors[0].device if tensors else torch.device("cpu")
        make_stackable(network, self.device)
        self._precision: Precision = precision
        self._outputs = stacked_outputs(network)

    def cast(self) -> AbstractContextManager[object]:
        """Surrounds what is computed in the study's precision."""
        return autocast(self.device, self._precision)

    def outputs(
        self, params: Mapping[str, Tensor], buffers: Mapping[str, Tensor], inputs: Any
    ) -> dict[str, Any]:
        """Head outputs by task, ``[R, B, ...]``."""
        with self.cast():
            return self._outputs(params, buffers, inputs)

    def losses(
        self,
        params: Mapping[str, Tensor],
        buffers: Mapping[str, Tensor],
        batch: Batch,
        there: Present = None,
    ) -> Tensor:
        """Task losses ``[R, T]`` of one batch; targets are shared."""
        return torch.stack(self.losses_apart(params, buffers, batch, there), dim=1)

    def losses_apart(
        self,
        params: Mapping[str, Tensor],
        buffers: Mapping[str, Tensor],
        batch: Batch,
        there: Present = None,
    ) -> list[Tensor]:
        """The same, each ``[R]``: a gradient through a stack of them would pass through all."""
        with self.cast():
            outputs = self._outputs(params, buffers, batch.inputs)
            return losses_apart(outputs, batch.targets, self.functions, there, stacked=True)

    def compiled_losses(
        self,
        compiled: Compiled,
        params: Mapping[str, Tensor],
        buffers: Mapping[str, Tensor],
        batch: Batch,
    ) -> Tensor:
        """Task losses ``[R, T]`` by a compiled function, for as many rows as it takes."""
        with self.cast():
            return compiled(self.network, params, buffers, batch.inputs, batch.targets)


def stacked_outputs(network: MultiTaskNetwork) -> Callable[..., dict[str, Any]]:
    """Head outputs by task, ``[R, B, ...]``, of stacked parameters and buffers, and inputs."""
    try:
        plain = PlainNetwork(network)
    except NotPlain:
        of_one = partial(outputs_of_one, network, tensor_places(network))
        return vmap(of_one, in_dims=(0, 0, None), randomness="same")
    return lambda params, buffers, inputs: plain({**params, **buffers}, inputs)


def stacked_losses(
    functions: Mapping[str, TaskFunctions], places: Mapping[str, str]
) -> Callable[..., Tensor]:
    """Task losses ``[R, T]`` of a network, stacked parameters and buffers, inputs and targets.

    Args:
        places: Of the network's tensors, see `tensor_places`.
    """

    def of_all(
        network: MultiTaskNetwork,
        params: Mapping[str, Tensor],
        buffers: Mapping[str, Tensor],
        inputs: Any,
        targets: Mapping[str, Any],
    ) -> Tensor:
        of_one = partial(outputs_of_one, network, places)
        outputs = vmap(of_one, in_dims=(0, 0, None), randomness="same")(params, buffers, inputs)
        return task_losses(outputs, targets, functions, stacked=True)

    return of_all


def task_losses(
    outputs: Mapping[str, Any],
    targets: Mapping[str, Any],
    functions: Mapping[str, TaskFunctions],
    there: Present = None,
    *,
    stacked: bool = False,
) -> Tensor:
    """Losses ``[T]`` on one batch; ``[R, T]`` of outputs ``[R, B, ...]`` of a stack."""
    apart = losses_apart(outputs, targets, functions, there, stacked=stacked)
    return torch.stack(apart, dim=int(stacked))


def losses_apart(
    outputs: Mapping[str, Any],
    targets: Mapping[str, Any],
    functions: Mapping[str, TaskFunctions],
    there: Present = None,
    *,
    stacked: bool = False,
) -> list[Tensor]:
    """Losses on one batch, each ``[]``; ``[R]`` of outputs ``[R, B, ...]`` of a stack."""
    return [
        (_stacked(parts.loss) if stacked else parts.loss)(outputs[task], targets[task])
        if there is None or place in there
        else no_loss(outputs[task], n_leading=int(stacked))
        for place, (task, parts) in enumerate(functions.items())
    ]


def _stacked(loss: Callable[[Any, Any], Tensor]) -> Callable[[Any, Any], Tensor]:
    if isinstance(loss, Stackable):
        return loss.stacked
    return vmap(loss, in_dims=(0, None), randomness="same")


def tensor_places(network: MultiTaskNetwork) -> dict[str, str]:
    """Where the network's tensors are looked up: place to name.

    A tensor that two modules share has two places; what one module holds has one, whatever the
    number of names that the module goes by: there it must be put, and taken away, but once.
    """
    tensors = (*network.named_parameters(), *network.named_buffers())
    names = {id(value): name for name, value in tensors}
    return {
        f"{prefix}.{key}" if prefix else key: names[id(value)]
        for prefix, module in network.named_modules()
        for held in (module._parameters, module._buffers)
        for key, value in held.items()
        if value is not None
    }


def outputs_of_one(
    network: MultiTaskNetwork,
    places: Mapping[str, str],
    params: Mapping[str, Tensor],
    buffers: Mapping[str, Tensor],
    inputs: Any,
) -> Any:
    """Head outputs by task, ``[B, ...]``, of one network's tensors by name.

    Args:
        places: Of the network's tensors, see `tensor_places`.
    """
    tensors = {**params, **buffers}
    held = {place: tensors[name] for place, name in places.items()}
    return functional_call(network, held, (inputs,), tie_weights=False)


def trained_parameters(network: MultiTaskNetwork) -> dict[str, Tensor]:
    """The parameters that are learned, name to ``[*shape]``."""
    return {name: param for name, param in network.named_parameters() if param.requires_grad}


def carried_tensors(network: MultiTaskNetwork) -> dict[str, Tensor]:
    """Buffers and frozen parameters, name to ``[*shape]``: kept with a run, not optimised."""
    frozen = {name: p for name, p in network.named_parameters() if not p.requires_grad}
    return {**frozen, **dict(network.named_buffers())}


def repeated(tensors: Mapping[str, Tensor], n_rows: int) -> dict[str, Tensor]:
    """Name to ``[R, *shape]``, the same in every row."""
    return {
        name: value.detach().expand(n_rows, *value.shape).clone() for name, value in tensors.items()
    }


def task_functions(problem: Any, tasks: Sequence[str]) -> dict[str, TaskFunctions]:
    """Loss and metrics of each task."""
    return {task: problem.functions(task) for task in tasks}
