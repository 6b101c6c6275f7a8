"""One batch of every split through every part of a problem, to find what would fail in training.

Each part is tried by itself, as far as those before it go: what one task's loss raises does not
hide what another's metric does.

Shapes: B batch.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Final, Literal, TypeVar

import torch
from torch import Tensor, nn

from trainers.engines import masks, network_facts, one_epoch
from trainers.engines.fused.forward import task_functions
from trainers.engines.fused.padding import a_network
from trainers.engines.precision import autocast
from trainers.engines.session import Session
from trainers.errors import TaskMismatch
from trainers.evaluation import metric_value
from trainers.events import NetworkFacts
from trainers.jobs import Precision, Training
from trainers.network import MultiTaskNetwork
from trainers.parts import described, part
from trainers.protocol import Batch, TaskFunctions
from trainers.randomness import Key

Mode = Literal["training", "evaluation"]
T = TypeVar("T")

_KEY = Key("probe")
WHY: Final[Mapping[str, str]] = MappingProxyType(
    {
        "train": "Tasks are learned from the train split",
        "validation": "Runs are compared by the validation split",
        "test": "Winners are judged by the test split",
    }
)
"""The splits, and what each is for, to begin a sentence."""


@dataclass(frozen=True, slots=True)
class Defect:
    """A part that fails, or gives what cannot be used.

    Attributes:
        mode: What the network was in.
        told: What is wrong, with part, task and line.
    """

    split: str
    mode: Mode
    told: str

    def __str__(self) -> str:
        return f"In {self.mode}, on the {self.split} split: {self.told}"


def dry_run(session: Session, training: Training) -> list[Defect]:
    """What fails of a problem; empty if nothing does."""
    try:
        network = a_network(session, session.problem.card.task_names)
        functions = task_functions(session.problem, [*network.places])
    except Exception as error:  # a user's problem may raise anything
        return [Defect("train", "training", described(error))]
    found: list[Defect] = []
    for split in WHY:
        mode: Mode = "training" if split == "train" else "evaluation"
        found += _Pass(session, training, network, functions, split, mode).defects()
    return found


def refuse_unlabelled(session: Session, training: Training, splits: Iterable[str] = WHY) -> None:
    """Refuse a problem of whose task some split has no label.

    Batches are read until each task had a valid element; tasks that do not count theirs have them
    everywhere.

    Raises:
        TaskMismatch: With the first such split and task.
    """
    functions = task_functions(session.problem, session.problem.card.task_names)
    counted = {task: of for task, of in functions.items() if of.valid_elements is not None}
    for split in splits:
        missing = list(counted)
        size = training.batch_size if split == "train" else training.eval_batch_size
        for batch in session.sources[split].batches(None, size, _KEY) if missing else ():
            there = masks.elements(batch.targets, counted)
            missing = [task for task in missing if not there[task]]
            if not missing:
                break
        if missing:
            raise TaskMismatch(
                f"{WHY[split]}, so it needs valid elements of each task. Of task {missing[0]} it "
                "has none: `valid_elements` was 0 in every batch. Move samples with labels of it "
                "there, or leave the task out."
            )


def looked_at(session: Session, precision: Precision, training: Training | None) -> NetworkFacts:
    """What decides the engine, and what would stop training in its first epoch.

    Raises:
        TaskMismatch: A split has no label of a task.
    """
    facts = network_facts(session, precision)
    if training is None:
        return facts
    try:
        refuse_unlabelled(session, training)
    except TaskMismatch:
        raise
    except Exception:  # data that cannot be read is told by the runs
        return facts
    return replace(facts, last_batch=lone_sample_fails(session, training))


def lone_sample_fails(session: Session, training: Training) -> str:
    """Why a last batch of one sample stops training, where there is one; empty if it does not.

    A network with batch normalisation takes any batch but that: one value has no spread.
    """
    if not has_lone_sample(session.sources["train"].size, training):
        return ""
    network = a_network(session, session.problem.card.task_names)
    order = torch.arange(3)
    try:
        for size, rows in ((2, order[:2]), (1, order[2:])):
            batch = next(iter(session.sources["train"].batches(rows, size, _KEY)))
            with autocast(session.device, training.precision):
                network(batch.inputs)
    except Exception as error:
        return "" if size > 1 else described(error)  # what fails anyhow is told elsewhere
    return ""


def has_lone_sample(n_samples: int, training: Training) -> bool:
    """Whether the last batch of an epoch holds one sample, of several that a whole one has."""
    left = training.samples_of(n_samples) % training.batch_size
    return left == 1 and n_samples > 1


class _Pass:
    """One batch of a split, and what it meets."""

    def __init__(
        self,
        session: Session,
        training: Training,
        network: MultiTaskNetwork,
        functions: dict[str, TaskFunctions],
        split: str,
        mode: Mode,
    ) -> None:
        self._session, self._training = session, training
        self._network, self._functions = network, functions
        self._split, self._mode = split, mode
        self._found: list[Defect] = []

    def defects(self) -> list[Defect]:
        """Try all parts."""
        self._network.train(self._mode == "training")
        batch = self._try(self._batch)
        if batch is None:
            return self._found
        with self._cast(), torch.set_grad_enabled(self._mode == "training"):
            features = self._try(lambda: self._called(self._network.trunk, batch.inputs, "trunk"))
        if features is None:
            return self._found
        for task in self._functions:
            self._task(task, batch, features)
        self._try(lambda: refuse_unlabelled(self._session, self._training, [self._split]))
        return self._found

    def _batch(self) -> Batch:
        source, training = self._session.sources[self._split], self._training
        if self._mode == "evaluation":
            return next(iter(source.batches(None, training.eval_batch_size, _KEY)))
        return next(iter(one_epoch.batches(self._session, training, _KEY, 1)))

    def _task(self, task: str, batch: Batch, features: Any) -> None:
        head = self._network.heads[self._network.places[task]]
        in_training = self._mode == "training"
        with self._cast(), torch.set_grad_enabled(in_training):
            output = self._try(lambda: self._called(head, features, "head", task))
            if output is None:
                return
            target = self._try(lambda: _target(batch, task))
            if target is None:
                return
            there = self._try(lambda: self._has_elements(task, target))
            loss = self._try(lambda: self._functions[task].loss(output, target)) if there else None
            if loss is not None:
                self._try(lambda: _check_loss(loss, task))
            if loss is not None and in_training:
                self._try(lambda: _differentiate(loss, task, self._network))
        if not in_training:
            for name in self._functions[task].metrics:
                self._try(lambda name=name: self._metric(task, name, output, target))  # type: ignore[misc]

    def _has_elements(self, task: str, target: Any) -> bool:
        return masks.present({task: target}, {task: self._functions[task]}) is None

    def _metric(self, task: str, name: str, output: Any, target: Any) -> float:
        metric = self._functions[task].metrics[name]
        with self._cast(), torch.no_grad():
            return metric_value(task, name, metric, metric.statistics(output, target))

    def _called(self, module: nn.Module, inputs: Any, name: str, task: str = "") -> Any:
        with part(name, task):
            return module(inputs)

    def _cast(self) -> AbstractContextManager[object]:
        return autocast(self._session.device, self._training.precision)

    def _try(self, work: Callable[[], T]) -> T | None:
        """What comes of it; None, and a finding, if it raises."""
        try:
            return work()
        except Exception as error:  # a user's problem may raise anything
            self._found.append(Defect(self._split, self._mode, described(error)))
            return None


def _target(batch: Batch, task: str) -> Any:
    with part("data", task):
        return batch.targets[task]


def _check_loss(loss: Tensor, task: str) -> None:
    with part("loss", task):
        if not math.isfinite(loss.item()):
            raise ValueError(
                f"The loss of an untrained network must be finite. Got {loss.item()}. Look at the "
                "data and its scale."
            )


def _differentiate(loss: Tensor, task: str, network: MultiTaskNetwork) -> None:
    with part("backward pass", task):
        if not loss.requires_grad:
            raise RuntimeError(
                "A loss must be differentiable. Got one that depends on no parameter. Compute it "
                "from the head's output with torch's operations."
            )
        params: Iterator[nn.Parameter] = (p for p in network.parameters() if p.requires_grad)
        torch.autograd.grad(loss, list(params), allow_unused=True, retain_graph=True)
