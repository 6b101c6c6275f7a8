"""What a worker is told to train, in plain values that travel between processes and hosts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from trainers.gradients import GradientDiagnostics

Engine = Literal["solo", "fused"]
Precision = Literal["float32", "tf32", "bfloat16", "float16"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProblemRef:
    """Where a problem comes from.

    Attributes:
        target: A registered name or ``package.module:Class``; a function with a `caller`.
        options: Keyword arguments of its constructor; of a function, its `metric`.
        folder: Folder appended to the import path, where a user's own module lies.
        caller: Of a training function: ``package.module:name`` of what calls it, see
            `trainers.functions`; empty for problems.
        trainer: What trains the problem in the place of our engines: its name, or
            ``package.module:Class``; empty: our engines do.
        ranked_by: Names under which a trainer reports what its trials are ranked by.
        tasks: Those that are asked of the problem; all if empty.
        train_fraction: Task to the share of training samples that keep its label; others keep all.
        label_noise: Which labels are wrong on purpose, the fields of a `trainers.problems` noise;
            none if empty.
        modules: Where the user's own code begins, that of weightings and optimisers included,
            see `trainers.worker.code`.
    """

    target: str
    options: Mapping[str, object] = field(default_factory=dict)
    folder: str | None = None
    caller: str = ""
    trainer: str = ""
    ranked_by: tuple[str, ...] = ()
    tasks: tuple[str, ...] = ()
    train_fraction: Mapping[str, float] = field(default_factory=dict)
    label_noise: Mapping[str, object] = field(default_factory=dict)
    modules: tuple[str, ...] = ()

    @property
    def trains_itself(self) -> bool:
        """Whether runs are trained by a function or a trainer, and not by our engines."""
        return bool(self.caller or self.trainer)


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """Learning rate over epochs, as a factor on the run's rate.

    Attributes:
        kind: ``constant``; ``step``: times `gamma` every `step_epochs`; ``cosine``: from 1 to 0
            over the run.
    """

    kind: Literal["constant", "step", "cosine"] = "constant"
    step_epochs: int = 1
    gamma: float = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Training:
    """What all runs of a study share.

    Attributes:
        optimizer: Its name, or ``module:Class``; see `trainers.optimizers`.
        momentum: Of `sgd` and `signsgd`; ignored by the others.
        clip_norm: Largest gradient norm of the network's parameters; None for no clipping.
        threads: Intra-op threads of torch; part of a run's identity, since bits depend on it.
        precision: Of the network's operations; parameters and losses are in single precision. With
            ``float16`` losses are scaled before they are differentiated.
        compile: Whether training steps go through torch's compiler.
        data_parallel: Processes that train one run together, each on its share of every batch.
        drop_last: Leave the last batch of an epoch out unless it is whole; other samples each time.
        channels_last: Whether runs alone have images in memory pixel by pixel; None: on a GPU.
        micro_batch_size: Samples that go through the network at once; None: the whole batch. A step
            is weighed and taken by the whole batch all the same.
        folder: Where an optimiser of the user's own may lie.
    """

    epochs: int
    batch_size: int
    optimizer: str = "adam"
    momentum: float = 0.9
    schedule: Schedule = field(default_factory=Schedule)
    clip_norm: float | None = None
    eval_batch_size: int = 1024
    threads: int = 1
    precision: Precision = "float32"
    compile: bool = False
    data_parallel: int = 1
    drop_last: bool = False
    channels_last: bool | None = None
    micro_batch_size: int | None = None
    folder: str | None = None

    def samples_of(self, n_samples: int) -> int:
        """How many of the training samples an epoch takes: all, or whole batches of them."""
        return n_samples - n_samples % self.batch_size if self.drop_last else n_samples

    @property
    def unstackable(self) -> list[str]:
        """Settings, as the spec has them, that go with runs that are trained one by one only."""
        return [
            *(['`precision = "float16"`'] if self.precision == "float16" else []),
            *(["`micro_batch_size`"] if self.micro_batch_size is not None else []),
        ]

    @property
    def plain_steps_only(self) -> list[str]:
        """Settings, as the spec has them, that go with steps of one backward pass only."""
        return [
            *(["`compile = true`"] if self.compile else []),
            *([f"`data_parallel = {self.data_parallel}`"] if self.data_parallel > 1 else []),
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """A saved position of a run: the state after `epoch` epochs.

    Attributes:
        path: Of the file, or its URL.
        of_run: Number of the run whose state it is, if that is another one: the networks that may
            yet be selected of that run are not this one's.
    """

    path: str
    epoch: int
    of_run: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InitialNetwork:
    """A kept network of another run, from which a run begins.

    Attributes:
        path: Of the file, or its URL.
        sha256: Of the file's bytes, in hexadecimal.
    """

    path: str
    sha256: str


def file_name(key: str) -> str:
    """What names of a run's own files begin with."""
    return f"run-{key[:16]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One run of a pack.

    Attributes:
        run: Number of the run in the study database.
        token: Fencing token of the attempt; comes back in every report.
        tasks: All tasks of the problem, or one for a single-task baseline.
        hyper: The weighting's own hyperparameters; all parameters of a training function; of a
            trainer those that the study names.
        address: Address of the run's private randomness (RLW), the same in every attempt.
        resume: Where to go on, newest first; one that cannot be read is skipped, and without any
            the run begins.
        key: Of the run, by which files of its own are named; the same in every attempt.
        select_by: Task, metric and direction of all that may decide which epoch is selected; empty:
            it is the last one; None: no network is kept.
        initial: What its network is at first, as far as it goes: heads that it lacks begin as
            always; None: all of it does.
        recorded: Of a training function's run: the last step that earlier attempts have reported,
            as far as it is known.
        folder: Where a weighting of the user's own may lie.
        born: Epochs that other runs have trained before it: it goes on from a checkpoint of theirs,
            and cannot begin without one.
    """

    run: int
    token: int
    weighting: str
    tasks: tuple[str, ...]
    lr: float
    weight_decay: float = 0.0
    hyper: Mapping[str, Any] = field(default_factory=dict)
    address: str = ""
    resume: tuple[Checkpoint, ...] = ()
    initial: InitialNetwork | None = None
    recorded: int = 0
    key: str = ""
    select_by: tuple[tuple[str, str, str], ...] | None = None
    folder: str | None = None
    born: int = 0

    @property
    def file_name(self) -> str:
        """What names of the run's own files begin with."""
        return file_name(self.key)


@dataclass(frozen=True, slots=True, kw_only=True)
class Corruptions:
    """The corruptions that heads are fine-tuned and judged on: each kind at each severity.

    Attributes:
        kinds: Of those in `trainers.problems.corruptions`.
        severities: From 1 to 5.
    """

    kinds: tuple[str, ...]
    severities: tuple[int, ...]

    @property
    def conditions(self) -> list[tuple[str, int]]:
        """Each kind at each severity."""
        return [(kind, severity) for kind in self.kinds for severity in self.severities]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pack:
    """Runs that one worker trains together: one problem, one seed, one epoch position.

    Attributes:
        until_epoch: Train up to the end of this epoch and return.
        engine: ``solo`` trains each run as a network of its own: one after the other, or all in
            step where batches are expensive to make; ``fused`` trains all as one stacked model.
            Part of a run's identity, since its last bits depend on it.
        rows: Of each stack, filled up with copies of the last run: on a GPU, how a run rounds
            depends on their number. At least the jobs; None where it does not.
        checkpoints: Folder for checkpoint files, a path or a URL for fsspec; None for none.
        checkpoint_s: Least time between two checkpoints of a pack.
        canaries: Runs to be trained again alone after their first epoch, for a hundredth of the
            time of so many packs as this one.
        waits_at_rung: Whether the call of a training function waits when `until_epoch` is reached,
            as its run may go on at once. Such a pack has one job.
        ends: Whether its runs are done when `until_epoch` is reached, before all epochs.
        gradients: How gradients are compared; None: they are not.
        unsaved: Why its runs cannot be saved, as a look has found; empty if they can. They then
            begin again.
        corruptions: Of images that heads are fine-tuned on, while the trunk stays as it is; None
            for other runs.
    """

    problem: ProblemRef
    training: Training
    seed: int
    until_epoch: int
    jobs: tuple[Job, ...]
    device: str = "cpu"
    engine: Engine = "solo"
    rows: int | None = None
    checkpoints: str | None = None
    checkpoint_s: float = 15.0
    canaries: Mapping[int, float] = field(default_factory=dict)
    waits_at_rung: bool = False
    unsaved: str = ""
    ends: bool = False
    corruptions: Corruptions | None = None
    gradients: GradientDiagnostics | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibrate:
    """Time a few training steps, alone and in packs of growing size.

    Attributes:
        shapes: Tuples of tasks; packs are tried of the first one.
        most: Largest pack to try.
        engine: Whose packs.
        memory_gib: What a pack may take; None for half of what is free.
        run_epochs: Epochs of all runs that are planned, by which is measured what timing may cost.
    """

    problem: ProblemRef
    training: Training
    shapes: tuple[tuple[str, ...], ...]
    most: int
    engine: Engine = "fused"
    memory_gib: float | None = None
    run_epochs: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeSteps:
    """Time a few steps of each of several runs alone, one after the other and over again.

    Attributes:
        jobs: Runs whose steps may take unequal times; by their `run` they are answered for.
        sweeps: How often each is timed.
        limit_s: What all may take; what that does not allow is left out.
    """

    problem: ProblemRef
    training: Training
    jobs: tuple[Job, ...]
    sweeps: int
    limit_s: float


Task = Pack | Calibrate | TimeSteps
"""What a worker is given to do."""
