"""How many padding rows a stack needs: rows that repeat its last run and are thrown away.

A vectorised kernel computes 16 or 32 numbers at once and what remains one by one, where some
functions round differently. Padding rows are last in memory, so what remains is theirs: a run's
bits then depend neither on its place nor on the size of the pack. Measured on AVX-512: sigmoid,
SiLU, softplus, ELU, Mish (and GELU in float64) do differ, arithmetic and ReLU do not.

Shapes: R rows, B batch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from trainers.engines.fused.forward import (
    Forward,
    carried_tensors,
    repeated,
    task_functions,
    trained_parameters,
)
from trainers.engines.fused.stack_evaluation import StackEvaluation
from trainers.engines.fused.weighting_rows import TAIL
from trainers.engines.masks import Present
from trainers.engines.session import Session
from trainers.hardware import compiler, gpu
from trainers.jobs import Precision, Training
from trainers.network import MultiTaskNetwork, build_network
from trainers.protocol import Batch
from trainers.randomness import Key

_ARITHMETIC = (  # rounded correctly
    "abs add add_ div div_ floor mul mul_ neg round rsub sgn sign sqrt sub sub_"
)
_CHOICES = (
    "argmax bitwise_and bitwise_not bitwise_or clamp clamp_min eq ge gt isinf isnan le lt max "
    "nan_to_num ne relu threshold_backward where"
)
# Their kernels treat what remains as all the rest.
_FUNCTIONS = "_log_softmax _log_softmax_backward_data exp exp_ log log_ tanh tanh_backward"
_WITHIN_ROWS = "baddbmm bmm mean scatter_add sum"
_MOVES = (
    "_to_copy _unsafe_view arange as_strided bernoulli bernoulli_ cat clone copy_ detach empty "
    "empty_like expand fill_ full full_like gather new_zeros ones_like permute scalar_tensor "
    "select slice split squeeze stack t transpose unsqueeze view zeros zeros_like"
)
PLACELESS = frozenset(" ".join([_ARITHMETIC, _CHOICES, _FUNCTIONS, _WITHIN_ROWS, _MOVES]).split())
"""Operations whose result at one place depends on nothing but the operands there."""
_TAILS: dict[Precision, int] = {
    "float32": TAIL,
    "tf32": TAIL,
    "bfloat16": 2 * TAIL,
    "float16": 2 * TAIL,
}
"""Numbers that a vectorised kernel may leave over; twice as many of them fit in a vector."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What one step gives; with ``R`` in front if it is of a stack.

    Attributes:
        losses: ``[T]``.
        gradients: Of the sum of the losses by parameter; None for one that is not used.
        carried: Buffers and frozen parameters after the step.
    """

    losses: Tensor
    gradients: Mapping[str, Tensor | None]
    carried: Mapping[str, Tensor]


def n_padding_rows_of(session: Session, tasks: tuple[str, ...], training: Training) -> int:
    """Padding rows for stacks of these tasks, counted once a session for each batch size.

    None on a GPU, where the number of rows is fixed.
    """
    if gpu.wants_few_kernels(session.device):
        return 0
    sizes = _smallest_batches(session, training)
    key = tasks, sizes, training.precision
    if key not in session.padding_rows:
        trained, judged = (samples(session, size) for size in sizes)
        placed = placed_operations(a_forward(session, tasks, training.precision), trained, judged)
        tail = _TAILS[training.precision]
        per_row = max(1, min(placed.values(), default=2 * tail) // 2)
        session.padding_rows[key] = -(-tail // per_row) if placed else 0
    return session.padding_rows[key]


def placed_operations(forward: Forward, trained: Batch, judged: Batch) -> dict[str, int]:
    """Operations whose result may depend on the place, with the size of the smallest result.

    A training step and an evaluation of two rows are watched.
    """
    recorder = _Recorder()
    with recorder:
        stacked_step(forward, trained, n_rows=2)
        with torch.no_grad():
            forward.network.eval()
            params, buffers = (
                repeated(of(forward.network), 2) for of in (trained_parameters, carried_tensors)
            )
            outputs = forward.outputs(params, buffers, judged.inputs)
            StackEvaluation(forward, n_members=2).measured(outputs, judged)
            forward.network.train()
    return recorder.smallest


def _smallest_batches(session: Session, training: Training) -> tuple[int, int]:
    """Samples of the smallest batch in training, and in evaluation."""
    sizes = {split: source.size for split, source in session.sources.items()}
    return (
        _smallest(training.samples_of(sizes["train"]), training.batch_size),
        min(_smallest(sizes[of], training.eval_batch_size) for of in ("validation", "test")),
    )


def _smallest(n_samples: int, batch_size: int) -> int:
    return n_samples % batch_size or batch_size


def a_forward(
    session: Session, tasks: tuple[str, ...], precision: Precision = "float32"
) -> Forward:
    """A freshly initialised network to be tried, with functions of its own."""
    return Forward(a_network(session, tasks), task_functions(session.problem, tasks), precision)


def a_network(session: Session, tasks: tuple[str, ...]) -> MultiTaskNetwork:
    """A freshly initialised network of some tasks, the same in every call."""
    return build_network(session.problem, tasks, Key("trial")).to(session.device)


def samples(session: Session, size: int) -> Batch:
    """The first samples for validation; fewer if there are no more."""
    source = session.sources["validation"]
    return next(iter(source.batches(torch.arange(min(size, source.size)), size, Key("trial"))))


def stacked_step(forward: Forward, batch: Batch, *, n_rows: int, there: Present = None) -> Step:
    """One training step of copies of the template, without an update."""
    leaves = repeated(trained_parameters(forward.network), n_rows)
    for leaf in leaves.values():
        leaf.requires_grad_()
    carried = repeated(carried_tensors(forward.network), n_rows)
    losses = forward.losses(leaves, carried, batch, there)
    gradients = torch.autograd.grad(losses.sum(), list(leaves.values()), allow_unused=True)
    return Step(
        losses=losses.detach(),
        gradients=dict(zip(leaves, gradients, strict=True)),
        carried=carried,
    )


def _placeless(name: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> bool:
    """Squares are products, higher powers no arithmetic; a scaled addition may be rounded once."""
    if name == "pow":
        return args[1] in (0, 1, 2)
    return name in PLACELESS and kwargs.get("alpha", 1) == 1


class _Recorder(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Notes the operations that are not known to be placeless, and their smallest results."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.smallest: dict[str, int] = {}
        compiler.lighten(self)

    def __torch_dispatch__(self, func: Any, _types: Any, args: Any = (), kwargs: Any = None) -> Any:
        found = func(*args, **(kwargs or {}))
        name = func._schema.name.split("::")[-1]
        if not _placeless(name, args, kwargs or {}):
            leaves = torch.utils._pytree.tree_leaves(found)
            sizes = [leaf.numel() for leaf in leaves if isinstance(leaf, Tensor)]
            if sizes:  # reading a number gives none
                self.smallest[name] = min([*sizes, self.smallest.get(name, sizes[0])])
        return found
