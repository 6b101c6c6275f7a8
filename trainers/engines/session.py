"""What stays warm between packs: the problem, its data on the device, the wish to stop."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import torch

from trainers.engines.compiled.functions import Compiled
from trainers.engines.fused.long_lived import Places
from trainers.engines.solo.group import RunGroup
from trainers.engines.stepping import grad_evals
from trainers.errors import DeviceUnusable, TaskMismatch
from trainers.hardware.devices import indexed
from trainers.hardware.gpu import cap_memory
from trainers.jobs import Corruptions, Precision, Training
from trainers.network import build_network
from trainers.parts import Marked, part
from trainers.protocol import Problem, Source, labelled_samples
from trainers.randomness import Key
from trainers.reading import as_read, is_streamed
from trainers.resources import BACKWARD_PASSES, forward_flops
from trainers.weightings import Weighting


def _never() -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Session:
    """A problem loaded on a device.

    Attributes:
        stop_requested: Asked at epoch ends; True saves and releases what is being trained.
        memory_share: How much of the device's memory its packs may take.
        flops: Operations of a forward pass of one sample, of training and of validation, by
            tasks, none for the trunk alone, as far as they were counted.
        padding_rows: Of a stack beside its runs, by tasks, smallest batches and precision.
        places: Where compiled stacks lie on a GPU.
        compiled: Compiled losses by engine, tasks, batch size and precision.
        labelled: Of tasks that not all training samples have a label of, the numbers of those that
            do, ``[n]``.
        group: The processes that train its runs together; None for this one alone.
        judged_last: Splits beside the usual ones that networks are judged on after their last
            epoch.
        corrupted: Sessions of follow-ups on its data, by what they are trained on and their seed.
    """

    problem: Problem
    device: torch.device
    sources: Mapping[str, Source]
    stop_requested: Callable[[], bool] = _never
    memory_share: float = 1.0
    flops: dict[tuple[str, ...], tuple[float, float]] = field(default_factory=dict)
    padding_rows: dict[tuple[tuple[str, ...], tuple[int, int], Precision], int] = field(
        default_factory=dict
    )
    compiled: dict[tuple[str, tuple[str, ...], int, Precision], Compiled] = field(
        default_factory=dict
    )
    places: Places = field(default_factory=Places)
    labelled: Mapping[str, torch.Tensor] = field(default_factory=dict)
    group: RunGroup | None = None
    judged_last: tuple[str, ...] = ()
    corrupted: dict[tuple[Corruptions, int], Session] = field(default_factory=dict)

    def trained_on(self, tasks: Sequence[str]) -> str:
        """The task whose labelled samples alone a network is trained on; empty: on all samples."""
        return tasks[0] if len(tasks) == 1 and tasks[0] in self.labelled else ""

    @property
    def n_devices(self) -> float:
        """Devices that its runs hold while they are trained; of a GPU that is shared, the share."""
        held = self.memory_share if self.device.type == "cuda" else 1.0
        return held if self.group is None else held * self.group.size

    @property
    def trunk_frozen(self) -> bool:
        """Whether no gradient goes through the trunk."""
        return bool(getattr(self.problem, "trunk_frozen", False))

    @property
    def streamed(self) -> bool:
        """Whether batches are expensive to make."""
        return any(is_streamed(source) for source in self.sources.values())

    def synchronize(self) -> None:
        """Wait until the device has done all work given to it."""
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)

    def epoch_flops(
        self, tasks: tuple[str, ...], training: Training, method: Weighting | None = None
    ) -> float:
        """Estimated operations of one epoch of a network of these tasks, evaluation included.

        Samples that `drop_last` leaves out are not trained on, and test samples cost what those of
        validation do. Passes are counted once, each on a network that nobody trains: a forward
        pass may change one.

        Args:
            method: What its steps are weighed by; None: by the losses.
        """
        trained, judged = self._pass_flops(tasks)
        forward = 1 if method is None else method.forward_passes
        if training.micro_batch_size is not None:
            forward += 1  # weights need the losses of all parts
        trunk = self._pass_flops(())[0] if self.trunk_frozen else 0.0
        step = forward * trained + BACKWARD_PASSES * (trained - trunk)
        if further := 0 if trunk else grad_evals(method, training, len(tasks)) - 1:
            step += further * BACKWARD_PASSES * self._pass_flops(())[0]
        sizes = {split: source.size for split, source in self.sources.items()}
        n_trained = training.samples_of(sizes["train"])
        n_judged = sizes["validation"] + sizes["test"]
        return step * n_trained + judged * n_judged

    def judging_flops(self, tasks: tuple[str, ...], splits: Sequence[str]) -> float:
        """Estimated operations of judging a network on splits beside the usual ones."""
        n_samples = sum(self.sources[split].size for split in splits)
        return self._pass_flops(tasks)[1] * n_samples if n_samples else 0.0

    def _pass_flops(self, tasks: tuple[str, ...]) -> tuple[float, float]:
        if tasks not in self.flops:
            self.flops[tasks] = (
                self._forward_flops(tasks, "train"),
                self._forward_flops(tasks, "validation"),
            )
        return self.flops[tasks]

    def _forward_flops(self, tasks: tuple[str, ...], split: str) -> float:
        network = build_network(self.problem, tasks, Key("flops")).to(self.device)
        return forward_flops(network, self.sources[split])


def open_session(
    problem: Problem,
    device: str,
    stop_requested: Callable[[], bool] = _never,
    *,
    memory_share: float = 1.0,
) -> Session:
    """Load a problem's data on a device, of whose memory a share may be taken.

    Raises:
        DeviceUnusable: There is no such device here.
        TaskMismatch: A split is missing or empty, a task's metrics are not those of its card, or
            samples that are said to have its label are none of the training split.
    """
    asked, problem, where = problem, Marked(problem), _usable_device(device)
    cap_memory(where, memory_share)
    sources = problem.sources(where)
    for split in ("train", "validation", "test"):
        if split not in sources or sources[split].size == 0:
            raise TaskMismatch(
                f"A problem needs the splits train, validation and test, none empty. Got "
                f"{ {name: source.size for name, source in sources.items()} }. "
                "Return all three from `sources`."
            )
    for task in problem.card.tasks:
        promised = [metric.name for metric in task.metrics]
        found = list(problem.functions(task.name).metrics)
        if promised != found:
            raise TaskMismatch(
                f"The metrics of task {task.name} must be those of its card. The card says "
                f"{promised}, `functions` gives {found}. Name them alike, in the same order."
            )
    read = {split: as_read(source, where) for split, source in sources.items()}
    labelled = _labelled(asked, sources["train"].size)
    return Session(problem, where, read, stop_requested, memory_share, labelled=labelled)


def _labelled(problem: Problem, n_samples: int) -> Mapping[str, torch.Tensor]:
    """Of tasks that lack labels, the samples that have one.

    Raises:
        TaskMismatch: They are no samples of the training split.
    """
    with part("labelled_samples"):
        found = labelled_samples(problem, n_samples)
    for task, numbers in found.items():
        whole = torch.is_tensor(numbers) and numbers.dtype == torch.int64 and numbers.ndim == 1
        if task not in problem.card.task_names or not (
            whole and len(numbers) and 0 <= int(numbers.min()) <= int(numbers.max()) < n_samples
        ):
            raise TaskMismatch(
                "`labelled_samples` must give tasks of the card their labelled training samples, "
                f"int64 numbers from 0 to {n_samples - 1} as a tensor [n]. Got {numbers!r:.100} "
                f"for {task}. Leave tasks out that have all labels."
            )
    return found


def _usable_device(name: str) -> torch.device:
    try:
        device = torch.device(indexed(name))
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        raise DeviceUnusable(
            f"A device must be there to be used. Got {name!r}: {reason}. "
            "`weighbridge doctor` lists the devices."
        ) from error
    return device
