"""The forward pass of many runs at once; nothing else is vectorised by `torch.func`.

Shapes: R rows (runs), B batch, T tasks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.func import functional_call, vmap

from trainers.engines._batch_norm import make_stackable
from trainers.engines._layers import NotPlain, PlainNetwork
from trainers.network import MultiTaskNetwork
from trainers.protocol import Batch, TaskFunctions


class Forward:
    """A network as a function of stacked parameters and buffers.

    Dropout draws one mask for all rows, the one that a single run would draw.

    Args:
        network: The template; its own values are not used.
    """

    def __init__(self, network: MultiTaskNetwork, functions: Mapping[str, TaskFunctions]) -> None:
        make_stackable(network)
        self.network, self.functions = network, functions
        self._outputs = self._plain(network) or vmap(
            self._outputs_of_one, in_dims=(0, None), randomness="same"
        )
        self._losses = vmap(self._losses_of_one, in_dims=(0, None), randomness="same")

    def outputs(
        self, params: Mapping[str, Tensor], buffers: Mapping[str, Tensor], inputs: Any
    ) -> dict[str, Any]:
        """Head outputs by task, ``[R, B, ...]``."""
        found: dict[str, Any] = self._outputs({**params, **buffers}, inputs)
        return found

    def losses(
        self, params: Mapping[str, Tensor], buffers: Mapping[str, Tensor], batch: Batch
    ) -> Tensor:
        """Task losses ``[R, T]`` of one batch; targets are shared."""
        outputs = self.outputs(params, buffers, batch.inputs)
        found: Tensor = self._losses(outputs, batch.targets)
        return found

    def _outputs_of_one(self, tensors: Mapping[str, Tensor], inputs: Any) -> Any:
        return functional_call(self.network, dict(tensors), (inputs,))

    def _losses_of_one(self, outputs: Mapping[str, Any], targets: Mapping[str, Any]) -> Tensor:
        return torch.stack(
            [parts.loss(outputs[task], targets[task]) for task, parts in self.functions.items()]
        )

    @staticmethod
    def _plain(network: MultiTaskNetwork) -> PlainNetwork | None:
        try:
            return PlainNetwork(network)
        except NotPlain:
            return None


def trained_parameters(network: MultiTaskNetwork) -> dict[str, Tensor]:
    """The parameters that are learned, by name."""
    return {name: param for name, param in network.named_parameters() if param.requires_grad}


def carried_tensors(network: MultiTaskNetwork) -> dict[str, Tensor]:
    """Buffers and frozen parameters, by name: they go with a run, but no optimiser sees them."""
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
