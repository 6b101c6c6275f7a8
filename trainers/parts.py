"""Which part of a problem an exception came from: its data, its trunk, a task's head, loss, metric.

Who calls a part of a user's marks what it raises; the innermost mark stands. It goes with the
exception into its traceback, and from there into what the user is told.
"""

from __future__ import annotations

import sysconfig
import traceback
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from trainers.cards import ProblemCard
from trainers.errors import BadLoss, BadMetric
from trainers.failures import told
from trainers.protocol import Batch, Metric, Problem, Source, TaskFunctions
from trainers.stackable import Stackable

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

    from trainers.randomness import Key

_MARK = "__weighbridge_part__"
_HOME = Path(__file__).resolve().parent.parent
_OURS = [_HOME / name for name in ("reports", "search_spaces", "storage", "study", "trainers")]
_LIBRARIES = tuple(sysconfig.get_path(name) for name in ("stdlib", "platstdlib"))
_INSTALLED = {"site-packages", "dist-packages"}


def mark(error: Exception, name: str, task: str = "") -> None:
    """Say that an exception came from a part, unless that is said more closely already.

    Args:
        name: ``data``, ``trunk``, ``head``, ``loss``, ``metric mae``, ...
        task: Whose part it is; empty for one that tasks share.
    """
    if not part_of(error):
        text = f"{name} of task {task}" if task else name
        setattr(error, _MARK, text)
        error.add_note(f"It came from the {text}.")


class part:
    """Marks what passes it, see `mark`; torch's compiler wants a plain ``try`` instead."""

    def __init__(self, name: str, task: str = "") -> None:
        self._name, self._task = name, task

    def __enter__(self) -> None:
        """Nothing is to be done."""

    def __exit__(
        self, _kind: object, error: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        """Mark an exception that passes."""
        if isinstance(error, Exception):
            mark(error, self._name, self._task)


def part_of(error: BaseException) -> str:
    """``loss of task left``; empty if nobody has said."""
    return str(getattr(error, _MARK, ""))


def place_of(error: BaseException) -> str:
    """``my_problem.py, line 12``: the last line of a user's own code that it passed; or empty."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if _is_users(frame.filename)]
    return f"{Path(own[-1].filename).name}, line {own[-1].lineno}" if own else ""


def described(error: BaseException) -> str:
    """``ValueError: what it says (loss of task left; my_problem.py, line 12)``."""
    where = "; ".join(filter(None, [part_of(error), place_of(error)]))
    return f"{told(error)} ({where})" if where else told(error)


def _is_users(file: str) -> bool:
    """Whether code is neither Python's, nor an installed package's, nor ours."""
    if file.startswith(("<", *_LIBRARIES)) or _INSTALLED & {*Path(file).parts}:
        return False
    place = Path(file).resolve()
    return not any(place.is_relative_to(package) for package in _OURS)


@dataclass(frozen=True, slots=True)
class Marked:
    """A problem whose parts mark what they raise."""

    problem: Problem

    @property
    def card(self) -> ProblemCard:
        """What the problem is."""
        return self.problem.card

    def sources(self, device: torch.device) -> Mapping[str, Source]:
        """The splits."""
        with part("data"):
            found = self.problem.sources(device)
        return {split: _Source(source, split) for split, source in found.items()}

    def trunk(self) -> nn.Module:
        """The shared part."""
        with part("trunk"):
            return self.problem.trunk()

    def head(self, task: str) -> nn.Module:
        """The part of one task."""
        with part("head", task):
            return self.problem.head(task)

    def functions(self, task: str) -> TaskFunctions:
        """Loss and metrics of one task."""
        with part("functions", task):
            found = self.problem.functions(task)
        metrics = {name: _Metric(metric, name, task) for name, metric in found.metrics.items()}
        return TaskFunctions(
            loss=_marked_loss(found.loss, task),
            metrics=metrics,
            valid_elements=_marked_count(found.valid_elements, task),
        )


@dataclass(frozen=True, slots=True)
class _Source:
    source: Source
    split: str

    @property
    def size(self) -> int:
        """Number of samples."""
        return self.source.size

    @property
    def streamed(self) -> bool:
        """Whether batches are expensive to make."""
        return bool(getattr(self.source, "streamed", False))

    @property
    def fresh(self) -> bool:
        """Whether batches are nobody else's."""
        return bool(getattr(self.source, "fresh", False))

    def batches(self, order: Tensor | None, batch_size: int, key: Key) -> Iterator[Batch]:
        """The samples in batches."""
        with part(f"{self.split} data"):
            yield from self.source.batches(order, batch_size, key)


@dataclass(frozen=True, slots=True)
class _Metric:
    metric: Metric
    name: str
    task: str

    @property
    def gathered(self) -> bool:
        """Whether it needs all samples at once."""
        return bool(getattr(self.metric, "gathered", False))

    def statistics(self, output: Tensor, target: Any) -> Tensor:
        """Additive statistics of one batch."""
        from torch import Tensor

        with part(f"metric {self.name}", self.task):
            found = self.metric.statistics(output, target)
            if not isinstance(found, Tensor):
                raise BadMetric(
                    f"The statistics of metric {self.name} of task {self.task} must be a tensor of "
                    f"sums over samples. Got a {type(found).__name__}. Return `torch.stack` of "
                    "them."
                )
            return found

    def value(self, total: Tensor) -> float:
        """The metric of summed statistics."""
        with part(f"metric {self.name}", self.task):
            return self.metric.value(total)


def _marked_loss(
    loss: Callable[[Any, Any], Tensor], task: str
) -> Callable[[Any, Any], Tensor] | Stackable:
    from torch import Tensor

    def marked(output: Any, target: Any) -> Tensor:
        try:
            found = of(output, target)
            if not isinstance(found, Tensor) or found.dim() != n_dims:
                raise _bad_loss(found, task)
        except Exception as error:
            mark(error, "loss", task)
            raise
        return found

    stacked = isinstance(loss, Stackable)
    of = loss.stacked if isinstance(loss, Stackable) else loss
    n_dims = int(stacked)
    marked.__wrapped__ = loss  # type: ignore[attr-defined]  # for who looks at what it keeps
    return Stackable(marked) if stacked else marked


def _marked_count(
    count: Callable[[Any], Tensor] | None, task: str
) -> Callable[[Any], Tensor] | None:
    if count is None:
        return None
    from torch import Tensor

    def marked(target: Any) -> Tensor:
        with part("valid_elements", task):
            found = count(target)
            if not isinstance(found, Tensor) or found.dim():
                raise BadLoss(
                    f"`valid_elements` of task {task} must be one number, as a tensor without "
                    f"dimensions. {_got(found)} Return `.sum()` of a mask."
                )
            return found

    return marked


def _bad_loss(found: object, task: str) -> BadLoss:
    return BadLoss(
        f"The loss of task {task} must be one number, the mean over the batch, as a tensor without "
        f"dimensions. {_got(found)} Return `.mean()` of it."
    )


def _got(found: object) -> str:
    shape = getattr(found, "shape", None)
    return f"Got a {type(found).__name__}." if shape is None else f"Got the shape {list(shape)}."
