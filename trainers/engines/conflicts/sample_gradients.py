"""Gradients of each task's loss of single samples on the shared parameters.

All samples and tasks are rows of one forward pass and one backward pass, each with the shared
parameters to itself. The network evaluates meanwhile: batch normalisation goes by its running
statistics, dropout is off. It computes in single precision.

Shapes: R runs, S samples, T tasks, M = S T gradients of a run (tasks of a sample side by side),
p numbers of a tensor, B batch.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial

import torch
from torch import Tensor
from torch.func import vmap
from torch.nn.parameter import is_lazy

from trainers.engines.conflicts.rows import inputs_of_rows, mapped, n_rows_of, total_loss
from trainers.engines.fused.forward import outputs_of_one, tensor_places, trained_parameters
from trainers.engines.solo.micro_batches import some_of
from trainers.errors import NoSharedPart
from trainers.evaluation import batch_size_of
from trainers.failures import OUT_OF_MEMORY, failure_class
from trainers.network import MultiTaskNetwork
from trainers.protocol import Batch, TaskFunctions
from trainers.reading import owned

_MOST_NUMBERS = 2**24
"""Of the gradients that are in memory at once, if those of one run are not more."""


class SampleGradients:
    """Gradients of the samples of a batch, of runs of one network.

    Args:
        network: The template; its own parameters and buffers are not used.
        functions: Losses by task.

    Attributes:
        n_coordinates: Numbers in the shared parameters.
        one_by_one: The network or a loss does not survive `torch.func.vmap`.

    Raises:
        NoSharedPart: The trunk learns nothing, or waits for data to tell its sizes.
    """

    def __init__(self, network: MultiTaskNetwork, functions: Mapping[str, TaskFunctions]) -> None:
        self._functions = functions
        self._outputs = partial(outputs_of_one, network, tensor_places(network))
        of_trunk = {id(param) for param in network.trunk.parameters()}
        shared = {n: p for n, p in trained_parameters(network).items() if id(p) in of_trunk}
        if not shared:
            raise NoSharedPart(
                "`gradients` of [diagnostics] compares gradients on the trunk's parameters, and "
                "this trunk has none that are trained. Drop it, or let the trunk learn."
            )
        if any(map(is_lazy, shared.values())):
            raise NoSharedPart(
                "`gradients` of [diagnostics] compares gradients on the trunk's parameters, and "
                "some of this trunk's wait for data to tell their sizes. Drop it, or give the "
                "layers their sizes."
            )
        self._shared = list(shared)
        self.n_coordinates = sum(p.numel() * (1 + p.is_complex()) for p in shared.values())
        self.one_by_one = False

    def parts(
        self, tensors: Mapping[str, Tensor], batch: Batch, tasks: Sequence[str]
    ) -> Iterator[list[Tensor]]:
        """Gradients of as many runs as memory holds at once, then of the next ones.

        Args:
            tensors: The runs' parameters and buffers, name to ``[R, *shape]``.
            batch: Of S samples.

        Returns:
            Tensor by tensor ``[R, M, p]``; of a task that a sample has no label of, anything.
        """
        n_rows = len(tasks) * batch_size_of(batch.inputs)
        step = max(1, _MOST_NUMBERS // (n_rows * self.n_coordinates))
        n_runs = len(tensors[self._shared[0]])
        for first in range(0, n_runs, step):
            some = {name: of[first : first + step] for name, of in tensors.items()}
            yield self._of_runs(some, batch, tasks)

    def losses(
        self, tensors: Mapping[str, Tensor], batch: Batch, tasks: Sequence[str]
    ) -> dict[str, tuple[float, list[float]]]:
        """The first run's loss of all samples together and of each alone, by task.

        Args:
            tensors: Name to ``[R, *shape]``.
        """
        of_first = {name: of[0] for name, of in tensors.items()}
        with torch.no_grad():
            whole = self._losses_of(of_first, owned(batch), tasks)
            alone = [self._losses_of(of_first, owned(one), tasks) for one in _single(batch)]
        return {task: (float(whole[task]), [float(of[task]) for of in alone]) for task in tasks}

    def _of_runs(
        self, tensors: Mapping[str, Tensor], batch: Batch, tasks: Sequence[str]
    ) -> list[Tensor]:
        if not self.one_by_one:
            try:
                return self._together(tensors, owned(batch), tasks)
            except Exception as error:  # what is the network's own fault, it raises again below
                if failure_class(error) == OUT_OF_MEMORY:
                    raise
                self.one_by_one = True
        n_runs = len(tensors[self._shared[0]])
        each = [
            [*self._apart({name: of[run] for name, of in tensors.items()}, batch, tasks)]
            for run in range(n_runs)
        ]
        return [torch.stack(of_runs) for of_runs in zip(*each, strict=True)]

    def _together(
        self, tensors: Mapping[str, Tensor], batch: Batch, tasks: Sequence[str]
    ) -> list[Tensor]:
        """By one backward pass: each row's loss depends on its own copy of the parameters."""
        n_runs = len(tensors[self._shared[0]])
        inputs = mapped(lambda of: of.unsqueeze(1), inputs_of_rows(batch, len(tasks)))
        n_rows = n_rows_of(inputs)
        shared, others = {}, {}
        for name, of in tensors.items():
            if name in self._shared:
                rows = of.unsqueeze(1).expand(n_runs, n_rows, *of.shape[1:])
                shared[name] = rows.requires_grad_()
            else:
                others[name] = of
        of_run = vmap(self._outputs, in_dims=(0, None, 0), randomness="same")
        if n_runs == 1:
            outputs = of_run(
                {name: of[0] for name, of in shared.items()},
                {name: of[0] for name, of in others.items()},
                inputs,
            )
            outputs = mapped(lambda of: of.unsqueeze(0), outputs)
        else:
            of_runs = vmap(of_run, in_dims=(0, 0, None), randomness="same")
            outputs = of_runs(shared, others, inputs)
        outputs = mapped(lambda of: of.squeeze(2), outputs)
        total = total_loss(outputs, batch, self._functions, tasks)
        found = torch.autograd.grad(total, [*shared.values()], allow_unused=True)
        return [_flat(gradient) for gradient in found if gradient is not None]

    def _apart(
        self, tensors: Mapping[str, Tensor], batch: Batch, tasks: Sequence[str]
    ) -> Iterator[Tensor]:
        """Of one run by a backward pass for each sample and task; ``[M, p]`` of each tensor."""
        params = {name: tensors[name].detach().requires_grad_() for name in self._shared}
        rows = []
        for one in _single(batch):
            losses = self._losses_of({**tensors, **params}, owned(one), tasks)
            for place, loss in enumerate(losses.values(), start=1):
                rows.append(
                    torch.autograd.grad(
                        loss, [*params.values()], retain_graph=place < len(tasks), allow_unused=True
                    )
                )
        for param, of_rows in zip(params.values(), zip(*rows, strict=True), strict=True):
            dense = [torch.zeros_like(param) if of is None else _dense(of) for of in of_rows]
            yield _flat(torch.stack(dense).unsqueeze(0))[0]

    def _losses_of(
        self, tensors: Mapping[str, Tensor], batch: Batch, tasks: Sequence[str]
    ) -> dict[str, Tensor]:
        outputs = self._outputs(tensors, {}, batch.inputs)
        return {
            task: self._functions[task].loss(outputs[task], batch.targets[task]) for task in tasks
        }


def _single(batch: Batch) -> Iterator[Batch]:
    """Each sample as a batch of one."""
    for place in range(batch_size_of(batch.inputs)):
        yield some_of(batch, place, place + 1)


def _dense(gradient: Tensor) -> Tensor:
    return gradient if gradient.layout == torch.strided else gradient.to_dense()


def _flat(gradient: Tensor) -> Tensor:
    """``[R, M, *shape]`` as ``[R, M, p]``; a complex number is two real ones."""
    real = torch.view_as_real(gradient) if gradient.is_complex() else gradient
    return real.reshape(*real.shape[:2], -1)
